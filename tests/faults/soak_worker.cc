#include "tests/faults/soak_worker.h"

#include <unistd.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/str_cat.h"
#include "trefoil/change.h"
#include "trefoil/database.h"

namespace trefoil::testing {
namespace {

constexpr int kExitWrong = 3;
constexpr std::uint64_t kDurableEvery = 32;
constexpr std::chrono::milliseconds kCarePause{40};
constexpr std::chrono::milliseconds kMergePause{15};

// A live query and the result that its Changes add up to.
struct Watched {
  Params params;
  std::mutex mutex;
  std::vector<Row> rows;  // guarded by mutex
  Version version{};      // guarded by mutex
  Subscription subscription;
};

std::string JsonOf(const std::vector<Row>& rows) {
  std::string text = "[";
  for (const Row& row : rows) text += StrCat(text.size() == 1 ? "" : ",", row.ToJson());
  return text + "]";
}

std::uint64_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  statm >> all >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

class Worker {
 public:
  Worker(const std::string& folder, std::uint64_t seed, SoakLedger& ledger)
      : seed_(seed),
        ledger_(ledger),
        main_(Open(folder + "/main", std::chrono::seconds(1))),
        peer_(Open(folder + "/peer", std::chrono::seconds(0))) {}

  [[noreturn]] void Run() {
    WatchAll();
    ledger_.ready = true;
    std::vector<std::jthread> threads;
    for (int writer = 0; writer < kSoakWriters; ++writer) {
      threads.emplace_back([this, writer] { Write(writer); });
    }
    threads.emplace_back([this] { Merge(); });
    threads.emplace_back([this] { CareFor(); });
    Compare();
  }

 private:
  // Tells the parent and ends the process.
  [[noreturn]] void Wrong(const std::string& what) const {
    if (!ledger_.failed.exchange(true)) {
      std::snprintf(ledger_.failure.data(), ledger_.failure.size(), "%s", what.c_str());
    }
    ::_exit(kExitWrong);
  }
  template <typename T>
  T Must(Result<T> result, const char* what) const {
    if (!result) Wrong(StrCat(what, ": ", ToString(result.error())));
    if constexpr (!std::is_void_v<T>) return *std::move(result);
  }

  Database Open(const std::string& path, std::chrono::microseconds retention) const {
    Options options;
    options.create = false;
    options.cache_bytes = 8 << 20;
    options.memtable_bytes = 1 << 20;
    options.live_memory_bytes = 64 << 20;
    options.history.retention = retention;
    return Must(Database::Open(path, options), "open");
  }

  void WatchAll() {
    query_ = Must(main_.Prepare(kSoakLive), "prepare");
    for (int part = 0; part < kSoakGroups; ++part) {
      Watched& watched = *watched_.emplace_back(std::make_unique<Watched>());
      watched.params.Set("part", Value::Int(part));
      watched.subscription = Must(main_.Watch(query_, watched.params,
                                              [this, &watched](const Change& change) {
                                                const std::lock_guard lock(watched.mutex);
                                                Apply(change, watched.rows);
                                                watched.version = change.to;
                                                ++ledger_.changes;
                                              }),
                                  "watch");
    }
  }

  void Write(std::int64_t writer) {
    Random random(seed_ + static_cast<std::uint64_t>(writer) + 1);
    std::int64_t number = Must(SoakLast(main_, writer), "read progress");
    ledger_.written.at(static_cast<std::size_t>(writer)) = number;
    while (true) {
      ++number;
      const bool durable = random.Uniform(kDurableEvery) == 0;
      const auto start = std::chrono::steady_clock::now();
      Must(main_.Write(
               [&](Transaction& transaction) {
                 return SoakStep(transaction, writer, number, random);
               },
               durable ? Durability::kDurable : Durability::kRelaxed),
           "commit");
      if (!durable) CountTime(std::chrono::steady_clock::now() - start);
      ledger_.written.at(static_cast<std::size_t>(writer)) = number;
      ++ledger_.commits;
    }
  }

  void CountTime(std::chrono::steady_clock::duration time) {
    const auto micros = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(time).count());
    ++ledger_.commit_times.at(static_cast<std::size_t>(std::bit_width(micros)));
  }

  // The other replica writes notes one by one; what it has is merged here.
  void Merge() {
    std::int64_t number = static_cast<std::int64_t>(CountNotes(peer_));
    while (true) {
      ++number;
      Params params;
      params.Set("number", Value::Int(number));
      Must(peer_.Execute("INSERT INTO note {number: :number, text: 'written elsewhere'}", params),
           "write a note");
      const std::string changes = Must(peer_.Changes(main_.version_vector()), "changes");
      Must(main_.Merge(changes), "merge");
      ledger_.merged = number;
      ++ledger_.merges;
      std::this_thread::sleep_for(kMergePause);
    }
  }
  std::size_t CountNotes(Database& database) {
    const Query query = Must(database.Prepare("SELECT number FROM note"), "prepare");
    return Must(database.snapshot().Run(query), "count notes").size();
  }

  void CareFor() {
    while (true) {
      Must(main_.Execute("INDEX by_value ON item (value)"), "build an index");
      ++ledger_.indexes;
      std::this_thread::sleep_for(kCarePause);
      Must(main_.Execute("DROP INDEX by_value"), "drop an index");
      Must(main_.Compact(), "compact");
      ++ledger_.compactions;
      std::this_thread::sleep_for(kCarePause);
      ledger_.memory_bytes_max = std::max(ledger_.memory_bytes_max.load(), ResidentBytes());
    }
  }

  // E2 while everything else goes on: what a live query was told adds up to a run at its version.
  [[noreturn]] void Compare() {
    Random random(seed_);
    while (true) {
      Watched& watched = *watched_[random.Uniform(watched_.size())];
      std::vector<Row> rows;
      Version version{};
      {
        const std::lock_guard lock(watched.mutex);
        rows = watched.rows;
        version = watched.version;
      }
      const Result<Snapshot> then = main_.AsOf(version);
      if (!then && then.error().code == ErrorCode::kTooOld) continue;
      if (!then) Wrong(ToString(then.error()));
      const Rows fresh = Must(then->Run(query_, watched.params), "run");
      if (fresh.ToJson() != JsonOf(rows)) {
        Wrong(StrCat("live and fresh differ at version ", ToNumber(version), ": ", JsonOf(rows),
                     " and ", fresh.ToJson()));
      }
      ++ledger_.compared;
    }
  }

  const std::uint64_t seed_;
  SoakLedger& ledger_;
  Database main_;
  Database peer_;
  Query query_;
  std::vector<std::unique_ptr<Watched>> watched_;
};

}  // namespace

void RunSoakWorker(const std::string& folder, std::uint64_t seed, SoakLedger& ledger) {
  Worker(folder, seed, ledger).Run();
}

}  // namespace trefoil::testing
