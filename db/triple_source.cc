#include "db/triple_source.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "base/errors.h"
#include "base/str_cat.h"
#include "db/system_tables.h"
#include "schema/convert.h"
#include "schema/keys.h"

namespace trefoil::db {

using dataflow::BaseRelation;
using dataflow::PathDescription;
using dataflow::Probe;
using dataflow::When;
using schema::Attribute;
using schema::Index;
using schema::KeyPart;
using schema::Type;

namespace {

constexpr std::size_t kSparesMax = 16;

// The spare that `fits`, or null.
template <typename Spare, typename Fits>
std::unique_ptr<Spare> TakeSpare(std::vector<std::unique_ptr<Spare>>& spares, const Fits& fits) {
  const auto known = std::ranges::find_if(
      spares, [&](const std::unique_ptr<Spare>& spare) { return fits(*spare); });
  if (known == spares.end()) return nullptr;
  std::unique_ptr<Spare> taken = std::move(*known);
  spares.erase(known);
  return taken;
}

// The one that was not used for the longest time gives way.
template <typename Spare>
void GiveBack(std::vector<std::unique_ptr<Spare>>& spares, std::unique_ptr<Spare> spare) {
  if (spares.size() == kSparesMax) spares.erase(spares.begin());
  spares.push_back(std::move(spare));
}

Result<PathParts> PartsOf(const schema::Schema& schema, const Type& type,
                          const dataflow::AccessPath& asked) {
  PathParts path{.type = &type};
  if (asked.index) {
    path.index = schema.FindIndex(*asked.index);
    if (path.index == nullptr || path.index->type != type.id) {
      return MakeError(
          ErrorCode::kUnknownIndex,
          StrCat("table \"", type.name, "\" has no index number ", ToNumber(*asked.index)));
    }
    path.parts = IndexLayout(type, *path.index).columns;
    for (const schema::IndexColumn& column : path.index->columns) {
      path.attributes.push_back(type.Find(column.attribute));
    }
  }
  for (const KeyPart& part : SubjectParts(type)) path.parts.push_back(part);
  for (const AttributeId id : type.key) path.attributes.push_back(type.Find(id));
  return path;
}

// The value as the column holds it; nothing when no row can hold an equal one.
std::optional<Value> AsColumn(const Type& type, const Attribute& attribute, const KeyPart& part,
                              const Value& value) {
  if (value.is_null()) return part.nullable ? std::optional(value) : std::nullopt;
  Result<Value> converted = schema::Convert(type, attribute, value);
  if (!converted || CompareAsSql(*converted, value) != 0) return std::nullopt;
  return *std::move(converted);
}

bool IsWithin(const Value& value, const Probe& probe) {
  if (probe.lower &&
      (probe.lower->inclusive ? value < probe.lower->value : value <= probe.lower->value)) {
    return false;
  }
  return !probe.upper ||
         (probe.upper->inclusive ? value <= probe.upper->value : value < probe.upper->value);
}

// A probe as a walk over entries, behind the prefix of the group.
struct ProbeWalk {
  Walk walk;
  bool is_empty = false;     // nothing can match
  bool must_filter = false;  // a bound is no value of the column: rows are looked at one by one
};

// Narrows the walk by the bounds on the column behind the prefix.
void ApplyBounds(const Type& type, const Probe& probe, const PathParts& path,
                 const std::string& prefix, ProbeWalk* result) {
  const std::size_t next = probe.prefix.size();
  const KeyPart& part = path.parts[next];
  const auto encode = [&](const dataflow::Bound& bound) -> std::optional<std::string> {
    const std::optional<Value> value = AsColumn(type, *path.attributes[next], part, bound.value);
    if (!value) {
      result->must_filter = true;
      return std::nullopt;
    }
    std::string key = prefix;
    schema::AppendKeyPart(key, part, *value);
    return key;
  };
  const std::optional<dataflow::Bound>& first = part.descending ? probe.upper : probe.lower;
  const std::optional<dataflow::Bound>& last = part.descending ? probe.lower : probe.upper;
  if (first) {
    if (std::optional<std::string> key = encode(*first)) {
      result->walk.start = first->inclusive ? *std::move(key) : schema::PrefixLimit(*key);
      result->is_empty = result->is_empty || result->walk.start.empty();
    }
  }
  if (last) {
    if (std::optional<std::string> key = encode(*last)) {
      result->walk.limit = last->inclusive ? schema::PrefixLimit(*key) : *std::move(key);
    }
  }
}

Result<ProbeWalk> WalkOf(const Type& type, const Probe& probe, const PathParts& path) {
  ProbeWalk result;
  result.walk.reverse = probe.reverse;
  result.walk.wanted = probe.wanted;
  std::string prefix;
  for (std::size_t i = 0; i < probe.prefix.size(); ++i) {
    const std::optional<Value> value =
        AsColumn(type, *path.attributes[i], path.parts[i], probe.prefix[i]);
    if (!value) {
      result.is_empty = true;
      return result;
    }
    schema::AppendKeyPart(prefix, path.parts[i], *value);
  }
  result.walk.start = prefix;
  result.walk.limit = schema::PrefixLimit(prefix);
  if (probe.lower || probe.upper) ApplyBounds(type, probe, path, prefix, &result);
  if (!probe.after.empty()) {
    std::string place = prefix;
    if (probe.after.size() != path.parts.size() - probe.prefix.size()) {
      return InvalidArgument("a walk goes on behind an entry with all its columns");
    }
    for (std::size_t i = 0; i < probe.after.size(); ++i) {
      const std::size_t column = probe.prefix.size() + i;
      const std::optional<Value> value =
          AsColumn(type, *path.attributes[column], path.parts[column], probe.after[i]);
      if (!value) {
        return InvalidArgument(StrCat("column \"", type.name, ".", path.attributes[column]->name,
                                      "\" cannot hold ", schema::Shortened(probe.after[i]),
                                      ", behind which the answer should go on"));
      }
      schema::AppendKeyPart(place, path.parts[column], *value);
    }
    if (probe.reverse) {
      if (result.walk.limit.empty() || place < result.walk.limit) {
        result.walk.limit = std::move(place);
      }
    } else {
      place.push_back('\0');
      if (result.walk.start < place) result.walk.start = std::move(place);
    }
  }
  result.is_empty =
      result.is_empty || (!result.walk.limit.empty() && result.walk.start >= result.walk.limit);
  return result;
}

}  // namespace

void TripleSource::Move(PinnedRef before, PinnedRef after) {
  const auto state = [](PinnedRef pinned) {
    const ReadView* view = &pinned->view();
    schema::SchemaRef schema = pinned->schema();
    return State{.pinned = std::move(pinned), .view = view, .schema = std::move(schema)};
  };
  if (before->schema() != new_.schema || after->schema() != new_.schema) {
    paths_.clear();
    readers_.clear();
    walkers_.clear();
  }
  old_ = state(std::move(before));
  new_ = state(std::move(after));
}

std::vector<PathDescription> TripleSource::Paths(TypeId type_id) const {
  const Type* type = new_.schema->FindType(type_id);
  if (type == nullptr) return {};
  std::vector<PathDescription> paths(1);
  std::vector<PathDescription::PathColumn> subject;
  for (const AttributeId id : type->key) subject.push_back({.attribute = id});
  paths.front().columns = subject;
  for (const Index* index : new_.schema->IndexesOf(type_id)) {
    const Index* before = old_.schema->FindIndex(index->id);
    if (!index->ready || before == nullptr || !before->ready) continue;
    PathDescription& path = paths.emplace_back();
    path.path.index = index->id;
    for (const schema::IndexColumn& column : index->columns) {
      path.columns.push_back({.attribute = column.attribute, .descending = column.descending});
    }
    path.columns.insert(path.columns.end(), subject.begin(), subject.end());
  }
  return paths;
}

Result<const PathParts*> TripleSource::PathOf(const schema::Schema& schema, const Type& type,
                                              const Probe& probe) const {
  auto known = std::ranges::find_if(paths_, [&](const std::unique_ptr<const PathParts>& path) {
    return path->type == &type && (path->index != nullptr) == probe.path.index.has_value() &&
           (path->index == nullptr || path->index->id == *probe.path.index);
  });
  if (known == paths_.end()) {
    Result<PathParts> path = PartsOf(schema, type, probe.path);
    if (!path) return std::move(path).error();
    paths_.push_back(std::make_unique<const PathParts>(*std::move(path)));
    known = paths_.end() - 1;
  }
  if (probe.prefix.size() + (probe.lower || probe.upper ? 1 : 0) > (*known)->parts.size()) {
    return InvalidArgument("a probe has more columns than its path");
  }
  return known->get();
}

Status TripleSource::Scan(const BaseRelation& relation, const Probe& probe, When when,
                          const dataflow::RowVisitor& visit) const {
  const State& state = At(when);
  const Type* type = state.schema->FindType(relation.type);
  if (type == nullptr) return Ok();
  const Result<const PathParts*> found = PathOf(*state.schema, *type, probe);
  if (!found) return Status(Error(found.error()));
  const PathParts& path = **found;
  if (schema::IsComputed(type->id)) return ScanSystem(state, *type, relation, probe, visit);
  Result<ProbeWalk> walk = WalkOf(*type, probe, path);
  if (!walk) return std::move(walk).error();
  if (walk->is_empty) return Ok();
  const TripleStore store(*state.view);
  const auto scan = [&](std::span<const AttributeId> columns, RowSink sink) {
    if (path.index == nullptr) return store.ScanSubjects(*type, columns, walk->walk, sink);
    return ScanIndex(
        state, *path.index, columns, std::span(&walk->walk, 1),
        [&](std::size_t, Slice subject, std::span<const Value> row) { return sink(subject, row); });
  };
  if (!walk->must_filter) {
    return scan(relation.columns, [&](Slice, std::span<const Value> row) { return visit(row); });
  }
  std::vector<AttributeId> columns = relation.columns;
  columns.push_back(path.attributes[probe.prefix.size()]->id);
  return scan(columns, [&](Slice, std::span<const Value> row) {
    return !IsWithin(row.back(), probe) || visit(row.first(row.size() - 1));
  });
}

Status TripleSource::ScanMany(const BaseRelation& relation, std::span<const Probe> probes,
                              When when, const dataflow::ManyVisitor& visit) const {
  const State& state = At(when);
  const Type* type = state.schema->FindType(relation.type);
  if (type == nullptr || probes.empty()) return Ok();
  // A transaction conflicts with writes to whatever stretch of keys a walk has looked over, so each
  // of its walks keeps to its own.
  const bool in_transaction = state.pinned == nullptr;
  if (in_transaction || schema::IsComputed(type->id)) {
    return Source::ScanMany(relation, probes, when, visit);
  }
  const Result<const PathParts*> found = PathOf(*state.schema, *type, probes.front());
  if (!found) return Status(Error(found.error()));
  const PathParts& path = **found;
  std::vector<Walk> walks;
  std::vector<std::size_t> probe_of;  // by walk
  for (std::size_t i = 0; i < probes.size(); ++i) {
    Result<ProbeWalk> walk = WalkOf(*type, probes[i], path);
    if (!walk) return std::move(walk).error();
    if (walk->must_filter) return Source::ScanMany(relation, probes, when, visit);
    if (walk->is_empty) continue;
    walks.push_back(std::move(walk->walk));
    probe_of.push_back(i);
  }
  // The bytes are in the order of the values unless a column is descending, and different unless
  // values of two kinds are one in the column.
  if (std::ranges::adjacent_find(walks, std::greater_equal<>(), &Walk::start) != walks.end()) {
    return Source::ScanMany(relation, probes, when, visit);
  }
  const auto show = [&](std::size_t walk, Slice, std::span<const Value> row) {
    return visit(probe_of[walk], row);
  };
  if (path.index != nullptr) {
    return ScanIndex(state, *path.index, relation.columns, walks, show);
  }
  return TripleStore(*state.view).ScanSubjects(*type, relation.columns, walks, show);
}

// A computed table has no order to seek in: every row is looked at. Its key fields come first.
Status TripleSource::ScanSystem(const State& state, const Type& type, const BaseRelation& relation,
                                const Probe& probe, const dataflow::RowVisitor& visit) const {
  const std::size_t next = probe.prefix.size();
  const auto is_behind = [&](std::span<const Value> row) {
    if (probe.after.empty()) return true;
    const std::span<const Value> rest = row.subspan(next, type.key.size() - next);
    const bool before = std::ranges::lexicographical_compare(rest, probe.after);
    return probe.reverse ? before : !before && !std::ranges::equal(rest, probe.after);
  };
  std::vector<std::vector<Value>> matches;
  Status scanned =
      ScanComputed({engine_, *state.view, *state.schema}, type.id, [&](std::span<const Value> row) {
        const bool matches_probe =
            std::ranges::equal(row.first(next), probe.prefix) &&
            (next >= row.size() || (!probe.lower && !probe.upper) || IsWithin(row[next], probe)) &&
            is_behind(row);
        if (!matches_probe) return true;
        std::vector<Value>& cut = matches.emplace_back();
        for (const AttributeId column : relation.columns) {
          const auto place = std::ranges::find(type.attributes, column, &Attribute::id);
          cut.push_back(place == type.attributes.end()
                            ? Value()
                            : row[static_cast<std::size_t>(place - type.attributes.begin())]);
        }
        // Going forward, rows are given away as they come.
        if (probe.reverse) return true;
        const bool more = visit(cut);
        matches.pop_back();
        return more;
      });
  if (!scanned) return scanned;
  for (auto row = matches.rbegin(); row != matches.rend(); ++row) {
    if (!visit(*row)) break;
  }
  return Ok();
}

Status TripleSource::Lookup(
    const BaseRelation& relation, std::span<const std::vector<Value>> subjects, When when,
    const std::function<void(std::size_t i, std::span<const Value> row)>& visit) const {
  const State& state = At(when);
  const Type* type = state.schema->FindType(relation.type);
  if (schema::IsComputed(relation.type)) {
    for (std::size_t i = 0; i < subjects.size(); ++i) {
      bool found = false;
      Probe probe;
      probe.prefix = subjects[i];
      Status scanned = ScanSystem(state, *type, relation, probe, [&](std::span<const Value> row) {
        visit(i, row);
        found = true;
        return false;
      });
      if (!scanned) return scanned;
      if (!found) visit(i, {});
    }
    return Ok();
  }
  std::size_t next = 0;
  const auto pass_to = [&](std::size_t end) {
    for (; next < end; ++next) visit(next, {});
  };
  if (type != nullptr) {
    std::unique_ptr<Reader> reader = TakeSpare(readers_, [&](const Reader& known) {
      return known.type == type && known.columns == relation.columns;
    });
    if (reader == nullptr) reader = std::make_unique<Reader>(*type, relation.columns);
    reader->subjects.clear();
    reader->places.clear();
    for (std::size_t i = 0; i < subjects.size(); ++i) {
      Result<std::string> subject = EncodeSubject(*type, subjects[i]);
      if (!subject) continue;  // no key of this type: no such row
      reader->subjects.push_back(*std::move(subject));
      reader->places.push_back(i);
    }
    Status found = reader->rows.Lookup(*state.view, reader->subjects,
                                       [&](std::size_t i, std::span<const Value> row) {
                                         pass_to(reader->places[i]);
                                         visit(next++, row);
                                       });
    GiveBack(readers_, std::move(reader));
    if (!found) return found;
  }
  pass_to(subjects.size());
  return Ok();
}

Status TripleSource::ScanIndex(const State& state, const Index& index,
                               std::span<const AttributeId> columns, std::span<const Walk> walks,
                               ManyRowSink sink) const {
  std::unique_ptr<IndexWalker> walker = TakeSpare(walkers_, [&](const IndexWalker& known) {
    return known.index == &index && std::ranges::equal(known.columns, columns);
  });
  if (walker == nullptr) {
    const Type& type = *state.schema->FindType(index.type);
    walker = std::make_unique<IndexWalker>(type, index, columns);
  }
  Status scanned = walker->rows.Scan(*state.view, walks, sink);
  GiveBack(walkers_, std::move(walker));
  return scanned;
}

std::uint64_t TripleSource::ApproximateCount(TypeId type_id, const Probe& probe) const {
  const Type* type = new_.schema->FindType(type_id);
  if (type == nullptr || schema::IsComputed(type_id)) return 0;
  const Result<const PathParts*> path = PathOf(*new_.schema, *type, probe);
  if (!path) return 0;
  Result<ProbeWalk> walk = WalkOf(*type, probe, **path);
  if (!walk || walk->is_empty) return 0;
  const std::string prefix = (*path)->index != nullptr
                                 ? schema::IndexPrefix((*path)->index->id)
                                 : schema::FactPrefix(type->id, schema::kRowCell);
  const bool open = walk->walk.limit.empty();
  return new_.view->ApproximateCount(
      {.start = prefix + walk->walk.start,
       .limit = open ? schema::PrefixLimit(prefix) : prefix + walk->walk.limit});
}

}  // namespace trefoil::db
