#include "crdt/value_codec.h"

#include <optional>

#include "base/check.h"
#include "base/coding.h"
#include "schema/key_codec.h"

namespace trefoil::crdt {

void AppendPayload(std::string& out, const Value& value) {
  switch (value.kind()) {
    case ValueKind::kNull:
      return;
    case ValueKind::kBool:
      out.push_back(value.AsBool() ? 1 : 0);
      return;
    case ValueKind::kInt:
    case ValueKind::kDate:
    case ValueKind::kTimestamp:
      AppendVarint(out, ZigZag(value.AsInt()));
      return;
    case ValueKind::kDecimal:
      out.push_back(static_cast<char>(value.AsDecimal().scale));
      AppendVarint(out, ZigZag(value.AsDecimal().unscaled));
      return;
    case ValueKind::kFloat:
    case ValueKind::kRef:
    case ValueKind::kUuid:
      schema::AppendKeyPart(out, {.kind = value.kind()}, value);
      return;
    case ValueKind::kText:
    case ValueKind::kBytes:
    case ValueKind::kJson:
      AppendLengthPrefixed(out, Slice(value.AsText()));
      return;
    case ValueKind::kList:
    case ValueKind::kObject:
      Check(false, "a fact is neither a list nor an object");
  }
}

void AppendStoredPayload(std::string& out, ValueKind kind, Slice stored) {
  switch (kind) {
    case ValueKind::kDecimal:
      Check(!stored.empty(), "a stored DECIMAL begins with its scale");
      out.push_back(stored.data()[0]);
      stored.RemovePrefix(1);
      [[fallthrough]];
    case ValueKind::kInt:
    case ValueKind::kDate:
    case ValueKind::kTimestamp: {
      std::int64_t number = 0;
      const bool reads = schema::TakeKeyNumber(stored, &number);
      Check(reads && stored.empty(), "a stored number reads");
      AppendVarint(out, ZigZag(number));
      return;
    }
    case ValueKind::kText:
    case ValueKind::kBytes:
    case ValueKind::kJson:
      AppendLengthPrefixed(out, stored);
      return;
    default:  // stored as it travels
      out.append(stored.view());
  }
}

bool TakePayload(Slice& bytes, ValueKind kind, Value* value) {
  const auto number = [&]() -> std::optional<std::int64_t> {
    const std::optional<std::uint64_t> raw = ReadVarint(bytes);
    if (!raw) return std::nullopt;
    return UnZigZag(*raw);
  };
  switch (kind) {
    case ValueKind::kNull:
      *value = Value();
      return true;
    case ValueKind::kBool:
      if (bytes.empty() || bytes[0] > 1) return false;
      *value = Value::Bool(bytes[0] == 1);
      bytes.RemovePrefix(1);
      return true;
    case ValueKind::kInt:
    case ValueKind::kDate:
    case ValueKind::kTimestamp: {
      const std::optional<std::int64_t> n = number();
      if (!n) return false;
      *value = kind == ValueKind::kInt    ? Value::Int(*n)
               : kind == ValueKind::kDate ? Value::Date(*n)
                                          : Value::Timestamp(*n);
      return true;
    }
    case ValueKind::kDecimal: {
      if (bytes.empty() || bytes[0] > 18) return false;
      const int scale = bytes[0];
      bytes.RemovePrefix(1);
      const std::optional<std::int64_t> n = number();
      if (!n) return false;
      *value = Value::Decimal(*n, scale);
      return true;
    }
    case ValueKind::kFloat:
    case ValueKind::kRef:
    case ValueKind::kUuid:
      return schema::TakeKeyPart(bytes, {.kind = kind}, value);
    case ValueKind::kText:
    case ValueKind::kBytes:
    case ValueKind::kJson: {
      const std::optional<Slice> text = ReadLengthPrefixed(bytes);
      if (!text) return false;
      *value = kind == ValueKind::kText    ? Value::Text(text->view())
               : kind == ValueKind::kBytes ? Value::Bytes(text->view())
                                           : Value::Json(text->view());
      return true;
    }
    case ValueKind::kList:
    case ValueKind::kObject:
      return false;
  }
  return false;
}

}  // namespace trefoil::crdt
