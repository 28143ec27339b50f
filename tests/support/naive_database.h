// NaiveDatabase: the tables of a generated case as plain rows, and queries run by the naive
// evaluator.
#pragma once

#include <string_view>
#include <vector>

#include "schema/schema.h"
#include "tests/support/naive_evaluator.h"
#include "tests/support/query_generator.h"
#include "trefoil/query.h"
#include "trefoil/result.h"

namespace trefoil::testing {

class NaiveDatabase {
 public:
  explicit NaiveDatabase(const std::vector<GeneratedTable>& tables);

  void Apply(const GeneratedWrite& write);
  // Errors: those of parser and binder; kLimit for what takes too long.
  Result<Rows> Run(std::string_view query) const;

  const schema::Schema& schema() const { return schema_; }

 private:
  const std::vector<GeneratedTable>& tables_;
  schema::Schema schema_;
  NaiveData data_;
};

}  // namespace trefoil::testing
