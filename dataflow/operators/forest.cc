// Forest: walks down and up, and what changed rows do to both.
#include "dataflow/operators/forest.h"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/errors.h"
#include "dataflow/arrangement.h"
#include "dataflow/describe.h"
#include "dataflow/row_table.h"

namespace trefoil::dataflow {

namespace {

// Empties what one step gathered. To empty a map costs as much as it has room, so the room that a
// large step took is given back.
template <typename Map>
void Empty(Map& map) {
  constexpr std::size_t kRoomKept = 256;
  if (map.bucket_count() > kRoomKept) {
    map = Map();
  } else {
    map.clear();
  }
}

// What the two directions share: reading the tree and the starts, and finding what changed.
class ForestOperator : public Operator {
 public:
  struct Ports {
    Port parents;     // rows of the tree by child
    Port children;    // by parent
    Port starts;      // starts by value
    Port all_starts;  // starts
  };

  ForestOperator(const Forest& spec, std::vector<ValueKind> kinds,
                 const std::vector<Operator*>& inputs, Ports ports)
      : Operator(std::move(kinds), inputs), spec_(spec), ports_(ports) {}

 protected:
  // A row of the tree that this step changes: its parent before and after; NULL: none.
  struct Move {
    Value from;
    Value to;
  };
  struct ValueHash {
    std::size_t operator()(const Value& value) const { return value.Hash(); }
  };
  template <typename T>
  using ByNode = boost::unordered_flat_map<Value, T, ValueHash>;

  Value ParentOf(const Value& node, When when, Context& context) const;
  bool IsStart(const Value& node, When when, Context& context) const;
  // Calls visit(start) for each start, once.
  template <typename Visit>
  bool ForEachStart(When when, Context& context, const Visit& visit) const;
  // Fills moves_ and the starts that come and go from the deltas of the inputs.
  void CollectChanges(Context& context);
  // Calls visit(node, depth) for `start` and what is below it until it returns false.
  template <typename Visit>
  bool WalkDown(const Value& start, When when, Context& context, const Visit& visit);
  // The same for what is above it.
  template <typename Visit>
  bool WalkUp(const Value& start, When when, Context& context, const Visit& visit);
  void Write(const Value& start, const Value& node, std::int64_t depth,
             std::span<Value> cells) const {
    cells[0] = start;
    cells[1] = node;
    if (spec_.with_depth) cells[2] = Value::Int(depth);
  }

  const Forest spec_;
  const Ports ports_;
  ByNode<Move> moves_;
  std::vector<Value> starts_gone_;
  std::vector<Value> starts_new_;

 private:
  struct Place {
    Value node;
    std::int64_t depth;
  };
  std::vector<Place> stack_;  // scratch of WalkDown
};

Value ForestOperator::ParentOf(const Value& node, When when, Context& context) const {
  Value parent;
  if (node.is_null()) return parent;
  Weight rows = 0;
  ports_.parents.Read({.key = {&node, 1}, .when = when}, context, [&](RowView row, Weight weight) {
    parent = row[spec_.parent];
    rows += weight;
    return true;
  });
  Check(rows <= 1, "a child has one row in a forest");
  return parent;
}

bool ForestOperator::IsStart(const Value& node, When when, Context& context) const {
  Weight rows = 0;
  ports_.starts.Read({.key = {&node, 1}, .when = when}, context, [&](RowView, Weight weight) {
    rows += weight;
    return true;
  });
  return rows > 0;
}

template <typename Visit>
bool ForestOperator::ForEachStart(When when, Context& context, const Visit& visit) const {
  RowTable seen(1);  // the rows of a multiset may come one by one
  return ports_.all_starts.Read({.when = when}, context, [&](RowView row, Weight) {
    return seen.Add(row, 1).before != 0 || visit(row[0]);
  });
}

void ForestOperator::CollectChanges(Context& context) {
  Empty(moves_);
  const Batch& rows = inputs()[0]->delta();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const RowView row = rows.row(i);
    Move& move = moves_[row[spec_.child]];
    (rows.weight(i) < 0 ? move.from : move.to) = row[spec_.parent];
  }
  // Other columns of the row may have changed, and a NULL child is nobody.
  boost::unordered::erase_if(moves_, [](const auto& move) {
    return move.second.from == move.second.to || move.first.is_null();
  });
  starts_gone_.clear();
  starts_new_.clear();
  const Batch& starts = inputs()[1]->delta();
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const Value& start = starts.row(i)[0];
    const bool was = IsStart(start, When::kOld, context);
    const bool is = IsStart(start, When::kNew, context);
    if (was && !is) starts_gone_.push_back(start);
    if (!was && is) starts_new_.push_back(start);
  }
}

template <typename Visit>
bool ForestOperator::WalkDown(const Value& start, When when, Context& context, const Visit& visit) {
  std::vector<Place> stack = std::exchange(stack_, {});  // a visit may walk, too
  stack.push_back({start, 0});
  bool go_on = true;
  while (go_on && !stack.empty() && !context.failed()) {
    const Place place = std::move(stack.back());
    stack.pop_back();
    go_on = visit(place.node, place.depth);
    if (!go_on || place.node.is_null()) continue;
    ports_.children.Read({.key = {&place.node, 1}, .when = when}, context,
                         [&](RowView row, Weight) {
                           // Only a circle through the start leads to a node for the second time.
                           const Value& below = row[spec_.child];
                           if (!below.is_null() && !(below == start))
                             stack.push_back({below, place.depth + 1});
                           return true;
                         });
  }
  stack.clear();
  stack_ = std::move(stack);
  return go_on;
}

template <typename Visit>
bool ForestOperator::WalkUp(const Value& start, When when, Context& context, const Visit& visit) {
  RowTable seen(1);  // a way up may run into a circle
  Value node = start;
  for (std::int64_t depth = 0; !context.failed(); ++depth) {
    if (seen.Add({&node, 1}, 1).before != 0) return true;
    if (!visit(node, depth)) return false;
    node = ParentOf(node, when, context);
    if (node.is_null()) return true;
  }
  return false;
}

class DescendantsOperator final : public ForestOperator {
 public:
  using ForestOperator::ForestOperator;

 protected:
  void StepInto(Context& context, Batch& out) override;
  bool Prepare(const Ask& ask, std::uint32_t) override;
  bool PullRows(std::uint32_t slot, const Pull& pull, Context& context, RowSink sink) override;

 private:
  // A start above a changed row, `depth` steps above it.
  struct Above {
    Value start;
    std::int64_t depth = 0;
    Weight weight = 0;      // -1: before the step, +1: after it
    bool is_below = false;  // the walk stands below it again, in a circle
  };
  // The first start at or above a node.
  struct Nearest {
    std::optional<Value> start;
    std::int64_t depth = 0;
  };
  // Which columns of an ask stand where in the key of its pulls.
  struct KeyPlaces {
    std::optional<std::size_t> start;
    std::optional<std::size_t> node;
  };

  const Nearest& FindNearest(const Value& node, When when, Context& context);
  bool IsLasting(const Value& node, When when, Context& context) const;
  void CollectAbove(const Value& parent, When when, Weight weight, Context& context);
  void DropCommon();
  void EmitBelow(const Value& child, Context& context, Batch& out);
  void EmitAll(const Value& start, When when, Weight weight, Context& context, Batch& out) {
    WalkDown(start, when, context, [&](const Value& node, std::int64_t depth) {
      Write(start, node, depth, out.AddRow(weight));
      return true;
    });
  }

  std::vector<KeyPlaces> places_;  // by slot
  ByNode<Nearest> nearest_[2];     // of this step: before, after
  std::vector<Above> above_;       // of one changed row
  std::vector<Value> way_;         // scratch of FindNearest
};

void DescendantsOperator::StepInto(Context& context, Batch& out) {
  CollectChanges(context);
  for (const Value& start : starts_gone_) EmitAll(start, When::kOld, -1, context, out);
  for (const Value& start : starts_new_) EmitAll(start, When::kNew, 1, context, out);
  for (const auto& [child, move] : moves_) {
    above_.clear();
    CollectAbove(move.from, When::kOld, -1, context);
    CollectAbove(move.to, When::kNew, 1, context);
    DropCommon();
    if (!above_.empty()) EmitBelow(child, context, out);
  }
  for (ByNode<Nearest>& known : nearest_) Empty(known);
  out.Consolidate();
}

// A start before and after the step; those that come or go are written as a whole.
bool DescendantsOperator::IsLasting(const Value& node, When when, Context& context) const {
  if (!IsStart(node, when, context)) return false;
  const When other = when == When::kOld ? When::kNew : When::kOld;
  return inputs()[1]->delta().empty() || IsStart(node, other, context);
}

// Each node is looked at once per step, whatever the number of changed rows below it.
const DescendantsOperator::Nearest& DescendantsOperator::FindNearest(const Value& node, When when,
                                                                     Context& context) {
  ByNode<Nearest>& known = nearest_[when == When::kOld ? 0 : 1];
  way_.clear();
  Nearest found;
  for (Value at = node; !at.is_null() && !context.failed();) {
    // A node of this very way stands there without a start: the way is a circle without one.
    const auto [place, is_new] = known.try_emplace(at);
    if (!is_new) {
      found = place->second;
      break;
    }
    if (IsLasting(at, when, context)) {
      found = {.start = at, .depth = 0};
      place->second = found;
      break;
    }
    way_.push_back(at);
    at = ParentOf(at, when, context);
  }
  for (auto at = way_.rbegin(); at != way_.rend(); ++at) {
    ++found.depth;
    known[*at] = found;
  }
  return known[node];
}

void DescendantsOperator::CollectAbove(const Value& parent, When when, Weight weight,
                                       Context& context) {
  const std::size_t first = above_.size();
  std::int64_t depth = 1;
  for (Value at = parent; !at.is_null() && !context.failed();) {
    const Nearest nearest = FindNearest(at, when, context);
    const auto known = std::span(above_).subspan(first);
    const bool in_circle =
        nearest.start && std::ranges::find(known, *nearest.start, &Above::start) != known.end();
    if (!nearest.start || in_circle) return;
    depth += nearest.depth;
    above_.push_back({.start = *nearest.start, .depth = depth, .weight = weight});
    at = ParentOf(*nearest.start, when, context);
    ++depth;
  }
}

// What stands above before and after at once changes nothing below.
void DescendantsOperator::DropCommon() {
  for (Above& before : above_) {
    if (before.weight >= 0) continue;
    const auto after = std::ranges::find_if(above_, [&](const Above& other) {
      return other.weight > 0 && other.start == before.start &&
             (!spec_.with_depth || other.depth == before.depth);
    });
    if (after != above_.end()) before.weight = after->weight = 0;
  }
  std::erase_if(above_, [](const Above& above) { return above.weight == 0; });
}

// The part below a changed row that no other changed row takes is the same before and after.
void DescendantsOperator::EmitBelow(const Value& child, Context& context, Batch& out) {
  struct Visit {
    Value node;
    std::int64_t depth;
    bool leaves;
  };
  std::vector<Visit> stack = {{child, 0, false}};
  while (!stack.empty() && !context.failed()) {
    const Visit visit = std::move(stack.back());
    stack.pop_back();
    bool is_above = false;
    for (Above& above : above_) {
      if (above.start == visit.node) {
        // Below itself it is nearer than around the circle.
        above.is_below = !visit.leaves;
        is_above = true;
      } else if (!above.is_below && !visit.leaves) {
        Write(above.start, visit.node, above.depth + visit.depth, out.AddRow(above.weight));
      }
    }
    if (visit.leaves) continue;
    if (is_above) stack.push_back({visit.node, visit.depth, true});
    ports_.children.Read({.key = {&visit.node, 1}}, context, [&](RowView row, Weight) {
      const Value& below = row[spec_.child];
      const bool follows = !below.is_null() && !moves_.contains(below);
      if (follows) stack.push_back({below, visit.depth + 1, false});
      return true;
    });
  }
}

bool DescendantsOperator::Prepare(const Ask& ask, std::uint32_t) {
  KeyPlaces places;
  if (ask.range || !ask.order.empty() || ask.equal.size() > 2) return false;
  for (std::size_t i = 0; i < ask.equal.size(); ++i) {
    if (ask.equal[i] > 1) return false;
    (ask.equal[i] == 0 ? places.start : places.node) = i;
  }
  places_.push_back(places);
  return true;
}

bool DescendantsOperator::PullRows(std::uint32_t slot, const Pull& pull, Context& context,
                                   RowSink sink) {
  const KeyPlaces& places = places_[slot];
  Row row(columns().size());
  const auto show = [&](const Value& start, const Value& node, std::int64_t depth) {
    ++context.counters.pulled_rows;
    Write(start, node, depth, row);
    return sink(row, 1);
  };
  if (places.node) {
    const Value& node = pull.key[*places.node];
    return WalkUp(node, pull.when, context, [&](const Value& above, std::int64_t depth) {
      if (places.start && !(pull.key[*places.start] == above)) return true;
      return !IsStart(above, pull.when, context) || show(above, node, depth);
    });
  }
  const auto walk = [&](const Value& start) {
    return WalkDown(start, pull.when, context, [&](const Value& node, std::int64_t depth) {
      return show(start, node, depth);
    });
  };
  if (!places.start) return ForEachStart(pull.when, context, walk);
  const Value& start = pull.key[*places.start];
  return !IsStart(start, pull.when, context) || walk(start);
}

class AncestorsOperator final : public ForestOperator {
 public:
  AncestorsOperator(const Forest& spec, std::vector<ValueKind> kinds,
                    const std::vector<Operator*>& inputs, Ports ports)
      : ForestOperator(spec, std::move(kinds), inputs, ports), ways_(2, {1}) {}

  bool Forget() override { return false; }
  void Hydrate(Context& context) override {
    HydrateFrom(ports_.all_starts, context, [&](RowView row, Weight) {
      const Value start[] = {row[0], row[0]};
      if (ways_.rows().Find(start) == RowTable::kNone) {
        Follow(start[0], When::kNew, 1, context, nullptr);
      }
      return true;
    });
  }
  std::size_t state_bytes() const override { return ways_.bytes(); }
  std::size_t state_rows() const override { return ways_.rows().size(); }

 protected:
  void StepInto(Context& context, Batch& out) override;
  bool Prepare(const Ask& ask, std::uint32_t) override {
    return ask == Ask{} || ask == Ask{.equal = {0}};
  }
  bool PullRows(std::uint32_t slot, const Pull& pull, Context& context, RowSink sink) override;

 private:
  // Adds the way up from `start` to the state and to `out`, or takes it back.
  void Follow(const Value& start, When when, Weight weight, Context& context, Batch* out) {
    WalkUp(start, when, context, [&](const Value& node, std::int64_t depth) {
      const Value way[] = {start, node};
      ways_.Add(way, weight);
      if (out != nullptr) Write(start, node, depth, out->AddRow(weight));
      return true;
    });
  }

  KeyedRows ways_;  // (start, node above it), by the node
};

void AncestorsOperator::StepInto(Context& context, Batch& out) {
  CollectChanges(context);
  for (const Value& start : starts_gone_) Follow(start, When::kOld, -1, context, &out);
  RowTable changed(1);
  for (const auto& [child, move] : moves_) {
    ways_.ForEachWithKey({&child, 1}, [&](RowView way, Weight) {
      if (changed.Find(way.first(1)) == RowTable::kNone) changed.Add(way.first(1), 1);
      return true;
    });
  }
  changed.ForEach([&](RowView start, Weight) {
    Follow(start[0], When::kOld, -1, context, &out);
    Follow(start[0], When::kNew, 1, context, &out);
    return !context.failed();
  });
  for (const Value& start : starts_new_) Follow(start, When::kNew, 1, context, &out);
  out.Consolidate();
}

bool AncestorsOperator::PullRows(std::uint32_t slot, const Pull& pull, Context& context,
                                 RowSink sink) {
  Row row(columns().size());
  const auto walk = [&](const Value& start) {
    return WalkUp(start, pull.when, context, [&](const Value& node, std::int64_t depth) {
      ++context.counters.pulled_rows;
      Write(start, node, depth, row);
      return sink(row, 1);
    });
  };
  if (ask(slot).equal.empty()) return ForEachStart(pull.when, context, walk);
  return !IsStart(pull.key[0], pull.when, context) || walk(pull.key[0]);
}

// The kind of a node, or what is wrong with the inputs.
Result<ValueKind> CheckInputs(const Forest& spec, const std::vector<Operator*>& inputs) {
  if (inputs.size() != 2 || inputs[1]->columns().size() != 1) {
    return InvalidArgument("a forest has rows of a tree, and starts of one column");
  }
  const std::vector<ValueKind>& columns = inputs[0]->columns();
  if (spec.child == spec.parent || std::max(spec.child, spec.parent) >= columns.size()) {
    return InvalidArgument("a forest has a column for the child and another for its parent");
  }
  ValueKind node = inputs[1]->columns()[0];
  for (const ValueKind kind : {columns[spec.child], columns[spec.parent]}) {
    if (kind == ValueKind::kNull || node == ValueKind::kNull) {
      node = ValueKind::kNull;
    } else if (kind != node) {
      return MakeError(ErrorCode::kTypeMismatch,
                       StrCat("a node of a forest is ", KindName(node), " in one place and ",
                              KindName(kind), " in another"));
    }
  }
  if (inputs[0]->may_show_negative() || inputs[1]->may_show_negative()) {
    return Unsupported("a forest counts on rows that are there; these may show negative weights",
                       "state the recursion as a fixpoint");
  }
  return node;
}

}  // namespace

std::string Forest::Describe() const {
  return StrCat("forest ", direction == ForestDirection::kDescendants ? "below" : "above",
                with_depth ? " with depth" : "", " child #", child, " parent #", parent);
}

Result<std::unique_ptr<Operator>> Forest::Make(BuildContext& context) const {
  const std::vector<Operator*>& inputs = context.inputs();
  const Result<ValueKind> node = CheckInputs(*this, inputs);
  if (!node) return Error(node.error());
  std::vector<ValueKind> kinds = {inputs[1]->columns()[0], *node};
  if (with_depth) kinds.push_back(ValueKind::kInt);
  ForestOperator::Ports ports;
  const auto serve = [&](std::size_t input, const Ask& ask, Port& port) -> Status {
    Result<Port> served = context.Serve(*inputs[input], ask);
    if (!served) return std::move(served).error();
    port = *served;
    return Ok();
  };
  if (Status s = serve(0, {.equal = {child}}, ports.parents); !s) return std::move(s).error();
  if (Status s = serve(0, {.equal = {parent}}, ports.children); !s) return std::move(s).error();
  if (Status s = serve(1, {.equal = {0}}, ports.starts); !s) return std::move(s).error();
  if (Status s = serve(1, {}, ports.all_starts); !s) return std::move(s).error();
  if (direction == ForestDirection::kAncestors) {
    return std::make_unique<AncestorsOperator>(*this, std::move(kinds), inputs, ports);
  }
  return std::make_unique<DescendantsOperator>(*this, std::move(kinds), inputs, ports);
}

}  // namespace trefoil::dataflow
