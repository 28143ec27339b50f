// The superblock says which manifest is the store's, and whether the last close was clean. It is
// the one file that is written in place: four copies of one page, of which generation g writes two,
// so that a torn write leaves the generation before.
//
//   super  | copy 0 | copy 1 | copy 2 | copy 3 |      generation g: copies 2 (g mod 2) and + 1
//   copy   magic 8 | format 4 | page size 4 | uuid 16 | generation 8 | manifest number 8 |
//          manifest bytes 8 | flags 4 | zeros 4 | last sequence 8 | zeros | sum 8  (4096 bytes)
#pragma once

#include <cstdint>
#include <string>

#include "base/env.h"
#include "lsm/file_meta.h"
#include "lsm/record_format.h"

namespace trefoil::lsm {

struct Superblock {
  std::string uuid;              // 16 bytes
  std::uint64_t generation = 0;  // the newest valid copy counts
  FileNumber manifest{};
  std::uint64_t manifest_bytes = 0;  // the manifest has at least these, all valid
  bool clean = false;                // closed with nothing lost
  SequenceNumber last_sequence = 0;  // at that close
  std::uint64_t last_sum = 0;        // of the last record of the log then; 0 = unknown

  friend bool operator==(const Superblock&, const Superblock&) = default;
};

inline constexpr std::size_t kSuperblockBytes = 4 * kPageBytes;

// Errors: kForeignDatabase when no copy has the magic, kNewerFormat, kCorruption.
Result<Superblock> DecodeSuperblock(Slice file);
// The two equal copies of a generation, and where in the file they go.
std::string EncodeSuperblock(const Superblock& superblock);
std::uint64_t SuperblockOffset(std::uint64_t generation);

Result<Superblock> ReadSuperblock(Env& env, const std::string& directory);
// Writes the next generation and syncs; creates the file and syncs the directory if need be.
// `superblock.generation` is raised. After an error either generation may be on the device.
Status WriteSuperblock(Env& env, const std::string& directory, Superblock& superblock);

// Fills `bytes` with the start of the file at `path`, at most `limit_bytes`.
Result<std::string> ReadWholeFile(Env& env, const std::string& path,
                                  std::uint64_t limit_bytes = ~std::uint64_t{0});

}  // namespace trefoil::lsm
