// The query suite: TreeSQL over the store, with the issue tracker of cli/demo. One-shot queries
// beside SQLite 3 with the same rows and indexes, both warm and in this process; then the seven
// live queries from the call of commit to the return of the last callback, beside what asking
// SQLite all of them again takes.
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/str_cat.h"
#include "bench/query/sqlite_peer.h"
#include "bench/suite.h"
#include "cli/demo/issue_tracker.h"
#include "trefoil/change.h"
#include "trefoil/database.h"

namespace trefoil::bench {
namespace {

using cli::IssueTracker;
using cli::NamedQuery;

struct OneShot {
  std::string name;
  std::string text;  // TreeSQL and SQLite read it alike; ? for parameters
  std::function<std::vector<Value>(std::int64_t turn, std::int64_t issues)> parameters;
};

std::vector<OneShot> OneShots() {
  const auto none = [](std::int64_t, std::int64_t) { return std::vector<Value>(); };
  const auto some_id = [](std::int64_t turn, std::int64_t issues) {
    return std::vector<Value>{Value::Int(turn * 7919 % issues)};
  };
  return {
      {"point", "SELECT id, title, status, priority FROM issue WHERE id = ?", some_id},
      {"range of 1000", "SELECT id, title, status FROM issue WHERE id >= ? AND id < ?",
       [](std::int64_t turn, std::int64_t issues) {
         const std::int64_t first = turn * 7919 % (issues - 1000);
         return std::vector<Value>{Value::Int(first), Value::Int(first + 1000)};
       }},
      {"top 20",
       "SELECT id, title, modified FROM issue WHERE status = 'open' ORDER BY modified DESC LIMIT "
       "20",
       none},
      {"join of 3",
       "SELECT i.id, i.title, u.name AS user, p.name AS project FROM issue i "
       "JOIN user u ON i.assignee = u.id JOIN project p ON i.project = p.id "
       "WHERE u.id = ? AND i.status = 'open'",
       [](std::int64_t turn, std::int64_t) { return std::vector<Value>{Value::Int(turn % 1000)}; }},
      {"grouped count", "SELECT status, project, count(*) AS n FROM issue GROUP BY status, project",
       none},
  };
}

// The live queries as SQLite can ask them again; Q6 without its lists.
std::vector<std::string> AskedAgain() {
  std::vector<std::string> texts;
  for (const NamedQuery& query : IssueTracker::Queries()) {
    texts.emplace_back(query.name == "Q6" ? "SELECT i.id, i.title, u.name FROM issue i "
                                            "LEFT JOIN user u ON u.id = i.creator "
                                            "WHERE project = 7 ORDER BY modified DESC LIMIT 20"
                                          : query.treesql);
  }
  return texts;
}

double ResidentMegabytes() {
  std::ifstream in("/proc/self/statm");
  double all = 0;
  double resident = 0;
  in >> all >> resident;
  return resident * 4096 / 1e6;
}

class Suite {
 public:
  Suite(const SuiteOptions& options, Report& report, std::int64_t issues)
      : options_(options),
        report_(report),
        issues_(issues),
        directory_(StrCat(options.directory, "/", issues)),
        database_(*Database::Open(directory_)),
        tracker_(issues, 1) {
    const Stopwatch loading;
    Check(tracker_.Load(database_).has_value(), "the tracker loads");
    if (options.WantsCase("load") && options.WantsEngine("trefoil")) {
      Add("load", "trefoil", loading.Seconds() * 1e3, "ms");
    }
    if (options.WantsEngine("sqlite")) {
      sqlite_ = std::make_unique<SqlitePeer>(directory_ + ".sqlite", database_);
    }
  }

  void Run() {
    for (const OneShot& query : OneShots()) {
      if (options_.WantsCase(query.name)) RunOnce(query);
    }
    // Before others make the process grow, since what it grows by is measured.
    if (options_.WantsCase("live")) RunLive();
    if (options_.WantsCase("Q9")) RunMany();
    if (options_.WantsCase("Q1 alone")) RunAlone();
    if (options_.WantsCase("reopen")) RunReopen();
  }

 private:
  void Add(const std::string& name, const char* engine, double value, const char* unit,
           bool lower_is_better = true) {
    report_.Add({.name = name,
                 .engine = engine,
                 .n = static_cast<std::uint64_t>(issues_),
                 .value = value,
                 .unit = unit,
                 .lower_is_better = lower_is_better});
  }

  // Median microseconds of `body`, run for a while.
  static double Median(const std::function<void(std::int64_t turn)>& body) {
    constexpr double kSeconds = 0.3;
    std::vector<double> micros;
    for (std::int64_t turn = 0; turn < 3; ++turn) body(turn);
    const Stopwatch all;
    for (std::int64_t turn = 0; micros.size() < 5 || all.Seconds() < kSeconds; ++turn) {
      const Stopwatch one;
      body(turn);
      micros.push_back(one.Seconds() * 1e6);
    }
    return Percentile(micros, 0.5);
  }

  void RunOnce(const OneShot& shot) {
    const Query query = *database_.Prepare(shot.text);
    const Snapshot snapshot = database_.snapshot();
    std::size_t ours = 0;
    std::size_t theirs = 0;
    if (options_.WantsEngine("trefoil")) {
      Add(shot.name, "trefoil", Median([&](std::int64_t turn) {
            Params params;
            for (Value& value : shot.parameters(turn, issues_)) params.Add(std::move(value));
            const Result<Rows> rows = snapshot.Run(query, params);
            Check(rows.has_value(), "a query of the suite runs");
            if (turn == 0) ours = rows->size();
          }),
          "us");
      Add(shot.name + ": prepare", "trefoil", Median([&](std::int64_t turn) {
            // A text that was prepared before is not prepared again.
            const std::string text = StrCat(shot.text, " -- ", turn);
            Check(database_.Prepare(text).has_value(), "a query of the suite is right");
          }),
          "us");
    }
    if (sqlite_ == nullptr) return;
    SqliteStatement statement = sqlite_->Prepare(shot.text);
    Add(shot.name, "sqlite", Median([&](std::int64_t turn) {
          const std::size_t rows = RunWith(statement, shot.parameters(turn, issues_));
          if (turn == 0) theirs = rows;
        }),
        "us");
    Add(shot.name + ": prepare", "sqlite",
        Median([&](std::int64_t) { sqlite_->Prepare(shot.text); }), "us");
    Check(!options_.WantsEngine("trefoil") || ours == theirs, "both answer with as many rows");
  }

  void RunAlone() {
    if (!options_.WantsEngine("trefoil")) return;
    std::size_t told = 0;
    const Query query = *database_.Prepare(IssueTracker::Queries().front().treesql);
    const Result<Subscription> subscription =
        database_.Watch(query, {}, [&](const Change& change) { told += change.added.size(); });
    Check(subscription.has_value(), "a query of the suite can live");
    RunTransactions("Q1 alone");
    Check(told > 0, "the live query was told of something");
  }

  void RunLive() {
    if (sqlite_ != nullptr) {
      std::vector<SqliteStatement> statements;
      for (const std::string& text : AskedAgain()) statements.push_back(sqlite_->Prepare(text));
      Add("Q1-Q7 p50", "sqlite", Median([&](std::int64_t) {
            for (SqliteStatement& statement : statements) RunWith(statement);
          }),
          "us");
    }
    if (!options_.WantsEngine("trefoil")) return;
    const double resident = ResidentMegabytes();
    const Stopwatch hydration;
    std::vector<Subscription> subscriptions;
    std::size_t told = 0;
    for (const NamedQuery& named : IssueTracker::Queries()) {
      const Query query = *database_.Prepare(named.treesql);
      Params params;
      if (named.name == "Q6") params.Set("project", Value::Int(7));
      const Stopwatch one;
      Result<Subscription> subscription = database_.Watch(
          query, params, [&](const Change& change) { told += change.added.size(); });
      Check(subscription.has_value(), "a query of the suite can live");
      subscriptions.push_back(*std::move(subscription));
      Add(StrCat("hydrate ", named.name), "trefoil", one.Seconds() * 1e3, "ms");
    }
    Add("hydrate Q1-Q7", "trefoil", hydration.Seconds() * 1e3, "ms");
    Add("memory of Q1-Q7", "trefoil", ResidentMegabytes() - resident, "MB");
    RunTransactions("Q1-Q7");
    RunLarge();
    Check(told > 0, "the live queries were told of something");
  }

  // Separate queries, each with a literal of its own; most commits concern one of them or none.
  void RunMany() {
    if (!options_.WantsEngine("trefoil")) return;
    std::vector<Subscription> subscriptions;
    std::size_t told = 0;
    for (const std::size_t count : {1UL, 1'000UL, 10'000UL, 100'000UL}) {
      if (count > 10'000 && options_.quick) break;
      const std::string name = StrCat("Q9 x ", count);
      const double resident = ResidentMegabytes();
      const std::size_t before = subscriptions.size();
      const Stopwatch watching;
      for (std::size_t user = before; user < count; ++user) {
        const Query query = *database_.Prepare(
            StrCat("SELECT id, title, modified FROM issue WHERE assignee = ", user,
                   " AND status = 'open' ORDER BY modified DESC LIMIT 20"));
        Result<Subscription> subscription =
            database_.Watch(query, {}, [&](const Change& change) { told += change.added.size(); });
        Check(subscription.has_value(), "a query of the suite can live");
        subscriptions.push_back(*std::move(subscription));
      }
      const double added = static_cast<double>(count - before);
      Add(name + ": prepare and watch one", "trefoil", watching.Seconds() * 1e6 / added, "us");
      Add(name + ": memory", "trefoil", ResidentMegabytes() - resident, "MB");
      RunTransactions(name);
    }
    Check(told > 0, "the live queries were told of something");
  }

  // From opening the database until live queries of 1,000 users have their first results.
  void RunReopen() {
    if (!options_.WantsEngine("trefoil")) return;
    {
      const Database closed = std::move(database_);
    }
    const Stopwatch opening;
    database_ = *Database::Open(directory_);
    const Query query = *database_.Prepare(IssueTracker::UserQuery());
    std::vector<Subscription> subscriptions;
    std::size_t told = 0;
    for (std::int64_t user = 0; user < 1'000; ++user) {
      Params params;
      params.Set("user", Value::Int(user));
      Result<Subscription> subscription =
          database_.Watch(query, params, [&](const Change&) { ++told; });
      Check(subscription.has_value(), "a query of the suite can live");
      subscriptions.push_back(*std::move(subscription));
      if (user == 0) Add("reopen, one live query", "trefoil", opening.Seconds() * 1e3, "ms");
    }
    Check(told == subscriptions.size(), "each live query has its first result");
    Add("reopen, 1,000 live queries", "trefoil", opening.Seconds() * 1e3, "ms");
  }

  void RunTransactions(const std::string& name) {
    const int count = options_.quick ? 2'000 : 20'000;
    std::vector<double> micros;
    const Stopwatch all;
    for (int i = 0; i < count; ++i) {
      Transaction transaction = database_.Begin();
      Check(tracker_.RunOne(transaction).has_value(), "the mix writes");
      const Stopwatch commit;
      Check(transaction.Commit().has_value(), "the mix commits");
      micros.push_back(commit.Seconds() * 1e6);
    }
    const double per_second = count / all.Seconds();
    Add(name + " p50", "trefoil", Percentile(micros, 0.5), "us");
    Add(name + " p99", "trefoil", Percentile(micros, 0.99), "us");
    Add(name + " transactions", "trefoil", per_second, "1/s", false);
  }

  void RunLarge() {
    std::vector<double> micros;
    for (int i = 0; i < 5; ++i) {
      Transaction transaction = database_.Begin();
      Check(tracker_.RunLarge(transaction).has_value(), "U5 writes");
      const Stopwatch commit;
      Check(transaction.Commit().has_value(), "U5 commits");
      micros.push_back(commit.Seconds() * 1e3);
    }
    Add("U5", "trefoil", Percentile(micros, 0.5), "ms");
  }

  const SuiteOptions& options_;
  Report& report_;
  const std::int64_t issues_;
  const std::string directory_;
  Database database_;
  IssueTracker tracker_;
  std::unique_ptr<SqlitePeer> sqlite_;
};

void RunQuery(const SuiteOptions& options, Report& report) {
  report.Note(
      "the store in a directory, relaxed commits; SQLite 3: WAL, no fsync, prepared, analyzed");
  report.Note("Q1-Q7 p50 of sqlite: all seven asked again (Q6 without its lists)");
  std::vector<std::int64_t> sizes = {10'000};
  if (!options.quick) sizes.push_back(100'000);
  if (options.large) sizes.push_back(1'000'000);
  for (const std::int64_t issues : sizes) Suite(options, report, issues).Run();
}

const SuiteRegistration kQuery({.name = "query",
                                .about = "TreeSQL once and live over the store, beside SQLite",
                                .run = RunQuery});

}  // namespace
}  // namespace trefoil::bench
