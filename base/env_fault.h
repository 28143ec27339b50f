// FaultEnv: a file system in memory on a disk that fails on purpose. From one seed it fails,
// delays, shortens or tears calls, fills up, flips bits, and crashes: a crash yields a new FaultEnv
// that holds what a disk may have kept (disk_model.h says what that is). The same seed and the same
// calls give the same result.
//
// A crash test runs a history, and at each event asks what would be left if the power went now:
//
//   FaultEnv env({.seed = seed});
//   env.Observe([&](const FileEvent& event) {
//     std::unique_ptr<FaultEnv> after = env.Crash(CrashMode::kTorn, seed + event.number);
//     // open the store in *after; it must hold every commit acknowledged so far
//   });
//   RunHistory(env);
//
// or runs it once for each event, when the history has to notice that the machine stopped:
//
//   for (std::uint64_t event = 1;; ++event) {
//     FaultEnv env({.seed = seed});
//     env.PowerOffAt(event);              // this call and all later ones fail
//     const bool finished = RunHistory(env);
//     CheckRecovery(*env.Crash(CrashMode::kSectors, seed), ...);
//     if (finished) break;
//   }
//
// Crash is const and may be called again with other modes and seeds; its result can crash in turn.
//
// An event is a call that changes something: create, write, allocate, truncate, sync, remove,
// create or remove a directory, sync a directory, link. The crash comes before the event has any
// effect; half-done writes and syncs need no event of their own, because unsynced sectors survive
// one by one. Stores through a writable map are unsynced writes without an event.
//
// Any thread, with one exception: Sync, PowerOff and Crash read what is stored through writable
// maps, so a test with threads either stores and syncs under one lock or sets maps = false.
// Files and locks must not outlive their FaultEnv.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/disk_model.h"
#include "base/env.h"
#include "base/env_memory.h"
#include "base/memory_tree.h"
#include "base/random.h"

namespace trefoil {

enum class FileOperation {
  kOpen,
  kCreate,  // Open with kCreate
  kRead,
  kWrite,
  kSync,
  kAllocate,
  kTruncate,
  kMap,
  kRemove,
  kExists,
  kCreateDirectory,
  kRemoveDirectory,
  kList,
  kSyncDirectory,
  kLink,
  kLock,
};
inline constexpr std::size_t kFileOperations = static_cast<std::size_t>(FileOperation::kLock) + 1;

// "write", "sync directory", ...: as in error messages.
std::string_view FileOperationName(FileOperation operation);

// A call that changes something. Numbers are dense from 1.
struct FileEvent {
  std::uint64_t number = 0;
  FileOperation operation{};
  std::string path;
};

enum class FaultEffect {
  kFail,    // fails with nothing done; of a sync: the cache keeps what no later sync writes
  kShort,   // a write does a random prefix and fails
  kTear,    // a write does a random subset of its sectors and fails
  kRevert,  // a sync fails, and the unsynced content is gone from the cache too
  kLose,    // says it succeeded with nothing done; calls that return something fail instead
  kDelay,   // moves the clock by delay_micros, then works
};

// Which calls fail, and how. Counting starts when the fault is injected.
struct Fault {
  static constexpr std::uint64_t kForever = std::numeric_limits<std::uint64_t>::max();

  FileOperation operation{};
  std::string path_part = {};  // only calls whose path contains this
  std::uint64_t skip = 0;      // so many matching calls pass first
  std::uint64_t times = 1;     // then so many are hit
  FaultEffect effect = FaultEffect::kFail;
  ErrorCode code = ErrorCode::kIo;
  std::uint64_t delay_micros = 0;
};

// Chance faults: each is met once in so many calls; 0 = never.
struct FaultRates {
  std::uint64_t fail_one_in = 0;   // every event
  std::uint64_t short_one_in = 0;  // writes
  std::uint64_t tear_one_in = 0;   // writes
  std::uint64_t delay_one_in = 0;  // every call, up to delay_micros_max
  std::uint64_t delay_micros_max = 1'000'000;
};

struct FaultEnvOptions {
  std::uint64_t seed = 0;
  ManualClock* clock = nullptr;  // moved by delays; must outlive the FaultEnv and its crashes
  bool maps = true;              // false: Map gives an empty span
};

class FaultEnv final : public Env {
 public:
  explicit FaultEnv(const FaultEnvOptions& options = {});

  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override;
  Status Remove(const std::string& path) override;
  Result<bool> Exists(const std::string& path) override;
  Status CreateDirectory(const std::string& path) override;
  Status RemoveDirectory(const std::string& path) override;
  Result<std::vector<std::string>> List(const std::string& path) override;
  Status SyncDirectory(const std::string& path) override;
  Status Link(const std::string& from, const std::string& to) override;
  Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override;
  void RandomBytes(std::span<char> bytes) override;  // from the seed

  // Several faults may wait at once; the first that matches a call decides.
  void Inject(Fault fault);
  void SetRates(const FaultRates& rates);
  void ClearFaults();  // injected ones and rates
  // The disk holds so many bytes of file content. A write beyond does what fits and fails with
  // kNoSpace.
  void SetCapacity(std::uint64_t size_bytes);
  // Turns one bit of a file over, as seen and as synced. Bits count from the low one of byte 0.
  // Error: kNotFound, kInvalidArgument beyond the end.
  Status FlipBit(const std::string& path, std::uint64_t bit);

  std::uint64_t events() const;
  std::uint64_t calls(FileOperation operation) const;
  // Called before each event, without a lock held; may call anything but Observe.
  void Observe(std::function<void(const FileEvent&)> observer);

  // From now on every call fails with kIo, and what Crash would leave no longer changes.
  void PowerOff();
  // The same when event `number` comes; it has no effect.
  void PowerOffAt(std::uint64_t number);
  bool is_off() const;

  // The machine after a crash now (or at the power-off): no handles, locks, faults or limits.
  std::unique_ptr<FaultEnv> Crash(CrashMode mode, std::uint64_t seed) const;

 private:
  class FaultFile;
  // What a call meets: nothing, or an effect.
  struct Verdict {
    std::optional<FaultEffect> effect;
    ErrorCode code = ErrorCode::kIo;
    std::string_view cause = "injected fault";
  };
  struct PendingFault {
    Fault fault;
    std::uint64_t seen = 0;  // matching calls so far
  };

  FaultEnv(const FaultEnvOptions& options, std::shared_ptr<MemoryDirectory> root);

  // Counts the call, reports the event, and decides. Takes mutex_.
  Verdict Judge(FileOperation operation, const std::string& path);
  // The decision of faults and rates. mutex_ is held.
  Verdict Decide(FileOperation operation, const std::string& path);
  std::optional<Fault> NextFault(FileOperation operation, const std::string& path);
  Verdict Apply(FaultEffect effect, ErrorCode code, std::uint64_t delay_micros);
  // Runs `body` under the lock unless a fault stands in for it.
  template <typename Body>
  Status Change(FileOperation operation, const std::string& path, const Body& body);
  // Bytes that the disk has left. mutex_ is held.
  std::uint64_t FreeBytes() const;
  void PowerOffLocked();

  const FaultEnvOptions options_;
  mutable std::mutex mutex_;  // guards all below, and the disk state of every node
  Random random_;
  MemoryTree tree_;
  std::vector<PendingFault> faults_;
  FaultRates rates_;
  std::uint64_t capacity_bytes_ = std::numeric_limits<std::uint64_t>::max();
  std::array<std::uint64_t, kFileOperations> calls_{};
  std::uint64_t events_ = 0;
  std::uint64_t power_off_at_ = 0;  // 0 = never
  bool is_off_ = false;
  std::function<void(const FileEvent&)> observer_;
  const std::shared_ptr<MemoryLocks> locks_ = std::make_shared<MemoryLocks>();
};

}  // namespace trefoil
