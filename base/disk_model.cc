#include "base/disk_model.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <set>
#include <unordered_map>
#include <utility>

namespace trefoil {

namespace {

using Sector = std::array<char, kSectorBytes>;

// A sector of a file; bytes beyond its end read as zero.
Sector LoadSector(const std::string& bytes, std::uint64_t number) {
  Sector sector{};
  const std::uint64_t begin = number * kSectorBytes;
  if (begin >= bytes.size()) return sector;
  std::memcpy(sector.data(), bytes.data() + begin, std::min(kSectorBytes, bytes.size() - begin));
  return sector;
}

// Bytes beyond the end of the file are dropped.
void StoreSector(std::string& bytes, std::uint64_t number, const Sector& sector) {
  const std::uint64_t begin = number * kSectorBytes;
  if (begin >= bytes.size()) return;
  std::memcpy(bytes.data() + begin, sector.data(), std::min(kSectorBytes, bytes.size() - begin));
}

// Calls `visit(number, seen, synced)` for each sector that differs.
template <typename Visit>
void ForEachChangedSector(const MemoryNode& node, const Visit& visit) {
  const DiskState& disk = node.disk;
  const std::uint64_t begin = disk.mapped_end > 0 ? 0 : disk.changed_begin;
  const std::uint64_t end = std::max(disk.changed_end, disk.mapped_end);
  for (std::uint64_t number = begin / kSectorBytes; number * kSectorBytes < end; ++number) {
    const Sector seen = LoadSector(node.bytes, number);
    const Sector synced = LoadSector(disk.bytes, number);
    if (seen != synced) visit(number, seen, synced);
  }
}

// What a device leaves of a sector that it was given: `seen` over `synced`.
Sector Survivor(const Sector& seen, const Sector& synced, CrashMode mode, Random& random) {
  const std::uint64_t fate = random.Uniform(mode == CrashMode::kTorn ? 4 : 2);
  if (fate == 0) return synced;
  if (fate == 1) return seen;
  const auto first =
      static_cast<std::size_t>(std::ranges::mismatch(seen, synced).in1 - seen.begin());
  std::size_t end = kSectorBytes;
  while (seen[end - 1] == synced[end - 1]) --end;
  Sector torn = synced;
  if (fate == 2) {
    const std::size_t cut = first + random.Uniform(end - first + 1);
    std::copy(seen.begin() + first, seen.begin() + cut, torn.begin() + first);
  } else {
    random.Fill(std::span(torn).subspan(first, end - first));
  }
  return torn;
}

// What a device leaves of a file.
std::string Survivor(const MemoryNode& node, CrashMode mode, Random& random) {
  std::string left = node.disk.bytes;
  if (mode == CrashMode::kLoseAll) return left;
  const std::uint64_t old_size = node.disk.bytes.size();
  const std::uint64_t new_size = node.bytes.size();
  const auto [least, most] = std::minmax(old_size, new_size);
  const std::uint64_t sizes[] = {old_size, new_size, least + random.Uniform(most - least + 1)};
  left.resize(sizes[random.Uniform(3)]);
  ForEachChangedSector(node, [&](std::uint64_t number, const Sector& seen, const Sector& synced) {
    StoreSector(left, number, Survivor(seen, synced, mode, random));
  });
  return left;
}

// Builds the tree that a crash leaves. A file with several names stays one file.
class Crash {
 public:
  Crash(CrashMode mode, Random& random) : mode_(mode), random_(random) {}

  std::shared_ptr<MemoryDirectory> Directory(const MemoryDirectory& before) {
    auto after = std::make_shared<MemoryDirectory>();
    if (mode_ == CrashMode::kKeepAll) {
      for (const auto& [name, entry] : before.entries) after->entries[name] = Entry(entry);
      for (const auto& [name, entry] : before.synced_entries) {
        after->synced_entries[name] = Entry(entry);
      }
      return after;
    }
    for (const auto& [name, entry] : Survivors(before)) after->entries[name] = Entry(entry);
    after->synced_entries = after->entries;
    return after;
  }

 private:
  std::map<std::string, MemoryEntry> Survivors(const MemoryDirectory& before) {
    std::map<std::string, MemoryEntry> left = before.synced_entries;
    if (mode_ == CrashMode::kLoseAll) return left;
    std::set<std::string> names;
    for (const auto& [name, entry] : before.entries) names.insert(name);
    for (const auto& [name, entry] : before.synced_entries) names.insert(name);
    for (const std::string& name : names) {
      const auto seen = before.entries.find(name);
      const auto synced = before.synced_entries.find(name);
      const bool is_seen = seen != before.entries.end();
      const bool is_synced = synced != before.synced_entries.end();
      if (is_seen && is_synced && seen->second == synced->second) continue;
      if (random_.OneIn(2)) continue;  // the change did not reach the disk
      left.erase(name);
      if (is_seen) left[name] = seen->second;
    }
    return left;
  }

  MemoryEntry Entry(const MemoryEntry& before) {
    if (before.directory == nullptr) return {.file = File(before.file), .directory = nullptr};
    std::shared_ptr<MemoryDirectory>& after = directories_[before.directory.get()];
    if (after == nullptr) after = Directory(*before.directory);
    return {.file = nullptr, .directory = after};
  }

  std::shared_ptr<MemoryNode> File(const std::shared_ptr<MemoryNode>& before) {
    std::shared_ptr<MemoryNode>& after = files_[before.get()];
    if (after != nullptr) return after;
    after = std::make_shared<MemoryNode>();
    if (mode_ == CrashMode::kKeepAll) {
      after->bytes = before->bytes;
      after->disk = before->disk;
    } else {
      after->bytes = Survivor(*before, mode_, random_);
      after->disk.bytes = after->bytes;
    }
    return after;
  }

  const CrashMode mode_;
  Random& random_;
  std::unordered_map<const MemoryNode*, std::shared_ptr<MemoryNode>> files_;
  std::unordered_map<const MemoryDirectory*, std::shared_ptr<MemoryDirectory>> directories_;
};

}  // namespace

void MarkChanged(MemoryNode& node, std::uint64_t begin, std::uint64_t end) {
  if (begin >= end) return;
  DiskState& disk = node.disk;
  if (disk.changed_begin == disk.changed_end) disk.changed_begin = begin;
  disk.changed_begin = std::min(disk.changed_begin, begin);
  disk.changed_end = std::max(disk.changed_end, end);
}

void SyncNode(MemoryNode& node) {
  DiskState& disk = node.disk;
  disk.bytes.resize(node.bytes.size());
  ForEachChangedSector(node, [&](std::uint64_t number, const Sector& seen, const Sector&) {
    const auto given_up = disk.dropped.find(number);
    if (given_up != disk.dropped.end()) {
      if (std::ranges::equal(given_up->second, seen)) return;
      disk.dropped.erase(given_up);
    }
    StoreSector(disk.bytes, number, seen);
  });
  if (disk.dropped.empty()) disk.changed_begin = disk.changed_end = 0;
}

void FailSync(MemoryNode& node) {
  ForEachChangedSector(node, [&](std::uint64_t number, const Sector& seen, const Sector&) {
    node.disk.dropped[number].assign(seen.begin(), seen.end());
  });
}

void RevertNode(MemoryNode& node) {
  ForEachChangedSector(node, [&](std::uint64_t number, const Sector&, const Sector& synced) {
    StoreSector(node.bytes, number, synced);
  });
}

void SyncEntries(MemoryDirectory& directory) { directory.synced_entries = directory.entries; }

std::shared_ptr<MemoryDirectory> CrashTree(const MemoryDirectory& root, CrashMode mode,
                                           Random& random) {
  return Crash(mode, random).Directory(root);
}

}  // namespace trefoil
