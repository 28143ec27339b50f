// Random sorted entries for tests of runs, pages and files: keys of many shapes, several versions
// of one key, deletions, values of many sizes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"
#include "lsm/internal_key.h"
#include "tests/support/seed.h"

namespace trefoil::lsm {

struct OwnedEntry {
  std::string key = {};
  SequenceNumber sequence = 0;
  EntryKind kind = EntryKind::kPut;
  std::string value = {};

  Entry view() const { return {.key = key, .sequence = sequence, .kind = kind, .value = value}; }
  friend bool operator==(const OwnedEntry&, const OwnedEntry&) = default;
};

inline OwnedEntry Own(const Entry& entry) {
  return {.key = entry.key.ToString(),
          .sequence = entry.sequence,
          .kind = entry.kind,
          .value = entry.value.ToString()};
}

struct EntryShape {
  std::size_t count = 100;
  bool versions = false;  // several entries a key, with sequences
  bool deletes = false;
  bool long_keys = false;        // now and then a key of thousands of bytes
  bool equal_keys = false;       // all keys of one length
  std::size_t value_bytes = 40;  // at most
};

inline std::string RandomBytesOf(Random& random, std::size_t size_bytes, unsigned letters) {
  std::string bytes(size_bytes, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.Uniform(letters));
  return bytes;
}

inline std::string RandomKey(Random& random, const EntryShape& shape) {
  static constexpr std::string_view kPrefixes[] = {"", "k", "\x02\x11", "tenant/0042/", "\xff\xff"};
  if (shape.equal_keys) {
    return "\x02\x07" + RandomBytesOf(random, 8, 256);
  }
  std::string key(kPrefixes[random.Uniform(std::size(kPrefixes))]);
  const std::size_t size_bytes =
      shape.long_keys && random.OneIn(20) ? random.Uniform(9000) : random.Uniform(14);
  return key + RandomBytesOf(random, size_bytes, random.OneIn(2) ? 3 : 256);
}

inline EntryShape RandomShape(Random& random) {
  return {.count = 1 + random.Uniform(random.OneIn(3) ? 2000 : 60),
          .versions = random.OneIn(2),
          .deletes = random.OneIn(2),
          .long_keys = random.OneIn(4),
          .equal_keys = random.OneIn(3),
          .value_bytes = random.OneIn(4) ? 0 : 1 + random.Uniform(random.OneIn(4) ? 6000 : 60)};
}

// In the order of internal_key.h, each (key, sequence) once.
inline std::vector<OwnedEntry> RandomEntries(Random& random, const EntryShape& shape) {
  std::vector<OwnedEntry> entries;
  const bool equal_values = random.OneIn(3);
  while (entries.size() < shape.count) {
    OwnedEntry entry{.key = RandomKey(random, shape)};
    const std::size_t versions = shape.versions && random.OneIn(3) ? 1 + random.Uniform(6) : 1;
    for (std::size_t i = 0; i < versions; ++i) {
      if (shape.versions) entry.sequence = random.OneIn(4) ? 0 : 1000 + random.Uniform(70000);
      const bool deleted = shape.deletes && random.OneIn(4);
      entry.kind = deleted ? EntryKind::kDelete : EntryKind::kPut;
      const std::size_t size_bytes =
          equal_values ? shape.value_bytes : random.Uniform(shape.value_bytes + 1);
      entry.value = deleted ? "" : RandomBytesOf(random, size_bytes, 256);
      entries.push_back(entry);
    }
  }
  const auto before = [](const OwnedEntry& a, const OwnedEntry& b) {
    return CompareEntries(a.view(), b.view()) < 0;
  };
  std::sort(entries.begin(), entries.end(), before);
  const auto same = [](const OwnedEntry& a, const OwnedEntry& b) {
    return CompareEntries(a.view(), b.view()) == 0;
  };
  entries.erase(std::unique(entries.begin(), entries.end(), same), entries.end());
  return entries;
}

// A key worth asking for: one that is there, or one near it.
inline std::string RandomTarget(Random& random, const std::vector<OwnedEntry>& entries) {
  std::string key = entries[random.Uniform(entries.size())].key;
  switch (random.Uniform(5)) {
    case 0:
      return key;
    case 1:
      return key + '\0';
    case 2:
      return key.substr(0, random.Uniform(key.size() + 1));
    case 3:
      if (!key.empty()) key[random.Uniform(key.size())] ^= static_cast<char>(1 + random.Uniform(3));
      return key;
    default:
      return RandomBytesOf(random, random.Uniform(12), 256);
  }
}

// The plain oracle: index of the first entry whose key is >= target.
inline std::size_t LowerBoundOf(const std::vector<OwnedEntry>& entries, Slice target) {
  std::size_t i = 0;
  while (i < entries.size() && Slice(entries[i].key) < target) ++i;
  return i;
}

}  // namespace trefoil::lsm
