// Text of values, for explain and sharing.
#include "dataflow/describe.h"

namespace trefoil::dataflow {

std::string DescribeValue(const Value& value) {
  std::string text(KindName(value.kind()));
  switch (value.kind()) {
    case ValueKind::kNull:
      return text;
    case ValueKind::kBool:
      return value.AsBool() ? "TRUE" : "FALSE";
    case ValueKind::kInt:
    case ValueKind::kDate:
    case ValueKind::kTimestamp:
      return StrCat(text, " ", value.AsInt());
    case ValueKind::kFloat:
      return StrCat(text, " ", value.AsFloat());
    case ValueKind::kDecimal:
      return StrCat(text, " ", value.AsDecimal().unscaled, "/10^", value.AsDecimal().scale);
    case ValueKind::kText:
    case ValueKind::kBytes:
    case ValueKind::kUuid:
    case ValueKind::kJson:
      text += " '";
      for (const char c : value.AsText()) text += c == '\'' ? std::string("''") : std::string(1, c);
      return text + "'";
    case ValueKind::kRef:
    case ValueKind::kList:
    case ValueKind::kObject:
      break;
  }
  text += "(";
  for (std::size_t i = 0; i < value.items().size(); ++i) {
    if (i > 0) text += ", ";
    if (value.kind() == ValueKind::kObject) text += StrCat((*value.names())[i], ": ");
    text += DescribeValue(value.items()[i]);
  }
  return text + ")";
}

}  // namespace trefoil::dataflow
