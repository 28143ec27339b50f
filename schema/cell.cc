#include "schema/cell.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/check.h"
#include "base/coding.h"
#include "schema/key_codec.h"

namespace trefoil::schema {

namespace {

constexpr unsigned char kKindMask = 0x0F;
constexpr unsigned char kRetracted = 0x10;
constexpr unsigned char kHasLength = 0x20;
constexpr unsigned char kHasState = 0x40;
constexpr unsigned char kReserved = 0x80;
constexpr std::size_t kTimeOffset = 1;

void AppendValue(std::string& out, const Value& value) {
  switch (value.kind()) {
    case ValueKind::kNull:
      return;
    case ValueKind::kText:
    case ValueKind::kBytes:
    case ValueKind::kJson:
    case ValueKind::kUuid:
      out.append(value.AsText());
      return;
    case ValueKind::kDecimal:
      out.push_back(static_cast<char>(value.AsDecimal().scale));
      break;
    default:
      break;
  }
  AppendKeyPart(out, {.kind = value.kind()}, value);
}

bool DecodeValue(Slice bytes, ValueKind kind, Value* value) {
  std::int64_t number = 0;
  int scale = 0;
  switch (kind) {
    case ValueKind::kNull:
      *value = Value();
      return bytes.empty();
    case ValueKind::kText:
      *value = Value::Text(bytes.view());
      return true;
    case ValueKind::kBytes:
      *value = Value::Bytes(bytes.view());
      return true;
    case ValueKind::kJson:
      *value = Value::Json(bytes.view());
      return true;
    case ValueKind::kUuid:
      if (bytes.size() != 16) return false;
      *value = Value::Uuid(bytes.view());
      return true;
    case ValueKind::kDecimal:
      if (bytes.empty() || bytes[0] > 18) return false;
      scale = bytes[0];
      bytes.RemovePrefix(1);
      if (!TakeKeyNumber(bytes, &number)) return false;
      *value = Value::Decimal(number, scale);
      return bytes.empty();
    case ValueKind::kInt:
      if (!TakeKeyNumber(bytes, &number)) return false;
      *value = Value::Int(number);
      return bytes.empty();
    case ValueKind::kDate:
      if (!TakeKeyNumber(bytes, &number)) return false;
      *value = Value::Date(number);
      return bytes.empty();
    case ValueKind::kTimestamp:
      if (!TakeKeyNumber(bytes, &number)) return false;
      *value = Value::Timestamp(number);
      return bytes.empty();
    case ValueKind::kList:
    case ValueKind::kObject:
      return false;
    default:
      return TakeKeyPart(bytes, {.kind = kind}, value) && bytes.empty();
  }
}

// What stands before the value of a cell that has neither a causal length nor a state.
constexpr std::size_t kShortHeaderBytes = kTimeOffset + 8 + 1;

bool HasText(ValueKind kind) {
  return kind == ValueKind::kText || kind == ValueKind::kBytes || kind == ValueKind::kJson ||
         kind == ValueKind::kUuid;
}

// Whether WriteUnstampedCell encodes the kind itself.
bool HasPlainBytes(ValueKind kind) { return kind != ValueKind::kFloat && kind != ValueKind::kRef; }

}  // namespace

bool SplitCell(Slice bytes, CellParts* parts) {
  if (bytes.size() < kTimeOffset + 8) return false;
  const unsigned flags = bytes[0];
  parts->kind = static_cast<ValueKind>(flags & kKindMask);
  parts->retracted = (flags & kRetracted) != 0;
  if ((flags & kReserved) != 0 || parts->kind > ValueKind::kObject) return false;
  parts->stamp.time = LoadFixed64(bytes.data() + kTimeOffset);
  bytes.RemovePrefix(kTimeOffset + 8);
  const std::optional<std::uint64_t> site = ReadOrderedVarint(bytes);
  if (!site || *site > 0xFFFF'FFFF) return false;
  parts->stamp.site = static_cast<SiteOrdinal>(*site);
  parts->causal_length = 1;
  if ((flags & kHasLength) != 0) {
    const std::optional<std::uint64_t> length = ReadOrderedVarint(bytes);
    if (!length || *length == 1) return false;
    parts->causal_length = *length;
  }
  parts->state = Slice();
  if ((flags & kHasState) != 0) {
    const std::optional<std::uint64_t> size = ReadOrderedVarint(bytes);
    if (!size || *size == 0 || *size > bytes.size()) return false;
    parts->state = bytes.Prefix(*size);
    bytes.RemovePrefix(*size);
  }
  parts->value = bytes;
  // A retraction has no value.
  return !parts->retracted || parts->kind == ValueKind::kNull;
}

void AppendCell(std::string& out, const Cell& cell) {
  Check(!cell.retracted || cell.value.is_null(), "a retracted cell has no value");
  const bool has_length = cell.causal_length != 1;
  const bool has_state = !cell.state.empty();
  out.push_back(static_cast<char>(static_cast<unsigned char>(cell.value.kind()) |
                                  (cell.retracted ? kRetracted : 0) |
                                  (has_length ? kHasLength : 0) | (has_state ? kHasState : 0)));
  AppendFixed64(out, cell.stamp.time);
  AppendOrderedVarint(out, cell.stamp.site);
  if (has_length) AppendOrderedVarint(out, cell.causal_length);
  if (has_state) {
    AppendOrderedVarint(out, cell.state.size());
    out.append(cell.state);
  }
  AppendValue(out, cell.value);
}

char* WriteUnstampedCell(char* to, std::uint64_t causal_length, const Value& value) {
  if (causal_length != 1 || !HasPlainBytes(value.kind())) {
    const std::string cell = EncodeCell({.causal_length = causal_length, .value = value});
    return std::copy(cell.begin(), cell.end(), to);
  }
  std::memset(to, 0, kShortHeaderBytes);
  *to = static_cast<char>(value.kind());
  to += kShortHeaderBytes;
  switch (value.kind()) {
    case ValueKind::kNull:
      return to;
    case ValueKind::kBool:
      *to = value.AsBool() ? 1 : 0;
      return to + 1;
    case ValueKind::kInt:
    case ValueKind::kDate:
    case ValueKind::kTimestamp:
      return WriteKeyNumber(to, value.AsInt());
    case ValueKind::kDecimal:
      *to = static_cast<char>(value.AsDecimal().scale);
      return WriteKeyNumber(to + 1, value.AsDecimal().unscaled);
    default:
      const std::string_view text = value.AsText();
      std::memcpy(to, text.data(), text.size());
      return to + text.size();
  }
}

std::size_t UnstampedCellBytesMax(const Value& value) {
  constexpr std::size_t kBytesMax =
      kShortHeaderBytes + kMaxOrderedVarintBytes + 1 + kKeyNumberBytesMax;
  if (value.kind() == ValueKind::kRef) return kBytesMax + EncodeCell({.value = value}).size();
  return HasText(value.kind()) ? kBytesMax + value.AsText().size() : kBytesMax;
}

std::string EncodeCell(const Cell& cell) {
  std::string out;
  AppendCell(out, cell);
  return out;
}

bool DecodeCell(Slice bytes, Cell* cell) {
  CellParts parts;
  if (!SplitCell(bytes, &parts)) return false;
  cell->stamp = parts.stamp;
  cell->retracted = parts.retracted;
  cell->causal_length = parts.causal_length;
  cell->state = parts.state.ToString();
  return DecodeValue(parts.value, parts.kind, &cell->value);
}

bool DecodeCellValue(Slice bytes, Value* value, bool* retracted) {
  CellParts parts;
  if (!SplitCell(bytes, &parts)) return false;
  *retracted = parts.retracted;
  return DecodeValue(parts.value, parts.kind, value);
}

bool IsRetracted(Slice cell_bytes) {
  return cell_bytes.empty() || (cell_bytes[0] & kRetracted) != 0;
}

void SetCellTime(std::span<char> cell_bytes, std::uint64_t time) {
  Check(cell_bytes.size() >= kTimeOffset + 8, "only a cell has a time");
  StoreFixed64(cell_bytes.data() + kTimeOffset, time);
}

}  // namespace trefoil::schema
