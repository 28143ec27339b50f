// Everything at once on a disk that fails: writers, merges, live queries with fresh runs beside
// them, index builds and compaction, while the disk is full for a while or its calls fail. What
// goes wrong is an error that names the disk; when the fault is gone, the database works again
// without a reopen, or it said that it is poisoned. After each round, and after a power cut in
// some, nothing that was acknowledged as durable is missing and `check` finds nothing. A run is 4
// seconds times TREFOIL_SCALE; `./dev sim DiskSoak --minutes 60` is an hour.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/env_fault.h"
#include "base/random.h"
#include "base/str_cat.h"
#include "tests/faults/soak_load.h"
#include "tests/support/seed.h"
#include "trefoil/change.h"
#include "trefoil/database.h"

namespace trefoil::testing {
namespace {

constexpr double kSeconds = 4;
constexpr std::chrono::milliseconds kHealthy{60};
constexpr std::chrono::milliseconds kFailing{80};
constexpr std::chrono::seconds kPatience{60};
constexpr std::size_t kMemtableBytes = std::size_t{1} << 20;
constexpr std::int64_t kLive = 50;
constexpr std::uint64_t kDurableEvery = 8;
constexpr std::uint64_t kRoom = std::numeric_limits<std::uint64_t>::max();

// What happens to the disk for a while. A failed sync may poison; nothing else does.
struct Trouble {
  const char* name;
  Fault fault;
  bool full = false;  // instead of the fault
  bool may_poison = false;
};

std::vector<Trouble> Troubles() {
  const auto for_ever = [](FileOperation operation, FaultEffect effect, ErrorCode code) {
    return Fault{.operation = operation, .times = Fault::kForever, .effect = effect, .code = code};
  };
  return {
      {.name = "full disk", .fault = {}, .full = true},
      {.name = "no file can be made",
       .fault = for_ever(FileOperation::kCreate, FaultEffect::kFail, ErrorCode::kNoSpace)},
      {.name = "no file grows",
       .fault = for_ever(FileOperation::kAllocate, FaultEffect::kFail, ErrorCode::kNoSpace)},
      {.name = "writes fail",
       .fault = for_ever(FileOperation::kWrite, FaultEffect::kFail, ErrorCode::kIo)},
      {.name = "writes are short",
       .fault = for_ever(FileOperation::kWrite, FaultEffect::kShort, ErrorCode::kNoSpace)},
      {.name = "writes are torn",
       .fault = for_ever(FileOperation::kWrite, FaultEffect::kTear, ErrorCode::kIo)},
      {.name = "reads fail",
       .fault = for_ever(FileOperation::kRead, FaultEffect::kFail, ErrorCode::kIo)},
      {.name = "removals fail",
       .fault = for_ever(FileOperation::kRemove, FaultEffect::kFail, ErrorCode::kIo)},
      {.name = "a sync fails",
       .fault = {.operation = FileOperation::kSync, .skip = 3},
       .may_poison = true},
      {.name = "a sync of the directory fails",
       .fault = {.operation = FileOperation::kSyncDirectory},
       .may_poison = true},
  };
}

bool IsOfTheDisk(const Error& error) {
  return error.code == ErrorCode::kIo || error.code == ErrorCode::kNoSpace ||
         error.code == ErrorCode::kPoisoned;
}

struct Watched {
  Params params;
  std::atomic<bool> ended{false};  // it was told that it cannot be kept
  Subscription subscription;
};

// The databases "main" and "peer" on one disk, and the threads that use them.
class Load {
 public:
  Load(FaultEnv& env, std::uint64_t seed)
      : seed_(seed), main_(Open(env, "main")), peer_(Open(env, "peer")) {
    const Result<Query> query = main_.Prepare(kSoakLive);
    EXPECT_TRUE(query);
    query_ = *query;
    for (std::int64_t part = 0; part < kLive; ++part) {
      Watched& watched = *watched_.emplace_back(std::make_unique<Watched>());
      watched.params.Set("part", Value::Int(part));
      WatchOptions options;
      options.on_error = [this, &watched](const Error& error) {
        EXPECT_TRUE(IsOfTheDisk(error)) << ToString(error);
        watched.ended = true;
        ++ended;
      };
      Result<Subscription> subscription = main_.Watch(
          query_, watched.params, [this](const Change&) { ++changes; }, std::move(options));
      EXPECT_TRUE(subscription);
      if (subscription) watched.subscription = *std::move(subscription);
    }
  }

  static Database Open(FaultEnv& env, const std::string& path) {
    Options options;
    options.env = &env;
    options.cache_bytes = 1 << 20;
    options.memtable_bytes = kMemtableBytes;
    Result<Database> database = Database::Open(path, options);
    EXPECT_TRUE(database) << ToString(database.error());
    return *std::move(database);
  }

  void Start() {
    for (int writer = 0; writer < kSoakWriters; ++writer) {
      threads_.emplace_back([this, writer](const std::stop_token& stop) { Write(writer, stop); });
    }
    threads_.emplace_back([this](const std::stop_token& stop) { Merge(stop); });
    threads_.emplace_back([this](const std::stop_token& stop) { CareFor(stop); });
  }
  void Stop() { threads_.clear(); }

  // Waits until every writer has committed again, or the database is poisoned.
  bool WorksAgain() const {
    std::array<std::uint64_t, kSoakWriters> before{};
    for (std::size_t i = 0; i < before.size(); ++i) before.at(i) = commits.at(i);
    const auto until = std::chrono::steady_clock::now() + kPatience;
    const auto all_went_on = [&] {
      for (std::size_t i = 0; i < before.size(); ++i) {
        if (commits.at(i) == before.at(i)) return false;
      }
      return true;
    };
    while (!all_went_on() && !poisoned) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
  }

  // E2: every live result that goes on is a fresh run at the same version. With the threads
  // stopped.
  void CompareLive() const {
    for (const auto& watched : watched_) {
      if (watched->ended) continue;
      const Result<Rows> live = watched->subscription.Current();
      const Result<Rows> fresh = main_.snapshot().Run(query_, watched->params);
      ASSERT_TRUE(live && fresh);
      ASSERT_EQ(live->ToJson(), fresh->ToJson());
    }
  }

  Database& main() { return main_; }
  Database& peer() { return peer_; }

  std::atomic<bool> poisoned{false};
  std::atomic<std::uint64_t> errors{0};
  std::atomic<std::uint64_t> changes{0};
  std::atomic<std::uint64_t> ended{0};  // live queries
  std::array<std::atomic<std::uint64_t>, kSoakWriters> commits{};
  std::array<std::atomic<std::int64_t>, kSoakWriters> durable{};  // a writer's last durable number

 private:
  // Whether the call worked; an error has to be one of the disk.
  template <typename T>
  bool Worked(const Result<T>& result) {
    if (result) return true;
    ++errors;
    EXPECT_TRUE(IsOfTheDisk(result.error())) << ToString(result.error());
    if (result.error().code == ErrorCode::kPoisoned) poisoned = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return false;
  }

  void Write(std::int64_t writer, const std::stop_token& stop) {
    Random random(seed_ + static_cast<std::uint64_t>(writer) + 1);
    const auto index = static_cast<std::size_t>(writer);
    while (!stop.stop_requested()) {
      // A commit that failed may have happened, so each begins with what is there.
      const Result<std::int64_t> last = SoakLast(main_, writer);
      if (!Worked(last)) continue;
      const bool is_durable = random.Uniform(kDurableEvery) == 0;
      const Result<CommitInfo> written = main_.Write(
          [&](Transaction& transaction) {
            return SoakStep(transaction, writer, *last + 1, random);
          },
          is_durable ? Durability::kDurable : Durability::kRelaxed);
      if (!Worked(written)) continue;
      if (is_durable) durable.at(index) = *last + 1;
      ++commits.at(index);
    }
  }

  void Merge(const std::stop_token& stop) {
    for (std::int64_t number = 1; !stop.stop_requested(); ++number) {
      Params params;
      params.Set("number", Value::Int(number));
      if (!Worked(peer_.Execute("UPSERT INTO note {number: :number, text: 'elsewhere'}", params)))
        continue;
      const Result<std::string> changes_of_peer = peer_.Changes(main_.version_vector());
      if (Worked(changes_of_peer)) (void)Worked(main_.Merge(*changes_of_peer));
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  void CareFor(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const bool built = Worked(main_.Execute("INDEX by_value ON item (value)"));
      (void)Worked(main_.Compact());
      if (built) (void)Worked(main_.Execute("DROP INDEX by_value"));
      (void)Worked(peer_.Flush());
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }

  const std::uint64_t seed_;
  Database main_;
  Database peer_;
  Query query_;
  std::vector<std::unique_ptr<Watched>> watched_;
  std::vector<std::jthread> threads_;
};

class DiskSoakTest : public ::testing::Test {
 protected:
  DiskSoakTest() : seed_(TestSeed()), random_(seed_) {
    env_ = std::make_unique<FaultEnv>(FaultEnvOptions{.seed = seed_, .maps = false});
    Database main = Load::Open(*env_, "main");
    EXPECT_TRUE(main.Execute(kSoakTables) && main.Flush() && main.Clone("peer"));
  }

  void Round(const Trouble& trouble) {
    SCOPED_TRACE(trouble.name);
    auto load = std::make_unique<Load>(*env_, random_.Next());
    load->Start();
    std::this_thread::sleep_for(kHealthy);
    trouble.full ? env_->SetCapacity(0) : env_->Inject(trouble.fault);
    std::this_thread::sleep_for(kFailing);
    env_->ClearFaults();
    env_->SetCapacity(kRoom);
    EXPECT_TRUE(load->WorksAgain()) << "writes fail although the disk works again";
    EXPECT_TRUE(trouble.may_poison || !load->poisoned) << "poisoned without a failed sync";
    load->Stop();
    load->CompareLive();
    EXPECT_TRUE(trouble.fault.operation == FileOperation::kRead || load->ended == 0)
        << "a live query ended although everything can be read";
    poisoned_ += load->poisoned ? 1 : 0;
    errors_ += load->errors;
    changes_ += load->changes;
    for (std::size_t i = 0; i < durable_.size(); ++i) {
      durable_.at(i) = std::max(durable_.at(i), load->durable.at(i).load());
      commits_ += load->commits.at(i);
    }
    if (random_.OneIn(2)) {
      constexpr std::array kModes = {CrashMode::kLoseAll, CrashMode::kSectors, CrashMode::kTorn};
      std::unique_ptr<FaultEnv> left = env_->Crash(kModes.at(random_.Uniform(3)), random_.Next());
      load.reset();
      env_ = std::move(left);
      ++crashes_;
    }
    load.reset();
    CheckAll();
  }

  void CheckAll() {
    for (const char* path : {"main", "peer"}) {
      const Database database = Load::Open(*env_, path);
      const Result<CheckReport> report = database.Check();
      ASSERT_TRUE(report) << ToString(report.error());
      ASSERT_EQ(report->problems, std::vector<std::string>());
      if (path != std::string("main")) continue;
      for (int writer = 0; writer < kSoakWriters; ++writer) {
        CheckSoakWriter(database, writer, durable_.at(static_cast<std::size_t>(writer)));
      }
    }
  }

  const std::uint64_t seed_;
  Random random_;
  std::unique_ptr<FaultEnv> env_;
  std::array<std::int64_t, kSoakWriters> durable_{};
  int poisoned_ = 0;
  int crashes_ = 0;
  std::uint64_t commits_ = 0;
  std::uint64_t changes_ = 0;
  std::uint64_t errors_ = 0;
};

TEST_F(DiskSoakTest, ADatabaseOnAFailingDiskLosesNothingDurableAndWorksAgain) {
  const std::vector<Trouble> troubles = Troubles();
  const auto end =
      std::chrono::steady_clock::now() + std::chrono::duration<double>(kSeconds * TestScale());
  int rounds = 0;
  for (std::size_t next = random_.Uniform(troubles.size());
       std::chrono::steady_clock::now() < end && !HasFailure(); ++next, ++rounds) {
    Round(troubles[next % troubles.size()]);
  }
  std::printf("rounds %d, poisoned %d, power cuts %d, commits %llu, changes %llu, errors %llu\n",
              rounds, poisoned_, crashes_, static_cast<unsigned long long>(commits_),
              static_cast<unsigned long long>(changes_), static_cast<unsigned long long>(errors_));
  EXPECT_GT(commits_, 0u);
  EXPECT_GT(errors_, 0u);
}

}  // namespace
}  // namespace trefoil::testing
