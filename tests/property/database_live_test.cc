// E2 and E4 through the Database: generated tables, rows and queries; after every commit each
// query, asked anew and kept live, is what the naive evaluator gives, and so is a client that
// applied the Changes. This goes through the commit path and the store, where live_property_test
// steps a graph.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "base/errors.h"
#include "base/str_cat.h"
#include "tests/support/forked.h"
#include "tests/support/naive_database.h"
#include "tests/support/query_generator.h"
#include "tests/support/seed.h"
#include "trefoil/change.h"
#include "trefoil/database.h"

namespace trefoil::testing {
namespace {

constexpr GeneratorOptions kOptions{.query_count = 5, .transaction_count = 4};
// Nested cross joins of a dozen rows can fill a machine.
constexpr std::size_t kAnswerBytesMax = 64 << 10;

std::string ShowRows(const std::vector<Row>& rows) {
  std::string text = "[";
  for (const Row& row : rows) text += StrCat(text.size() > 1 ? "," : "", row.ToJson());
  return text + "]";
}

// A query, and what a client knows of it that was only told of changes.
struct LiveQuery {
  Query query;
  std::vector<Row> client;
  Subscription subscription;
};

class DatabaseBed {
 public:
  explicit DatabaseBed(const GeneratedCase& made)
      : made_(made), naive_(made.tables), database_(*Database::Open(":memory:")) {}

  // "" when all agree after every commit. Adds the number of queries that lived to `*lived`.
  std::string Run(std::size_t* lived) {
    const Result<ExecuteSummary> declared = database_.Execute(made_.Declarations());
    if (!declared) return ToString(declared.error());
    for (const GeneratedWrite& row : made_.rows) {
      if (std::string problem = Commit({row}); !problem.empty()) return problem;
    }
    for (const std::string& text : made_.queries) {
      if (std::string problem = Watch(text); !problem.empty()) return problem;
    }
    *lived += queries_.size();
    std::string problem = Compare("at first");
    for (std::size_t i = 0; i < made_.transactions.size() && problem.empty(); ++i) {
      problem = Commit(made_.transactions[i]);
      if (problem.empty()) problem = Compare(StrCat("after transaction ", i + 1));
    }
    return problem;
  }

 private:
  // A transaction with a REF to no row is refused as a whole, and changes nothing anywhere.
  std::string Commit(const std::vector<GeneratedWrite>& writes) {
    const Result<CommitInfo> commit = database_.Write([&](Transaction& transaction) -> Status {
      for (const GeneratedWrite& write : writes) {
        if (Status written = Write(transaction, write); !written) return written;
      }
      return Ok();
    });
    if (!commit) {
      const bool is_refused = commit.error().code == ErrorCode::kReferenceViolation;
      return is_refused ? std::string() : ToString(commit.error());
    }
    for (const GeneratedWrite& write : writes) naive_.Apply(write);
    return {};
  }

  Status Write(Transaction& transaction, const GeneratedWrite& write) const {
    const GeneratedTable& table = made_.tables[write.table];
    if (!write.row) {
      const Result<bool> deleted = transaction.Delete(table.name, write.key);
      return deleted ? Ok() : Status(deleted.error());
    }
    Fields fields;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      fields.emplace_back(table.columns[i].name, (*write.row)[i]);
    }
    const auto put = transaction.Put(table.name, fields);
    return put ? Ok() : Status(put.error());
  }

  static bool IsSmall(NaiveDatabase& naive, const std::string& text) {
    const Result<Rows> rows = naive.Run(text);
    if (!rows) return rows.error().code != ErrorCode::kLimit;
    return rows->ToJson().size() <= kAnswerBytesMax;
  }
  // Whether the answer is one for a test, now and after each transaction.
  bool StaysSmall(const std::string& text) const {
    NaiveDatabase future(made_.tables);
    for (const GeneratedWrite& row : made_.rows) future.Apply(row);
    bool is_small = IsSmall(future, text);
    for (std::size_t i = 0; i < made_.transactions.size() && is_small; ++i) {
      for (const GeneratedWrite& write : made_.transactions[i]) future.Apply(write);
      is_small = IsSmall(future, text);
    }
    return is_small;
  }

  // Queries for which there is no plan are left out, and those with very large answers.
  std::string Watch(const std::string& text) {
    const Result<Query> query = database_.Prepare(text);
    if (!query) {
      return query.error().code == ErrorCode::kUnsupported ? "" : ToString(query.error());
    }
    if (!StaysSmall(text)) return {};
    auto live = std::make_unique<LiveQuery>();
    live->query = *query;
    Result<Subscription> subscription = database_.Watch(
        *query, {}, [client = &live->client](const Change& change) { Apply(change, *client); });
    if (!subscription) return ToString(subscription.error());
    live->subscription = *std::move(subscription);
    queries_.push_back(std::move(live));
    return {};
  }

  std::string Compare(const std::string& when) {
    for (const std::unique_ptr<LiveQuery>& live : queries_) {
      const Result<Rows> naive = naive_.Run(live->query.text());
      if (!naive && naive.error().code == ErrorCode::kLimit) continue;
      if (!naive) return ToString(naive.error());
      const std::string expected = naive->ToJson();
      const Result<Rows> fresh = database_.snapshot().Run(live->query);
      const std::string once = fresh ? fresh->ToJson() : ToString(fresh.error());
      const std::string kept = live->subscription.Current()->ToJson();
      const std::string client = ShowRows(live->client);
      if (once != expected || kept != expected || client != expected) {
        return StrCat(when, ": ", live->query.text(), "\nonce   ", once, "\nlive   ", kept,
                      "\nclient ", client, "\nnaive  ", expected, "\n");
      }
    }
    return {};
  }

  const GeneratedCase& made_;
  NaiveDatabase naive_;
  Database database_;
  std::vector<std::unique_ptr<LiveQuery>> queries_;
};

std::string DifferenceOf(const std::vector<std::uint32_t>& recorded) {
  return RunForked([&] {
    Choices replay(recorded);
    const GeneratedCase made = GenerateCase(replay, kOptions);
    std::size_t lived = 0;
    return DatabaseBed(made).Run(&lived);
  });
}

TEST(DatabaseLivePropertyTest, AnswersOnceAndLiveAreThoseOfTheNaiveEvaluatorAfterEveryCommit) {
  const std::uint64_t seed = TestSeed();
  const int rounds = static_cast<int>(200 * TestScale());
  const bool is_forked = std::getenv("TREFOIL_FORK") != nullptr;
  std::size_t lived = 0;
  for (int round = 0; round < rounds; ++round) {
    Choices choices(seed + static_cast<std::uint64_t>(round));
    const GeneratedCase made = GenerateCase(choices, kOptions);
    const std::string difference =
        is_forked ? DifferenceOf(choices.taken()) : DatabaseBed(made).Run(&lived);
    if (difference.empty()) continue;
    Choices smallest(Shrink(choices.taken(), 1000, [](const std::vector<std::uint32_t>& recorded) {
      return !DifferenceOf(recorded).empty();
    }));
    const GeneratedCase small = GenerateCase(smallest, kOptions);
    FAIL() << "round " << round << "\n" << small.ToText() << DifferenceOf(smallest.taken());
  }
  std::printf("%zu pairs of a query and a history\n", lived);
  EXPECT_TRUE(is_forked || lived >= static_cast<std::size_t>(rounds) * 3) << "most queries live";
}

}  // namespace
}  // namespace trefoil::testing
