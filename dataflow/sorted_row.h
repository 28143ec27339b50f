// SortedRow: a row in a large sorted tree, with the places of its first two sort columns beside the
// pointer. A search then reads the leaves of the tree and few rows: without, each comparison is a
// cache miss, and a search in a million rows makes twenty.
//
//   [ place | place | pointer ] --> row
//
// I1: the place of a lesser value is not greater. Equal places say nothing; then the rows decide.
// I2: the second place counts between rows of one first value only. A first value that shares its
//     place with others therefore stands behind the one INT that may have it, whatever comes
//     second: numbers with a fraction are greater than the INT below them, and equal ones sort by
//     kind.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <utility>
#include <vector>

#include "dataflow/row_ref.h"

namespace trefoil::dataflow {

// Orders values as Value does, as far as 64 bits tell them apart: numbers by their whole part,
// times by microseconds, everything behind them not at all.
std::uint64_t PlaceOf(const Value& value);
// Whether no other value than an equal one, or numbers that sort behind it, has its place.
bool IsAlone(const Value& value, std::uint64_t place);

struct SortedRow {
  static constexpr std::size_t kPlaces = 2;

  std::array<std::uint64_t, kPlaces> places;
  RowRef row;

  const RowBlock* operator->() const { return row.get(); }
};

// RowOrder over such rows.
class SortedRowOrder {
 public:
  explicit SortedRowOrder(std::vector<SortColumn> columns) : rows_(std::move(columns)) {}

  // A copy of `row`.
  SortedRow Make(RowView row) const {
    return {.places = PlacesOf(row), .row = RowBlock::Make(row)};
  }

  std::strong_ordering operator()(const SortedRow& a, const SortedRow& b) const {
    if (a.places != b.places) return a.places <=> b.places;
    return rows_(a.row, b.row);
  }
  std::strong_ordering operator()(const SortedRow& a, RowView b) const {
    const Places places = PlacesOf(b);
    if (a.places != places) return a.places <=> places;
    return rows_(a.row, b);
  }
  std::strong_ordering operator()(const SortedRow& a, RowOrder::Place b) const {
    if (!b.values.empty()) {
      const std::uint64_t first = PlaceIn(0, b.values[0]);
      if (a.places[0] != first) return a.places[0] <=> first;
    }
    if (b.values.size() > 1) {
      const std::uint64_t second = SecondPlace(b.values[0], b.values[1]);
      if (a.places[1] != second) return a.places[1] <=> second;
    }
    return rows_(a.row, b);
  }
  std::strong_ordering operator()(RowView row, RowOrder::Place place) const {
    return rows_(row, place);
  }

 private:
  using Places = std::array<std::uint64_t, SortedRow::kPlaces>;

  Places PlacesOf(RowView row) const {
    const std::vector<SortColumn>& columns = rows_.columns();
    if (columns.empty()) return {};
    const Value& first = row[columns[0].column];
    const bool has_second = columns.size() > 1;
    return {PlaceIn(0, first), has_second ? SecondPlace(first, row[columns[1].column]) : 0};
  }
  std::uint64_t PlaceIn(std::size_t i, const Value& value) const {
    const std::uint64_t place = PlaceOf(value);
    return rows_.columns()[i].descending ? ~place : place;
  }
  // I2.
  std::uint64_t SecondPlace(const Value& first, const Value& second) const {
    if (IsAlone(first, PlaceOf(first))) return PlaceIn(1, second);
    return rows_.columns()[0].descending ? 0 : ~std::uint64_t{0};
  }

  RowOrder rows_;
};

}  // namespace trefoil::dataflow
