// Everything at once, and kill -9 at random moments: writers, merges, 1,000 live queries, fresh
// runs beside them, index builds, compaction and history on a real file system, in a process that
// is killed again and again. Afterwards nothing that was acknowledged is missing, no transaction is
// there in parts, `check` finds nothing, live queries agree with fresh runs, and both replicas
// converge. A run is 8 seconds times TREFOIL_SCALE; `./dev sim Soak --minutes 60` is an hour.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <new>
#include <set>
#include <string>
#include <thread>

#include "base/random.h"
#include "base/str_cat.h"
#include "tests/faults/soak_worker.h"
#include "tests/support/seed.h"
#include "trefoil/database.h"

namespace trefoil::testing {
namespace {

constexpr double kSeconds = 8;
constexpr std::chrono::seconds kPatience{60};
// 8 MB of pages, memtables of 1 MB and the one that is flushed, twice (two databases), 64 MB of
// live state at most, code, stacks and what the allocator holds back.
constexpr std::uint64_t kMemoryBytesMax = std::uint64_t{256} << 20;

class SoakTest : public ::testing::Test {
 protected:
  SoakTest() : folder_(StrCat(::testing::TempDir(), "soak_", ::getpid())), random_(TestSeed()) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    void* const memory = ::mmap(nullptr, sizeof(SoakLedger), PROT_READ | PROT_WRITE,
                                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ledger_ = new (memory) SoakLedger();
    Result<Database> main = Database::Open(folder_ + "/main");
    EXPECT_TRUE(main && main->Execute(kSoakTables) && main->Clone(folder_ + "/peer"));
  }
  ~SoakTest() override {
    ::munmap(ledger_, sizeof(SoakLedger));
    std::filesystem::remove_all(folder_);
  }

  // Lets a process work for a while and kills it. Some die while they still open the database.
  void RunAndKill() {
    ledger_->ready = false;
    const std::uint64_t seed = random_.Uniform(1'000'000'000);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) RunSoakWorker(folder_, seed, *ledger_);
    const bool early = random_.Uniform(4) == 0;
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (!early && !ledger_->ready && !ledger_->failed &&
           std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    EXPECT_TRUE(early || ledger_->ready) << "the database was not open in time";
    std::this_thread::sleep_for(
        std::chrono::milliseconds(early ? random_.Uniform(60) : 100 + random_.Uniform(900)));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        << "seed " << seed << ": " << ledger_->failure.data();
  }

  void CheckAll() {
    Result<Database> main = Database::Open(folder_ + "/main");
    ASSERT_TRUE(main) << ToString(main.error());
    Result<Database> peer = Database::Open(folder_ + "/peer");
    ASSERT_TRUE(peer) << ToString(peer.error());
    for (const Database* database : {&*main, &*peer}) {
      const Result<CheckReport> report = database->Check();
      ASSERT_TRUE(report);
      ASSERT_EQ(report->problems, std::vector<std::string>());
    }
    for (std::int64_t writer = 0; writer < kSoakWriters; ++writer) {
      CheckSoakWriter(*main, writer, ledger_->written.at(static_cast<std::size_t>(writer)));
    }
    const Rows notes = Ask(*main, "SELECT count(*) AS n, max(number) AS m FROM note");
    EXPECT_GE(notes[0][0].AsInt(), ledger_->merged);
    if (notes[0][0].AsInt() > 0) {
      EXPECT_EQ(notes[0][1], notes[0][0]) << "a merged transaction is missing before others";
    }
    CheckLive(*main);
    CheckConvergence(*main, *peer);
  }

  // Live queries that are registered on what the crash left, then a few commits.
  void CheckLive(Database& main) {
    const Result<Query> query = main.Prepare(kSoakLive);
    ASSERT_TRUE(query);
    std::vector<std::pair<Params, Subscription>> watched;
    for (int i = 0; i < 20; ++i) {
      Params params;
      params.Set("part", Value::Int(i));
      Result<Subscription> subscription = main.Watch(*query, params, [](const Change&) {});
      ASSERT_TRUE(subscription);
      watched.emplace_back(params, *std::move(subscription));
    }
    for (int i = 0; i < 20; ++i) {
      ASSERT_TRUE(main.Execute("UPDATE item SET text = text || 'y' WHERE part = " +
                               std::to_string(random_.Uniform(20))));
    }
    for (const auto& [params, subscription] : watched) {
      const Result<Rows> live = subscription.Current();
      const Result<Rows> fresh = main.snapshot().Run(*query, params);
      ASSERT_TRUE(live && fresh);
      ASSERT_EQ(live->ToJson(), fresh->ToJson());
    }
  }

  static void CheckConvergence(Database& main, Database& peer) {
    const Result<std::string> from_peer = peer.Changes(main.version_vector());
    const Result<std::string> from_main = main.Changes(peer.version_vector());
    ASSERT_TRUE(from_peer && from_main);
    ASSERT_TRUE(main.Merge(*from_peer) && peer.Merge(*from_main));
    ASSERT_EQ(*main.StateDigest(), *peer.StateDigest());
  }

  // The time within which `share` of the commits were done, in ms; a power of two.
  double CommitMillis(double share) const {
    double all = 0;
    for (const auto& count : ledger_->commit_times) all += static_cast<double>(count);
    double seen = 0;
    for (std::size_t bit = 0; bit < ledger_->commit_times.size(); ++bit) {
      seen += static_cast<double>(ledger_->commit_times.at(bit));
      if (seen >= share * all) return static_cast<double>(std::uint64_t{1} << bit) / 1000;
    }
    return 0;
  }

  const std::string folder_;
  Random random_;
  SoakLedger* ledger_ = nullptr;
};

TEST_F(SoakTest, NothingThatWasAcknowledgedIsLostWhenTheProcessIsKilled) {
  const auto end =
      std::chrono::steady_clock::now() + std::chrono::duration<double>(kSeconds * TestScale());
  int kills = 0;
  while (std::chrono::steady_clock::now() < end && !HasFailure()) {
    RunAndKill();
    if (HasFailure()) break;
    CheckAll();
    ++kills;
  }
  std::printf(
      "kills %d, commits %llu, merges %llu, changes %llu, live results compared %llu, compactions "
      "%llu, indexes built %llu\ncommit p50 <= %.3f ms, p99 <= %.3f ms, p999 <= %.3f ms, longest "
      "<= "
      "%.3f ms (without sync); memory %llu MB\n",
      kills, static_cast<unsigned long long>(ledger_->commits),
      static_cast<unsigned long long>(ledger_->merges),
      static_cast<unsigned long long>(ledger_->changes),
      static_cast<unsigned long long>(ledger_->compared),
      static_cast<unsigned long long>(ledger_->compactions),
      static_cast<unsigned long long>(ledger_->indexes), CommitMillis(0.5), CommitMillis(0.99),
      CommitMillis(0.999), CommitMillis(1),
      static_cast<unsigned long long>(ledger_->memory_bytes_max >> 20));
  EXPECT_GT(ledger_->commits, 0u);
  EXPECT_GT(ledger_->compared, 0u);
#ifndef TREFOIL_VERIFY  // sanitizers keep memory of their own
  EXPECT_LT(ledger_->memory_bytes_max, kMemoryBytesMax);
#endif
}

}  // namespace
}  // namespace trefoil::testing
