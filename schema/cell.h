// A cell is the stored value of a fact: the value with the stamp of the transaction that wrote it,
// so that a merge compares two writes without reading anything else.
//
//   flags 1 | time 8 (little-endian) | site ordinal varint
//   | causal length varint, if flagged | state length varint and state, if flagged | value
//   flags: value kind (low 4 bits) | 0x10 retracted | 0x20 causal length is not 1 | 0x40 has state
//   value: BOOL 1 byte; INT, DATE, TIMESTAMP as in keys; DECIMAL scale 1, then as in keys;
//          FLOAT 8 bytes as in keys; TEXT, BYTES, UUID, JSON the bytes to the end;
//          REF as in keys; NULL nothing
//
// `value` is what a reader sees, whatever the merge kind; `state` is what a merge needs beyond it
// (the shards of a COUNTER, the alternatives of an MV register, the dots of a SET element) and is
// opaque here. The time stands at a fixed place because it is known only when the transaction
// commits: SetCellTime fills it into a cell that was encoded before.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "trefoil/slice.h"
#include "trefoil/value.h"

namespace trefoil::schema {

// Identity of a site on this replica: its place in the S keyspace. 0 is the replica itself.
using SiteOrdinal = std::uint32_t;

// Orders conflicting writes: hybrid logical time (48 bits of milliseconds since 1970, 16 bits of
// counter), then site. Ordinals are local, so a tie of times is broken by the site's bytes, not by
// its ordinal; crdt does that.
struct Stamp {
  std::uint64_t time = 0;
  SiteOrdinal site = 0;

  friend bool operator==(const Stamp&, const Stamp&) = default;
};

struct Cell {
  Stamp stamp = {};
  bool retracted = false;           // the fact was taken back; value is NULL
  std::uint64_t causal_length = 1;  // of the row under which it was written
  std::string state = {};
  Value value = {};

  friend bool operator==(const Cell&, const Cell&) = default;
};

void AppendCell(std::string& out, const Cell& cell);
std::string EncodeCell(const Cell& cell);
// Writes at `to` a register's cell as this replica writes it (site 0; the time is set when it
// commits) and returns its end. `to` has room for UnstampedCellBytesMax(value).
char* WriteUnstampedCell(char* to, std::uint64_t causal_length, const Value& value);
std::size_t UnstampedCellBytesMax(const Value& value);
// Returns false when the bytes are no cell.
bool DecodeCell(Slice bytes, Cell* cell);

// A cell taken apart, its value not decoded. Borrows the bytes.
struct CellParts {
  Stamp stamp = {};
  bool retracted = false;
  std::uint64_t causal_length = 1;
  Slice state = {};
  ValueKind kind = ValueKind::kNull;
  Slice value = {};  // as described above
};
// Returns false when what stands before the value is no cell's.
bool SplitCell(Slice bytes, CellParts* parts);

// The visible value alone, for readers; a retracted cell gives NULL and `*retracted`.
bool DecodeCellValue(Slice bytes, Value* value, bool* retracted);
// Whether the cell of an existing, encoded fact is a retraction; empty bytes count as one.
bool IsRetracted(Slice cell_bytes);

// `cell_bytes`: of a whole cell.
void SetCellTime(std::span<char> cell_bytes, std::uint64_t time);

}  // namespace trefoil::schema
