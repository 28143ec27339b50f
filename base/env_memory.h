// MemoryEnv: a whole file system in memory, for ":memory:" databases and for tests. Syncing does
// nothing; everything goes with the MemoryEnv. A leading '/' in a path means nothing; the root
// directory exists.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/env.h"
#include "base/memory_tree.h"

namespace trefoil {

// Names of held locks, shared between an Env and the locks it gave out.
class MemoryLocks {
 public:
  // Holds `path`, which must name its file in one spelling. Error: kLocked.
  static Result<std::unique_ptr<FileLock>> Acquire(const std::shared_ptr<MemoryLocks>& locks,
                                                   const std::string& path);

 private:
  class Held;

  std::mutex mutex_;
  std::set<std::string> held_;  // guarded by mutex_
};

class MemoryEnv final : public Env {
 public:
  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override;
  Status Remove(const std::string& path) override;
  Result<bool> Exists(const std::string& path) override;
  Status CreateDirectory(const std::string& path) override;
  Status RemoveDirectory(const std::string& path) override;
  Result<std::vector<std::string>> List(const std::string& path) override;
  Status SyncDirectory(const std::string& path) override;
  Status Link(const std::string& from, const std::string& to) override;
  Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override;
  void RandomBytes(std::span<char> bytes) override;

 private:
  std::mutex mutex_;
  MemoryTree tree_;  // guarded by mutex_
  const std::shared_ptr<MemoryLocks> locks_ = std::make_shared<MemoryLocks>();
};

}  // namespace trefoil
