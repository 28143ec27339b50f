// Router: entering bindings under their keys, and finding them from a row.
#include "dataflow/router.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <string_view>
#include <utility>

#include "base/check.h"

namespace trefoil::dataflow {

namespace {

bool PassesSlot(const RouteSlot& slot, const Value& row, const Value& binding) {
  switch (slot.test) {
    case RouteTest::kSame:
      return row == binding;
    case RouteTest::kEqual:
      return !row.is_null() && row == binding;
    case RouteTest::kIn:
      return !row.is_null() && binding.kind() == ValueKind::kList &&
             std::ranges::find(binding.items(), row) != binding.items().end();
    case RouteTest::kPrefix:
      return row.kind() == ValueKind::kText && binding.kind() == ValueKind::kText &&
             row.AsText().starts_with(binding.AsText());
    case RouteTest::kLess:
    case RouteTest::kLessEqual:
    case RouteTest::kGreater:
    case RouteTest::kGreaterEqual:
      break;
  }
  if (row.is_null() || binding.is_null()) return false;
  const std::weak_ordering order = CompareAsSql(row, binding);
  if (slot.test == RouteTest::kLess) return order < 0;
  if (slot.test == RouteTest::kLessEqual) return order <= 0;
  if (slot.test == RouteTest::kGreater) return order > 0;
  return order >= 0;
}

bool IsLower(RouteTest test) {
  return test == RouteTest::kGreater || test == RouteTest::kGreaterEqual;
}
bool IsUpper(RouteTest test) { return test == RouteTest::kLess || test == RouteTest::kLessEqual; }

std::vector<Column> FirstColumns(std::size_t count) {
  std::vector<Column> columns(count);
  std::iota(columns.begin(), columns.end(), 0);
  return columns;
}

std::size_t HashedColumns(const RouteAlternative& alternative) {
  std::size_t count = 0;
  bool in = false;
  bool prefix = false;
  for (const RouteSlot& slot : alternative) {
    if (slot.test == RouteTest::kEqual || slot.test == RouteTest::kSame) ++count;
    in = in || slot.test == RouteTest::kIn;
    prefix = prefix || slot.test == RouteTest::kPrefix;
  }
  return count + (in ? 1 : 0) + (prefix ? 1 : 0);
}

}  // namespace

std::vector<Value> ListItems(const Value& list) {
  if (list.kind() != ValueKind::kList) return {};
  const std::set<Value> items(list.items().begin(), list.items().end());
  std::vector<Value> found(items.begin(), items.end());
  std::erase_if(found, [](const Value& item) { return item.is_null(); });
  return found;
}

bool Passes(const RouteAlternative& alternative, RowView binding, RowView row) {
  return std::ranges::all_of(alternative, [&](const RouteSlot& slot) {
    return PassesSlot(slot, row[slot.row], binding[slot.binding]);
  });
}

Router::Index::Index(RouteAlternative alternative)
    : all(std::move(alternative)),
      entries(HashedColumns(all) + 1, FirstColumns(HashedColumns(all))),
      buckets(HashedColumns(all)) {
  for (const RouteSlot& slot : all) {
    if (slot.test == RouteTest::kEqual || slot.test == RouteTest::kSame) hashed.push_back(slot);
    if (slot.test == RouteTest::kIn && !in) in = slot;
    if (slot.test == RouteTest::kPrefix && !prefix) prefix = slot;
    if (IsLower(slot.test) && !lower && (!upper || upper->row == slot.row)) lower = slot;
    if (IsUpper(slot.test) && !upper && (!lower || lower->row == slot.row)) upper = slot;
  }
}

Router::Router(std::size_t binding_width, std::vector<RouteAlternative> alternatives)
    : bindings_(binding_width, {0}) {
  for (RouteAlternative& alternative : alternatives) {
    indexes_.emplace_back(std::move(alternative));
  }
}

void Router::Add(RowView binding, Weight weight) {
  const RowTable::Change change = bindings_.Add(binding, weight);
  if (change.before != 0 && change.after != 0) return;
  for (Index& index : indexes_) Enter(index, binding, change.slot, change.before == 0);
}

void Router::Enter(Index& index, RowView binding, Slot slot, bool enters) {
  Row key;
  for (const RouteSlot& hashed : index.hashed) {
    const Value& value = binding[hashed.binding];
    if (value.is_null() && hashed.test == RouteTest::kEqual) return;
    key.push_back(value);
  }
  for (const std::optional<RouteSlot>& bound : {index.lower, index.upper}) {
    if (bound && binding[bound->binding].is_null()) return;
  }
  std::vector<Value> items(1);
  if (index.in) items = ListItems(binding[index.in->binding]);
  if (index.prefix) {
    const Value& prefix = binding[index.prefix->binding];
    if (prefix.kind() != ValueKind::kText) return;
    std::size_t& count = index.prefix_sizes[prefix.AsText().size()];
    count += enters ? 1 : -1;
    if (count == 0) index.prefix_sizes.erase(prefix.AsText().size());
  }
  for (const Value& item : items) {
    Row whole = key;
    if (index.in) whole.push_back(item);
    if (index.prefix) whole.push_back(binding[index.prefix->binding]);
    EnterKey(index, whole, binding, slot, enters);
  }
}

void Router::EnterKey(Index& index, const Row& key, RowView binding, Slot slot, bool enters) {
  if (!index.has_range()) {
    Row entry = key;
    entry.push_back(Value::Int(slot));
    index.entries.Add(entry, enters ? 1 : -1);
    return;
  }
  IntervalTree::Interval interval;
  if (index.lower) interval.low = binding[index.lower->binding];
  if (index.upper) interval.high = binding[index.upper->binding];
  const Slot bucket = index.buckets.Add(key, enters ? 1 : -1).slot;
  if (index.trees.size() <= bucket) index.trees.resize(bucket + 1);
  if (enters) {
    index.trees[bucket].Insert(interval, slot);
  } else {
    index.trees[bucket].Erase(interval, slot);
  }
}

void Router::Route(RowView row, FunctionRef<void(RowView, Weight)> visit) const {
  for (std::size_t i = 0; i < indexes_.size(); ++i) {
    Find(indexes_[i], row, [&](Slot slot) {
      const RowView binding = bindings_.rows().row(slot);
      if (!Passes(indexes_[i].all, binding, row)) return;
      for (std::size_t before = 0; before < i; ++before) {
        if (Passes(indexes_[before].all, binding, row)) return;
      }
      visit(binding, bindings_.rows().weight(slot));
    });
  }
}

void Router::Find(const Index& index, RowView row, FunctionRef<void(Slot)> visit) const {
  Row key;
  key.reserve(index.key_width());
  for (const RouteSlot& hashed : index.hashed) key.push_back(row[hashed.row]);
  if (index.in) key.push_back(row[index.in->row]);
  if (!index.prefix) return FindKey(index, key, row, visit);
  const Value& text = row[index.prefix->row];
  if (text.kind() != ValueKind::kText) return;
  key.emplace_back();
  for (const auto& [size, count] : index.prefix_sizes) {
    if (size > text.AsText().size()) break;
    key.back() = Value::Text(text.AsText().substr(0, size));
    FindKey(index, key, row, visit);
  }
}

void Router::FindKey(const Index& index, const Row& key, RowView row,
                     FunctionRef<void(Slot)> visit) {
  if (!index.has_range()) {
    index.entries.ForEachWithKey(key, [&](RowView entry, Weight) {
      visit(static_cast<Slot>(entry.back().AsInt()));
      return true;
    });
    return;
  }
  const Value& value = row[(index.lower ? index.lower : index.upper)->row];
  const Slot bucket = index.buckets.Find(key);
  if (value.is_null() || bucket == RowTable::kNone) return;
  index.trees[bucket].Stab(value, visit);
}

std::size_t Router::bytes() const {
  std::size_t bytes = bindings_.bytes();
  for (const Index& index : indexes_) {
    // A tree node is about as large as three cache lines.
    constexpr std::size_t kTreeNodeBytes = 192;
    bytes += index.entries.bytes() + index.buckets.bytes();
    if (index.has_range()) bytes += bindings_.rows().size() * kTreeNodeBytes;
  }
  return bytes;
}

}  // namespace trefoil::dataflow
