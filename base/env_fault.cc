#include "base/env_fault.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "base/check.h"

namespace trefoil {

namespace {

constexpr bool IsEvent(FileOperation operation) {
  switch (operation) {
    case FileOperation::kOpen:
    case FileOperation::kRead:
    case FileOperation::kMap:
    case FileOperation::kExists:
    case FileOperation::kList:
    case FileOperation::kLock:
      return false;
    default:
      return true;
  }
}

std::uint64_t ContentBytes(const MemoryDirectory& directory,
                           std::unordered_set<const MemoryNode*>& counted) {
  std::uint64_t bytes = 0;
  for (const auto& [name, entry] : directory.entries) {
    if (entry.directory != nullptr) {
      bytes += ContentBytes(*entry.directory, counted);
    } else if (counted.insert(entry.file.get()).second) {
      bytes += entry.file->bytes.size();
    }
  }
  return bytes;
}

}  // namespace

std::string_view FileOperationName(FileOperation operation) {
  switch (operation) {
    case FileOperation::kOpen:
    case FileOperation::kCreate:
      return "open";
    case FileOperation::kRead:
      return "read";
    case FileOperation::kWrite:
      return "write";
    case FileOperation::kSync:
      return "sync";
    case FileOperation::kAllocate:
      return "allocate";
    case FileOperation::kTruncate:
      return "truncate";
    case FileOperation::kMap:
      return "map";
    case FileOperation::kRemove:
      return "remove";
    case FileOperation::kExists:
      return "find";
    case FileOperation::kCreateDirectory:
      return "create directory";
    case FileOperation::kRemoveDirectory:
      return "remove directory";
    case FileOperation::kList:
      return "list";
    case FileOperation::kSyncDirectory:
      return "sync directory";
    case FileOperation::kLink:
      return "link";
    case FileOperation::kLock:
      return "lock";
  }
  Check(false, "every FileOperation has a name");
  return {};
}

// A MemoryFile whose calls meet the faults first. Changes run under the lock of the Env.
class FaultEnv::FaultFile final : public File {
 public:
  FaultFile(FaultEnv& env, std::string path, const std::shared_ptr<MemoryNode>& node, OpenMode mode)
      : env_(env), node_(node), file_(std::move(path), node, mode) {}

  const std::string& path() const override { return file_.path(); }
  Result<std::uint64_t> Size() const override { return file_.Size(); }

  Status ReadAt(std::uint64_t offset, std::span<char> buffer) const override {
    const Verdict verdict = env_.Judge(FileOperation::kRead, path());
    if (verdict.effect) return Failure(FileOperation::kRead, verdict);
    return file_.ReadAt(offset, buffer);
  }

  Status WriteAt(std::uint64_t offset, Slice bytes) override {
    const Verdict verdict = env_.Judge(FileOperation::kWrite, path());
    const std::lock_guard lock(env_.mutex_);
    if (!verdict.effect) return StoreWhatFits(offset, bytes);
    if (verdict.effect == FaultEffect::kLose) return Ok();
    Status stored;
    if (verdict.effect == FaultEffect::kShort && !bytes.empty()) {
      stored = StoreWhatFits(offset, bytes.Prefix(env_.random_.Uniform(bytes.size())));
    } else if (verdict.effect == FaultEffect::kTear) {
      stored = StoreSomeSectors(offset, bytes);
    }
    if (!stored) return stored;
    return Failure(FileOperation::kWrite, verdict);
  }

  Status Sync() override {
    const Verdict verdict = env_.Judge(FileOperation::kSync, path());
    const std::lock_guard lock(env_.mutex_);
    const std::unique_lock node_lock(node_->mutex);
    if (!verdict.effect) SyncNode(*node_);
    if (!verdict.effect || verdict.effect == FaultEffect::kLose) return Ok();
    if (verdict.effect == FaultEffect::kRevert) {
      RevertNode(*node_);
    } else {
      FailSync(*node_);
    }
    return Failure(FileOperation::kSync, verdict);
  }

  Status Allocate(std::uint64_t size_bytes) override {
    return env_.Change(FileOperation::kAllocate, path(), [&]() -> Status {
      const std::uint64_t old_size = node_->bytes.size();
      if (size_bytes > old_size && size_bytes - old_size > env_.FreeBytes()) return NoSpace();
      return Resize([&] { return file_.Allocate(size_bytes); });
    });
  }

  Status Truncate(std::uint64_t size_bytes) override {
    return env_.Change(FileOperation::kTruncate, path(),
                       [&] { return Resize([&] { return file_.Truncate(size_bytes); }); });
  }

  Result<std::span<char>> Map(std::uint64_t size_bytes, bool writable) override {
    const Verdict verdict = env_.Judge(FileOperation::kMap, path());
    if (verdict.effect) return Failure(FileOperation::kMap, verdict).error();
    if (!env_.options_.maps) return std::span<char>();
    const std::lock_guard lock(env_.mutex_);
    Result<std::span<char>> bytes = file_.Map(size_bytes, writable);
    if (bytes && writable) node_->disk.mapped_end = std::max(node_->disk.mapped_end, size_bytes);
    return bytes;
  }

 private:
  Status Failure(FileOperation operation, const Verdict& verdict) const {
    return EnvError(verdict.code, FileOperationName(operation), path(), verdict.cause);
  }
  Status NoSpace() const {
    return EnvError(ErrorCode::kNoSpace, "write", path(), "No space left on device");
  }

  Status Store(std::uint64_t offset, Slice bytes) {
    Status written = file_.WriteAt(offset, bytes);
    if (written) MarkChanged(*node_, offset, offset + bytes.size());
    return written;
  }

  Status StoreWhatFits(std::uint64_t offset, Slice bytes) {
    const std::uint64_t end = offset + bytes.size();
    const std::uint64_t growth = end > node_->bytes.size() ? end - node_->bytes.size() : 0;
    const std::uint64_t free = env_.FreeBytes();
    if (growth <= free) return Store(offset, bytes);
    const std::uint64_t beyond = std::min<std::uint64_t>(growth - free, bytes.size());
    if (Status stored = Store(offset, bytes.Prefix(bytes.size() - beyond)); !stored) return stored;
    return NoSpace();
  }

  Status StoreSomeSectors(std::uint64_t offset, Slice bytes) {
    while (!bytes.empty()) {
      const std::uint64_t to_sector_end = kSectorBytes - offset % kSectorBytes;
      const Slice part = bytes.Prefix(std::min<std::uint64_t>(to_sector_end, bytes.size()));
      if (env_.random_.OneIn(2)) {
        if (Status stored = StoreWhatFits(offset, part); !stored) return stored;
      }
      offset += part.size();
      bytes.RemovePrefix(part.size());
    }
    return Ok();
  }

  // Bytes cut off or added count as changed.
  template <typename Change>
  Status Resize(const Change& change) {
    const std::uint64_t old_size = node_->bytes.size();
    Status status = change();
    const std::uint64_t new_size = node_->bytes.size();
    MarkChanged(*node_, std::min(old_size, new_size), std::max(old_size, new_size));
    return status;
  }

  FaultEnv& env_;
  const std::shared_ptr<MemoryNode> node_;
  MemoryFile file_;
};

FaultEnv::FaultEnv(const FaultEnvOptions& options)
    : FaultEnv(options, std::make_shared<MemoryDirectory>()) {}

FaultEnv::FaultEnv(const FaultEnvOptions& options, std::shared_ptr<MemoryDirectory> root)
    : options_(options), random_(options.seed), tree_(std::move(root)) {}

FaultEnv::Verdict FaultEnv::Judge(FileOperation operation, const std::string& path) {
  static constexpr Verdict kOff{FaultEffect::kFail, ErrorCode::kIo, "the power is off"};
  std::function<void(const FileEvent&)> observer;
  FileEvent event{.number = 0, .operation = operation, .path = path};
  {
    const std::lock_guard lock(mutex_);
    ++calls_[static_cast<std::size_t>(operation)];
    if (is_off_) return kOff;
    if (IsEvent(operation)) {
      event.number = ++events_;
      if (event.number == power_off_at_) PowerOffLocked();
      observer = observer_;
    }
    if (is_off_) return kOff;
  }
  if (observer) observer(event);
  const std::lock_guard lock(mutex_);
  return is_off_ ? kOff : Decide(operation, path);
}

std::optional<Fault> FaultEnv::NextFault(FileOperation operation, const std::string& path) {
  std::optional<Fault> next;
  for (PendingFault& pending : faults_) {
    const Fault& fault = pending.fault;
    if (fault.operation != operation || path.find(fault.path_part) == path.npos) continue;
    const std::uint64_t number = pending.seen++;
    const bool is_hit = number >= fault.skip && number - fault.skip < fault.times;
    if (is_hit && !next) next = fault;
  }
  return next;
}

FaultEnv::Verdict FaultEnv::Decide(FileOperation operation, const std::string& path) {
  if (const std::optional<Fault> fault = NextFault(operation, path)) {
    return Apply(fault->effect, fault->code, fault->delay_micros);
  }
  const auto met = [this](std::uint64_t one_in) { return one_in > 0 && random_.OneIn(one_in); };
  if (met(rates_.delay_one_in)) {
    Apply(FaultEffect::kDelay, ErrorCode::kIo, random_.Uniform(rates_.delay_micros_max + 1));
  }
  if (IsEvent(operation) && met(rates_.fail_one_in)) {
    return Apply(FaultEffect::kFail, ErrorCode::kIo, 0);
  }
  if (operation != FileOperation::kWrite) return {};
  if (met(rates_.short_one_in)) return Apply(FaultEffect::kShort, ErrorCode::kIo, 0);
  if (met(rates_.tear_one_in)) return Apply(FaultEffect::kTear, ErrorCode::kIo, 0);
  return {};
}

FaultEnv::Verdict FaultEnv::Apply(FaultEffect effect, ErrorCode code, std::uint64_t delay_micros) {
  if (effect != FaultEffect::kDelay) return {.effect = effect, .code = code};
  if (options_.clock != nullptr) options_.clock->Advance(delay_micros);
  return {};
}

template <typename Body>
Status FaultEnv::Change(FileOperation operation, const std::string& path, const Body& body) {
  const Verdict verdict = Judge(operation, path);
  const std::lock_guard lock(mutex_);
  if (!verdict.effect) return body();
  if (verdict.effect == FaultEffect::kLose) return Ok();
  return EnvError(verdict.code, FileOperationName(operation), path, verdict.cause);
}

Result<std::unique_ptr<File>> FaultEnv::Open(const std::string& path, OpenMode mode) {
  const FileOperation operation =
      mode == OpenMode::kCreate ? FileOperation::kCreate : FileOperation::kOpen;
  const Verdict verdict = Judge(operation, path);
  if (verdict.effect) {
    return EnvError(verdict.code, FileOperationName(operation), path, verdict.cause);
  }
  const std::lock_guard lock(mutex_);
  Result<std::shared_ptr<MemoryNode>> node = tree_.Open(path, mode);
  if (!node) return std::move(node).error();
  return std::unique_ptr<File>(std::make_unique<FaultFile>(*this, path, *node, mode));
}

Status FaultEnv::Remove(const std::string& path) {
  return Change(FileOperation::kRemove, path, [&] { return tree_.Remove(path); });
}

Result<bool> FaultEnv::Exists(const std::string& path) {
  bool exists = false;
  Status status = Change(FileOperation::kExists, path, [&] {
    exists = tree_.Exists(path);
    return Ok();
  });
  if (!status) return std::move(status).error();
  return exists;
}

Status FaultEnv::CreateDirectory(const std::string& path) {
  return Change(FileOperation::kCreateDirectory, path, [&] { return tree_.CreateDirectory(path); });
}

Status FaultEnv::RemoveDirectory(const std::string& path) {
  return Change(FileOperation::kRemoveDirectory, path, [&] { return tree_.RemoveDirectory(path); });
}

Result<std::vector<std::string>> FaultEnv::List(const std::string& path) {
  std::vector<std::string> names;
  Status status = Change(FileOperation::kList, path, [&]() -> Status {
    Result<std::vector<std::string>> listed = tree_.List(path);
    if (!listed) return std::move(listed).error();
    names = *std::move(listed);
    return Ok();
  });
  if (!status) return std::move(status).error();
  return names;
}

Status FaultEnv::SyncDirectory(const std::string& path) {
  return Change(FileOperation::kSyncDirectory, path, [&]() -> Status {
    Result<std::shared_ptr<MemoryDirectory>> directory =
        tree_.FindDirectory("sync directory", path);
    if (!directory) return std::move(directory).error();
    SyncEntries(**directory);
    return Ok();
  });
}

Status FaultEnv::Link(const std::string& from, const std::string& to) {
  return Change(FileOperation::kLink, from, [&] { return tree_.Link(from, to); });
}

Result<std::unique_ptr<FileLock>> FaultEnv::Lock(const std::string& path) {
  Status status = Change(FileOperation::kLock, path, [&] { return tree_.CreateLockFile(path); });
  if (!status) return std::move(status).error();
  return MemoryLocks::Acquire(locks_, path);
}

void FaultEnv::RandomBytes(std::span<char> bytes) {
  const std::lock_guard lock(mutex_);
  random_.Fill(bytes);
}

void FaultEnv::Inject(Fault fault) {
  const std::lock_guard lock(mutex_);
  faults_.push_back({.fault = std::move(fault)});
}

void FaultEnv::SetRates(const FaultRates& rates) {
  const std::lock_guard lock(mutex_);
  rates_ = rates;
}

void FaultEnv::ClearFaults() {
  const std::lock_guard lock(mutex_);
  faults_.clear();
  rates_ = {};
}

void FaultEnv::SetCapacity(std::uint64_t size_bytes) {
  const std::lock_guard lock(mutex_);
  capacity_bytes_ = size_bytes;
}

std::uint64_t FaultEnv::FreeBytes() const {
  if (capacity_bytes_ == std::numeric_limits<std::uint64_t>::max()) return capacity_bytes_;
  std::unordered_set<const MemoryNode*> counted;
  const std::uint64_t used = ContentBytes(*tree_.root(), counted);
  return used < capacity_bytes_ ? capacity_bytes_ - used : 0;
}

Status FaultEnv::FlipBit(const std::string& path, std::uint64_t bit) {
  const std::lock_guard lock(mutex_);
  Result<std::shared_ptr<MemoryNode>> found = tree_.Open(path, OpenMode::kReadWrite);
  if (!found) return std::move(found).error();
  MemoryNode& node = **found;
  const std::unique_lock node_lock(node.mutex);
  const std::uint64_t byte = bit / 8;
  if (byte >= node.bytes.size()) {
    return EnvError(ErrorCode::kInvalidArgument, "flip bit", path, "the file has no such byte");
  }
  const auto mask = static_cast<char>(1 << (bit % 8));
  node.bytes[byte] ^= mask;
  if (byte < node.disk.bytes.size()) node.disk.bytes[byte] ^= mask;
  return Ok();
}

std::uint64_t FaultEnv::events() const {
  const std::lock_guard lock(mutex_);
  return events_;
}

std::uint64_t FaultEnv::calls(FileOperation operation) const {
  const std::lock_guard lock(mutex_);
  return calls_[static_cast<std::size_t>(operation)];
}

void FaultEnv::Observe(std::function<void(const FileEvent&)> observer) {
  const std::lock_guard lock(mutex_);
  observer_ = std::move(observer);
}

void FaultEnv::PowerOff() {
  const std::lock_guard lock(mutex_);
  PowerOffLocked();
}

void FaultEnv::PowerOffLocked() {
  if (std::exchange(is_off_, true)) return;
  // Handles and maps keep the nodes that they have; what a crash reads is a copy from now on.
  tree_ = MemoryTree(CrashTree(*tree_.root(), CrashMode::kKeepAll, random_));
}

void FaultEnv::PowerOffAt(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  power_off_at_ = number;
}

bool FaultEnv::is_off() const {
  const std::lock_guard lock(mutex_);
  return is_off_;
}

std::unique_ptr<FaultEnv> FaultEnv::Crash(CrashMode mode, std::uint64_t seed) const {
  FaultEnvOptions options = options_;
  options.seed = seed;
  Random random(seed);
  const std::lock_guard lock(mutex_);
  // The constructor is private, so make_unique cannot call it.
  return std::unique_ptr<FaultEnv>(new FaultEnv(options, CrashTree(*tree_.root(), mode, random)));
}

}  // namespace trefoil
