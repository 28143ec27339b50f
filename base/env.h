// Env: every file, directory, lock and sync call goes through here, so that the engine above can
// run on a real disk, in memory, or on a disk that fails on purpose (env_fault).
//
// There is no rename and no append mode: files are created under their final name and become
// meaningful when something durable (the manifest, the superblock) names them.
// Every error carries the operation, the path and the cause. Errors: kIo, kNoSpace, kPermission,
// kNotFound, kAlreadyExists, kLocked.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "trefoil/result.h"
#include "trefoil/slice.h"

namespace trefoil {

// An open file. Reads may come from any thread; writes from one thread at a time. Closed by the
// destructor, which loses nothing that was synced.
class File {
 public:
  virtual ~File() = default;

  virtual const std::string& path() const = 0;
  virtual Result<std::uint64_t> Size() const = 0;
  // Fills `buffer` from `offset`; fewer bytes than asked for is kCorruption (the file was cut).
  virtual Status ReadAt(std::uint64_t offset, std::span<char> buffer) const = 0;
  // Writes all of `bytes` at `offset`, growing the file where needed. Not durable before Sync.
  virtual Status WriteAt(std::uint64_t offset, Slice bytes) = 0;
  // All writes and stores so far are durable on return. After a failure nothing may be assumed
  // about what was written since the last success.
  virtual Status Sync() = 0;
  // Grows the file to `size_bytes` by writing zeros, so that later writes inside it need no space
  // and no metadata. Bytes that exist stay; never shrinks.
  virtual Status Allocate(std::uint64_t size_bytes) = 0;
  virtual Status Truncate(std::uint64_t size_bytes) = 0;
  // The bytes [0, size_bytes) as memory, or an empty span where this world cannot map; valid while
  // the File lives. Stores through a writable map count as writes: they need Sync to be durable.
  // Bytes beyond the end of the file cannot be mapped, and a mapped file must not change its size
  // before the File that mapped it is closed: kInvalidArgument.
  virtual Result<std::span<char>> Map(std::uint64_t size_bytes, bool writable) = 0;
  // Says which range will be used soon; a hint that may do nothing. Of a writable map it also
  // brings the pages in, so that a later store does not stop for a page fault.
  virtual void WillNeed(std::uint64_t offset, std::uint64_t size_bytes) const;
};

// Held while the owner lives.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

class Env {
 public:
  enum class OpenMode {
    kRead,       // must exist
    kReadWrite,  // must exist
    kCreate,     // must not exist
  };

  virtual ~Env() = default;

  virtual Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) = 0;
  virtual Status Remove(const std::string& path) = 0;
  virtual Result<bool> Exists(const std::string& path) = 0;
  virtual Status CreateDirectory(const std::string& path) = 0;  // kAlreadyExists if it is there
  virtual Status RemoveDirectory(const std::string& path) = 0;  // must be empty
  // Names (not paths) of the entries of a directory, sorted.
  virtual Result<std::vector<std::string>> List(const std::string& path) = 0;
  // Entries created and removed in the directory so far are durable on return.
  virtual Status SyncDirectory(const std::string& path) = 0;
  // A second name for a file, for checkpoints; copies where links are not offered.
  virtual Status Link(const std::string& from, const std::string& to) = 0;
  // An exclusive advisory lock on a file, created if missing. kLocked if another holder lives.
  // Another open in this process counts as another holder.
  virtual Result<std::unique_ptr<FileLock>> Lock(const std::string& path) = 0;

  // What tells a directory apart from a copy of it, kIdentityBytes long: a rename keeps it; a copy,
  // a restored backup or another file system does not. Empty in worlds whose directories have none.
  static constexpr std::size_t kIdentityBytes = 16;
  virtual Result<std::string> DirectoryIdentity(const std::string& /*path*/) {
    return std::string();
  }

  // Fills `bytes` with randomness for identities (database and site ids). That of the operating
  // system, except where a world is repeatable from a seed.
  virtual void RandomBytes(std::span<char> bytes) = 0;

  // The file system of this machine. Lives for ever.
  static Env& Posix();
};

// "write db/000001.log: No space left on device": the form of every error of an Env.
Error EnvError(ErrorCode code, std::string_view operation, std::string_view path,
               std::string_view cause);

}  // namespace trefoil
