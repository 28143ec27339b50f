// A file system held in memory: directories, files with several names, open handles that outlive a
// removal. MemoryEnv offers it as it is; FaultEnv breaks it on purpose, and keeps beside what a
// program sees what a crash would leave.
//
//   root -> directory: name -> entry -> file node <- handles, maps
//
// I1: an entry names a file or a directory, never both. I2: a mapped node never changes its size,
// so the bytes never move under a map.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/env.h"

namespace trefoil {

// What a crash would leave of a file; kept by FaultEnv only (disk_model.h).
struct DiskState {
  std::string bytes;  // as of the last sync
  // The content may differ from `bytes` in [changed_begin, changed_end) and, through writable maps,
  // in [0, mapped_end).
  std::uint64_t changed_begin = 0;
  std::uint64_t changed_end = 0;
  std::uint64_t mapped_end = 0;
  // Sectors that a failed sync gave up, as they were then: a later sync skips them until they
  // change again.
  std::map<std::uint64_t, std::string> dropped;
};

// The content of a file, whatever its names.
struct MemoryNode {
  mutable std::shared_mutex mutex;  // guards bytes and maps; stores through a map go around it
  std::string bytes;
  int maps = 0;
  DiskState disk;

  // Error: kInvalidArgument while the node is mapped and its size would change.
  Status Resize(std::string_view operation, const std::string& path, std::uint64_t size_bytes);
};

struct MemoryDirectory;

struct MemoryEntry {
  std::shared_ptr<MemoryNode> file;
  std::shared_ptr<MemoryDirectory> directory;

  friend bool operator==(const MemoryEntry&, const MemoryEntry&) = default;
};

struct MemoryDirectory {
  std::map<std::string, MemoryEntry> entries;
  std::map<std::string, MemoryEntry> synced_entries;  // kept by FaultEnv only
};

// An open file over a node.
class MemoryFile final : public File {
 public:
  MemoryFile(std::string path, std::shared_ptr<MemoryNode> node, Env::OpenMode mode)
      : path_(std::move(path)), node_(std::move(node)), mode_(mode) {}
  ~MemoryFile() override;

  const std::string& path() const override { return path_; }
  Result<std::uint64_t> Size() const override;
  Status ReadAt(std::uint64_t offset, std::span<char> buffer) const override;
  Status WriteAt(std::uint64_t offset, Slice bytes) override;
  Status Sync() override { return Ok(); }
  Status Allocate(std::uint64_t size_bytes) override;
  Status Truncate(std::uint64_t size_bytes) override;
  Result<std::span<char>> Map(std::uint64_t size_bytes, bool writable) override;

 private:
  Status CheckWritable(std::string_view operation) const;

  const std::string path_;
  const std::shared_ptr<MemoryNode> node_;
  const Env::OpenMode mode_;
  int maps_ = 0;  // of node_->maps, guarded by its mutex
};

// The names. A path is split at '/'; a leading '/' means nothing. One thread at a time.
class MemoryTree {
 public:
  MemoryTree() : root_(std::make_shared<MemoryDirectory>()) {}
  explicit MemoryTree(std::shared_ptr<MemoryDirectory> root) : root_(std::move(root)) {}

  Result<std::shared_ptr<MemoryNode>> Open(const std::string& path, Env::OpenMode mode);
  // Creates the lock file at `path` unless it exists.
  Status CreateLockFile(const std::string& path);
  Status Remove(const std::string& path);
  bool Exists(const std::string& path) const;
  Status CreateDirectory(const std::string& path);
  Status RemoveDirectory(const std::string& path);
  Result<std::vector<std::string>> List(const std::string& path) const;
  Status Link(const std::string& from, const std::string& to);
  // The directory at `path`. Error: kNotFound.
  Result<std::shared_ptr<MemoryDirectory>> FindDirectory(std::string_view operation,
                                                         const std::string& path) const;

  const std::shared_ptr<MemoryDirectory>& root() const { return root_; }

 private:
  struct Place {
    std::shared_ptr<MemoryDirectory> directory;
    std::string name;
  };
  Result<Place> FindPlace(std::string_view operation, const std::string& path) const;
  Result<std::shared_ptr<MemoryNode>> Create(std::string_view operation, const std::string& path);
  Result<MemoryEntry> Find(std::string_view operation, const std::string& path) const;

  std::shared_ptr<MemoryDirectory> root_;
};

}  // namespace trefoil
