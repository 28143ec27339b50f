// Values on the wire, typed and never coerced: a kind, then the payload of that kind.
//
//   NULL nothing | BOOL 1 byte | INT, DATE, TIMESTAMP zigzag varint | DECIMAL scale 1, zigzag
//   varint FLOAT 8 bytes as in keys | TEXT, BYTES, JSON varint length and bytes | UUID 16 | REF as
//   in keys
//
// I1 Each value has one encoding, and decoding accepts nothing else.
#pragma once

#include <string>

#include "trefoil/slice.h"
#include "trefoil/value.h"

namespace trefoil::crdt {

// `value` is neither LIST nor OBJECT.
void AppendPayload(std::string& out, const Value& value);
// The same, of a value as a cell holds it (schema/cell.h).
void AppendStoredPayload(std::string& out, ValueKind kind, Slice stored);
// Takes a value of `kind` from the front; false when there is none.
bool TakePayload(Slice& bytes, ValueKind kind, Value* value);

}  // namespace trefoil::crdt
