// Change: rendering, application, composition.
#include "trefoil/change.h"

#include <algorithm>
#include <boost/container/small_vector.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <charconv>
#include <compare>
#include <utility>

#include "base/check.h"

namespace trefoil {

namespace {

template <typename Number>
void AppendNumber(std::string& out, Number number) {
  char digits[24];
  const std::to_chars_result result = std::to_chars(digits, digits + sizeof digits, number);
  out.append(digits, result.ptr);
}

void AppendRow(std::string& out, const Row& row) {
  if (row.object().is_null()) {
    out += "{}";
  } else {
    AppendJson(out, row.object());
  }
}

template <typename Items, typename AppendItem>
void AppendArray(std::string& out, const Items& items, const AppendItem& append_item) {
  out += '[';
  bool first = true;
  for (const auto& item : items) {
    if (!std::exchange(first, false)) out += ',';
    append_item(item);
  }
  out += ']';
}

// JSON Pointer (RFC 6901), then escaped as a JSON string.
std::string PointerOf(std::span<const PathStep> path) {
  std::string pointer;
  for (const PathStep& step : path) {
    pointer += '/';
    if (const auto* position = std::get_if<std::size_t>(&step)) {
      AppendNumber(pointer, *position);
      continue;
    }
    for (const char c : *std::get_if<std::string>(&step)) {
      if (c == '~') {
        pointer += "~0";
      } else if (c == '/') {
        pointer += "~1";
      } else {
        pointer += c;
      }
    }
  }
  return pointer;
}

std::string_view PatchName(EditOp op) {
  switch (op) {
    case EditOp::kInsert:
      return "add";
    case EditOp::kRemove:
      return "remove";
    case EditOp::kReplace:
      return "replace";
  }
  Check(false, "every EditOp has a name");
  return {};
}

std::size_t PositionOf(const PathStep& step, std::size_t limit) {
  const auto* position = std::get_if<std::size_t>(&step);
  Check(position != nullptr && *position < limit, "an edit names a position of its list");
  return *position;
}

template <typename Item>
void EditItems(std::vector<Item>& items, const Edit& edit, Item item) {
  const bool inserts = edit.op == EditOp::kInsert;
  const std::size_t at = PositionOf(edit.path.back(), items.size() + (inserts ? 1 : 0));
  const auto place = items.begin() + static_cast<std::ptrdiff_t>(at);
  if (inserts) {
    items.insert(place, std::move(item));
  } else if (edit.op == EditOp::kRemove) {
    items.erase(place);
  } else {
    *place = std::move(item);
  }
}

// How many of `edits`, from the first on, go into the same list or object.
std::size_t CountSiblings(std::span<const Edit> edits) {
  const std::span<const PathStep> parent = std::span(edits[0].path).first(edits[0].path.size() - 1);
  const auto is_sibling = [&](const Edit& edit) {
    return edit.path.size() == parent.size() + 1 &&
           std::ranges::equal(parent, std::span(edit.path).first(parent.size()));
  };
  const auto end = std::ranges::find_if_not(edits, is_sibling);
  return static_cast<std::size_t>(end - edits.begin());
}

Value& ColumnOf(const Value& object, std::vector<Value>& items, const PathStep& step) {
  const auto* name = std::get_if<std::string>(&step);
  Check(name != nullptr, "an edit within an object names a column");
  const auto found = std::ranges::find(*object.names(), *name);
  Check(found != object.names()->end(), "an edit names a column of its object");
  return items[static_cast<std::size_t>(found - object.names()->begin())];
}

// `value` with the edits of siblings done to it, so that what lies on their path is copied once;
// path[depth] is the step within `value`.
Value Edited(const Value& value, std::span<const Edit> siblings, std::size_t depth) {
  const bool is_object = value.kind() == ValueKind::kObject;
  Check(is_object || value.kind() == ValueKind::kList, "an edit goes into a list or an object");
  std::vector<Value> items(value.items().begin(), value.items().end());
  const std::vector<PathStep>& path = siblings[0].path;
  if (depth + 1 < path.size()) {
    Value& item = is_object ? ColumnOf(value, items, path[depth])
                            : items[PositionOf(path[depth], items.size())];
    item = Edited(item, siblings, depth + 1);
  } else {
    for (const Edit& edit : siblings) {
      if (is_object) {
        ColumnOf(value, items, edit.path[depth]) = edit.value;
      } else {
        EditItems(items, edit, edit.value);
      }
    }
  }
  return is_object ? Value::Object(value.names(), std::move(items)) : Value::List(std::move(items));
}

Origin Both(Origin a, Origin b) { return a == b ? a : Origin::kBoth; }

const Value& KeyOf(const Row& row) { return row.key().is_null() ? row.object() : row.key(); }

bool KeysAscend(std::span<const Row> rows) {
  const auto is_not_less = [](const Row& a, const Row& b) { return KeyOf(a) >= KeyOf(b); };
  return std::ranges::adjacent_find(rows, is_not_less) == rows.end();
}

// PairByKey for rows whose keys ascend, as they do in lists that are in the order of the key, and
// where there is one row: a merge, without tables.
void PairAscending(std::span<const Row> left, std::span<const Row> entered, Change& change) {
  change.updated.reserve(std::min(left.size(), entered.size()));
  auto before = left.begin();
  auto after = entered.begin();
  while (before != left.end() || after != entered.end()) {
    const std::strong_ordering order = before == left.end()     ? std::strong_ordering::greater
                                       : after == entered.end() ? std::strong_ordering::less
                                                                : KeyOf(*before) <=> KeyOf(*after);
    if (order < 0) {
      change.removed.push_back(*before++);
    } else if (order > 0) {
      change.added.push_back(*after++);
    } else {
      const std::uint64_t columns = ChangedColumns(*before, *after);
      if (columns != 0) change.updated.push_back({*before, *after, columns});
      ++before;
      ++after;
    }
  }
}

// The rows of one key while a Change is put together; most keys have one row on each side.
struct Pairing {
  const Value* key;
  boost::container::small_vector<const Row*, 1> left = {};
  boost::container::small_vector<const Row*, 1> entered = {};
};

// In order of first appearance, so that the answer is repeatable.
class Pairings {
 public:
  explicit Pairings(std::size_t rows) {
    if (rows <= kFew) return;
    all_.reserve(rows);
    places_.reserve(rows);
  }

  Pairing& Of(const Row& row) {
    const Value& key = KeyOf(row);
    if (const std::size_t known = Find(key); known < all_.size()) return all_[known];
    all_.push_back({.key = &key});
    if (all_.size() > kFew) Index();
    return all_.back();
  }
  const auto& all() const { return all_; }

 private:
  static constexpr std::size_t kFew = 8;  // are looked at one after the other

  // all_.size() when there is none.
  std::size_t Find(const Value& key) const {
    if (all_.size() <= kFew) {
      const auto found =
          std::ranges::find_if(all_, [&](const Pairing& p) { return *p.key == key; });
      return static_cast<std::size_t>(found - all_.begin());
    }
    const auto found = places_.find(key);
    return found == places_.end() ? all_.size() : found->second;
  }
  void Index() {
    for (std::size_t i = places_.size(); i < all_.size(); ++i) places_.emplace(*all_[i].key, i);
  }

  boost::container::small_vector<Pairing, kFew> all_;
  boost::unordered_flat_map<Value, std::size_t, std::hash<Value>> places_;
};

}  // namespace

Row::Row(Value object, Value key) : object_(std::move(object)), key_(std::move(key)) {
  Check(object_.kind() == ValueKind::kObject, "a row is an object");
}

std::span<const std::string> Row::names() const {
  if (object_.is_null()) return {};
  return *object_.names();
}

std::span<const Value> Row::values() const {
  if (object_.is_null()) return {};
  return object_.items();
}

const Value* Row::Find(std::string_view name) const {
  const std::span<const std::string> all = names();
  const auto found = std::ranges::find(all, name);
  return found == all.end() ? nullptr : &values()[static_cast<std::size_t>(found - all.begin())];
}

std::string Row::ToJson() const {
  std::string out;
  AppendRow(out, *this);
  return out;
}

std::uint64_t ChangedColumns(const Row& before, const Row& after) {
  Check(before.size() == after.size(), "an update keeps the columns");
  std::uint64_t columns = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before[i] != after[i]) columns |= std::uint64_t{1} << std::min<std::size_t>(i, 63);
  }
  return columns;
}

std::string_view OriginName(Origin origin) {
  switch (origin) {
    case Origin::kLocal:
      return "local";
    case Origin::kMerged:
      return "merged";
    case Origin::kBoth:
      return "both";
  }
  Check(false, "every Origin has a name");
  return {};
}

std::string Change::JsonPatch() const {
  std::string out;
  if (reset) {
    out += R"([{"op":"replace","path":"","value":)";
    AppendArray(out, added, [&](const Row& row) { AppendRow(out, row); });
    out += "}]";
    return out;
  }
  AppendArray(out, edits, [&](const Edit& edit) {
    out += R"({"op":")";
    out += PatchName(edit.op);
    out += R"(","path":)";
    AppendJson(out, Value::Text(PointerOf(edit.path)));
    if (edit.op != EditOp::kRemove) {
      out += R"(,"value":)";
      AppendJson(out, edit.value);
    }
    out += '}';
  });
  return out;
}

std::string ToJson(const Change& change, std::string_view live_name) {
  std::string out = "{";
  if (!live_name.empty()) {
    out += R"("live":)";
    AppendJson(out, Value::Text(live_name));
    out += ',';
  }
  out += R"("from":)";
  AppendNumber(out, ToNumber(change.from));
  out += R"(,"to":)";
  AppendNumber(out, ToNumber(change.to));
  out += R"(,"origin":")";
  out += OriginName(change.origin);
  out += R"(","reset":)";
  out += change.reset ? "true" : "false";
  const auto append_row = [&](const Row& row) { AppendRow(out, row); };
  out += R"(,"added":)";
  AppendArray(out, change.added, append_row);
  out += R"(,"removed":)";
  AppendArray(out, change.removed, append_row);
  out += R"(,"updated":)";
  AppendArray(out, change.updated, [&](const Update& update) {
    out += R"({"before":)";
    AppendRow(out, update.before);
    out += R"(,"after":)";
    AppendRow(out, update.after);
    out += '}';
  });
  out += '}';
  return out;
}

void PairByKey(std::span<const Row> left, std::span<const Row> entered, Change& change) {
  if (KeysAscend(left) && KeysAscend(entered)) {
    PairAscending(left, entered, change);
    return;
  }
  Pairings pairings(std::max(left.size(), entered.size()));
  for (const Row& row : left) pairings.Of(row).left.push_back(&row);
  for (const Row& row : entered) {
    Pairing& pairing = pairings.Of(row);
    const auto same =
        std::ranges::find_if(pairing.left, [&](const Row* old) { return *old == row; });
    if (same != pairing.left.end()) {
      pairing.left.erase(same);
    } else {
      pairing.entered.push_back(&row);
    }
  }
  for (const Pairing& pairing : pairings.all()) {
    const std::size_t paired = std::min(pairing.left.size(), pairing.entered.size());
    for (std::size_t i = 0; i < paired; ++i) {
      const Row& before = *pairing.left[i];
      const Row& after = *pairing.entered[i];
      change.updated.push_back({before, after, ChangedColumns(before, after)});
    }
    for (std::size_t i = paired; i < pairing.left.size(); ++i) {
      change.removed.push_back(*pairing.left[i]);
    }
    for (std::size_t i = paired; i < pairing.entered.size(); ++i) {
      change.added.push_back(*pairing.entered[i]);
    }
  }
}

Change Compose(const Change& first, const Change& second) {
  Check(first.to == second.from || second.reset, "composed changes follow one another");
  Change sum{.from = first.from,
             .to = second.to,
             .origin = Both(first.origin, second.origin),
             .reset = first.reset || second.reset};
  if (second.reset) {
    sum.added = second.added;
    return sum;
  }
  if (first.reset) {
    sum.added = first.added;
    Apply(second, sum.added);
    return sum;
  }
  std::vector<Row> left;
  std::vector<Row> entered;
  for (const Change* change : {&first, &second}) {
    left.insert(left.end(), change->removed.begin(), change->removed.end());
    entered.insert(entered.end(), change->added.begin(), change->added.end());
    for (const Update& update : change->updated) {
      left.push_back(update.before);
      entered.push_back(update.after);
    }
    sum.edits.insert(sum.edits.end(), change->edits.begin(), change->edits.end());
  }
  PairByKey(left, entered, sum);
  return sum;
}

void Apply(const Change& change, std::vector<Row>& rows) {
  if (change.reset) {
    rows = change.added;
    return;
  }
  std::span<const Edit> edits = change.edits;
  while (!edits.empty()) {
    const Edit& edit = edits.front();
    Check(!edit.path.empty(), "an edit has a path");
    if (edit.path.size() == 1) {
      EditItems(rows, edit, edit.op == EditOp::kRemove ? Row() : Row(edit.value, edit.key));
      edits = edits.subspan(1);
      continue;
    }
    const std::size_t siblings = CountSiblings(edits);
    Row& row = rows[PositionOf(edit.path.front(), rows.size())];
    row = Row(Edited(row.object(), edits.first(siblings), 1), row.key());
    edits = edits.subspan(siblings);
  }
}

}  // namespace trefoil
