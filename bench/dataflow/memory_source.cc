#include "bench/dataflow/memory_source.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace trefoil::bench {

using dataflow::Row;
using dataflow::RowRef;
using dataflow::When;

std::strong_ordering MemorySource::EntryOrder::operator()(const Entry& a, const Entry& b) const {
  return (*this)(a, Place{{b.key.data(), descending.size()}});
}

std::strong_ordering MemorySource::EntryOrder::operator()(const Entry& a,
                                                          const Place& place) const {
  for (std::size_t i = 0; i < place.values.size(); ++i) {
    const auto order = dataflow::CompareValues(a.key[i], place.values[i]);
    if (order != 0) return descending[i] ? 0 <=> order : order;
  }
  return std::strong_ordering::equal;
}

void MemorySource::AddTable(TypeId type, std::size_t width, std::vector<std::size_t> key) {
  Check(width <= kMaxWidth, "a benchmark table is narrow");
  Table& table = tables_[type];
  table.width = width;
  table.key = std::move(key);
  table.changes = dataflow::Batch(width);
  for (std::uint32_t i = 0; i < width; ++i) table.columns.push_back(AttributeId{i + 1});
  std::vector<Column> columns;
  for (const std::size_t place : table.key) columns.push_back({place, false});
  AddPath(table, {}, std::move(columns));
}

void MemorySource::AddIndex(TypeId type, IndexId index, std::vector<Column> columns) {
  Table& table = tables_.at(type);
  for (const std::size_t place : table.key) columns.push_back({place, false});
  AddPath(table, {index}, std::move(columns));
}

void MemorySource::AddPath(Table& table, dataflow::AccessPath path, std::vector<Column> columns) {
  Check(columns.size() <= kMaxEntry, "a benchmark index is narrow");
  auto made = std::make_unique<Path>();
  EntryOrder order;
  made->description.path = path;
  for (const Column& column : columns) {
    made->description.columns.push_back({table.columns[column.place], column.descending});
    made->places.push_back(column.place);
    order.descending.push_back(column.descending);
  }
  made->old_tree = Tree(order);
  made->new_tree = Tree(order);
  table.paths.push_back(std::move(made));
}

MemorySource::Entry MemorySource::EntryOf(const Path& path, const RowRef& row) {
  Entry entry;
  for (std::size_t i = 0; i < path.places.size(); ++i) entry.key[i] = row->row()[path.places[i]];
  entry.row = row;
  return entry;
}

RowRef MemorySource::FindRow(const Path& path, std::span<const Value> subject, bool old) {
  const auto cursor = (old ? path.old_tree : path.new_tree).Find(Place{subject});
  return cursor ? cursor.key().row : nullptr;
}

void MemorySource::Change(Table& table, const Row& subject, const RowRef& to) {
  const RowRef from = FindRow(*table.paths[0], subject, false);
  table.before.emplace(subject, from);
  for (const auto& path : table.paths) {
    if (from != nullptr) path->new_tree.Add(EntryOf(*path, from), -1);
    if (to != nullptr) path->new_tree.Add(EntryOf(*path, to), 1);
  }
}

void MemorySource::Put(TypeId type, const Row& row) {
  Table& table = tables_.at(type);
  Row subject;
  for (const std::size_t place : table.key) subject.push_back(row[place]);
  Change(table, subject, dataflow::RowBlock::Make(row));
}

void MemorySource::Erase(TypeId type, const Row& subject) {
  Change(tables_.at(type), subject, nullptr);
}

std::optional<Row> MemorySource::Find(TypeId type, const Row& subject) const {
  const RowRef row = FindRow(*tables_.at(type).paths[0], subject, false);
  if (row == nullptr) return std::nullopt;
  return Row(row->row().begin(), row->row().end());
}

std::span<const dataflow::TypeChange> MemorySource::Changes() {
  changes_.clear();
  for (auto& [type, table] : tables_) {
    table.changes.Clear();
    for (const auto& [subject, before] : table.before) {
      const RowRef now = FindRow(*table.paths[0], subject, false);
      if (before != nullptr) table.changes.Add(before->row(), -1);
      if (now != nullptr) table.changes.Add(now->row(), 1);
    }
    if (!table.changes.empty()) changes_.push_back({type, table.columns, &table.changes});
  }
  return changes_;
}

void MemorySource::Advance() {
  for (auto& [type, table] : tables_) {
    if (table.before.empty()) continue;
    for (const auto& path : table.paths) path->old_tree = path->new_tree;
    table.before.clear();
  }
}

std::vector<dataflow::PathDescription> MemorySource::Paths(TypeId type) const {
  std::vector<dataflow::PathDescription> paths;
  for (const auto& path : tables_.at(type).paths) paths.push_back(path->description);
  return paths;
}

Status MemorySource::Scan(const dataflow::BaseRelation& relation, const dataflow::Probe& probe,
                          When when, const dataflow::RowVisitor& visit) const {
  const Table& table = tables_.at(relation.type);
  const auto path = std::ranges::find_if(
      table.paths, [&](const auto& p) { return p->description.path == probe.path; });
  const Tree& tree = when == When::kOld ? (*path)->old_tree : (*path)->new_tree;
  const std::size_t fixed = probe.prefix.size();
  std::array<Value, kMaxEntry> from;
  std::ranges::copy(probe.prefix, from.begin());
  std::size_t from_size = fixed;
  const bool descending =
      fixed < (*path)->places.size() && (*path)->description.columns[fixed].descending;
  const auto& first = descending == probe.reverse ? probe.lower : probe.upper;
  if (!probe.after.empty()) {
    std::ranges::copy(probe.after, from.begin() + static_cast<std::ptrdiff_t>(fixed));
    from_size += probe.after.size();
  } else if (first) {
    from[from_size++] = first->value;
  }
  const Place start{{from.data(), from_size}};
  const bool behind = !probe.after.empty() || (first && !first->inclusive);
  Tree::Cursor cursor;
  if (!probe.reverse) {
    cursor = behind ? tree.UpperBound(start) : tree.LowerBound(start);
  } else if (behind) {
    cursor = tree.Below(start);
  } else if (cursor = tree.UpperBound(start); cursor) {
    cursor.Previous();
  } else {
    cursor = tree.Last();
  }
  std::array<Value, kMaxWidth> cut;
  for (; cursor; probe.reverse ? cursor.Previous() : cursor.Next()) {
    const Entry& entry = cursor.key();
    for (std::size_t i = 0; i < fixed; ++i) {
      if (!(entry.key[i] == probe.prefix[i])) return Ok();
    }
    if (probe.lower) {
      const auto order = dataflow::CompareValues(entry.key[fixed], probe.lower->value);
      if (order < 0 || (order == 0 && !probe.lower->inclusive)) return Ok();
    }
    if (probe.upper) {
      const auto order = dataflow::CompareValues(entry.key[fixed], probe.upper->value);
      if (order > 0 || (order == 0 && !probe.upper->inclusive)) return Ok();
    }
    for (std::size_t i = 0; i < relation.columns.size(); ++i) {
      cut[i] = entry.row->row()[ToNumber(relation.columns[i]) - 1];
    }
    if (!visit({cut.data(), relation.columns.size()})) return Ok();
  }
  return Ok();
}

Status MemorySource::Lookup(
    const dataflow::BaseRelation& relation, std::span<const std::vector<Value>> subjects, When when,
    const std::function<void(std::size_t i, std::span<const Value> row)>& visit) const {
  const Path& path = *tables_.at(relation.type).paths[0];
  std::array<Value, kMaxWidth> cut;
  for (std::size_t s = 0; s < subjects.size(); ++s) {
    const RowRef row = FindRow(path, subjects[s], when == When::kOld);
    if (row == nullptr) {
      visit(s, {});
      continue;
    }
    for (std::size_t i = 0; i < relation.columns.size(); ++i) {
      cut[i] = row->row()[ToNumber(relation.columns[i]) - 1];
    }
    visit(s, {cut.data(), relation.columns.size()});
  }
  return Ok();
}

}  // namespace trefoil::bench
