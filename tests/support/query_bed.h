// QueryBed: a database without a store, for tests of the query layer: tables declared in TreeSQL,
// rows in a ModelSource, queries run once or installed live over it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "query/prepare.h"
#include "schema/schema.h"
#include "tests/support/model_source.h"

namespace trefoil::testing {

class QueryBed {
 public:
  // Declares TABLE and INDEX statements, all in one text; once.
  explicit QueryBed(std::string_view declarations);

  // Adds a row, values in declaration order.
  void Put(std::string_view table, dataflow::Row row);
  // Runs INSERT statements, values and objects only; "" or the first error.
  std::string Insert(std::string_view script);
  void Erase(std::string_view table, const dataflow::Row& key);

  // The answer as JSON, or "error[...]: ...".
  std::string Run(std::string_view text, const Params& params = {},
                  const query::PassSet& passes = {});

  const schema::SchemaRef& schema() const { return schema_; }
  ModelSource& source() { return source_; }

 private:
  schema::SchemaRef schema_;
  ModelSource source_;
};

}  // namespace trefoil::testing
