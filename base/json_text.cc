#include "base/json_text.h"

#include <algorithm>
#include <map>

#include "base/check.h"
#include "base/str_cat.h"
#include "base/text_format.h"
#include "base/text_parse.h"
#include "base/utf8.h"

namespace trefoil {

namespace {

constexpr std::string_view kBlanks = " \t\r\n";

void AppendUtf8(std::string& out, char32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += {static_cast<char>(0xC0 | (c >> 6)), static_cast<char>(0x80 | (c & 0x3F))};
  } else if (c < 0x10000) {
    out += {static_cast<char>(0xE0 | (c >> 12)), static_cast<char>(0x80 | ((c >> 6) & 0x3F)),
            static_cast<char>(0x80 | (c & 0x3F))};
  } else {
    out += {static_cast<char>(0xF0 | (c >> 18)), static_cast<char>(0x80 | ((c >> 12) & 0x3F)),
            static_cast<char>(0x80 | ((c >> 6) & 0x3F)), static_cast<char>(0x80 | (c & 0x3F))};
  }
}

// Reads one value after the other from the front of a text and appends its canonical form. What
// returns false has noted what it expected where the text goes on.
class Canonicalizer {
 public:
  explicit Canonicalizer(std::string_view text) : text_(text) {}

  bool AtEnd() {
    SkipBlanks();
    return text_.empty() || Fail("the end, for the value is complete");
  }

  bool Append(std::string& out, int depth) {
    SkipBlanks();
    if (depth > kJsonDepthMax) return Fail("no deeper nesting");
    if (text_.empty()) return Fail("a value");
    switch (text_[0]) {
      case '{':
        return AppendObject(out, depth);
      case '[':
        return AppendArray(out, depth);
      case '"': {
        std::string string;
        if (!ReadString(string)) return false;
        AppendJsonString(out, string);
        return true;
      }
      default:
        return AppendScalar(out);
    }
  }

  const char* expected() const { return expected_; }
  std::string_view rest() const { return text_; }

 private:
  bool Fail(const char* expected) {
    expected_ = expected;
    return false;
  }

  void SkipBlanks() {
    text_.remove_prefix(std::min(text_.find_first_not_of(kBlanks), text_.size()));
  }

  // Takes `c` behind blanks, if it is there.
  bool Take(char c) {
    SkipBlanks();
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }

  bool AppendArray(std::string& out, int depth) {
    text_.remove_prefix(1);
    out += '[';
    if (!Take(']')) {
      do {
        if (!Append(out, depth + 1)) return false;
        out += ',';
      } while (Take(','));
      if (!Take(']')) return Fail("a comma or a closing bracket");
      out.pop_back();
    }
    out += ']';
    return true;
  }

  bool AppendObject(std::string& out, int depth) {
    text_.remove_prefix(1);
    std::map<std::string, std::string> members;
    if (!Take('}')) {
      do {
        SkipBlanks();
        std::string name;
        std::string value;
        if (!ReadString(name)) return false;
        if (!Take(':')) return Fail("a colon behind the name");
        if (!Append(value, depth + 1)) return false;
        members.insert_or_assign(std::move(name), std::move(value));
      } while (Take(','));
      if (!Take('}')) return Fail("a comma or a closing brace");
    }
    out += '{';
    for (const auto& [name, value] : members) {
      AppendJsonString(out, name);
      out += ':';
      out += value;
      out += ',';
    }
    if (!members.empty()) out.pop_back();
    out += '}';
    return true;
  }

  bool ReadString(std::string& out) {
    if (!text_.starts_with('"')) return Fail("a name in double quotes");
    text_.remove_prefix(1);
    while (!text_.empty() && text_[0] != '"') {
      if (text_[0] == '\\') {
        if (!ReadEscape(out)) return false;
        continue;
      }
      const std::size_t size = Utf8CharacterBytes(text_);
      if (size == 0) return Fail("UTF-8");
      if (static_cast<unsigned char>(text_[0]) < 0x20) return Fail("\\n, \\t or \\u00NN");
      out += text_.substr(0, size);
      text_.remove_prefix(size);
    }
    if (text_.empty()) return Fail("a closing double quote");
    text_.remove_prefix(1);
    return true;
  }

  bool ReadEscape(std::string& out) {
    constexpr std::string_view kNames = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const char name = text_.size() < 2 ? ' ' : text_[1];
    const std::size_t at = kNames.find(name);
    if (at == std::string_view::npos && name != 'u') return Fail("an escape that JSON has");
    text_.remove_prefix(2);
    if (name == 'u') return ReadUnicodeEscape(out) || Fail("a UTF-16 code in 4 digits");
    out += kMeanings[at];
    return true;
  }

  bool ReadUnicodeEscape(std::string& out) {
    std::optional<char32_t> c = ReadHex4();
    if (!c || (*c >= 0xDC00 && *c < 0xE000)) return false;
    if (*c >= 0xD800 && *c < 0xDC00) {
      if (!text_.starts_with("\\u")) return false;
      text_.remove_prefix(2);
      const std::optional<char32_t> low = ReadHex4();
      if (!low || *low < 0xDC00 || *low >= 0xE000) return false;
      c = 0x10000 + ((*c - 0xD800) << 10) + (*low - 0xDC00);
    }
    AppendUtf8(out, *c);
    return true;
  }

  std::optional<char32_t> ReadHex4() {
    if (text_.size() < 4) return std::nullopt;
    std::uint32_t value = 0;
    const char* const end = text_.data() + 4;
    const auto [parsed, error] = std::from_chars(text_.data(), end, value, 16);
    if (error != std::errc{} || parsed != end) return std::nullopt;
    text_.remove_prefix(4);
    return value;
  }

  bool AppendScalar(std::string& out) {
    for (const std::string_view word : {"null", "true", "false"}) {
      if (text_.starts_with(word)) {
        out += word;
        text_.remove_prefix(word.size());
        return true;
      }
    }
    return AppendNumber(out);
  }

  // -? (0 | [1-9] digits) [. digits] [e [+-] digits]
  bool AppendNumber(std::string& out) {
    const auto digits_at = [&](std::size_t at) {
      return std::min(text_.find_first_not_of("0123456789", at), text_.size()) - at;
    };
    std::size_t end = text_.starts_with('-') ? 1 : 0;
    const std::size_t whole = digits_at(end);
    if (whole == 0) return Fail("a value");
    if (whole > 1 && text_[end] == '0') return Fail("a number without leading zeros");
    end += whole;
    bool is_int = true;
    if (end < text_.size() && text_[end] == '.') {
      const std::size_t digits = digits_at(end + 1);
      if (digits == 0) return Fail("a number with digits behind its point");
      end += 1 + digits;
      is_int = false;
    }
    if (end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
      const bool has_sign =
          end + 1 < text_.size() && (text_[end + 1] == '+' || text_[end + 1] == '-');
      const std::size_t begin = end + 1 + (has_sign ? 1 : 0);
      if (begin > text_.size() || digits_at(begin) == 0) {
        return Fail("a number with digits in its exponent");
      }
      end = begin + digits_at(begin);
      is_int = false;
    }
    const std::string_view number = text_.substr(0, end);
    const std::optional<std::int64_t> integer = is_int ? ParseInt(number) : std::nullopt;
    const std::optional<double> value = integer ? std::nullopt : ParseFloat(number);
    if (!integer && !value) return Fail("a number that a FLOAT can hold");
    text_.remove_prefix(end);
    if (integer) {
      out += StrCat(*integer);
    } else {
      AppendFloat(out, *value == 0 ? 0 : *value);
    }
    return true;
  }

  std::string_view text_;
  const char* expected_ = "";
};

// Length of the canonical value at the front of `text`.
std::size_t ValueBytes(std::string_view text) {
  std::size_t at = 0;
  int depth = 0;
  bool in_string = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (in_string) {
      if (c == '\\') ++at;
      if (c == '"') in_string = false;
      continue;
    }
    if (c == '"') in_string = true;
    if (depth == 0 && (c == ',' || c == ':' || c == ']' || c == '}')) return at;
    if (c == '[' || c == '{') ++depth;
    if (c == ']' || c == '}') --depth;
  }
  return std::min(at, text.size());
}

// The comma-separated parts between the brackets of a canonical array or object. A member of an
// object gives two parts, name and value.
std::vector<std::string_view> Parts(std::string_view canonical) {
  std::vector<std::string_view> parts;
  std::string_view rest = canonical.substr(1);
  while (rest.size() > 1) {
    const std::size_t size = ValueBytes(rest);
    parts.push_back(rest.substr(0, size));
    rest.remove_prefix(std::min(size + 1, rest.size()));
  }
  return parts;
}

}  // namespace

std::optional<std::string> CanonicalJson(std::string_view text) {
  Canonicalizer canonicalizer(text);
  std::string out;
  if (!canonicalizer.Append(out, 0) || !canonicalizer.AtEnd()) return std::nullopt;
  return out;
}

std::string DescribeJsonProblem(std::string_view text) {
  Canonicalizer canonicalizer(text);
  std::string out;
  const bool reads = canonicalizer.Append(out, 0) && canonicalizer.AtEnd();
  Check(!reads, "only what is no JSON has a problem");
  std::size_t character = 1;
  std::string_view before = text.substr(0, text.size() - canonicalizer.rest().size());
  for (; !before.empty(); ++character) {
    before.remove_prefix(std::max<std::size_t>(Utf8CharacterBytes(before), 1));
  }
  return StrCat("character ", character, ": expected ", canonicalizer.expected());
}

std::optional<std::string_view> JsonMember(std::string_view canonical, std::string_view name) {
  if (!canonical.starts_with('{')) return std::nullopt;
  std::string quoted;
  AppendJsonString(quoted, name);
  const std::vector<std::string_view> parts = Parts(canonical);
  for (std::size_t i = 0; i + 1 < parts.size(); i += 2) {
    if (parts[i] == quoted) return parts[i + 1];
  }
  return std::nullopt;
}

std::optional<std::string_view> JsonElement(std::string_view canonical, std::size_t index) {
  const std::optional<std::vector<std::string_view>> elements = JsonElements(canonical);
  if (!elements || index >= elements->size()) return std::nullopt;
  return (*elements)[index];
}

std::optional<std::vector<std::string_view>> JsonElements(std::string_view canonical) {
  if (!canonical.starts_with('[')) return std::nullopt;
  return Parts(canonical);
}

std::optional<std::string> JsonStringText(std::string_view canonical) {
  if (!canonical.starts_with('"') || canonical.size() < 2) return std::nullopt;
  std::string text;
  for (std::size_t i = 1; i + 1 < canonical.size(); ++i) {
    if (canonical[i] != '\\') {
      text += canonical[i];
      continue;
    }
    constexpr std::string_view kNames = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const char name = canonical[++i];
    if (name != 'u') {
      text += kMeanings[kNames.find(name)];
      continue;
    }
    // The canonical form escapes control characters only.
    std::uint32_t code = 0;
    std::from_chars(canonical.data() + i + 1, canonical.data() + i + 5, code, 16);
    text += static_cast<char>(code);
    i += 4;
  }
  return text;
}

}  // namespace trefoil
