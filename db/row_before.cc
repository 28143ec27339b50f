#include "db/row_before.h"

#include <algorithm>
#include <boost/container/small_vector.hpp>
#include <optional>
#include <utility>

#include "base/errors.h"
#include "base/str_cat.h"
#include "db/held.h"
#include "db/row_reader.h"
#include "schema/cell.h"

namespace trefoil::db {

using schema::CellParts;
using schema::MergeKind;

namespace {

bool Holds(const TypeLayout::IndexPlaces& index, std::size_t place) {
  return std::ranges::find(index.columns, place) != index.columns.end() ||
         std::ranges::find(index.include, place) != index.include.end();
}

// Whether what a write of the kind leaves depends on what was there.
bool NeedsOldValue(MergeKind merge) {
  return merge != MergeKind::kRegister && merge != MergeKind::kMv && merge != MergeKind::kTree;
}

}  // namespace

Result<RowCell> RowBefore::ReadCell(const TypeLayout& layout, const schema::Part& part,
                                    Slice subject) {
  if (Status held = CheckRowHeld(part, layout.type, subject); !held) {
    return std::move(held).error();
  }
  key_.assign(layout.row_cell_prefix).append(subject.view());
  Result<std::optional<std::string>> bytes = view_.Get(Slice(key_));
  if (!bytes) return std::move(bytes).error();
  if (!*bytes) return RowCell{};
  CellParts cell;
  if (!schema::SplitCell(Slice(**bytes), &cell)) {
    return Corruption(StrCat("table \"", layout.type.name, "\" has a row cell that does not read"),
                      "run `trefoil check`");
  }
  return RowCell{.exists = !cell.retracted, .causal_length = cell.causal_length};
}

void RowBefore::WantForUpdate(const TypeLayout& layout, std::span<const FieldEdit> fields) {
  wanted_.assign(layout.named, layout.has_checks ? Want::kRead : Want::kNot);
  if (layout.has_checks) return;
  for (const FieldEdit& edit : fields) {
    const std::size_t place = layout.PlaceOf(edit.attribute);
    if (NeedsOldValue(layout.attributes[place]->merge)) wanted_[place] = Want::kRead;
    for (const TypeLayout::IndexPlaces& index : layout.indexes) {
      if (!Holds(index, place)) continue;
      for (const std::size_t column : index.columns) wanted_[column] = Want::kRead;
      for (const std::size_t column : index.include) wanted_[column] = Want::kRead;
    }
  }
}

bool RowBefore::WantForImage(const TypeLayout& layout, const RowImages& images) {
  if (!images.Wants(layout.type.id)) return false;
  for (std::size_t i = 0; i < wanted_.size(); ++i) {
    if (wanted_[i] == Want::kNot && layout.column_places[i].is_set) return false;
  }
  std::ranges::replace(wanted_, Want::kNot, Want::kShown);
  return true;
}

Result<RowCell> RowBefore::Read(const TypeLayout& layout, const schema::Part& part, Slice subject) {
  if (Status held = CheckRowHeld(part, layout.type, subject); !held) {
    return std::move(held).error();
  }
  constexpr std::size_t kUsualColumns = 16;
  boost::container::small_vector<std::size_t, kUsualColumns> facts;
  boost::container::small_vector<Slice, kUsualColumns> keys;
  values_.clear();
  std::size_t size_bytes = layout.row_cell_prefix.size() + subject.size();
  std::size_t noted = 1;
  for (const Want want : {Want::kRead, Want::kShown}) {
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      if (wanted_[i] != want || layout.is_key[i] || layout.column_places[i].is_set) continue;
      facts.push_back(i);
      size_bytes += layout.fact_prefixes[i].size() + subject.size();
    }
    if (want == Want::kRead) noted += facts.size();
  }
  if (std::ranges::count(wanted_, Want::kNot) == std::ssize(wanted_)) {
    return ReadCell(layout, part, subject);
  }
  key_.clear();
  key_.reserve(size_bytes);  // slices point into it
  const auto ask = [&](const std::string& prefix) {
    const std::size_t start = key_.size();
    key_.append(prefix).append(subject.view());
    keys.emplace_back(key_.data() + start, key_.size() - start);
  };
  ask(layout.row_cell_prefix);
  for (const std::size_t place : facts) ask(layout.fact_prefixes[place]);
  values_.resize(wanted_.size());
  has_cell_.assign(wanted_.size(), 0);
  RowCell row;
  bool reads = true;
  Status asked = view_.MultiGet(
      {keys.data(), keys.size()}, noted, [&](std::size_t i, std::optional<Slice> bytes) {
        if (!bytes) return;
        if (i > 0) {
          const std::size_t place = facts[i - 1];
          has_cell_[place] = 1;
          reads = reads && DecodeColumn(*bytes, layout.column_places[place], &values_[place]);
          return;
        }
        CellParts cell;
        reads = schema::SplitCell(*bytes, &cell);
        row = {.exists = !cell.retracted, .causal_length = cell.causal_length};
      });
  if (!asked) return std::move(asked).error();
  if (!reads) return UnreadableIn(layout.type, "a cell");
  if (!row.exists) {
    values_.clear();
    return row;
  }
  if (Status completed = Complete(layout, subject); !completed) {
    return std::move(completed).error();
  }
  return row;
}

// Fills in what is wanted and no plain fact.
Status RowBefore::Complete(const TypeLayout& layout, Slice subject) {
  std::vector<Value> key;
  for (std::size_t i = 0; i < wanted_.size(); ++i) {
    if (wanted_[i] == Want::kNot) continue;
    if (layout.is_key[i]) {
      if (key.empty() && !DecodeParts(subject, layout.subject, &key)) {
        return UnreadableIn(layout.type, "a subject");
      }
      values_[i] = key[*layout.column_places[i].key_place];
    } else if (layout.column_places[i].is_set) {
      Status read = ReadElements(view_, layout.type, layout.column_places[i], subject, &values_[i]);
      if (!read) return read;
    }
  }
  return Ok();
}

}  // namespace trefoil::db
