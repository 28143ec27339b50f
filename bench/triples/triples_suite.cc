// The triples suite: the same table in Trefoil and in SQLite 3, with equal durability. Each round
// runs one after the other from an empty directory through all cases in the same order.
#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/str_cat.h"
#include "bench/suite.h"
#include "bench/triples/table.h"

namespace trefoil::bench {
namespace {

namespace fs = std::filesystem;

struct Peer {
  std::string name;
  std::unique_ptr<TaskTable> (*open)(const std::string& directory);
};

constexpr std::uint64_t kRowsPerLoad = 1000;
constexpr std::uint64_t kRowsPerRead = 1000;

// Runs all cases on one engine once.
class Run {
 public:
  Run(const Peer& peer, const SuiteOptions& options, std::uint64_t rows, Report& report)
      : peer_(peer),
        options_(options),
        rows_(rows),
        report_(report),
        directory_(options.directory + "/" + peer.name) {
    fs::create_directories(directory_);
    table_ = peer_.open(directory_);
  }
  ~Run() {
    table_.reset();
    fs::remove_all(directory_);
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  void All() {
    Load();
    table_->Settle();
    Rest();
    Reads();
    Writes();
  }

 private:
  void Rate(const std::string& name, std::uint64_t count, const std::string& unit,
            const Stopwatch& watch) {
    report_.Add({.name = name,
                 .engine = peer_.name,
                 .n = rows_,
                 .value = static_cast<double>(count) / watch.Seconds(),
                 .unit = unit});
  }
  void Cost(const std::string& name, double value, const std::string& unit) {
    report_.Add({.name = name,
                 .engine = peer_.name,
                 .n = rows_,
                 .value = value,
                 .unit = unit,
                 .lower_is_better = true});
  }

  void Load() {
    const Stopwatch watch;
    for (std::uint64_t i = 0; i < rows_; i += kRowsPerLoad) {
      table_->Insert(i, std::min(rows_, i + kRowsPerLoad));
    }
    Rate("bulk load", rows_ * kFactsPerRow, "facts/s", watch);
  }

  void Rest() {
    table_.reset();
    Cost("bytes at rest per fact",
         static_cast<double>(BytesOfFiles(directory_)) / static_cast<double>(rows_ * kFactsPerRow),
         "B");
    Cost("bytes at rest, no log",
         static_cast<double>(BytesOfFiles(directory_, /*log=*/false)) /
             static_cast<double>(rows_ * kFactsPerRow),
         "B");
    if (peer_.name == "trefoil" && options_.WantsCase("clock bytes per cell")) RestOfCopies();
    table_ = peer_.open(directory_);
  }

  void RestOfCopies() {
    const std::string scratch = options_.directory + "/copies";
    fs::create_directories(scratch);
    Cost("bytes at rest, no log, zstd",
         static_cast<double>(CompressedBytes(directory_, scratch)) /
             static_cast<double>(rows_ * kFactsPerRow),
         "B");
    Cost("clock bytes per cell", ClockBytesPerCell(directory_, scratch, lsm::Compression::kNone),
         "B");
    Cost("clock bytes per cell, zstd",
         ClockBytesPerCell(directory_, scratch, lsm::Compression::kZstd), "B");
    fs::remove_all(scratch);
  }

  void Reads() {
    std::uint64_t sum = 0;
    const auto scan = [&] {
      const std::uint64_t rows = table_->ScanTwoColumns();
      Require(rows == rows_, StrCat(peer_.name, ": ", rows, " rows of ", rows_));
    };
    scan();  // warm, for both
    Random random(7);
    const std::uint64_t reads = std::min<std::uint64_t>(rows_, 200'000);
    for (std::uint64_t i = 0; i < rows_ / 10; ++i) sum += table_->ReadRow(random.Uniform(rows_));
    if (options_.WantsCase("read a row")) {
      const Stopwatch watch;
      for (std::uint64_t i = 0; i < reads; ++i) sum += table_->ReadRow(random.Uniform(rows_));
      Cost("read a row", watch.Seconds() * 1e6 / static_cast<double>(reads), "us");
    }
    if (options_.WantsCase("read 1000 rows")) {
      std::vector<std::uint64_t> ids(kRowsPerRead);
      const Stopwatch watch;
      for (std::uint64_t i = 0; i < reads; i += kRowsPerRead) {
        for (std::uint64_t& id : ids) id = random.Uniform(rows_);
        sum += table_->ReadRows(ids);
      }
      Rate("read 1000 rows", reads, "rows/s", watch);
    }
    if (options_.WantsCase("scan 2 columns")) {
      const Stopwatch watch;
      scan();
      Rate("scan 2 columns", rows_, "rows/s", watch);
    }
    Consume(sum);
  }

  void Writes() {
    const std::uint64_t writes = std::min<std::uint64_t>(rows_, 200'000);
    if (options_.WantsCase("insert a row")) {
      const Stopwatch watch;
      for (std::uint64_t i = 0; i < writes; ++i) table_->Insert(rows_ + i, rows_ + i + 1);
      Rate("insert a row", writes, "commits/s", watch);
    }
    if (options_.WantsCase("update a column")) {
      Random random(9);
      const Stopwatch watch;
      for (std::uint64_t i = 0; i < writes; ++i) {
        table_->SetState(random.Uniform(rows_), static_cast<std::int64_t>(5 + i % 90));
      }
      Rate("update a column", writes, "commits/s", watch);
    }
  }

  const Peer& peer_;
  const SuiteOptions& options_;
  const std::uint64_t rows_;
  Report& report_;
  const std::string directory_;
  std::unique_ptr<TaskTable> table_;
};

void RunTriples(const SuiteOptions& options, Report& report) {
  const std::vector<Peer> peers = {{.name = "trefoil", .open = OpenTrefoilTable},
                                   {.name = "sqlite", .open = OpenSqliteTable}};
  const EntriesPerCommit entries = CountEntriesPerCommit();
  report.Note(StrCat("entries of the store per commit: ", entries.insert, " for an inserted row, ",
                     entries.update, " for an updated column"));
  std::vector<std::uint64_t> sizes = {options.quick ? 100'000U : 1'000'000U};
  if (options.large) sizes.push_back(10'000'000);
  for (const Peer& peer : peers) {
    if (!options.WantsEngine(peer.name)) continue;
    const std::string probe = options.directory + "/probe";
    fs::create_directories(probe);
    report.Note(peer.open(probe)->settings());
    fs::remove_all(probe);
  }
  for (const std::uint64_t rows : sizes) {
    for (int round = 0; round < options.rounds; ++round) {
      for (const Peer& peer : peers) {
        if (options.WantsEngine(peer.name)) Run(peer, options, rows, report).All();
      }
    }
  }
}

const SuiteRegistration kTriples({.name = "triples",
                                  .about = "rows as facts: writes, reads and bytes, beside SQLite",
                                  .run = RunTriples});

}  // namespace
}  // namespace trefoil::bench
