// Text: positions and lengths count Unicode code points, from 1. Cases fold in ASCII only.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/ascii.h"
#include "base/hash.h"
#include "base/list_position.h"
#include "query/functions.h"

namespace trefoil::query {

namespace {

using Arguments = std::span<const Value>;
using Answer = std::optional<Value>;

// A result longer than this is refused: NULL, counted.
constexpr std::size_t kResultBytesMax = 16 << 20;

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

std::int64_t CountPoints(std::string_view text) {
  return std::ranges::count_if(text, [](char c) { return !IsContinuation(c); });
}

// Byte offset of the code point number `index` (from 0), or the size.
std::size_t OffsetOf(std::string_view text, std::int64_t index) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!IsContinuation(text[i]) && index-- == 0) return i;
  }
  return text.size();
}

std::vector<std::string_view> PointsOf(std::string_view text) {
  std::vector<std::string_view> points;
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = begin + 1;
    while (end < text.size() && IsContinuation(text[end])) ++end;
    points.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return points;
}

Answer Length(Arguments in) {
  if (in[0].kind() == ValueKind::kList) return Value::Int(std::ssize(in[0].items()));
  if (in[0].kind() == ValueKind::kBytes) return Value::Int(std::ssize(in[0].AsText()));
  if (in[0].kind() != ValueKind::kText) return std::nullopt;
  return Value::Int(CountPoints(in[0].AsText()));
}

Answer Upper(Arguments in) {
  std::string text(in[0].AsText());
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return Value::Text(text);
}
Answer Lower(Arguments in) { return Value::Text(ToLowerAscii(in[0].AsText())); }

std::string_view TrimmedOf(Arguments in, bool left, bool right) {
  std::string_view text = in[0].AsText();
  const std::string_view blanks = in.size() > 1 ? in[1].AsText() : std::string_view(" ");
  if (left) text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  if (right) text = text.substr(0, text.find_last_not_of(blanks) + 1);
  return text;
}
Answer Trim(Arguments in) { return Value::Text(TrimmedOf(in, true, true)); }
Answer TrimLeft(Arguments in) { return Value::Text(TrimmedOf(in, true, false)); }
Answer TrimRight(Arguments in) { return Value::Text(TrimmedOf(in, false, true)); }

// substr(text, from [, count]) as PostgreSQL: `from` below 1 eats from the count.
Answer Substring(Arguments in) {
  const std::string_view text = in[0].AsText();
  const std::int64_t size = CountPoints(text);
  std::int64_t begin = in[1].AsInt();
  std::int64_t end = INT64_MAX;
  if (in.size() > 2) {
    if (in[2].AsInt() < 0) return std::nullopt;
    if (__builtin_add_overflow(begin, in[2].AsInt(), &end)) end = INT64_MAX;
  }
  begin = std::clamp<std::int64_t>(begin, 1, size + 1);
  end = std::clamp<std::int64_t>(end, begin, size + 1);
  const std::size_t first = OffsetOf(text, begin - 1);
  return Value::Text(text.substr(first, OffsetOf(text.substr(first), end - begin)));
}

Answer Replace(Arguments in) {
  const std::string_view text = in[0].AsText();
  const std::string_view from = in[1].AsText();
  if (from.empty()) return in[0];
  std::string result;
  std::size_t at = 0;
  for (std::size_t hit = text.find(from); hit != std::string_view::npos;
       hit = text.find(from, at)) {
    result.append(text.substr(at, hit - at)).append(in[2].AsText());
    if (result.size() > kResultBytesMax) return std::nullopt;
    at = hit + from.size();
  }
  return Value::Text(result.append(text.substr(at)));
}

Answer Position(Arguments in) {
  const std::size_t at = in[0].AsText().find(in[1].AsText());
  if (at == std::string_view::npos) return Value::Int(0);
  return Value::Int(CountPoints(in[0].AsText().substr(0, at)) + 1);
}
Answer StartsWith(Arguments in) { return Value::Bool(in[0].AsText().starts_with(in[1].AsText())); }
Answer EndsWith(Arguments in) { return Value::Bool(in[0].AsText().ends_with(in[1].AsText())); }

// contains(text, part) or contains(list, value)
Answer Contains(Arguments in) {
  if (in[0].kind() == ValueKind::kList) {
    return Value::Bool(std::ranges::any_of(in[0].items(), [&](const Value& item) {
      return !item.is_null() && CompareAsSql(item, in[1]) == 0;
    }));
  }
  if (in[0].kind() != ValueKind::kText || in[1].kind() != ValueKind::kText) return std::nullopt;
  return Value::Bool(in[0].AsText().find(in[1].AsText()) != std::string_view::npos);
}

Answer Repeat(Arguments in) {
  const std::string_view text = in[0].AsText();
  const std::int64_t times = std::max<std::int64_t>(in[1].AsInt(), 0);
  if (text.empty()) return in[0];
  if (static_cast<std::uint64_t>(times) > kResultBytesMax / text.size()) return std::nullopt;
  std::string result;
  for (std::int64_t i = 0; i < times; ++i) result += text;
  return Value::Text(result);
}

Answer Reverse(Arguments in) {
  std::string result;
  const std::vector<std::string_view> points = PointsOf(in[0].AsText());
  for (auto point = points.rbegin(); point != points.rend(); ++point) result += *point;
  return Value::Text(result);
}

// lpad, rpad(text, size [, fill]): cut or filled to `size` code points.
Answer Pad(Arguments in, bool left) {
  const std::string_view text = in[0].AsText();
  const std::int64_t size = std::max<std::int64_t>(in[1].AsInt(), 0);
  if (static_cast<std::uint64_t>(size) > kResultBytesMax / 4) return std::nullopt;
  const std::int64_t have = CountPoints(text);
  if (have >= size) return Value::Text(text.substr(0, OffsetOf(text, size)));
  const std::vector<std::string_view> fill =
      PointsOf(in.size() > 2 ? in[2].AsText() : std::string_view(" "));
  if (fill.empty()) return in[0];
  std::string padding;
  for (std::int64_t i = 0; i < size - have; ++i) {
    padding += fill[static_cast<std::size_t>(i) % fill.size()];
  }
  return Value::Text(left ? padding.append(text) : padding.insert(0, text));
}
Answer PadLeft(Arguments in) { return Pad(in, true); }
Answer PadRight(Arguments in) { return Pad(in, false); }

// split_part(text, separator, n): the n-th part from 1, from the end if negative; '' if none.
Answer SplitPart(Arguments in) {
  const std::string_view text = in[0].AsText();
  const std::string_view separator = in[1].AsText();
  std::vector<std::string_view> parts;
  std::size_t at = 0;
  while (!separator.empty()) {
    const std::size_t hit = text.find(separator, at);
    if (hit == std::string_view::npos) break;
    parts.push_back(text.substr(at, hit - at));
    at = hit + separator.size();
  }
  parts.push_back(text.substr(at));
  const std::int64_t wanted = in[2].AsInt();
  if (wanted == 0) return std::nullopt;
  const std::int64_t index = wanted > 0 ? wanted - 1 : std::ssize(parts) + wanted;
  if (index < 0 || index >= std::ssize(parts)) return Value::Text("");
  return Value::Text(parts[static_cast<std::size_t>(index)]);
}

// concat(...): NULLs are skipped, unlike ||.
Answer Concat(Arguments in) {
  std::string result;
  for (const Value& value : in) {
    if (!value.is_null()) result += ToText(value);
  }
  return result.size() > kResultBytesMax ? Answer() : Value::Text(result);
}

Answer Hex(Arguments in) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string result;
  for (const char c : in[0].AsText()) {
    result += kDigits[static_cast<unsigned char>(c) / 16];
    result += kDigits[static_cast<unsigned char>(c) % 16];
  }
  return Value::Text(result);
}

// position_between(before, after [, who]): NULL is an end of the list. Concurrent insertions at one
// place differ by `who`, the key of the row for example.
Answer PositionOf(Arguments in) {
  const auto end = [&](std::size_t i) {
    return in[i].is_null() ? std::optional<std::string_view>() : in[i].AsText();
  };
  const std::string who = in.size() > 2 && !in[2].is_null() ? ToText(in[2]) : std::string();
  const std::uint64_t jitter = who.empty() ? 0 : Hash64(Slice(who));
  const std::optional<std::string> position = PositionBetween(end(0), end(1), jitter);
  return position ? Value::Text(*position) : Answer();
}

constexpr Function kFunctions[] = {
    {"concat", "a*:t", true, Concat},
    {"contains", "aa:b", false, Contains},
    {"ends_with", "tt:b", false, EndsWith},
    {"hex", "y:t", false, Hex},
    {"instr", "tt:i", false, Position},
    {"length", "a:i", false, Length},
    {"lower", "t:t", false, Lower},
    {"lpad", "ti?t:t", false, PadLeft},
    {"ltrim", "t?t:t", false, TrimLeft},
    {"position_between", "tt?a:t", true, PositionOf},
    {"repeat", "ti:t", false, Repeat},
    {"replace", "ttt:t", false, Replace},
    {"reverse", "t:t", false, Reverse},
    {"rpad", "ti?t:t", false, PadRight},
    {"rtrim", "t?t:t", false, TrimRight},
    {"split_part", "tti:t", false, SplitPart},
    {"starts_with", "tt:b", false, StartsWith},
    {"substr", "ti?i:t", false, Substring},
    {"substring", "ti?i:t", false, Substring},
    {"trim", "t?t:t", false, Trim},
    {"upper", "t:t", false, Upper},
};

}  // namespace

std::span<const Function> TextFunctions() { return kFunctions; }

}  // namespace trefoil::query
