#include "base/env_memory.h"

#include <utility>

#include "base/random.h"

namespace trefoil {

class MemoryLocks::Held final : public FileLock {
 public:
  Held(std::shared_ptr<MemoryLocks> locks, std::string path)
      : locks_(std::move(locks)), path_(std::move(path)) {}
  ~Held() override {
    const std::lock_guard lock(locks_->mutex_);
    locks_->held_.erase(path_);
  }

 private:
  const std::shared_ptr<MemoryLocks> locks_;
  const std::string path_;
};

Result<std::unique_ptr<FileLock>> MemoryLocks::Acquire(const std::shared_ptr<MemoryLocks>& locks,
                                                       const std::string& path) {
  const std::lock_guard lock(locks->mutex_);
  if (!locks->held_.insert(path).second) {
    return EnvError(ErrorCode::kLocked, "lock", path, "another holder has it open");
  }
  return std::unique_ptr<FileLock>(std::make_unique<Held>(locks, path));
}

Result<std::unique_ptr<File>> MemoryEnv::Open(const std::string& path, OpenMode mode) {
  const std::lock_guard lock(mutex_);
  Result<std::shared_ptr<MemoryNode>> node = tree_.Open(path, mode);
  if (!node) return std::move(node).error();
  return std::unique_ptr<File>(std::make_unique<MemoryFile>(path, *std::move(node), mode));
}

Status MemoryEnv::Remove(const std::string& path) {
  const std::lock_guard lock(mutex_);
  return tree_.Remove(path);
}

Result<bool> MemoryEnv::Exists(const std::string& path) {
  const std::lock_guard lock(mutex_);
  return tree_.Exists(path);
}

Status MemoryEnv::CreateDirectory(const std::string& path) {
  const std::lock_guard lock(mutex_);
  return tree_.CreateDirectory(path);
}

Status MemoryEnv::RemoveDirectory(const std::string& path) {
  const std::lock_guard lock(mutex_);
  return tree_.RemoveDirectory(path);
}

Result<std::vector<std::string>> MemoryEnv::List(const std::string& path) {
  const std::lock_guard lock(mutex_);
  return tree_.List(path);
}

Status MemoryEnv::SyncDirectory(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (auto found = tree_.FindDirectory("sync directory", path); !found) {
    return std::move(found).error();
  }
  return Ok();
}

Status MemoryEnv::Link(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  return tree_.Link(from, to);
}

Result<std::unique_ptr<FileLock>> MemoryEnv::Lock(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (Status created = tree_.CreateLockFile(path); !created) return std::move(created).error();
  return MemoryLocks::Acquire(locks_, path);
}

void MemoryEnv::RandomBytes(std::span<char> bytes) { SecureRandomBytes(bytes); }

}  // namespace trefoil
