#include "lsm/superblock.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "base/coding.h"
#include "base/errors.h"
#include "base/hash.h"
#include "base/str_cat.h"
#include "lsm/file_names.h"

namespace trefoil::lsm {

namespace {

constexpr Slice kMagic = "TREFSUP\x01";
constexpr std::size_t kSumOffset = kPageBytes - 8;
constexpr std::uint32_t kCleanFlag = 1;

std::uint64_t CopySum(Slice copy) { return Hash64(copy.Prefix(kSumOffset)); }

std::string SuperblockPath(const std::string& directory) {
  return StrCat(directory, "/", kSuperblockName);
}

}  // namespace

std::uint64_t SuperblockOffset(std::uint64_t generation) {
  return 2 * (generation % 2) * kPageBytes;
}

std::string EncodeSuperblock(const Superblock& superblock) {
  std::string copy(kMagic.view());
  AppendFixed32(copy, kFormatNumber);
  AppendFixed32(copy, kPageBytes);
  copy += superblock.uuid;
  AppendFixed64(copy, superblock.generation);
  AppendFixed64(copy, ToNumber(superblock.manifest));
  AppendFixed64(copy, superblock.manifest_bytes);
  AppendFixed32(copy, superblock.clean ? kCleanFlag : 0);
  AppendFixed32(copy, 0);
  AppendFixed64(copy, superblock.last_sequence);
  AppendFixed64(copy, superblock.last_sum);
  copy.resize(kSumOffset);
  AppendFixed64(copy, CopySum(copy));
  return copy + copy;
}

Result<Superblock> DecodeSuperblock(Slice file) {
  std::optional<Superblock> newest;
  bool magic_seen = false;
  for (std::size_t at = 0; at + kPageBytes <= std::min(file.size(), kSuperblockBytes);
       at += kPageBytes) {
    const Slice copy(file.data() + at, kPageBytes);
    if (!copy.StartsWith(kMagic)) continue;
    magic_seen = true;
    if (LoadFixed64(copy.data() + kSumOffset) != CopySum(copy)) continue;
    if (const std::uint32_t format = LoadFixed32(copy.data() + 8); format > kFormatNumber) {
      return MakeError(ErrorCode::kNewerFormat,
                       StrCat("superblock: format ", format, ", this release reads up to format ",
                              kFormatNumber),
                       "open the database with a newer release");
    }
    const Superblock found = {.uuid = std::string(copy.data() + 16, kUuidBytes),
                              .generation = LoadFixed64(copy.data() + 32),
                              .manifest = FileNumber{LoadFixed64(copy.data() + 40)},
                              .manifest_bytes = LoadFixed64(copy.data() + 48),
                              .clean = (LoadFixed32(copy.data() + 56) & kCleanFlag) != 0,
                              .last_sequence = LoadFixed64(copy.data() + 64),
                              .last_sum = LoadFixed64(copy.data() + 72)};
    if (!newest || found.generation > newest->generation) newest = found;
  }
  if (newest) return *std::move(newest);
  if (!magic_seen && file.size() >= kPageBytes) {
    return MakeError(ErrorCode::kForeignDatabase,
                     "superblock: no copy starts with the magic number of a Trefoil store",
                     "check the path");
  }
  return Corruption("superblock: no copy of four has a valid checksum", "run repair");
}

Result<std::string> ReadWholeFile(Env& env, const std::string& path, std::uint64_t limit_bytes) {
  Result<std::unique_ptr<File>> file = env.Open(path, Env::OpenMode::kRead);
  if (!file) return std::move(file).error();
  Result<std::uint64_t> size = (*file)->Size();
  if (!size) return std::move(size).error();
  std::string bytes(std::min(*size, limit_bytes), '\0');
  if (Status read = (*file)->ReadAt(0, bytes); !read) return std::move(read).error();
  return bytes;
}

Result<Superblock> ReadSuperblock(Env& env, const std::string& directory) {
  const std::string path = SuperblockPath(directory);
  Result<std::string> bytes = ReadWholeFile(env, path, kSuperblockBytes);
  if (!bytes) return std::move(bytes).error();
  Result<Superblock> superblock = DecodeSuperblock(*bytes);
  if (!superblock) {
    superblock.error().message = StrCat(path, ": ", superblock.error().message);
  }
  return superblock;
}

Status WriteSuperblock(Env& env, const std::string& directory, Superblock& superblock) {
  const std::string path = SuperblockPath(directory);
  Result<bool> exists = env.Exists(path);
  if (!exists) return std::move(exists).error();
  const auto mode = *exists ? Env::OpenMode::kReadWrite : Env::OpenMode::kCreate;
  Result<std::unique_ptr<File>> file = env.Open(path, mode);
  if (!file) return std::move(file).error();
  if (!*exists) {
    if (Status made = (*file)->Allocate(kSuperblockBytes); !made) return made;
  }
  ++superblock.generation;
  const std::string copies = EncodeSuperblock(superblock);
  if (Status written = (*file)->WriteAt(SuperblockOffset(superblock.generation), copies);
      !written) {
    return written;
  }
  if (Status synced = (*file)->Sync(); !synced) return synced;
  return *exists ? Ok() : env.SyncDirectory(directory);
}

}  // namespace trefoil::lsm
