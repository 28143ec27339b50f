// What a disk keeps of a file system when the power goes: the rules of FaultEnv as functions over
// the tree of memory_tree.h, where each node and directory holds two states, seen and synced.
//
//   sector (512 bytes)   synced -> kept; changed since -> old, new, or (kTorn) changed bytes torn
//                        or garbage
//   file size            synced -> kept; changed since -> old, new, or anything between
//   directory entry      synced -> kept; created or removed since -> present or absent
//
// Each unsynced sector, size and entry decides for itself, so every order in which a real disk may
// write them is covered. Bytes of a sector that did not change since the last sync are never lost:
// a device may tear a sector, but does not invent changes outside what it was given.
#pragma once

#include <cstdint>
#include <memory>

#include "base/memory_tree.h"
#include "base/random.h"

namespace trefoil {

inline constexpr std::uint64_t kSectorBytes = 512;

// What a crash takes of what was not synced.
enum class CrashMode {
  kKeepAll,  // the process died, the machine did not: nothing, and it is still unsynced
  kLoseAll,  // everything
  kSectors,  // a random subset of sectors, sizes and directory entries
  kTorn,     // as kSectors, and a sector may be torn or hold garbage
};

// The content of [begin, end) may have changed.
void MarkChanged(MemoryNode& node, std::uint64_t begin, std::uint64_t end);

// The content and size seen now survive from here on.
void SyncNode(MemoryNode& node);
// A sync that failed: the sectors changed until now stay as they are seen, but no later sync
// writes them unless they change again.
void FailSync(MemoryNode& node);
// A sync that failed and took the changed sectors from the cache: the old content is seen again.
void RevertNode(MemoryNode& node);

// The entries seen now survive from here on.
void SyncEntries(MemoryDirectory& directory);

// A file system of its own, as a crash leaves the one under `root`.
std::shared_ptr<MemoryDirectory> CrashTree(const MemoryDirectory& root, CrashMode mode,
                                           Random& random);

}  // namespace trefoil
