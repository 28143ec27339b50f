// JoinPath: from a row of one input through all other inputs of a join, by probes. Shared by the
// joins of operators/.
#pragma once

#include <algorithm>
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

// Rows that wait to be probed together, as many keys cost less at once: few at first, since whoever
// reads may want few.
class ProbeQueue {
 public:
  static constexpr std::size_t kMost = 4096;
  // The memory of more is given back.
  static constexpr std::size_t kKept = 64;

  // Prepares for rows of this width. `most`: how many may wait at first; 1 keeps them in order.
  void Start(std::size_t width, std::size_t most) {
    if (rows_.width() != width) rows_ = Batch(width);
    rows_.Clear();
    most_ = most;
  }
  // True when the queue is full.
  bool Add(RowView row, Weight weight) {
    rows_.Add(row, weight);
    return rows_.size() >= most_;
  }
  const Batch& rows() const { return rows_; }
  // The rows are through.
  void Clear() {
    if (rows_.size() > kKept) rows_ = Batch(rows_.width());
    rows_.Clear();
    if (most_ > 1) most_ = std::min(2 * most_, kMost);
  }

 private:
  Batch rows_;
  std::size_t most_ = 1;
};

// How many rows may wait when a pull for `ask` begins.
inline std::size_t FirstQueue(const Ask& ask) { return ask.order.empty() ? 8 : 1; }

// The stages behind input `start`: next comes an input that is joined to one before, and among
// those one that needs no arrangement.
// Errors: those of BuildContext::Serve.
Result<std::vector<JoinStage>> PlanPath(std::size_t start, const std::vector<Join::Equality>& on,
                                        BuildContext& context);

}  // namespace trefoil::dataflow
