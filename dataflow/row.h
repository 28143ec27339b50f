// A row is a run of Values, a weight says how many times it is there: negative in a delta means
// taken back. Rows are borrowed as RowView wherever they flow; a Row owns its values.
#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <vector>

#include "trefoil/value.h"

namespace trefoil::dataflow {

using Weight = std::int64_t;
using Row = std::vector<Value>;
using RowView = std::span<const Value>;
// Position of a column within a row.
using Column = std::uint32_t;

struct SortColumn {
  Column column = 0;
  bool descending = false;

  friend bool operator==(const SortColumn&, const SortColumn&) = default;
};

// The total order of Value, with the common cases inline.
inline std::strong_ordering CompareValues(const Value& a, const Value& b) {
  const bool are_plain = a.kind() == ValueKind::kInt || a.kind() == ValueKind::kTimestamp;
  if (are_plain && a.kind() == b.kind()) return a.AsInt() <=> b.AsInt();
  return a <=> b;
}

// Lexicographic; both rows have the same width.
inline std::strong_ordering CompareRows(RowView a, RowView b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (const std::strong_ordering order = CompareValues(a[i], b[i]); order != 0) return order;
  }
  return std::strong_ordering::equal;
}

inline bool EqualRows(RowView a, RowView b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!(a[i] == b[i])) return false;
  }
  return true;
}

inline std::uint64_t CombineHash(std::uint64_t seed, std::uint64_t hash) {
  return (seed ^ hash) * 0x9e3779b97f4a7c15 ^ (hash >> 29);
}

// Of a value in a row. Numbers, which most keys are, are hashed inline: both halves of a product of
// 128 bits, so that every bit of the number counts everywhere.
inline std::uint64_t HashCell(const Value& value) {
  if (value.kind() != ValueKind::kInt) return value.Hash();
  const auto number = static_cast<std::uint64_t>(value.AsInt()) ^ 0x2545f4914f6cdd1d;
  const auto product = static_cast<unsigned __int128>(number) * 0x9e3779b97f4a7c15;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

inline std::uint64_t HashRow(RowView row) {
  std::uint64_t hash = 0x2545f4914f6cdd1d;
  for (const Value& value : row) hash = CombineHash(hash, HashCell(value));
  return hash;
}

inline std::uint64_t HashColumns(RowView row, std::span<const Column> columns) {
  std::uint64_t hash = 0x2545f4914f6cdd1d;
  for (const Column column : columns) hash = CombineHash(hash, HashCell(row[column]));
  return hash;
}

}  // namespace trefoil::dataflow
