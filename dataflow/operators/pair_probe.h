// PairProbe: the matches of a left row on the right, for operators with two inputs that ask "is
// there one" (semi_join.h) or "is there none" (left_join.h), and what a change on the right means
// for rows on the left.
#pragma once

#include <optional>
#include <vector>

#include "dataflow/operators/join_path.h"

namespace trefoil::dataflow {

class PairProbe {
 public:
  // Input 0 is left, input 1 right; columns are numbered as in Join.
  // Errors: those of CheckEqualities, Program::Compile and BuildContext::Serve.
  static Result<PairProbe> Make(const std::vector<Join::Equality>& on,
                                const std::optional<Expression>& condition, BuildContext& context);

  // The right rows that match each row of `lefts`.
  void MatchesOfEach(const Batch& lefts, When when, Context& context, ManySink sink);
  void Bind(std::span<const Value> parameters) {
    if (condition_) condition_->Bind(parameters);
  }

  // Whether there is one.
  bool Has(RowView left, When when, Context& context);
  // The same of each row of `lefts`.
  void HasEach(const Batch& lefts, When when, Context& context, std::vector<bool>& has);

  // For every key among the changes of the right, once: the left rows before the step that have the
  // key. `had` and `has` say whether the left row matches before and after, and `changes` are the
  // positions of the right changes with the key (conditions not yet tested; see Passes).
  struct Affected {
    RowView left;
    Weight weight;
    bool had;
    bool has;
    std::span<const std::uint32_t> changes;
  };
  enum class Visit : std::uint8_t { kAll, kFlips };  // kFlips: not all whose answer stays
  void ForEachAffected(const Batch& right_changes, Visit which, Context& context,
                       FunctionRef<void(const Affected&)> visit);

  // Whether two rows with the same key match.
  bool Passes(RowView left, RowView right, Context& context);
  // True if Passes does for every such pair.
  bool always_passes() const { return !condition_ && checks_.empty(); }

 private:
  struct Frame {
    Row bound;
    Row key;
    // Of many left rows: their keys, and the row that each is of.
    std::vector<Value> keys;
    std::vector<std::uint32_t> asked;
    std::vector<Weight> sums;
  };

  bool MakeKey(const JoinStage& stage, const Row& bound, Row& key) const;
  bool PassesBound(const Row& bound, Context& context);
  void VisitGroup(const Batch& right_changes, std::span<const std::uint32_t> group, Visit which,
                  Context& context, FunctionRef<void(const Affected&)> visit);

  std::vector<Join::Equality> on_;
  std::optional<Program> condition_;
  std::size_t left_width_ = 0;
  std::size_t width_ = 0;
  bool right_may_be_negative_ = false;
  JoinStage stage_;  // left to right
  JoinStage back_;   // right to left; of graphs that step
  // What rows with the same key must satisfy still. A column that equals two of the other side can
  // be part of one key only, so each direction leaves equalities of its own.
  std::vector<Join::Equality> checks_;
  ScratchStack<Frame> frames_;
  std::vector<std::uint32_t> order_;  // of the right changes, by key
};

}  // namespace trefoil::dataflow
