#include "schema/part.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/coding.h"
#include "base/errors.h"
#include "base/str_cat.h"
#include "schema/ids.h"

namespace trefoil::schema {

namespace {

using Ranges = std::vector<SubjectRange>;

bool IsAll(const Ranges& ranges) {
  return ranges.size() == 1 && ranges[0].start.empty() && ranges[0].limit.empty();
}

// Whether a range with this limit goes on where one that begins at `start` begins, or beyond.
bool Reaches(const std::string& limit, const std::string& start) {
  return limit.empty() || limit >= start;
}

std::string Greater(const std::string& a, const std::string& b) {
  return a.empty() || b.empty() ? std::string() : std::max(a, b);
}
std::string Lesser(const std::string& a, const std::string& b) {
  return a.empty() ? b : b.empty() ? a : std::min(a, b);
}

Ranges Normalised(Ranges ranges) {
  std::erase_if(ranges, [](const SubjectRange& range) {
    return !range.limit.empty() && range.limit <= range.start;
  });
  std::ranges::sort(ranges, {}, &SubjectRange::start);
  Ranges joined;
  for (SubjectRange& range : ranges) {
    if (!joined.empty() && Reaches(joined.back().limit, range.start)) {
      joined.back().limit = Greater(joined.back().limit, range.limit);
    } else {
      joined.push_back(std::move(range));
    }
  }
  return joined;
}

bool Contain(const Ranges& ranges, Slice subject) {
  const auto behind = std::ranges::upper_bound(ranges, subject.view(), {}, &SubjectRange::start);
  if (behind == ranges.begin()) return false;
  const std::string& limit = std::prev(behind)->limit;
  return limit.empty() || subject < Slice(limit);
}

Ranges Both(const Ranges& a, const Ranges& b) {
  Ranges both;
  for (auto i = a.begin(), j = b.begin(); i != a.end() && j != b.end();) {
    both.push_back({.start = std::max(i->start, j->start), .limit = Lesser(i->limit, j->limit)});
    const bool i_ends_first = !i->limit.empty() && (j->limit.empty() || i->limit < j->limit);
    i_ends_first ? ++i : ++j;
  }
  return both;
}

Error BadPart(Slice all, Slice rest, const char* what) {
  return Corruption(StrCat("part of a database: byte ", all.size() - rest.size(), ": ", what),
                    "take the bytes of a part from Database::PartOf or Database::part");
}

}  // namespace

Part::Part(Tables tables) : tables_(Tables()) {
  for (auto& [type, ranges] : tables) {
    ranges = Normalised(std::move(ranges));
    if (!ranges.empty()) tables_->emplace(type, std::move(ranges));
  }
}

bool Part::HoldsAll(TypeId type) const {
  if (is_whole() || IsSystemType(type)) return true;
  const auto found = tables_->find(type);
  return found != tables_->end() && IsAll(found->second);
}

bool Part::HoldsSome(TypeId type) const {
  return is_whole() || IsSystemType(type) || tables_->contains(type);
}

bool Part::Holds(TypeId type, Slice subject) const {
  if (is_whole() || IsSystemType(type)) return true;
  const auto found = tables_->find(type);
  if (found == tables_->end()) return false;
  return Contain(found->second, subject);
}

bool Part::Covers(const Part& other) const {
  return is_whole() || (!other.is_whole() && Intersect(other) == other);
}

Part Part::Intersect(const Part& other) const {
  if (is_whole()) return other;
  if (other.is_whole()) return *this;
  Tables both;
  for (const auto& [type, ranges] : *tables_) {
    const auto found = other.tables_->find(type);
    if (found != other.tables_->end()) both[type] = Both(ranges, found->second);
  }
  return Part(std::move(both));
}

std::string EncodePart(const Part& part) {
  std::string out;
  if (part.is_whole()) return out;
  AppendVarint(out, part.tables()->size());
  for (const auto& [type, ranges] : *part.tables()) {
    AppendVarint(out, ToNumber(type));
    AppendVarint(out, ranges.size());
    for (const SubjectRange& range : ranges) {
      AppendLengthPrefixed(out, Slice(range.start));
      AppendLengthPrefixed(out, Slice(range.limit));
    }
  }
  return out;
}

Result<Part> DecodePart(Slice bytes) {
  if (bytes.empty()) return Part();
  Slice rest = bytes;
  Part::Tables tables;
  const std::optional<std::uint64_t> count = ReadVarint(rest);
  if (!count) return BadPart(bytes, rest, "no count of tables");
  for (std::uint64_t i = 0; i < *count; ++i) {
    const std::optional<std::uint64_t> type = ReadVarint(rest);
    if (!type || *type >= kTypeLimit) return BadPart(bytes, rest, "no table");
    Ranges& ranges = tables[TypeId{static_cast<std::uint32_t>(*type)}];
    const std::optional<std::uint64_t> size = ReadVarint(rest);
    if (!size) return BadPart(bytes, rest, "no count of ranges");
    for (std::uint64_t r = 0; r < *size; ++r) {
      const std::optional<Slice> start = ReadLengthPrefixed(rest);
      const std::optional<Slice> limit = start ? ReadLengthPrefixed(rest) : std::nullopt;
      if (!limit) return BadPart(bytes, rest, "a range is cut off");
      ranges.push_back({.start = start->ToString(), .limit = limit->ToString()});
    }
  }
  Part part(std::move(tables));
  // Whatever else is wrong with the order or the ranges shows in this.
  const std::string canonical = EncodePart(part);
  if (bytes != Slice(canonical)) return BadPart(bytes, rest, "tables or ranges out of order");
  return part;
}

}  // namespace trefoil::schema
