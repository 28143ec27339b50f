// TripleStore reads rows out of facts. A row is gathered from one probe per asked-for column, or,
// in a scan, by walking the facts of each column side by side in the order of subjects:
//
//   T track 0      | 1      | 2      | 4      |      row cells say which rows exist
//   T track title  | 1 "a"  |        | 4 "b"  |
//   T track length | 1 215  | 2 30   |        |
//   rows             1,a,215  2,-,30   4,b,-
//
// Columns that nobody asks for cost nothing. I1: a stored fact belongs to a row that exists (the
// commit path deletes the facts of a deleted row), so no causal length is compared here.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/function_ref.h"
#include "db/read_view.h"
#include "db/row_layout.h"
#include "schema/schema.h"
#include "trefoil/result.h"
#include "trefoil/value.h"

namespace trefoil::db {

// Which entries of a subject order or an index to walk: bytes behind the prefix of the group, an
// empty limit = to the end of the group.
struct Walk {
  std::string start = {};
  std::string limit = {};
  bool reverse = false;
  std::optional<std::size_t> wanted = std::nullopt;  // about so many rows will be taken: a hint
};

// Receives rows in order, columns as asked for; false ends the walk. Valid during the call.
using RowSink = FunctionRef<bool(Slice subject, std::span<const Value> row)>;
// Receives the rows of many walks; false: no more rows of walk number `walk` are wanted.
using ManyRowSink = FunctionRef<bool(std::size_t walk, Slice subject, std::span<const Value> row)>;

class TripleStore {
 public:
  // The view outlives the TripleStore.
  explicit TripleStore(const ReadView& view) : view_(view) {}

  // Whether the row exists.
  Result<bool> Exists(TypeId type, Slice subject) const;

  // For each subject, in order: its row, or an empty span when there is none.
  Status Lookup(const schema::Type& type, std::span<const AttributeId> columns,
                std::span<const std::string> subjects,
                FunctionRef<void(std::size_t i, std::span<const Value> row)> visit) const;

  // Rows in the order of subjects. Of one walk; or of many that go forward and come in the order of
  // their entries, without an entry in common.
  Status ScanSubjects(const schema::Type& type, std::span<const AttributeId> columns,
                      const Walk& walk, RowSink sink) const;
  Status ScanSubjects(const schema::Type& type, std::span<const AttributeId> columns,
                      std::span<const Walk> walks, ManyRowSink sink) const;

  // Rows in the order of an index. Columns that the index does not hold are fetched in batches.
  Status ScanIndex(const schema::Type& type, const schema::Index& index,
                   std::span<const AttributeId> columns, const Walk& walk, RowSink sink) const;

 private:
  const ReadView& view_;
};

}  // namespace trefoil::db
