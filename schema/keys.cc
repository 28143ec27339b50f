#include "schema/keys.h"

#include <optional>

#include "base/coding.h"

namespace trefoil::schema {

namespace {

constexpr unsigned kShortIds = 240;  // below it an ordered varint is one byte

bool TakeId(Slice& key, std::uint32_t* id) {
  if (!key.empty() && key[0] < kShortIds) {
    *id = key[0];
    key.RemovePrefix(1);
    return true;
  }
  const std::optional<std::uint64_t> number = ReadOrderedVarint(key);
  if (!number || *number > 0xFFFF'FFFF) return false;
  *id = static_cast<std::uint32_t>(*number);
  return true;
}

// Passes over an id without reading it.
bool SkipId(Slice& key) {
  if (key.empty()) return false;
  const std::size_t bytes = key[0] < kShortIds ? 1 : key[0] - kShortIds + 2;
  if (bytes > kMaxOrderedVarintBytes || key.size() < bytes) return false;
  key.RemovePrefix(bytes);
  return true;
}

}  // namespace

std::string TypePrefix(TypeId type) {
  std::string key(1, kFactSpace);
  AppendOrderedVarint(key, ToNumber(type));
  return key;
}

std::string FactPrefix(TypeId type, AttributeId attribute) {
  std::string key = TypePrefix(type);
  AppendOrderedVarint(key, ToNumber(attribute));
  return key;
}

std::string FactKey(TypeId type, AttributeId attribute, Slice subject) {
  std::string key = FactPrefix(type, attribute);
  key.append(subject.view());
  return key;
}

std::string IndexPrefix(IndexId index) {
  std::string key(1, kIndexSpace);
  AppendOrderedVarint(key, ToNumber(index));
  return key;
}

std::string LogPrefix(std::uint32_t site_ordinal) {
  std::string key(1, kLogSpace);
  AppendOrderedVarint(key, site_ordinal);
  return key;
}

std::string LogKey(std::uint32_t site_ordinal, std::uint64_t sequence) {
  std::string key = LogPrefix(site_ordinal);
  AppendBigEndian64(key, sequence);
  return key;
}

std::string SiteKey(std::uint32_t site_ordinal) {
  std::string key(1, kSiteSpace);
  AppendOrderedVarint(key, site_ordinal);
  return key;
}

std::string PendingKey(Slice site, std::uint64_t sequence) {
  std::string key(1, kPendingSpace);
  key.append(site.view());
  AppendBigEndian64(key, sequence);
  return key;
}

std::string PiecePrefix(Slice site, std::uint64_t sequence) {
  std::string key(1, kPieceSpace);
  key.append(site.view());
  AppendBigEndian64(key, sequence);
  return key;
}

std::string PieceKey(Slice site, std::uint64_t sequence, std::uint64_t offset) {
  std::string key = PiecePrefix(site, sequence);
  AppendBigEndian64(key, offset);
  return key;
}

std::string CommitKey(Version version) {
  std::string key(1, kCommitSpace);
  AppendBigEndian64(key, ToNumber(version));
  return key;
}

std::string MetaKey(std::string_view name) {
  std::string key(1, kMetaSpace);
  key.append(name);
  return key;
}

bool ParseFactKey(Slice key, FactName* name) {
  if (key.empty() || key.data()[0] != kFactSpace) return false;
  key.RemovePrefix(1);
  std::uint32_t type;
  std::uint32_t attribute;
  if (!TakeId(key, &type) || !TakeId(key, &attribute)) return false;
  *name = {.type = TypeId{type}, .attribute = AttributeId{attribute}, .subject = key};
  return true;
}

bool ParseCommitKey(Slice key, Version* version) {
  if (key.size() != 9 || key.data()[0] != kCommitSpace) return false;
  key.RemovePrefix(1);
  *version = Version{*ReadBigEndian64(key)};
  return true;
}

std::size_t GroupSize(Slice key) {
  if (key.empty()) return 0;
  const char space = key.data()[0];
  Slice rest = key.Without(1);
  if (space == kFactSpace && (!SkipId(rest) || !SkipId(rest))) return key.size();
  if (space == kIndexSpace && !SkipId(rest)) return key.size();
  return key.size() - rest.size();
}

}  // namespace trefoil::schema
