// Join: planning paths when built, following them in a step or a pull.
#include "dataflow/operators/join.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/errors.h"
#include "dataflow/describe.h"
#include "dataflow/operators/join_path.h"

namespace trefoil::dataflow {

std::vector<Column> ColumnOffsets(const std::vector<Operator*>& inputs) {
  std::vector<Column> offsets = {0};
  for (const Operator* input : inputs) {
    offsets.push_back(offsets.back() + static_cast<Column>(input->columns().size()));
  }
  return offsets;
}

std::vector<ValueKind> AllKinds(const std::vector<Operator*>& inputs) {
  std::vector<ValueKind> kinds;
  for (const Operator* input : inputs) {
    kinds.insert(kinds.end(), input->columns().begin(), input->columns().end());
  }
  return kinds;
}

namespace {

std::size_t InputOf(Column column, const std::vector<Column>& offsets) {
  const auto behind = std::ranges::upper_bound(offsets, column);
  return static_cast<std::size_t>(behind - offsets.begin()) - 1;
}

}  // namespace

Status CheckEqualities(const std::vector<Join::Equality>& on,
                       const std::vector<Operator*>& inputs) {
  const std::vector<ValueKind> kinds = AllKinds(inputs);
  const std::vector<Column> offsets = ColumnOffsets(inputs);
  for (const Join::Equality& equality : on) {
    if (equality.left >= kinds.size() || equality.right >= kinds.size()) {
      return InvalidArgument("join: no such column");
    }
    if (InputOf(equality.left, offsets) == InputOf(equality.right, offsets)) {
      return InvalidArgument("join: an equality within one input is a filter of that input");
    }
    const ValueKind a = kinds[equality.left];
    const ValueKind b = kinds[equality.right];
    if (a != b && a != ValueKind::kNull && b != ValueKind::kNull) {
      return MakeError(ErrorCode::kTypeMismatch,
                       StrCat("join: ", KindName(a), " is never the same as ", KindName(b)),
                       "CAST one of them");
    }
  }
  return Ok();
}

namespace {

// Plans one path. An equality that a stage can use names a column of the stage's input and a column
// that is bound before.
class PathPlanner {
 public:
  PathPlanner(const std::vector<Join::Equality>& on, BuildContext& context)
      : on_(on), context_(context), offsets_(ColumnOffsets(context.inputs())) {}

  // Whether every input is found through what it offers, so that no arrangement has to be made.
  bool IsOffered(std::size_t start) {
    bound_.assign(context_.inputs().size(), false);
    bound_[start] = true;
    for (std::size_t count = 1; count < bound_.size(); ++count) {
      const std::size_t next = ChooseNext();
      JoinStage stage;
      if (!context_.inputs()[next]->Offer(AskOf(next, stage))) return false;
      bound_[next] = true;
    }
    return true;
  }

  Result<std::vector<JoinStage>> Plan(std::size_t start) {
    bound_.assign(context_.inputs().size(), false);
    bound_[start] = true;
    std::vector<JoinStage> path;
    while (path.size() + 1 < bound_.size()) {
      const std::size_t next = ChooseNext();
      JoinStage stage{.input = next, .port = {}, .key = {}, .checks = {}};
      const Ask ask = AskOf(next, stage);
      Result<Port> port = context_.Serve(*context_.inputs()[next], ask);
      if (!port) return std::move(port).error();
      stage.port = *port;
      bound_[next] = true;
      path.push_back(std::move(stage));
    }
    return path;
  }

 private:
  bool Belongs(Column column, std::size_t input) const {
    return column >= offsets_[input] && column < offsets_[input + 1];
  }
  bool IsBound(Column column) const { return bound_[InputOf(column, offsets_)]; }

  // What `input` is asked for once the inputs so far are bound; fills key and checks of the stage.
  Ask AskOf(std::size_t input, JoinStage& stage) const {
    Ask ask;
    for (const Join::Equality& equality : on_) {
      const bool left_is_ours = Belongs(equality.left, input);
      const Column ours = left_is_ours ? equality.left : equality.right;
      const Column other = left_is_ours ? equality.right : equality.left;
      if (!Belongs(ours, input) || !IsBound(other)) continue;
      const Column column = ours - offsets_[input];
      if (std::ranges::find(ask.equal, column) != ask.equal.end()) {
        stage.checks.push_back(equality);
        continue;
      }
      ask.equal.push_back(column);
      stage.key.push_back({.from = other, .nulls_equal = equality.nulls_equal});
    }
    return ask;
  }

  std::size_t ChooseNext() const {
    std::optional<std::size_t> unbound;
    std::optional<std::size_t> joined;
    for (std::size_t i = 0; i < bound_.size(); ++i) {
      if (bound_[i]) continue;
      if (!unbound) unbound = i;
      JoinStage stage;
      const Ask ask = AskOf(i, stage);
      if (ask.equal.empty()) continue;
      if (context_.inputs()[i]->Offer(ask)) return i;
      if (!joined) joined = i;
    }
    return joined ? *joined : *unbound;
  }

  const std::vector<Join::Equality>& on_;
  BuildContext& context_;
  std::vector<Column> offsets_;
  std::vector<bool> bound_;
};

}  // namespace

Result<std::vector<JoinStage>> PlanPath(std::size_t start, const std::vector<Join::Equality>& on,
                                        BuildContext& context) {
  return PathPlanner(on, context).Plan(start);
}

namespace {

class JoinOperator final : public Operator {
 public:
  JoinOperator(const Join& spec, std::vector<Operator*> inputs, std::vector<ValueKind> kinds,
               std::vector<std::vector<JoinStage>> paths, std::optional<Program> condition,
               bool is_once)
      : Operator(std::move(kinds), std::move(inputs)),
        outputs_(spec.outputs),
        offsets_(ColumnOffsets(this->inputs())),
        paths_(std::move(paths)),
        condition_(std::move(condition)),
        is_once_(is_once) {}

  bool follows_rows_of(std::size_t) const override { return true; }
  void Bind(std::span<const Value> parameters) override {
    if (condition_) condition_->Bind(parameters);
  }

 protected:
  void StepInto(Context& context, Batch& out) override;
  bool Prepare(const Ask& ask, std::uint32_t slot) override;
  bool PullRows(std::uint32_t slot, const Pull& pull, Context& context, RowSink sink) override;

 private:
  // How an ask is answered: from one input on.
  struct Entry {
    std::size_t start = 0;
    Port port;
    std::vector<Column> key_places;  // positions in the key of the pull
    struct Test {
      Column column;     // over all inputs
      Column key_place;  // position in the key of the pull
    };
    std::vector<Test> tests;
  };
  // One walk along a path. Rows have the columns of all inputs, as far as they are bound.
  struct Frame {
    struct Stage {
      ProbeQueue queue;  // rows on their way to this stage
      std::vector<Value> keys;
      std::vector<std::uint32_t> asked;  // the row of the queue that each key is of
      Row bound;                         // a row behind this stage
    };
    Row start;
    std::vector<Stage> stages;
    Row output;
  };
  struct Walk {
    const std::vector<JoinStage>& path;
    Frame& frame;
    Context& context;
    // The state in which each input is read.
    FunctionRef<When(std::size_t input)> when;
    // What the rows must satisfy besides.
    std::span<const Entry::Test> tests;
    std::span<const Value> key;
    RowSink sink;
  };

  void Prime(Frame& frame, std::size_t stages, std::size_t most) const;
  void Bind(Row& bound, std::size_t input, RowView row) const {
    std::ranges::copy(row, bound.begin() + offsets_[input]);
  }
  bool Push(Walk& walk, std::size_t stage, RowView bound, Weight weight);
  bool Follow(Walk& walk, std::size_t stage);
  bool Drain(Walk& walk);
  bool Emit(Walk& walk, RowView bound, Weight weight);
  std::optional<Entry> EntryAt(std::size_t start, const Ask& ask) const;
  bool IsSmaller(std::size_t start, std::size_t other, const Ask& ask) const;

  std::vector<Column> outputs_;
  std::vector<Column> offsets_;
  std::vector<std::vector<JoinStage>> paths_;  // by the input where they start; empty: not planned
  std::optional<Program> condition_;
  const bool is_once_;
  std::vector<Entry> entries_;  // by slot
  ScratchStack<Frame> frames_;
};

void JoinOperator::Prime(Frame& frame, std::size_t stages, std::size_t most) const {
  frame.start.resize(offsets_.back());
  frame.output.resize(outputs_.size());
  if (frame.stages.size() < stages) frame.stages.resize(stages);
  for (Frame::Stage& stage : frame.stages) {
    stage.queue.Start(offsets_.back(), most);
    stage.bound.resize(offsets_.back());
  }
}

void JoinOperator::StepInto(Context& context, Batch& out) {
  auto frame = frames_.Take();
  for (std::size_t changed = 0; changed < inputs().size(); ++changed) {
    const Batch& changes = inputs()[changed]->delta();
    const auto when = [&](std::size_t input) { return input < changed ? When::kOld : When::kNew; };
    const auto collect = [&](RowView row, Weight weight) {
      out.Add(row, weight);
      return true;
    };
    if (changes.empty()) continue;
    Walk walk{paths_[changed], *frame, context, when, {}, {}, collect};
    Prime(*frame, walk.path.size(), ProbeQueue::kMost);
    for (std::size_t i = 0; i < changes.size(); ++i) {
      Bind(frame->start, changed, changes.row(i));
      Push(walk, 0, frame->start, changes.weight(i));
    }
    Drain(walk);
  }
  out.Consolidate();
}

bool JoinOperator::Push(Walk& walk, std::size_t stage, RowView bound, Weight weight) {
  if (stage == walk.path.size()) return Emit(walk, bound, weight);
  return !walk.frame.stages[stage].queue.Add(bound, weight) || Follow(walk, stage);
}

// Takes the rows that wait for a stage through it.
bool JoinOperator::Follow(Walk& walk, std::size_t stage_number) {
  const JoinStage& stage = walk.path[stage_number];
  Frame::Stage& frame = walk.frame.stages[stage_number];
  const Batch& rows = frame.queue.rows();
  frame.keys.clear();
  frame.asked.clear();
  for (std::uint32_t i = 0; i < rows.size(); ++i) {
    const auto is_lost = [&](const JoinStage::KeyPart& part) {
      return !part.nulls_equal && rows.row(i)[part.from].is_null();
    };
    if (std::ranges::any_of(stage.key, is_lost)) continue;
    for (const JoinStage::KeyPart& part : stage.key) frame.keys.push_back(rows.row(i)[part.from]);
    frame.asked.push_back(i);
  }
  const ManyPulls pulls = {
      .keys = frame.keys, .count = frame.asked.size(), .when = walk.when(stage.input)};
  bool go_on = true;
  std::optional<std::size_t> in_bound;  // the key of the row in `bound`
  stage.port.ReadMany(pulls, walk.context, [&](std::size_t i, RowView row, Weight found) {
    if (!go_on) return false;
    if (in_bound != i) std::ranges::copy(rows.row(frame.asked[i]), frame.bound.begin());
    in_bound = i;
    Bind(frame.bound, stage.input, row);
    for (const Join::Equality& check : stage.checks) {
      const Value& left = frame.bound[check.left];
      if (!(left == frame.bound[check.right])) return true;
      if (left.is_null() && !check.nulls_equal) return true;
    }
    go_on = Push(walk, stage_number + 1, frame.bound, rows.weight(frame.asked[i]) * found);
    return go_on;
  });
  frame.queue.Clear();
  return go_on && !walk.context.failed();
}

// Takes all rows that wait to the end of the path.
bool JoinOperator::Drain(Walk& walk) {
  for (std::size_t stage = 0; stage < walk.path.size(); ++stage) {
    if (!walk.frame.stages[stage].queue.rows().empty() && !Follow(walk, stage)) return false;
  }
  return true;
}

bool JoinOperator::Emit(Walk& walk, RowView bound, Weight weight) {
  for (const Entry::Test& test : walk.tests) {
    if (!(bound[test.column] == walk.key[test.key_place])) return true;
  }
  if (condition_ && !condition_->IsTrue(bound, walk.context.counters.lossy_values)) return true;
  for (std::size_t i = 0; i < outputs_.size(); ++i) walk.frame.output[i] = bound[outputs_[i]];
  return walk.sink(walk.frame.output, weight);
}

bool JoinOperator::Prepare(const Ask& ask, std::uint32_t) {
  std::optional<Entry> best;
  for (std::size_t start = 0; start < inputs().size(); ++start) {
    std::optional<Entry> entry = EntryAt(start, ask);
    if (!entry) continue;
    if (!best || entry->tests.size() < best->tests.size() || IsSmaller(start, best->start, ask)) {
      best = std::move(entry);
    }
  }
  if (!best) return false;
  entries_.push_back(*std::move(best));
  return true;
}

// Whether all rows are better read from `start` on. A query that runs once keeps to the order in
// which its rows come.
bool JoinOperator::IsSmaller(std::size_t start, std::size_t other, const Ask& ask) const {
  if (is_once_ || ask != Ask{}) return false;
  const std::optional<std::uint64_t> rows = inputs()[start]->about_rows();
  const std::optional<std::uint64_t> others = inputs()[other]->about_rows();
  return rows && others && *rows < *others;
}

std::optional<JoinOperator::Entry> JoinOperator::EntryAt(std::size_t start, const Ask& ask) const {
  if (paths_[start].empty()) return std::nullopt;
  Entry entry{.start = start, .port = {}, .key_places = {}, .tests = {}};
  Ask asked;
  const auto local = [&](Column output) -> std::optional<Column> {
    const Column column = outputs_[output];
    if (InputOf(column, offsets_) != start) return std::nullopt;
    return column - offsets_[start];
  };
  for (Column i = 0; i < ask.equal.size(); ++i) {
    if (const std::optional<Column> column = local(ask.equal[i])) {
      asked.equal.push_back(*column);
      entry.key_places.push_back(i);
    } else {
      entry.tests.push_back({.column = outputs_[ask.equal[i]], .key_place = i});
    }
  }
  if (asked.equal.empty() && !ask.equal.empty()) return std::nullopt;
  if (ask.range) {
    asked.range = local(*ask.range);
    if (!asked.range) return std::nullopt;
  }
  for (const SortColumn& sort : ask.order) {
    const std::optional<Column> column = local(sort.column);
    if (!column) return std::nullopt;
    asked.order.push_back({.column = *column, .descending = sort.descending});
  }
  const std::optional<Port> port = inputs()[start]->Offer(asked);
  if (!port) return std::nullopt;
  entry.port = *port;
  return entry;
}

bool JoinOperator::PullRows(std::uint32_t slot, const Pull& pull, Context& context, RowSink sink) {
  const Entry& entry = entries_[slot];
  auto frame = frames_.Take();
  Row key;
  for (const Column place : entry.key_places) key.push_back(pull.key[place]);
  const auto when = [&](std::size_t) { return pull.when; };
  Walk walk{paths_[entry.start], *frame, context, when, entry.tests, pull.key, sink};
  Prime(*frame, walk.path.size(), FirstQueue(ask(slot)));
  Pull start = pull;
  start.key = key;
  return entry.port.Read(start, context, [&](RowView row, Weight weight) {
    Bind(frame->start, entry.start, row);
    return Push(walk, 0, frame->start, weight);
  }) && Drain(walk);
}

}  // namespace

std::string Join::Describe() const {
  std::string text = "join";
  for (const Equality& equality : on) {
    text += StrCat(" #", equality.left, equality.nulls_equal ? " is #" : " = #", equality.right);
  }
  if (condition) text += StrCat(" where ", dataflow::Describe(*condition));
  return StrCat(text, " -> ", DescribeColumns(outputs));
}

Result<std::unique_ptr<Operator>> Join::Make(BuildContext& context) const {
  if (context.inputs().size() < 2) return InvalidArgument("a join has two inputs or more");
  if (Status fits = CheckEqualities(on, context.inputs()); !fits) return std::move(fits).error();
  const std::vector<ValueKind> all = AllKinds(context.inputs());
  std::vector<ValueKind> kinds;
  for (const Column column : outputs) {
    if (column >= all.size()) return InvalidArgument("join: no such output column");
    kinds.push_back(all[column]);
  }
  std::optional<Program> program;
  if (condition) {
    Result<Program> compiled = Program::Compile({&*condition, 1}, all, context.functions());
    if (!compiled) return std::move(compiled).error();
    program = *std::move(compiled);
  }
  std::vector<std::vector<JoinStage>> paths;
  for (std::size_t start = 0; start < context.inputs().size(); ++start) {
    // A read alone starts at the first input, and elsewhere only where that is free.
    if (start != 0 && context.is_once() && !PathPlanner(on, context).IsOffered(start)) {
      paths.emplace_back();
      continue;
    }
    Result<std::vector<JoinStage>> path = PlanPath(start, on, context);
    if (!path) return std::move(path).error();
    paths.push_back(*std::move(path));
  }
  return std::make_unique<JoinOperator>(*this, context.inputs(), std::move(kinds), std::move(paths),
                                        std::move(program), context.is_once());
}

}  // namespace trefoil::dataflow
