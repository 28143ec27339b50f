// JoinPath: from a row of one input through all other inputs of a join, by probes. Shared by the
// joins of operators/.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "dataflow/operators/join.h"
#include "dataflow/program.h"
#include "dataflow/scratch.h"

namespace trefoil::dataflow {

// Where each input's columns begin in the numbering over all inputs; one more entry for the end.
std::vector<Column> ColumnOffsets(const std::vector<Operator*>& inputs);
// The kinds of all columns in that numbering.
std::vector<ValueKind> AllKinds(const std::vector<Operator*>& inputs);
// Errors: kInvalidArgument for columns that do not exist or belong to one input; kTypeMismatch.
Status CheckEqualities(const std::vector<Join::Equality>& on, const std::vector<Operator*>& inputs);

// The next input on a path: which columns it is probed by, and where their values come from.
struct JoinStage {
  std::size_t input = 0;
  Port port;
  struct KeyPart {
    Column from = 0;  // over all inputs; bound by an earlier stage
    bool nulls_equal = false;
  };
  std::vector<KeyPart> key;
  // Further equalities that hold between this input and earlier ones.
  std::vector<Join::Equality> checks;
};

// The stages behind input `start`: next comes an input that is joined to one before, and among
// those one that needs no arrangement.
// Errors: those of BuildContext::Serve.
Result<std::vector<JoinStage>> PlanPath(std::size_t start, const std::vector<Join::Equality>& on,
                                        BuildContext& context);

}  // namespace trefoil::dataflow
