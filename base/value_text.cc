// A Value as JSON and as text.
#include <cmath>

#include "base/str_cat.h"
#include "base/text_format.h"
#include "base/time_text.h"
#include "trefoil/value.h"

namespace trefoil {

namespace {

// Without quotes, also where JSON needs them.
void AppendUnquoted(std::string& out, const Value& value) {
  switch (value.kind()) {
    case ValueKind::kNull:
      out.append("null");
      return;
    case ValueKind::kBool:
      out.append(value.AsBool() ? "true" : "false");
      return;
    case ValueKind::kInt:
      out.append(StrCat(value.AsInt()));
      return;
    case ValueKind::kFloat:
      return AppendFloat(out, value.AsFloat());
    case ValueKind::kDecimal:
      return AppendDecimal(out, value.AsDecimal());
    case ValueKind::kDate:
      return AppendDate(out, value.AsInt());
    case ValueKind::kTimestamp:
      return AppendTimestamp(out, value.AsInt());
    case ValueKind::kBytes:
      return AppendBase64(out, value.AsText());
    case ValueKind::kUuid:
      return AppendUuid(out, value.AsText());
    case ValueKind::kText:
    case ValueKind::kJson:
      out.append(value.AsText());
      return;
    case ValueKind::kRef:
    case ValueKind::kList:
    case ValueKind::kObject:
      return AppendJson(out, value);
  }
}

void AppendItems(std::string& out, const Value& value) {
  const bool named = value.kind() == ValueKind::kObject;
  const std::span<const Value> items = value.items();
  out.push_back(named ? '{' : '[');
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out.push_back(',');
    if (named) {
      AppendJsonString(out, (*value.names())[i]);
      out.push_back(':');
    }
    AppendJson(out, items[i]);
  }
  out.push_back(named ? '}' : ']');
}

bool IsQuoted(const Value& value) {
  switch (value.kind()) {
    case ValueKind::kFloat:
      return !std::isfinite(value.AsFloat());
    case ValueKind::kDate:
    case ValueKind::kTimestamp:
    case ValueKind::kBytes:
    case ValueKind::kUuid:
      return true;
    default:
      return false;
  }
}

}  // namespace

void AppendJson(std::string& out, const Value& value) {
  switch (value.kind()) {
    case ValueKind::kText:
      return AppendJsonString(out, value.AsText());
    case ValueKind::kRef:
    case ValueKind::kList:
    case ValueKind::kObject:
      return AppendItems(out, value);
    default:
      break;
  }
  const bool quoted = IsQuoted(value);
  if (quoted) out.push_back('"');
  AppendUnquoted(out, value);
  if (quoted) out.push_back('"');
}

std::string ToJson(const Value& value) {
  std::string json;
  AppendJson(json, value);
  return json;
}

std::string ToText(const Value& value) {
  std::string text;
  AppendUnquoted(text, value);
  return text;
}

}  // namespace trefoil
