// Arrangements: chains of rows per key, and the operator around them.
#include "dataflow/arrangement.h"

#include <algorithm>
#include <utility>

#include "base/errors.h"
#include "dataflow/describe.h"
#include "dataflow/ordered_arrangement.h"

namespace trefoil::dataflow {

bool KeyedRows::SameKey(RowView a, RowView b) const {
  return std::ranges::all_of(key_, [&](Column column) { return a[column] == b[column]; });
}

KeyedRows::Slot KeyedRows::FindFirst(std::span<const Value> key) const {
  return keys_.Find(HashRow(key), [&](Slot slot) {
    const RowView row = rows_.row(slot);
    for (std::size_t i = 0; i < key_.size(); ++i) {
      if (!(row[key_[i]] == key[i])) return false;
    }
    return true;
  });
}

RowTable::Change KeyedRows::Add(RowView row, Weight weight) {
  const RowTable::Change change = rows_.Add(row, weight);
  if (key_.empty()) return change;
  if (change.before == 0) Link(change.slot);
  if (change.after == 0) Unlink(change.slot);
  return change;
}

// A new row goes behind the first of its chain, so that the directory changes only for new keys.
void KeyedRows::Link(Slot slot) {
  if (links_.size() <= slot) links_.resize(rows_.slot_limit());
  const RowView row = rows_.row(slot);
  const std::uint64_t hash = HashColumns(row, key_);
  const Slot first = keys_.Find(hash, [&](Slot other) { return SameKey(rows_.row(other), row); });
  links_[slot] = {};
  if (first == RowTable::kNone) {
    keys_.Insert(hash, slot);
    return;
  }
  const Slot next = links_[first].next;
  links_[slot] = {.next = next, .previous = first};
  links_[first].next = slot;
  if (next != RowTable::kNone) links_[next].previous = slot;
}

void KeyedRows::Unlink(Slot slot) {
  const Links links = links_[slot];
  if (links.next != RowTable::kNone) links_[links.next].previous = links.previous;
  if (links.previous != RowTable::kNone) {
    links_[links.previous].next = links.next;
    return;
  }
  const std::uint64_t hash = HashColumns(rows_.row(slot), key_);
  if (links.next != RowTable::kNone) {
    keys_.Replace(hash, slot, links.next);
  } else {
    keys_.Erase(hash, slot);
  }
}

namespace {

class ArrangeOperator final : public Operator {
 public:
  ArrangeOperator(Operator& input, Port all, std::vector<Column> key)
      : Operator(input.columns(), {&input}),
        all_(all),
        rows_(input.columns().size(), std::move(key)) {
    ForwardDeltaOf(input);
  }

  void Hydrate(Context& context) override {
    HydrateFrom(all_, context, [&](RowView row, Weight weight) {
      rows_.Add(row, weight);
      return true;
    });
  }
  bool Forget() override {
    rows_ = KeyedRows(columns().size(), rows_.key());
    return true;
  }
  bool may_show_negative() const override { return false; }
  std::size_t state_bytes() const override { return rows_.bytes(); }
  std::size_t state_rows() const override { return rows_.rows().size(); }

 protected:
  void StepInto(Context&, Batch&) override {
    for (std::size_t i = 0; i < delta().size(); ++i) rows_.Add(delta().row(i), delta().weight(i));
  }

  bool Prepare(const Ask& ask, std::uint32_t) override {
    return !ask.range && ask.order.empty() && (ask.equal.empty() || ask.equal == rows_.key());
  }

  bool PullRows(std::uint32_t slot, const Pull& pull, Context& context, RowSink sink) override {
    if (pull.when == When::kOld && !delta().empty()) {
      return PullOldFromNew(slot, pull, context, sink);
    }
    const auto visit = [&](RowView row, Weight weight) {
      ++context.counters.pulled_rows;
      return sink(row, weight);
    };
    if (ask(slot).equal.empty()) return rows_.rows().ForEach(visit);
    return rows_.ForEachWithKey(pull.key, visit);
  }

 private:
  Port all_;
  KeyedRows rows_;
};

}  // namespace

std::string Arrange::Describe() const { return "arrange by " + DescribeColumns(key); }

Result<std::unique_ptr<Operator>> Arrange::Make(BuildContext& context) const {
  Operator& input = *context.inputs()[0];
  Result<Port> all = context.Serve(input, {});
  if (!all) return std::move(all).error();
  return std::make_unique<ArrangeOperator>(input, *all, key);
}

Result<Spec> ArrangementFor(const Operator&, const Ask& ask) {
  if (ask.order.empty() && !ask.range) return Spec(Arrange{.key = ask.equal});
  std::vector<SortColumn> order = ask.order;
  if (order.empty()) order.push_back({.column = *ask.range});
  if (ask.range && order.front() != SortColumn{.column = *ask.range}) {
    return Unsupported("no index gives these rows of a range in this order",
                       "declare an index on the columns of the condition and the order");
  }
  return Spec(ArrangeOrdered{.key = ask.equal, .order = std::move(order)});
}

}  // namespace trefoil::dataflow
