// Route: the join of a bindings relation with the rows that its parameters select; the operator
// that makes one plan serve any number of subscriptions. The output is partitioned by binding.
//
//   bindings ($id, $1, ...) ---- a new one reads its rows through an index ---.
//                                                                              +--> binding, row
//   rows ----------------------- a changed one finds its bindings by a Router -'
//
// A subscription is a row of the bindings, which a Feed holds: watching adds it, leaving takes it
// away, other parameters are -old +new in one step. Parameters behind joins are routed the same
// way, with the join as `rows`.
//
// State: the router. Cost of a step: per changed row what Router says; per changed binding the rows
// that it selects.
//
// Columns are numbered as in Join: those of the bindings first, then those of the rows. Column 0 of
// the bindings tells them apart. Asks for it, ordered by the rows' columns too, go on to the rows
// with the parameters of that binding; asks for columns of the rows go to the rows first.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataflow/expression.h"
#include "dataflow/operator.h"
#include "dataflow/plan.h"
#include "dataflow/router.h"

namespace trefoil::dataflow {

struct Route {
  // A row concerns a binding if all slots of one alternative pass. RouteSlot::row and ::binding are
  // numbered within their own input.
  std::vector<RouteAlternative> alternatives;
  // What must be TRUE besides, over the columns of both.
  std::optional<Expression> condition = std::nullopt;
  std::vector<Column> outputs;

  std::string Describe() const;
  // Inputs: bindings, rows.
  // Errors: kInvalidArgument for columns that do not exist or no alternative; kTypeMismatch.
  Result<std::unique_ptr<Operator>> Make(BuildContext& context) const;
};

}  // namespace trefoil::dataflow
