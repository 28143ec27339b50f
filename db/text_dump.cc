#include "db/text_dump.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <utility>

#include "base/errors.h"
#include "base/str_cat.h"
#include "crdt/value_codec.h"
#include "schema/cell.h"
#include "schema/keys.h"

namespace trefoil::db {

namespace {

constexpr std::string_view kFirstLine = "trefoil dump 1";
constexpr std::string_view kPayload = "payload";

void AppendHex(std::string& out, Slice bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    out.push_back(kDigits[bytes[i] >> 4]);
    out.push_back(kDigits[bytes[i] & 15]);
  }
}

bool ParseHex(std::string_view hex, std::string* bytes) {
  if (hex.size() % 2 != 0) return false;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    unsigned value;
    const auto [end, error] = std::from_chars(hex.data() + i, hex.data() + i + 2, value, 16);
    if (error != std::errc() || end != hex.data() + i + 2) return false;
    bytes->push_back(static_cast<char>(value));
  }
  return true;
}

bool ParseNumber(std::string_view text, std::uint64_t* number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size();
}

void AppendEscapedText(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else {
      out.push_back(c);
    }
  }
}

bool Unescape(std::string_view text, std::string* out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out->push_back(text[i]);
      continue;
    }
    if (++i == text.size()) return false;
    if (text[i] != '\\' && text[i] != 'n' && text[i] != 'r') return false;
    out->push_back(text[i] == 'n' ? '\n' : text[i] == 'r' ? '\r' : '\\');
  }
  return true;
}

// " KIND text", or " KIND payload hex".
void AppendDumpedValue(std::string& out, const Value& value) {
  out += StrCat(" ", value.is_null() ? "NULL" : KindName(value.kind()));
  if (value.is_null()) return;
  const std::string text = ToText(value);
  const std::optional<Value> again = ParseValue(text, value.kind());
  out.push_back(' ');
  if (again && *again == value && !text.starts_with(kPayload)) {
    return AppendEscapedText(out, text);
  }
  std::string payload;
  crdt::AppendPayload(payload, value);
  out += StrCat(kPayload, " ");
  AppendHex(out, Slice(payload));
}

bool ParseDumpedValue(std::string_view kind_name, std::string_view text, Value* value) {
  if (kind_name == "NULL") return text.empty();
  for (int k = static_cast<int>(ValueKind::kBool); k <= static_cast<int>(ValueKind::kJson); ++k) {
    const auto kind = static_cast<ValueKind>(k);
    if (KindName(kind) != kind_name) continue;
    std::string bytes;
    if (text.starts_with(kPayload)) {
      text.remove_prefix(std::min(kPayload.size() + 1, text.size()));
      if (!ParseHex(text, &bytes)) return false;
      Slice rest(bytes);
      return crdt::TakePayload(rest, kind, value) && rest.empty();
    }
    if (!Unescape(text, &bytes)) return false;
    std::optional<Value> parsed = ParseValue(bytes, kind);
    if (!parsed) return false;
    *value = *std::move(parsed);
    return true;
  }
  return false;
}

// Cuts the first word off.
std::string_view TakeWord(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

bool ParsePart(std::string_view line, DumpedState* state) {
  std::string bytes;
  if (!ParseHex(line, &bytes) || bytes.empty()) return false;
  Result<schema::Part> part = schema::DecodePart(Slice(bytes));
  if (!part) return false;
  state->part = *std::move(part);
  return true;
}

bool ParseSite(std::string_view line, DumpedState* state) {
  std::string bytes;
  std::uint64_t head;
  crdt::SiteId site;
  if (!ParseHex(TakeWord(line), &bytes) || bytes.size() != crdt::SiteId::kBytes) return false;
  Slice rest(bytes);
  std::uint64_t time;
  if (!crdt::TakeSite(rest, &site) || !ParseNumber(TakeWord(line), &head)) return false;
  if (!ParseNumber(line, &time)) return false;
  const std::size_t before = state->sites.size();
  state->sites.Add(site);
  if (head != 0) {
    state->heads[site] = head;
    state->times[site] = time;
  }
  return state->sites.size() == before + 1;
}

bool ParseFact(std::string_view line, DumpedState* state) {
  DumpedFact& fact = state->facts.emplace_back();
  schema::Cell cell;
  schema::FactName name;
  if (!ParseHex(TakeWord(line), &fact.key)) return false;
  if (!schema::ParseFactKey(Slice(fact.key), &name)) return false;
  const std::string_view stamp = TakeWord(line);
  const std::size_t dot = stamp.find('.');
  std::uint64_t site;
  if (dot == std::string_view::npos || !ParseNumber(stamp.substr(0, dot), &cell.stamp.time) ||
      !ParseNumber(stamp.substr(dot + 1), &site) || site >= state->sites.size()) {
    return false;
  }
  cell.stamp.site = static_cast<schema::SiteOrdinal>(site);
  if (!ParseNumber(TakeWord(line), &cell.causal_length) || cell.causal_length == 0) return false;
  const std::string_view mark = TakeWord(line);
  if (mark != "r" && mark != "-") return false;
  cell.retracted = mark == "r";
  const std::string_view hex = TakeWord(line);
  if (hex != "-" && !ParseHex(hex, &cell.state)) return false;
  const std::string_view kind = TakeWord(line);
  if (!ParseDumpedValue(kind, line, &cell.value)) return false;
  if (cell.retracted && !cell.value.is_null()) return false;
  const std::size_t count = state->facts.size();
  if (count > 1 && !(state->facts[count - 2].key < fact.key)) return false;
  return crdt::FromCell(cell, state->sites, &fact.state);
}

bool ParseLine(std::size_t number, std::string_view line, DumpedState* state) {
  if (number == 1) return line == kFirstLine;
  const std::string_view word = TakeWord(line);
  if (word == "part") return number == 2 && ParsePart(line, state);
  if (word == "site") return state->facts.empty() && ParseSite(line, state);
  return word == "fact" && ParseFact(line, state);
}

}  // namespace

DumpWriter::DumpWriter(const crdt::Known& known, const crdt::HeadTimes& times,
                       const crdt::SiteTable& sites)
    : text_(StrCat(kFirstLine, "\n")) {
  if (!known.part.is_whole()) {
    text_ += "part ";
    const std::string part = schema::EncodePart(known.part);
    AppendHex(text_, Slice(part));
    text_.push_back('\n');
  }
  // Only sites with a transaction: every stamp is of one, and two replicas name the same.
  for (const auto& [site, head] : known.heads) {
    numbers_.Add(site);
    std::string bytes;
    crdt::AppendSite(bytes, site);
    text_ += "site ";
    AppendHex(text_, Slice(bytes));
    const auto time = times.find(site);
    text_ += StrCat(" ", head, " ", time == times.end() ? 0 : time->second, "\n");
  }
  for (std::size_t i = 0; i < sites.size(); ++i) {
    number_of_.push_back(numbers_.Find(sites.Of(static_cast<schema::SiteOrdinal>(i))).value_or(0));
  }
}

void DumpWriter::Add(Slice key, crdt::FactState state) {
  crdt::ForStamps(state, [&](crdt::Stamp& stamp) { stamp.site = number_of_[stamp.site]; });
  const schema::Cell cell = crdt::ToCell(state);
  text_ += "fact ";
  AppendHex(text_, key);
  text_ += StrCat(" ", cell.stamp.time, ".", cell.stamp.site, " ", cell.causal_length,
                  cell.retracted ? " r " : " - ");
  if (cell.state.empty()) {
    text_.push_back('-');
  } else {
    AppendHex(text_, Slice(cell.state));
  }
  AppendDumpedValue(text_, cell.value);
  text_.push_back('\n');
}

Result<DumpedState> ParseDump(std::string_view text) {
  DumpedState state;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (ParseLine(number, line, &state)) continue;
    return Corruption(StrCat("dump: line ", number, " does not read"),
                      "load what `trefoil dump` wrote");
  }
  return state;
}

}  // namespace trefoil::db
