#include "dataflow/view.h"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <utility>

#include "base/check.h"
#include "dataflow/row_key.h"
#include "dataflow/view_state.h"

namespace trefoil::dataflow {

using view::Arrival;
using view::Bucket;
using view::Item;
using view::ItemOrder;
using view::ItemRef;
using view::ItemTree;
using view::Link;
using view::Stale;
using view::Work;

namespace {

// What an object or a list of this many values weighs, without what is behind the values.
std::size_t TreeBytes(std::size_t values) { return 64 + values * sizeof(Value); }

struct Level {
  explicit Level(ViewLevel spec_in);

  ViewLevel spec;
  std::vector<Column> order_columns;
  ItemOrder order;
  std::vector<std::size_t> key_places;    // of the key columns among the order columns
  std::vector<std::size_t> child_fields;  // ascending
  std::size_t parent_field = 0;           // the field of the parent level that shows this level
  bool single = false;
  boost::unordered_flat_map<Row, std::unique_ptr<Bucket>, RowHash, RowEqual> buckets;
};

std::vector<SortColumn> InPlace(std::vector<SortColumn> order) {
  for (std::size_t i = 0; i < order.size(); ++i) order[i].column = static_cast<Column>(i);
  return order;
}

Level::Level(ViewLevel spec_in) : spec(std::move(spec_in)), order{RowOrder(InPlace(spec.order))} {
  Check(spec.names == nullptr ? spec.fields.size() == 1 : spec.names->size() == spec.fields.size(),
        "a view level has a name for each field");
  for (const SortColumn& sort : spec.order) order_columns.push_back(sort.column);
  for (const Column column : spec.key) {
    const auto place = std::ranges::find(order_columns, column);
    Check(place != order_columns.end(), "the order of a view level contains its key");
    key_places.push_back(static_cast<std::size_t>(place - order_columns.begin()));
  }
  for (std::size_t i = 0; i < spec.fields.size(); ++i) {
    if (spec.fields[i].child) child_fields.push_back(i);
  }
}

// The key of the row with these order values, within its list.
Value KeyOf(const Level& level, RowView order) {
  if (level.key_places.size() == 1) return order[level.key_places[0]];
  // Without key columns there is one row at most, of the empty key: what it becomes is an update.
  std::vector<Value> parts;
  for (const std::size_t place : level.key_places) parts.push_back(order[place]);
  return Value::Ref(std::move(parts));
}

}  // namespace

class ViewSnapshot::Items {
 public:
  explicit Items(ItemTree tree_in) : tree(std::move(tree_in)) {}
  const ItemTree tree;
};

class View::State {
 public:
  explicit State(ViewShape shape);

  std::vector<ListChange> Step(std::span<const Batch* const> deltas, bool with_edits);
  ViewSnapshot Snapshot(RowView bucket) const;
  std::size_t bytes() const { return bytes_; }
  std::size_t rows() const { return rows_; }

 private:
  Bucket& At(std::size_t level, RowView key);
  Work& Touch(Bucket& bucket);
  void TakeDelta(std::size_t level, const Batch& delta);
  void Process(Bucket& bucket);
  void RenewStale(Bucket& bucket);
  void Renew(Bucket& bucket, std::span<const Stale> fields);
  void TakeGroup(Bucket& bucket, std::span<const Arrival> group);
  // `before` is the item at its place, or null.
  ItemRef MakeItem(Bucket& bucket, RowView row, const Item* before);
  void Forget(Item& item);
  Value ValueOf(const Bucket& bucket) const;
  void Publish(Bucket& bucket);
  void EndStep();

  // What the listener hears; nothing when edits are not wanted.
  void TellUpdate(const Item& before, const Item& after, Weight copies);
  void TellInsert(Bucket& bucket, const Item& item, std::size_t position, Weight copies);
  void TellRemove(Bucket& bucket, const Item& item, std::size_t position, Weight copies);
  // Whether the values differ.
  bool EditFields(Bucket& bucket, const Item& before, const Item& after, std::size_t position);
  void EditBelow(Bucket& bucket, std::span<const Stale> fields, const Item& after,
                 std::size_t position);

  std::size_t ItemBytes(const Level& level, const Item& item) const;
  std::size_t BucketBytes(const Bucket& bucket) const;

  std::vector<Level> levels_;
  std::vector<std::vector<Bucket*>> touched_;  // by level; all are looked at when the step ends
  std::vector<std::unique_ptr<Work>> idle_work_;
  ListChange* report_ = nullptr;  // of the root list at work
  bool with_edits_ = true;
  std::size_t bytes_ = 0;
  std::size_t rows_ = 0;
  Row key_;  // scratch
};

View::State::State(ViewShape shape) : touched_(shape.levels.size()) {
  Check(!shape.levels.empty() && shape.levels[0].names != nullptr, "a view shows objects");
  for (ViewLevel& spec : shape.levels) levels_.emplace_back(std::move(spec));
  std::vector<bool> has_parent(levels_.size());
  for (std::size_t i = 0; i < levels_.size(); ++i) {
    for (const std::size_t field : levels_[i].child_fields) {
      const ViewChild& child = *levels_[i].spec.fields[field].child;
      Check(child.level > i && child.level < levels_.size() && !has_parent[child.level],
            "a view level is the child of one field of a level before it");
      Check(child.bucket.size() == levels_[child.level].spec.bucket.size(),
            "a child field names a bucket of its level");
      has_parent[child.level] = true;
      levels_[child.level].parent_field = field;
      levels_[child.level].single = child.single;
    }
  }
}

Bucket& View::State::At(std::size_t level, RowView key) {
  auto& buckets = levels_[level].buckets;
  if (const auto found = buckets.find(key); found != buckets.end()) return *found->second;
  Row owned(key.begin(), key.end());
  auto bucket = std::make_unique<Bucket>(owned, level, levels_[level].order);
  Bucket& made = *bucket;
  if (level > 0) made.value = ValueOf(made);
  buckets.emplace(std::move(owned), std::move(bucket));
  bytes_ += BucketBytes(made);
  return made;
}

Work& View::State::Touch(Bucket& bucket) {
  if (bucket.work == nullptr) {
    if (idle_work_.empty()) idle_work_.push_back(std::make_unique<Work>());
    bucket.work = std::move(idle_work_.back());
    idle_work_.pop_back();
    touched_[bucket.level].push_back(&bucket);
  }
  return *bucket.work;
}

std::vector<ListChange> View::State::Step(std::span<const Batch* const> deltas, bool with_edits) {
  Check(deltas.size() == levels_.size(), "a view takes one delta per level");
  with_edits_ = with_edits;
  std::vector<ListChange> changes;
  for (std::size_t level = levels_.size(); level-- > 0;) {
    if (deltas[level] != nullptr) TakeDelta(level, *deltas[level]);
    // A bucket touches buckets of levels before its own only.
    for (Bucket* bucket : touched_[level]) {
      ListChange change;
      report_ = level == 0 && with_edits ? &change : nullptr;
      Process(*bucket);
      if (report_ == nullptr || (change.left.empty() && change.entered.empty())) continue;
      change.bucket = bucket->key;
      change.edits = std::move(bucket->work->edits);
      changes.push_back(std::move(change));
    }
  }
  report_ = nullptr;
  EndStep();
  return changes;
}

void View::State::TakeDelta(std::size_t level, const Batch& delta) {
  const Level& here = levels_[level];
  Bucket* bucket = nullptr;  // of the row before, which is mostly that of the next one, too
  for (std::size_t i = 0; i < delta.size(); ++i) {
    const RowView row = delta.row(i);
    CutInto(key_, row, here.spec.bucket);
    if (bucket == nullptr || !EqualRows(bucket->key, key_)) bucket = &At(level, key_);
    Touch(*bucket).arrivals.push_back({{row, here.order_columns}, delta.weight(i)});
  }
}

void View::State::Process(Bucket& bucket) {
  Work& work = *bucket.work;
  const ItemOrder& order = levels_[bucket.level].order;
  bytes_ -= BucketBytes(bucket);
  work.wants_edits = with_edits_ && (bucket.level == 0 || bucket.first_link != nullptr);
  std::vector<Arrival>& arrivals = work.arrivals;
  const auto is_before = [&](const Arrival& a, const Arrival& b) {
    const std::strong_ordering by_place = order(a.place, b.place);
    return by_place != 0 ? by_place < 0 : a.place.row.data() < b.place.row.data();
  };
  // Lists are often in the order of the delta.
  if (!std::ranges::is_sorted(arrivals, is_before)) std::ranges::sort(arrivals, is_before);
  if (report_ != nullptr) {
    report_->left.reserve(arrivals.size() / 2 + 1);
    report_->entered.reserve(arrivals.size() / 2 + 1);
  }
  if (!work.stale.empty()) RenewStale(bucket);
  for (std::size_t begin = 0; begin < arrivals.size();) {
    std::size_t end = begin + 1;
    while (end < arrivals.size() && order(arrivals[begin].place, arrivals[end].place) == 0) ++end;
    TakeGroup(bucket, std::span(arrivals).subspan(begin, end - begin));
    begin = end;
  }
  if (bucket.level > 0 && work.changed) Publish(bucket);
  bytes_ += BucketBytes(bucket);
}

// Items that stay as they are but for what their children show.
void View::State::RenewStale(Bucket& bucket) {
  std::vector<Stale>& stale = bucket.work->stale;
  const ItemOrder& order = levels_[bucket.level].order;
  // An item that is made anew or leaves altogether need not be renewed.
  for (const Arrival& arrival : bucket.work->arrivals) {
    const auto found = bucket.items.Find(arrival.place);
    if (found && (arrival.weight > 0 || found.weight() == -arrival.weight)) {
      found.key()->in_delta = true;
    }
  }
  std::ranges::sort(stale, [&](const Stale& a, const Stale& b) {
    const std::strong_ordering by_place = order(a.item, b.item);
    return by_place != 0 ? by_place < 0 : a.field < b.field;
  });
  for (std::size_t begin = 0; begin < stale.size();) {
    std::size_t end = begin + 1;
    while (end < stale.size() && stale[end].item == stale[begin].item) ++end;
    if (!stale[begin].item->in_delta) {
      Renew(bucket, std::span(stale).subspan(begin, end - begin));
    }
    begin = end;
  }
}

void View::State::Renew(Bucket& bucket, std::span<const Stale> fields) {
  const ItemRef before = fields[0].item;
  Value value;
  if (levels_[bucket.level].spec.names == nullptr) {
    value = fields[0].child->value;
  } else {
    std::vector<Value> values(before->value.items().begin(), before->value.items().end());
    for (const Stale& field : fields) values[field.field] = field.child->value;
    value = Value::Object(before->value.names(), std::move(values));
  }
  const ItemRef after(new Item(before->order, before->key, std::move(value), &bucket));
  after->links = std::move(before->links);
  const std::size_t links = levels_[bucket.level].child_fields.size();
  for (std::size_t i = 0; i < links; ++i) after->links[i].item = after.get();
  const Weight weight = bucket.items.Find(before).weight();
  if (bucket.work->wants_edits) {
    const auto position = static_cast<std::size_t>(bucket.items.Rank(before));
    for (Weight copy = 0; copy < weight; ++copy) {
      EditBelow(bucket, fields, *after, position + static_cast<std::size_t>(copy));
    }
    if (report_ != nullptr && before->value != after->value) {
      TellUpdate(*before, *after, weight);
    }
  }
  bucket.items.Put(after, weight);
  bucket.work->changed = true;
}

// All changes of the row at one place: it comes, goes, is another, or has more or fewer copies.
void View::State::TakeGroup(Bucket& bucket, std::span<const Arrival> group) {
  const Level& level = levels_[bucket.level];
  const auto place = bucket.items.LowerBound(group[0].place);
  const bool found = place && level.order(place.key(), group[0].place) == 0;
  const ItemRef before = found ? place.key() : nullptr;
  const Weight old_weight = found ? place.weight() : 0;
  Weight weight = old_weight;
  const Arrival* arrival = nullptr;
  for (const Arrival& change : group) {
    weight += change.weight;
    if (change.weight > 0) arrival = &change;
  }
  Check(weight >= 0, "a row leaves a view as often as it came");
  if (before == nullptr && weight == 0) return;
  if (before != nullptr) before->in_delta = false;
  const bool replaced = weight > 0 && arrival != nullptr;
  const ItemRef after = replaced ? MakeItem(bucket, arrival->place.row, before.get()) : before;
  if (bucket.work->wants_edits) {
    const auto position = static_cast<std::size_t>(bucket.items.Rank(place));
    const Weight kept = std::min(old_weight, weight);
    if (replaced && kept > 0) {
      bool differs = false;
      for (Weight copy = 0; copy < kept; ++copy) {
        differs = EditFields(bucket, *before, *after, position + static_cast<std::size_t>(copy));
      }
      if (differs) TellUpdate(*before, *after, kept);
    }
    const std::size_t behind = position + static_cast<std::size_t>(kept);
    if (weight > kept) TellInsert(bucket, *after, behind, weight - kept);
    if (old_weight > kept) TellRemove(bucket, *before, behind, old_weight - kept);
  }
  bucket.work->changed = true;
  if (before != nullptr && (replaced || weight == 0)) {
    bytes_ -= ItemBytes(level, *before);
    --rows_;
    Forget(*before);
  }
  if (replaced && weight > 0) {
    bytes_ += ItemBytes(level, *after);
    ++rows_;
    const bool stays = found && weight == old_weight;
    if (!stays || !bucket.items.Replace(place, after)) bucket.items.Put(after, weight);
  } else if (before != nullptr) {
    bucket.items.Add(before, weight - old_weight);
  }
}

ItemRef View::State::MakeItem(Bucket& bucket, RowView row, const Item* before) {
  const Level& level = levels_[bucket.level];
  std::unique_ptr<Link[]> links;
  if (!level.child_fields.empty()) links = std::make_unique<Link[]>(level.child_fields.size());
  std::vector<Value> values;
  values.reserve(level.spec.fields.size());
  std::size_t child = 0;
  for (const ViewField& field : level.spec.fields) {
    if (!field.child) {
      values.push_back(row[field.column]);
      continue;
    }
    Link& link = links[child++];
    CutInto(key_, row, field.child->bucket);
    if (std::ranges::any_of(key_, &Value::is_null)) {
      values.push_back(field.child->single ? Value() : Value::List({}));
      continue;
    }
    Bucket& below = At(field.child->level, key_);
    link.bucket = &below;
    link.next = below.first_link;
    if (link.next != nullptr) link.next->previous = &link;
    below.first_link = &link;
    values.push_back(below.value);
  }
  Value value = level.spec.names == nullptr ? std::move(values[0])
                                            : Value::Object(level.spec.names, std::move(values));
  ItemRef item;
  if (before != nullptr) {
    item = new Item(before->order, before->key, std::move(value), &bucket);
  } else {
    CutInto(key_, row, level.order_columns);
    item = new Item(RowBlock::Make(key_), KeyOf(level, key_), std::move(value), &bucket);
  }
  for (std::size_t i = 0; i < child; ++i) links[i].item = item.get();
  item->links = std::move(links);
  return item;
}

// Takes the links of an item that is no longer shown out of their chains.
void View::State::Forget(Item& item) {
  const std::size_t links = levels_[item.home->level].child_fields.size();
  for (std::size_t i = 0; i < links; ++i) {
    Link& link = item.links[i];
    if (link.bucket == nullptr) continue;
    if (link.next != nullptr) link.next->previous = link.previous;
    (link.previous != nullptr ? link.previous->next : link.bucket->first_link) = link.next;
    Touch(*link.bucket);  // it may be of no more use
  }
  item.links.reset();
}

Value View::State::ValueOf(const Bucket& bucket) const {
  if (levels_[bucket.level].single) {
    const auto first = bucket.items.First();
    return first ? first.key()->value : Value();
  }
  std::vector<Value> values;
  values.reserve(static_cast<std::size_t>(bucket.items.total()));
  for (auto cursor = bucket.items.First(); cursor; cursor.Next()) {
    values.insert(values.end(), static_cast<std::size_t>(cursor.weight()), cursor.key()->value);
  }
  return Value::List(std::move(values));
}

// Gives an inner bucket its new value, and the items that show it to their lists.
void View::State::Publish(Bucket& bucket) {
  const Level& level = levels_[bucket.level];
  bucket.value = ValueOf(bucket);
  for (Link* link = bucket.first_link; link != nullptr; link = link->next) {
    Touch(*link->item->home).stale.push_back({ItemRef(link->item), level.parent_field, &bucket});
  }
}

void View::State::EndStep() {
  for (std::size_t level = 0; level < levels_.size(); ++level) {
    for (Bucket* bucket : touched_[level]) {
      bucket->work->Clear();
      idle_work_.push_back(std::move(bucket->work));
      if (!bucket->items.empty() || bucket->first_link != nullptr) continue;
      bytes_ -= BucketBytes(*bucket);
      levels_[level].buckets.erase(levels_[level].buckets.find(RowView(bucket->key)));
    }
    touched_[level].clear();
  }
}

void View::State::TellUpdate(const Item& before, const Item& after, Weight copies) {
  if (report_ == nullptr) return;
  for (Weight copy = 0; copy < copies; ++copy) {
    report_->left.emplace_back(before.value, before.key);
    report_->entered.emplace_back(after.value, after.key);
  }
}

void View::State::TellInsert(Bucket& bucket, const Item& item, std::size_t position,
                             Weight copies) {
  for (Weight copy = 0; copy < copies; ++copy) {
    bucket.work->edits.push_back(
        {EditOp::kInsert, {position}, item.value, report_ != nullptr ? item.key : Value()});
    if (report_ != nullptr) report_->entered.emplace_back(item.value, item.key);
  }
}

void View::State::TellRemove(Bucket& bucket, const Item& item, std::size_t position,
                             Weight copies) {
  for (Weight copy = 0; copy < copies; ++copy) {
    bucket.work->edits.push_back(
        {EditOp::kRemove, {position}, Value(), report_ != nullptr ? item.key : Value()});
    if (report_ != nullptr) report_->left.emplace_back(item.value, item.key);
  }
}

// One edit for each field that differs.
bool View::State::EditFields(Bucket& bucket, const Item& before, const Item& after,
                             std::size_t position) {
  std::vector<Edit>& edits = bucket.work->edits;
  const ObjectNames& names = levels_[bucket.level].spec.names;
  if (names == nullptr) {
    if (before.value == after.value) return false;
    edits.push_back({EditOp::kReplace, {position}, after.value, Value()});
    return true;
  }
  const std::span<const Value> old_values = before.value.items();
  const std::span<const Value> new_values = after.value.items();
  bool differs = false;
  for (std::size_t i = 0; i < new_values.size(); ++i) {
    if (old_values[i] == new_values[i]) continue;
    differs = true;
    Edit& edit = edits.emplace_back();  // a path of two steps, made in place
    edit.path.reserve(2);
    edit.path.emplace_back(position);
    edit.path.emplace_back((*names)[i]);
    edit.value = new_values[i];
  }
  return differs;
}

// The edits of the children that changed, as edits of this list.
void View::State::EditBelow(Bucket& bucket, std::span<const Stale> fields, const Item& after,
                            std::size_t position) {
  std::vector<Edit>& edits = bucket.work->edits;
  const ObjectNames& names = levels_[bucket.level].spec.names;
  if (names == nullptr) {
    edits.push_back({EditOp::kReplace, {position}, after.value, Value()});
    return;
  }
  for (const Stale& field : fields) {
    const std::vector<Edit>& below = field.child->work->edits;
    const std::string& name = (*names)[field.field];
    const bool single = levels_[field.child->level].single;
    // Rows come and go below: a single row is then another.
    if (single && std::ranges::any_of(below, [](const Edit& e) { return e.path.size() == 1; })) {
      edits.push_back({EditOp::kReplace, {position, name}, field.child->value, Value()});
      continue;
    }
    for (const Edit& edit : below) {
      if (single && edit.path[0] != PathStep(std::size_t{0})) continue;
      Edit& outer = edits.emplace_back(Edit{edit.op, {position, name}, edit.value, Value()});
      outer.path.insert(outer.path.end(), edit.path.begin() + (single ? 1 : 0), edit.path.end());
    }
  }
}

std::size_t View::State::ItemBytes(const Level& level, const Item& item) const {
  std::size_t bytes = sizeof(Item) + RowBlock::BytesFor(item.order->row()) +
                      level.child_fields.size() * sizeof(Link);
  if (level.spec.names == nullptr) return bytes;
  bytes += TreeBytes(level.spec.fields.size());
  const std::span<const Value> values = item.value.items();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!level.spec.fields[i].child) bytes += values[i].shared_bytes();
  }
  return bytes;
}

std::size_t View::State::BucketBytes(const Bucket& bucket) const {
  std::size_t bytes = sizeof(Bucket) + bucket.items.bytes() + bucket.key.size() * sizeof(Value);
  if (bucket.level > 0 && !levels_[bucket.level].single) {
    bytes += TreeBytes(static_cast<std::size_t>(bucket.items.total()));
  }
  return bytes;
}

ViewSnapshot View::State::Snapshot(RowView bucket) const {
  const auto found = levels_[0].buckets.find(bucket);
  return {levels_[0].spec.names,
          found == levels_[0].buckets.end()
              ? nullptr
              : std::make_shared<const ViewSnapshot::Items>(found->second->items)};
}

std::size_t ViewSnapshot::size() const {
  return items_ == nullptr ? 0 : static_cast<std::size_t>(items_->tree.total());
}

std::vector<trefoil::Row> ViewSnapshot::ToRows() const {
  std::vector<trefoil::Row> rows;
  if (items_ == nullptr) return rows;
  for (auto cursor = items_->tree.First(); cursor; cursor.Next()) {
    rows.insert(rows.end(), static_cast<std::size_t>(cursor.weight()),
                trefoil::Row(cursor.key()->value, cursor.key()->key));
  }
  return rows;
}

Rows AnswerOf(const ObjectNames& names, std::span<const trefoil::Row> rows) {
  if (names == nullptr) return {};
  std::vector<Value> cells;
  for (const trefoil::Row& row : rows) {
    cells.insert(cells.end(), row.values().begin(), row.values().end());
  }
  return {names, std::move(cells)};
}

Change ToChange(ListChange list, Version from, Version to, Origin origin) {
  Change change{.from = from, .to = to, .origin = origin};
  PairByKey(list.left, list.entered, change);
  change.edits = std::move(list.edits);
  return change;
}

View::View(ViewShape shape) : state_(std::make_unique<State>(std::move(shape))) {}
View::~View() = default;

std::vector<ListChange> View::Step(std::span<const Batch* const> deltas) {
  return state_->Step(deltas, true);
}
void View::Load(std::span<const Batch* const> deltas) { state_->Step(deltas, false); }
ViewSnapshot View::Snapshot(RowView bucket) const { return state_->Snapshot(bucket); }
std::size_t View::state_bytes() const { return state_->bytes(); }
std::size_t View::state_rows() const { return state_->rows(); }

}  // namespace trefoil::dataflow
