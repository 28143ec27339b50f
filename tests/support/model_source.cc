#include "tests/support/model_source.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace trefoil::testing {

using dataflow::When;

bool ModelSource::EntryOrder::operator()(const Row& a, const Row& b) const {
  const std::size_t size = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < size; ++i) {
    const auto order = dataflow::CompareValues(a[i], b[i]);
    if (order != 0) return descending[i] ? order > 0 : order < 0;
  }
  return false;
}

void ModelSource::AddTable(TypeId type, std::vector<AttributeId> columns,
                           const std::vector<AttributeId>& key) {
  Table& table = tables_[type];
  table.columns = std::move(columns);
  table.changes = dataflow::Batch(table.columns.size());
  std::vector<dataflow::PathDescription::PathColumn> order;
  for (const AttributeId attribute : key) {
    const auto found = std::ranges::find(table.columns, attribute);
    table.key.push_back(static_cast<std::size_t>(found - table.columns.begin()));
    order.push_back({attribute, false});
  }
  auto path = std::make_unique<Path>();
  path->description = {.path = {}, .columns = order};
  path->places = table.key;
  path->old_entries = Entries(EntryOrder{std::vector<bool>(key.size())});
  path->new_entries = path->old_entries;
  table.paths.push_back(std::move(path));
}

void ModelSource::AddIndex(TypeId type, IndexId index,
                           std::vector<dataflow::PathDescription::PathColumn> columns) {
  Table& table = tables_.at(type);
  Check(table.rows.empty(), "indexes of the model are declared before rows");
  const auto& subject = table.paths[0]->description.columns;
  columns.insert(columns.end(), subject.begin(), subject.end());
  auto path = std::make_unique<Path>();
  EntryOrder order;
  for (const auto& column : columns) {
    const auto found = std::ranges::find(table.columns, column.attribute);
    path->places.push_back(static_cast<std::size_t>(found - table.columns.begin()));
    order.descending.push_back(column.descending);
  }
  path->description = {.path = {index}, .columns = std::move(columns)};
  path->old_entries = Entries(order);
  path->new_entries = Entries(order);
  table.paths.push_back(std::move(path));
}

ModelSource::Row ModelSource::Cut(const Row& row, const std::vector<std::size_t>& places) {
  Row cut;
  for (const std::size_t place : places) cut.push_back(row[place]);
  return cut;
}

const ModelSource::Table& ModelSource::At(TypeId type) const { return tables_.at(type); }

void ModelSource::Move(Path& path, Entries& entries, const std::optional<Row>& from,
                       const std::optional<Row>& to) {
  if (from) entries.erase(Cut(*from, path.places));
  if (to) entries.emplace(Cut(*to, path.places), std::make_shared<const Row>(*to));
}

void ModelSource::Change(Table& table, const Row& subject, std::optional<Row> to) {
  std::optional<Row> from;
  if (const auto found = table.rows.find(subject); found != table.rows.end()) from = found->second;
  table.before.emplace(subject, from);
  for (const auto& path : table.paths) Move(*path, path->new_entries, from, to);
  if (to) {
    table.rows.insert_or_assign(subject, *std::move(to));
  } else {
    table.rows.erase(subject);
  }
}

void ModelSource::Put(TypeId type, Row row) {
  Table& table = tables_.at(type);
  const Row subject = Cut(row, table.key);
  Change(table, subject, std::move(row));
}

void ModelSource::Erase(TypeId type, const Row& subject) {
  Change(tables_.at(type), subject, std::nullopt);
}

const std::map<ModelSource::Row, ModelSource::Row>& ModelSource::Rows(TypeId type) const {
  return At(type).rows;
}

std::span<const dataflow::TypeChange> ModelSource::Changes() {
  changes_.clear();
  for (auto& [type, table] : tables_) {
    table.changes.Clear();
    for (const auto& [subject, before] : table.before) {
      const auto now = table.rows.find(subject);
      if (before && now != table.rows.end() && *before == now->second) continue;
      if (before) table.changes.Add(*before, -1);
      if (now != table.rows.end()) table.changes.Add(now->second, 1);
    }
    if (!table.changes.empty()) changes_.push_back({type, table.columns, &table.changes});
  }
  return changes_;
}

void ModelSource::Advance() {
  for (auto& [type, table] : tables_) {
    for (const auto& [subject, before] : table.before) {
      const auto now = table.rows.find(subject);
      const std::optional<Row> to =
          now == table.rows.end() ? std::nullopt : std::optional(now->second);
      for (const auto& path : table.paths) Move(*path, path->old_entries, before, to);
    }
    table.before.clear();
  }
}

Status ModelSource::Commit(dataflow::Graph& graph) {
  Status stepped = graph.Step(Changes());
  Advance();
  return stepped;
}

std::vector<dataflow::PathDescription> ModelSource::Paths(TypeId type) const {
  std::vector<dataflow::PathDescription> paths;
  for (const auto& path : At(type).paths) paths.push_back(path->description);
  return paths;
}

namespace {

// Whether the walk has left, or not yet reached, the bounds on the column behind the prefix.
bool WithinBounds(const Value& value, const dataflow::Probe& probe) {
  if (probe.lower) {
    const auto order = value <=> probe.lower->value;
    if (order < 0 || (order == 0 && !probe.lower->inclusive)) return false;
  }
  if (probe.upper) {
    const auto order = value <=> probe.upper->value;
    if (order > 0 || (order == 0 && !probe.upper->inclusive)) return false;
  }
  return true;
}

}  // namespace

Status ModelSource::Scan(const dataflow::BaseRelation& relation, const dataflow::Probe& probe,
                         When when, const dataflow::RowVisitor& visit) const {
  if (failure_) return *failure_;
  const Table& table = At(relation.type);
  const auto path = std::ranges::find_if(
      table.paths, [&](const auto& p) { return p->description.path == probe.path; });
  Check(path != table.paths.end(), "a probe names a path of its type");
  const Entries& entries = when == When::kOld ? (*path)->old_entries : (*path)->new_entries;
  std::vector<std::size_t> places;
  for (const AttributeId attribute : relation.columns) {
    const auto found = std::ranges::find(table.columns, attribute);
    places.push_back(static_cast<std::size_t>(found - table.columns.begin()));
  }
  // Where the walk can start: the end of the range that the key order allows to find.
  Row low = probe.prefix;
  Row high = probe.prefix;
  const std::size_t next = probe.prefix.size();
  const bool bounded = probe.lower || probe.upper;
  if (bounded) {
    const bool descending = (*path)->description.columns[next].descending;
    const auto& first = descending ? probe.upper : probe.lower;
    const auto& last = descending ? probe.lower : probe.upper;
    if (first) low.push_back(first->value);
    if (last) high.push_back(last->value);
  }
  auto begin = entries.lower_bound(low);
  auto end = entries.upper_bound(high);
  if (!probe.after.empty()) {
    Row place = probe.prefix;
    place.insert(place.end(), probe.after.begin(), probe.after.end());
    const EntryOrder order = entries.key_comp();
    if (!probe.reverse) {
      const auto behind = entries.upper_bound(place);
      if (begin != entries.end() && !order(place, begin->first)) begin = behind;
    } else {
      const auto behind = entries.lower_bound(place);
      if (end == entries.end() || order(place, end->first)) end = behind;
    }
  }
  // Bounds that contradict each other hold nothing.
  const bool crosses = end != entries.end() &&
                       (begin == entries.end() || entries.key_comp()(end->first, begin->first));
  if (crosses) return Ok();
  Row cut(places.size());
  const auto show = [&](const auto& entry) {
    if (bounded && !WithinBounds(entry.first[next], probe)) return true;
    for (std::size_t i = 0; i < places.size(); ++i) cut[i] = (*entry.second)[places[i]];
    return visit(cut);
  };
  if (!probe.reverse) {
    for (auto at = begin; at != end; ++at) {
      if (!show(*at)) break;
    }
  } else {
    for (auto at = end; at != begin;) {
      if (!show(*--at)) break;
    }
  }
  return Ok();
}

Status ModelSource::Lookup(
    const dataflow::BaseRelation& relation, std::span<const std::vector<Value>> subjects, When when,
    const std::function<void(std::size_t i, std::span<const Value> row)>& visit) const {
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    bool found = false;
    dataflow::Probe probe;
    probe.prefix = subjects[i];
    Status read = Scan(relation, probe, when, [&](std::span<const Value> row) {
      found = true;
      visit(i, row);
      return false;
    });
    if (!read) return read;
    if (!found) visit(i, {});
  }
  return Ok();
}

std::uint64_t ModelSource::ApproximateCount(TypeId type, const dataflow::Probe& probe) const {
  std::uint64_t rows = 0;
  const Status counted = Scan({.type = type, .columns = {}}, probe, When::kNew,
                              [&](std::span<const Value>) { return ++rows < 1000; });
  return counted ? rows : 0;
}

}  // namespace trefoil::testing
