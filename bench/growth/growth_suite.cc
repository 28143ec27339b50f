// The growth suite: what one change costs as the table, the subscriptions and the history grow, and
// what reading, merging, opening and keeping cost then. Everything through the Database, on files,
// relaxed commits.
//
//   by rows           a table of n rows with an index, and three live queries on it; what another
//                     replica changed, and all rows as one more live query
//   by subscriptions  10,000 rows, n live queries that differ in one parameter; each change is of
//                     one of them
//   by history        1,000 rows, n commits before, all of them still readable
#include <malloc.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/str_cat.h"
#include "bench/engine.h"
#include "bench/suite.h"
#include "trefoil/trefoil.h"

namespace trefoil::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kRowsPerLoad = 1000;
constexpr std::uint64_t kParts = 1000;
constexpr int kChanges = 2000;
// A live query of more rows than that is beyond the memory that a database gives them.
constexpr std::uint64_t kRowsOfAQueryMax = 1'000'000;

class GrowthBench {
 public:
  GrowthBench(const SuiteOptions& options, Report& report) : options_(options), report_(report) {}

  void ByRows(std::uint64_t rows) {
    Database database = Make(rows, History());
    std::vector<Subscription> live;
    Watch(database, live, "SELECT id, size FROM item WHERE part = 7 ORDER BY id");
    Watch(database, live, "SELECT part, count(*) AS n, sum(size) AS s FROM item GROUP BY part");
    Watch(database, live, "SELECT id, size FROM item ORDER BY size DESC, id LIMIT 10");
    Add("change, by rows", rows, MicrosPerChange(database, rows), "us");
    Add("read a row, by rows", rows, MicrosPerRead(database, rows), "us");
    Add("merge a change, by rows", rows, MicrosPerMergedChange(database, rows), "us");
    live.clear();
    Add("change without live queries, by rows", rows, MicrosPerChange(database, rows), "us");
    if (rows <= kRowsOfAQueryMax) {
      const Stopwatch watch;
      Watch(database, live, "SELECT id, part, size FROM item");
      Add("hydrate a row, by rows", rows, watch.Seconds() * 1e6 / static_cast<double>(rows), "us");
      live.clear();
    }
    Require(database.Compact().has_value(), "growth: the store is compact");
    ReportStore(database, rows);
    Reopen("open, by rows", std::move(database), rows);
  }

  void BySubscriptions(std::uint64_t subscriptions) {
    constexpr std::uint64_t kRows = 10'000;
    Database database = Make(kRows, History());
    const Result<Query> query =
        database.Prepare("SELECT id, size FROM item WHERE part = :part ORDER BY id");
    Require(query.has_value(), "growth: the query is right");
    std::vector<Subscription> live;
    live.reserve(subscriptions);
    const double allocated = AllocatedBytes();
    const Stopwatch watch;
    for (std::uint64_t i = 0; i < subscriptions; ++i) {
      Params params;
      params.Set("part", Value::Int(static_cast<std::int64_t>(i)));
      Result<Subscription> one = database.Watch(*query, params, [](const Change&) {});
      Require(one.has_value(), "growth: a query is watched");
      live.push_back(*std::move(one));
    }
    Add("subscribe, by subscriptions", subscriptions,
        watch.Seconds() * 1e6 / static_cast<double>(subscriptions), "us");
    Add("memory of a query, by subscriptions", subscriptions,
        (AllocatedBytes() - allocated) / static_cast<double>(subscriptions), "B");
    Add("change, by subscriptions", subscriptions, MicrosPerChange(database, kRows, kParts), "us");
  }

  void ByHistory(std::uint64_t commits) {
    constexpr std::uint64_t kRows = 1000;
    Database database = Make(kRows, {.retention = History::kAll});
    std::vector<Subscription> live;
    Watch(database, live, "SELECT part, count(*) AS n, sum(size) AS s FROM item GROUP BY part");
    Random random(3);
    for (std::uint64_t i = 0; i < commits; ++i) ChangeOne(database, random.Uniform(kRows), i);
    Add("change, by history", commits, MicrosPerChange(database, kRows), "us");
    Add("read a row, by history", commits, MicrosPerRead(database, kRows), "us");
    live.clear();
    Reopen("open, by history", std::move(database), commits);
  }

 private:
  void Add(const std::string& name, std::uint64_t n, double value, const std::string& unit) {
    report_.Add({.name = name,
                 .engine = "trefoil",
                 .n = n,
                 .value = value,
                 .unit = unit,
                 .lower_is_better = true});
  }

  Database Open(const History& history) const {
    Options options;
    options.history = history;
    Result<Database> database = Database::Open(options_.directory + "/growth", options);
    Require(database.has_value(), "growth: the database opens");
    return *std::move(database);
  }

  Database Make(std::uint64_t rows, const History& history) {
    history_ = history;
    fs::remove_all(options_.directory + "/growth");
    Database database = Open(history);
    Require(database.Execute("TABLE item (id INT KEY, part INT INDEX, size INT, text TEXT)")
                .has_value(),
            "growth: a table is declared");
    for (std::uint64_t first = 0; first < rows; first += kRowsPerLoad) {
      const std::uint64_t end = std::min(rows, first + kRowsPerLoad);
      Require(
          database.Write([&](Transaction& transaction) { return Load(transaction, first, end); })
              .has_value(),
          "growth: rows are added");
    }
    Require(database.Compact().has_value(), "growth: the store is compact");
    return database;
  }
  static Status Load(Transaction& transaction, std::uint64_t first, std::uint64_t end) {
    for (std::uint64_t i = first; i < end; ++i) {
      const auto id = static_cast<std::int64_t>(i);
      Result<std::vector<Value>> key =
          transaction.Insert("item", {{"id", Value::Int(id)},
                                      {"part", Value::Int(id % static_cast<std::int64_t>(kParts))},
                                      {"size", Value::Int(id * 7919 % 100'003)},
                                      {"text", Value::Text("a text of some length")}});
      if (!key) return std::move(key).error();
    }
    return Ok();
  }

  static void Watch(Database& database, std::vector<Subscription>& live, const char* treesql) {
    const Result<Query> query = database.Prepare(treesql);
    Require(query.has_value(), "growth: the query is right");
    Result<Subscription> one = database.Watch(*query, {}, [](const Change&) {});
    Require(one.has_value(), "growth: a query is watched");
    live.push_back(*std::move(one));
  }

  static void ChangeOne(Database& database, std::uint64_t id, std::uint64_t size) {
    const Value key = Value::Int(static_cast<std::int64_t>(id));
    const Value value = Value::Int(static_cast<std::int64_t>(size % 100'003));
    Require(database
                .Write([&](Transaction& transaction) {
                  return transaction.Update("item", std::span(&key, 1), {{"size", value}});
                })
                .has_value(),
            "growth: a row is changed");
  }

  // Commits of one changed column each, told to all live queries on return; the median. Only every
  // `step`-th row is changed.
  static double MicrosPerChange(Database& database, std::uint64_t rows, std::uint64_t step = 1) {
    Random random(7);
    std::vector<double> micros;
    for (int i = 0; i < kChanges; ++i) {
      const Stopwatch watch;
      ChangeOne(database, random.Uniform(rows / step) * step, random.Uniform(100'003));
      micros.push_back(watch.Seconds() * 1e6);
    }
    return Percentile(micros, 0.5);
  }

  static double MicrosPerRead(const Database& database, std::uint64_t rows) {
    Random random(9);
    const Snapshot snapshot = database.snapshot();
    std::vector<double> micros;
    for (int i = 0; i < kChanges; ++i) {
      const Value key = Value::Int(static_cast<std::int64_t>(random.Uniform(rows)));
      const Stopwatch watch;
      const auto row = snapshot.Get("item", std::span(&key, 1));
      micros.push_back(watch.Seconds() * 1e6);
      Require(row.has_value() && row->has_value(), "growth: a row is there");
    }
    return Percentile(micros, 0.5);
  }

  // What a replica that was cloned changed, in transactions of one row, applied with three live
  // queries.
  double MicrosPerMergedChange(Database& database, std::uint64_t rows) const {
    const std::string path = options_.directory + "/growth-replica";
    fs::remove_all(path);
    Require(database.Clone(path).has_value(), "growth: a replica is cloned");
    Result<Database> replica = Database::Open(path);
    Require(replica.has_value(), "growth: the replica opens");
    Random random(11);
    for (int i = 0; i < kChanges; ++i) {
      ChangeOne(*replica, random.Uniform(rows), random.Uniform(100'003));
    }
    const Result<std::string> changes = replica->Changes(database.version_vector());
    Require(changes.has_value(), "growth: the replica tells its changes");
    const Stopwatch watch;
    Require(database.Merge(*changes).has_value(), "growth: changes are merged");
    return watch.Seconds() * 1e6 / kChanges;
  }

  // Of a compact store: what a row takes, and what flushes and compactions wrote for each byte that
  // was written.
  void ReportStore(const Database& database, std::uint64_t rows) {
    const std::string stats = database.StatsJson();
    double bytes = 0;
    for (std::size_t at = 0; (at = stats.find("{\"files\"", at)) != std::string::npos; ++at) {
      bytes += Counter(stats, "bytes", at);
    }
    Add("bytes of a row, by rows", rows, bytes / static_cast<double>(rows), "B");
    Add("write amplification, by rows", rows,
        (Counter(stats, "bytes_written_by_flush") + Counter(stats, "bytes_written_by_compaction")) /
            Counter(stats, "bytes_written_by_user"),
        "x");
  }
  static double Counter(const std::string& stats, const std::string& name, std::size_t from = 0) {
    const std::string label = StrCat("\"", name, "\":");
    const std::size_t at = stats.find(label, from);
    Require(at != std::string::npos, "growth: the statistics have " + name);
    double value = 0;
    std::from_chars(stats.data() + at + label.size(), stats.data() + stats.size(), value);
    return value;
  }

  static double AllocatedBytes() {
    const struct mallinfo2 heap = mallinfo2();
    return static_cast<double>(heap.uordblks) + static_cast<double>(heap.hblkhd);
  }

  void Reopen(const std::string& name, Database database, std::uint64_t n) {
    {
      const Database closing = std::move(database);
    }
    const Stopwatch watch;
    const Database opened = Open(history_);
    Add(name, n, watch.Seconds() * 1e3, "ms");
  }

  const SuiteOptions& options_;
  Report& report_;
  History history_;
};

void RunGrowth(const SuiteOptions& options, Report& report) {
  report.Note("one row changed per commit (relaxed); a change is told when the commit returns");
  GrowthBench bench(options, report);
  std::vector<std::uint64_t> sizes = {1000, 10'000, 100'000};
  if (!options.quick) sizes.push_back(1'000'000);
  if (options.large) sizes.push_back(10'000'000);
  for (int round = 0; round < options.rounds; ++round) {
    for (const std::uint64_t rows : sizes) bench.ByRows(rows);
    for (const std::uint64_t n : {1U, 10U, 100U, 1000U, 10'000U}) bench.BySubscriptions(n);
    for (const std::uint64_t n : {100U, 1000U, 10'000U, 100'000U}) {
      if (n < 100'000U || !options.quick) bench.ByHistory(n);
    }
  }
}

const SuiteRegistration kGrowth({.name = "growth",
                                 .about = "a change by rows, by subscriptions and by history",
                                 .run = RunGrowth});

}  // namespace
}  // namespace trefoil::bench
