#include "db/commit_delta.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "db/triple_store.h"
#include "schema/ids.h"
#include "schema/keys.h"

namespace trefoil::db {

namespace {

// Facts come attribute by attribute, each in the order of subjects: as sorted runs, to be merged if
// they are many.
void SortBySubject(std::vector<TouchedFact>& facts) {
  constexpr std::size_t kFew = 16;
  const auto is_before = [](const TouchedFact& a, const TouchedFact& b) {
    return std::tie(a.type, a.subject, a.attribute) < std::tie(b.type, b.subject, b.attribute);
  };
  if (facts.size() <= kFew) {
    std::ranges::sort(facts, is_before);
    return;
  }
  std::vector<std::vector<TouchedFact>::iterator> ends = {facts.begin()};
  while (ends.back() != facts.end()) {
    ends.push_back(std::is_sorted_until(ends.back(), facts.end(), is_before));
  }
  while (ends.size() > 2) {
    std::size_t kept = 1;
    for (std::size_t run = 0; run + 1 < ends.size(); run += 2) {
      const auto last = ends[std::min(run + 2, ends.size() - 1)];
      std::inplace_merge(ends[run], ends[run + 1], last, is_before);
      ends[kept++] = last;
    }
    ends.resize(kept);
  }
}

}  // namespace

std::vector<TouchedRow> RowsOf(std::vector<TouchedFact> facts) {
  SortBySubject(facts);
  std::vector<TouchedRow> rows;
  for (const TouchedFact& fact : facts) {
    if (rows.empty() || rows.back().type != fact.type || rows.back().subject != fact.subject) {
      rows.push_back({.type = fact.type, .subject = fact.subject.ToString()});
    }
    TouchedRow& row = rows.back();
    if (row.attributes.empty() || row.attributes.back() != fact.attribute) {
      row.attributes.push_back(fact.attribute);
    }
  }
  return rows;
}

namespace {

// Where the columns stand in an image of a row of the type; nothing when images do not show one of
// them. Moves in a tree are for the merge to judge, not for the writer.
std::optional<std::vector<std::size_t>> PlacesInImages(const schema::Type& type,
                                                       std::span<const AttributeId> columns) {
  const auto is_tree = [](const schema::Attribute& attribute) {
    return attribute.merge == schema::MergeKind::kTree;
  };
  if (std::ranges::any_of(type.attributes, is_tree)) return std::nullopt;
  const std::size_t declared = type.attributes.size();
  const std::size_t named = declared + type.undeclared.size();
  const auto id_at = [&](std::size_t place) {
    return place < declared ? type.attributes[place].id : type.undeclared[place - declared].id;
  };
  std::vector<std::size_t> places;
  places.reserve(columns.size());
  // Both are mostly ascending, so the search goes on behind the column before.
  std::size_t place = 0;
  for (const AttributeId column : columns) {
    std::size_t left = named;
    for (; left > 0; --left, ++place) {
      if (place >= named) place = 0;
      if (id_at(place) == column) break;
    }
    if (left == 0) return std::nullopt;
    places.push_back(place++);
  }
  return places;
}

// The touched rows of one type, as far as somebody demands what has changed.
class RowChanges {
 public:
  RowChanges(const CommitDelta& delta, TypeId type, std::span<const AttributeId> columns)
      : delta_(delta), type_(type), columns_(columns), next_image_(delta.images.FirstOf(type)) {
    const schema::Type* known = delta.after->schema()->FindType(type);
    if (known != nullptr && !delta.schema_changed()) places_ = PlacesInImages(*known, columns);
  }

  Status AppendTo(dataflow::Batch& batch) {
    for (const TouchedRow& row : delta_.touched) {
      if (row.type == type_ && !AppendImage(row, batch)) Add(row);
    }
    if (Status edits = AppendEdits(batch); !edits) return edits;
    if (Status old = AppendWhole(*delta_.before, -1, batch); !old) return old;
    return AppendWhole(*delta_.after, 1, batch);
  }

 private:
  // Of a row that the writer knew. Both come in the order of subjects.
  bool AppendImage(const TouchedRow& row, dataflow::Batch& batch) {
    const RowImages& images = delta_.images;
    if (!places_) return false;
    const Slice subject(row.subject);
    for (; next_image_ < images.size(); ++next_image_) {
      const RowImages::Image image = images[next_image_];
      if (image.type != type_ || image.subject > subject) return false;
      if (image.subject < subject) continue;
      const std::strong_ordering order = Compare(image.before, image.after);
      if (order == 0) return true;
      // Lesser rows first, as the batch will be sorted.
      if (order < 0) Append(image.before, -1, batch);
      Append(image.after, 1, batch);
      if (order > 0) Append(image.before, -1, batch);
      return true;
    }
    return false;
  }

  // By the demanded columns; no row is less than a row.
  std::strong_ordering Compare(std::span<const Value> before, std::span<const Value> after) const {
    if (before.empty() || after.empty()) return !before.empty() <=> !after.empty();
    for (const std::size_t place : *places_) {
      const std::strong_ordering order = dataflow::CompareValues(before[place], after[place]);
      if (order != 0) return order;
    }
    return std::strong_ordering::equal;
  }

  void Append(std::span<const Value> image, dataflow::Weight weight, dataflow::Batch& batch) const {
    if (image.empty()) return;
    const std::span<Value> row = batch.AddRow(weight);
    for (std::size_t c = 0; c < row.size(); ++c) row[c] = image[(*places_)[c]];
  }

  void Add(const TouchedRow& row) {
    if (row.attributes.empty() || row.attributes.front() == schema::kRowCell) {
      whole_.push_back(row.subject);
      return;
    }
    bool is_demanded = false;
    for (const AttributeId column : columns_) {
      if (!std::ranges::binary_search(row.attributes, schema::WithoutConflicts(column))) continue;
      is_demanded = true;
      if (std::ranges::find(changed_, column) == changed_.end()) changed_.push_back(column);
    }
    if (is_demanded) edited_.push_back(row.subject);
  }

  // A row that was there and still is has its old values where no fact has changed, so those are
  // read once.
  Status AppendEdits(dataflow::Batch& batch) {
    const schema::Type* type = delta_.after->schema()->FindType(type_);
    if (type == nullptr || edited_.empty()) return Ok();
    std::vector<std::size_t> places;  // of the changed columns in a row
    for (const AttributeId column : changed_) {
      places.push_back(
          static_cast<std::size_t>(std::ranges::find(columns_, column) - columns_.begin()));
    }
    dataflow::Batch before(columns_.size());
    std::vector<std::optional<std::size_t>> before_of(edited_.size());
    Status old = TripleStore(delta_.before->view())
                     .Lookup(*type, columns_, edited_, [&](std::size_t i, dataflow::RowView row) {
                       if (row.empty()) return;
                       before_of[i] = before.size();
                       before.Add(row, -1);
                     });
    if (!old) return old;
    return TripleStore(delta_.after->view())
        .Lookup(*type, changed_, edited_, [&](std::size_t i, dataflow::RowView row) {
          if (!before_of[i] || row.empty()) {
            whole_.push_back(edited_[i]);
            return;
          }
          const dataflow::RowView was = before.row(*before_of[i]);
          batch.Add(was, -1);
          const std::span<Value> now = batch.AddRow(1);
          std::ranges::copy(was, now.begin());
          for (std::size_t c = 0; c < places.size(); ++c) now[places[c]] = row[c];
        });
  }

  // Whether the rows are there is asked first, as most have come or gone.
  Status AppendWhole(const Pinned& state, dataflow::Weight weight, dataflow::Batch& batch) const {
    const schema::Type* type = state.schema()->FindType(type_);
    if (type == nullptr || whole_.empty()) return Ok();
    const TripleStore store(state.view());
    std::vector<std::string> there;
    Status found = store.Lookup(*type, std::span(type->key).first(1), whole_,
                                [&](std::size_t i, dataflow::RowView row) {
                                  if (!row.empty()) there.push_back(whole_[i]);
                                });
    if (!found) return found;
    return store.Lookup(*type, columns_, there, [&](std::size_t, dataflow::RowView row) {
      if (!row.empty()) batch.Add(row, weight);
    });
  }

  const CommitDelta& delta_;
  const TypeId type_;
  const std::span<const AttributeId> columns_;
  std::optional<std::vector<std::size_t>> places_;  // of the columns in images
  std::size_t next_image_;
  std::vector<std::string> edited_;   // subjects of rows that stay
  std::vector<std::string> whole_;    // of the others
  std::vector<AttributeId> changed_;  // columns with a change in some edited row
};

}  // namespace

Status AppendRowChanges(const CommitDelta& delta, TypeId type, std::span<const AttributeId> columns,
                        dataflow::Batch& batch) {
  if (Status appended = RowChanges(delta, type, columns).AppendTo(batch); !appended) {
    return appended;
  }
  batch.Consolidate();
  return Ok();
}

std::vector<TypeId> TouchedTypes(const CommitDelta& delta) {
  std::vector<TypeId> types;
  for (const TouchedRow& row : delta.touched) {
    if (types.empty() || types.back() != row.type) types.push_back(row.type);
  }
  return types;
}

}  // namespace trefoil::db
