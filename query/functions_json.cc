// Reading JSON without building a tree: a cursor that skips values. The text of a JSON value in the
// database is canonical, but TEXT is accepted too, so nothing is assumed; damaged text gives NULL.
#include <charconv>
#include <cstdint>
#include <string>

#include "base/text_format.h"
#include "base/text_parse.h"
#include "query/functions.h"

namespace trefoil::query {

namespace {

using Arguments = std::span<const Value>;
using Answer = std::optional<Value>;

constexpr int kDepthMaxJson = 200;

class JsonCursor {
 public:
  explicit JsonCursor(std::string_view text) : text_(text) {}

  char Peek() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
      ++at_;
    }
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool Accept(char c) {
    if (Peek() != c) return false;
    ++at_;
    return true;
  }

  // The text of the next value, which is skipped; nothing if it is damaged.
  std::optional<std::string_view> Skip(int depth = 0) {
    Peek();
    const std::size_t begin = at_;
    if (depth > kDepthMaxJson || !SkipValue(depth)) return std::nullopt;
    return text_.substr(begin, at_ - begin);
  }

 private:
  bool SkipString() {
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\\') {
        ++at_;
      } else if (text_[at_] == '"') {
        ++at_;
        return true;
      }
    }
    return false;
  }
  bool SkipValue(int depth) {
    const char c = Peek();
    if (c == '"') return SkipString();
    if (c == '{' || c == '[') return SkipContainer(c, depth);
    const std::size_t begin = at_;
    while (at_ < text_.size() &&
           std::string_view(",]} \t\r\n").find(text_[at_]) == std::string_view::npos) {
      ++at_;
    }
    return at_ > begin;
  }
  bool SkipContainer(char open, int depth) {
    const char close = open == '{' ? '}' : ']';
    ++at_;
    if (Accept(close)) return true;
    do {
      if (open == '{' && (Peek() != '"' || !SkipString() || !Accept(':'))) return false;
      if (!Skip(depth + 1)) return false;
    } while (Accept(','));
    return Accept(close);
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

void AppendUtf8(std::string& out, std::uint32_t point) {
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xc0 | point >> 6);
    out += static_cast<char>(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    out += static_cast<char>(0xe0 | point >> 12);
    out += static_cast<char>(0x80 | (point >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (point & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | point >> 18);
    out += static_cast<char>(0x80 | (point >> 12 & 0x3f));
    out += static_cast<char>(0x80 | (point >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (point & 0x3f));
  }
}

std::optional<std::uint32_t> HexPoint(std::string_view text, std::size_t at) {
  std::uint32_t point = 0;
  if (at + 4 > text.size()) return std::nullopt;
  const auto parsed = std::from_chars(text.data() + at, text.data() + at + 4, point, 16);
  if (parsed.ptr != text.data() + at + 4) return std::nullopt;
  return point;
}

// The content of a string with its quotes; nothing if an escape is damaged.
std::optional<std::string> Unescape(std::string_view quoted) {
  std::string text;
  for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
    if (quoted[i] != '\\') {
      text += quoted[i];
      continue;
    }
    constexpr std::string_view kEscapes = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const char escape = quoted[++i];
    if (const std::size_t known = kEscapes.find(escape); known != std::string_view::npos) {
      text += kMeanings[known];
      continue;
    }
    std::optional<std::uint32_t> point = HexPoint(quoted, i + 1);
    if (escape != 'u' || !point) return std::nullopt;
    i += 4;
    if (*point >= 0xd800 && *point < 0xdc00) {  // the first half of a pair
      const std::optional<std::uint32_t> low = HexPoint(quoted, i + 3);
      if (!low || *low < 0xdc00 || *low > 0xdfff) return std::nullopt;
      point = 0x10000 + ((*point - 0xd800) << 10) + (*low - 0xdc00);
      i += 6;
    }
    AppendUtf8(text, *point);
  }
  return text;
}

// The value of `key` in the object, or of a number in the list, counted from 0, from the end if
// negative; nothing if it is not there.
std::optional<std::string_view> Member(std::string_view json, const Value& key) {
  JsonCursor cursor(json);
  if (key.kind() == ValueKind::kText && cursor.Accept('{')) {
    while (cursor.Peek() == '"') {
      const auto name = cursor.Skip();
      if (!name || !cursor.Accept(':')) return std::nullopt;
      const auto value = cursor.Skip();
      if (Unescape(*name) == key.AsText()) return value;
      if (!value || !cursor.Accept(',')) return std::nullopt;
    }
    return std::nullopt;
  }
  if (key.kind() != ValueKind::kInt || !cursor.Accept('[') || cursor.Peek() == ']') {
    return std::nullopt;
  }
  std::vector<std::string_view> items;
  do {
    const auto item = cursor.Skip();
    if (!item) return std::nullopt;
    items.push_back(*item);
  } while (cursor.Accept(','));
  const std::int64_t index = key.AsInt() < 0 ? std::ssize(items) + key.AsInt() : key.AsInt();
  if (index < 0 || index >= std::ssize(items)) return std::nullopt;
  return items[static_cast<std::size_t>(index)];
}

// A JSON scalar as the value it is; objects and lists stay JSON.
Answer ValueOf(std::string_view json) {
  if (json.empty()) return std::nullopt;
  if (json == "null") return Value();
  if (json == "true" || json == "false") return Value::Bool(json == "true");
  if (json[0] == '"') {
    const std::optional<std::string> text = Unescape(json);
    return text ? Value::Text(*text) : Answer();
  }
  if (json[0] == '{' || json[0] == '[') return Value::Json(json);
  if (const std::optional<std::int64_t> integer = ParseInt(json)) return Value::Int(*integer);
  const std::optional<double> number = ParseFloat(json);
  return number ? Value::Float(*number) : Answer();
}

bool IsJson(const Value& value) {
  return value.kind() == ValueKind::kJson || value.kind() == ValueKind::kText;
}

std::optional<std::string_view> Walk(Arguments in) {
  if (!IsJson(in[0])) return std::nullopt;
  std::optional<std::string_view> json = JsonCursor(in[0].AsText()).Skip();
  for (std::size_t i = 1; json && i < in.size(); ++i) json = Member(*json, in[i]);
  return json;
}

// json_get(json, step...): steps are names and positions. A missing member is NULL.
Answer JsonGet(Arguments in) {
  const std::optional<std::string_view> json = Walk(in);
  return json ? ValueOf(*json) : Value();
}

// As json_get, but the member as JSON, strings with their quotes.
Answer JsonExtract(Arguments in) {
  const std::optional<std::string_view> json = Walk(in);
  return json ? Value::Json(*json) : Value();
}

Answer JsonType(Arguments in) {
  const std::optional<std::string_view> json = Walk(in);
  if (!json) return Value();
  switch ((*json)[0]) {
    case '{':
      return Value::Text("object");
    case '[':
      return Value::Text("array");
    case '"':
      return Value::Text("string");
    case 't':
    case 'f':
      return Value::Text("boolean");
    case 'n':
      return Value::Text("null");
    default:
      return Value::Text("number");
  }
}

Answer JsonLength(Arguments in) {
  const std::optional<std::string_view> json = Walk(in);
  if (!json) return Value();
  JsonCursor cursor(*json);
  const bool is_object = cursor.Peek() == '{';
  if (!cursor.Accept('{') && !cursor.Accept('[')) return std::nullopt;
  if (cursor.Peek() == '}' || cursor.Peek() == ']') return Value::Int(0);
  std::int64_t count = 0;
  do {
    if (is_object && (!cursor.Skip() || !cursor.Accept(':'))) return std::nullopt;
    if (!cursor.Skip()) return std::nullopt;
    ++count;
  } while (cursor.Accept(','));
  return Value::Int(count);
}

constexpr Function kFunctions[] = {
    {"json_extract", "ja*:j", false, JsonExtract},
    {"json_get", "ja*:a", false, JsonGet},
    {"json_length", "j?a*:i", false, JsonLength},
    {"json_type", "j?a*:t", false, JsonType},
};

}  // namespace

std::span<const Function> JsonFunctions() { return kFunctions; }

}  // namespace trefoil::query
