// E2: after every transaction each live query is what the naive evaluator gives, and a client that
// applies the Changes has the same rows. Several queries live in one graph and share its nodes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "base/errors.h"
#include "base/str_cat.h"
#include "dataflow/graph.h"
#include "dataflow/view.h"
#include "query/to_expression.h"
#include "tests/support/forked.h"
#include "tests/support/naive_database.h"
#include "tests/support/query_bed.h"
#include "tests/support/query_generator.h"
#include "tests/support/seed.h"
#include "trefoil/change.h"

namespace trefoil::testing {
namespace {

// Short histories of many queries: most of what goes wrong needs few rows and few steps.
constexpr GeneratorOptions kOptions{.query_count = 6, .transaction_count = 4};
constexpr int kRounds = 1'000;
constexpr std::size_t kPairsMin = 5'000;  // of a query and a history
constexpr std::size_t kAnswerBytesMax = 64 << 10;

std::string ShowRows(const std::vector<Row>& rows) {
  std::string text = "[";
  for (const Row& row : rows) text += StrCat(text.size() > 1 ? "," : "", row.ToJson());
  return text + "]";
}

struct LiveQuery {
  std::string text;
  dataflow::Installed installed;
  std::unique_ptr<dataflow::View> view;
  std::vector<Row> client;
  Result<std::string> expected = std::string();  // at the version of the last comparison
};

class LiveBed {
 public:
  explicit LiveBed(const GeneratedCase& made)
      : made_(made), naive_(made.tables), bed_(made.Declarations()) {
    for (const GeneratedWrite& write : made.rows) Write(write);
    bed_.source().Advance();
    graph_ = std::make_unique<dataflow::Graph>(bed_.source(), query::Functions(),
                                               dataflow::GraphOptions{});
  }

  // "" when all agree all the time. A query ends where its answer becomes too large for a test.
  std::string Run() {
    for (const std::string& text : made_.queries) {
      Result<std::string> expected = Expected(text);
      if (IsTooMuch(expected)) continue;
      if (std::string problem = Watch(text, std::move(expected)); !problem.empty()) {
        return problem;
      }
    }
    std::string problem = Compare("at first");
    for (std::size_t i = 0; i < made_.transactions.size() && problem.empty(); ++i) {
      for (const GeneratedWrite& write : made_.transactions[i]) Write(write);
      std::erase_if(queries_, [&](LiveQuery& live) {
        live.expected = Expected(live.text);
        if (IsTooMuch(live.expected)) graph_->Release(live.installed);
        return IsTooMuch(live.expected);
      });
      if (Status step = bed_.source().Commit(*graph_); !step) return ToString(step.error());
      for (LiveQuery& live : queries_) StepView(live);
      problem = Compare(StrCat("after transaction ", i + 1));
    }
    return problem;
  }

  // Queries that lived through the whole history.
  std::size_t lived() const { return queries_.size(); }

 private:
  void Write(const GeneratedWrite& write) {
    naive_.Apply(write);
    const std::string& table = made_.tables[write.table].name;
    write.row ? bed_.Put(table, *write.row) : bed_.Erase(table, write.key);
  }

  // Queries for which there is no plan are left out.
  std::string Watch(const std::string& text, Result<std::string> expected) {
    const auto prepared = query::Prepare(text, bed_.schema());
    if (!prepared) {
      return prepared.error().code == ErrorCode::kUnsupported ? "" : ToString(prepared.error());
    }
    Result<query::Compiled> compiled = query::CompileLive(**prepared, {});
    if (!compiled) return ToString(compiled.error());
    Result<dataflow::Installed> installed = graph_->Install(compiled->plan, compiled->levels);
    if (!installed) return ToString(installed.error());
    std::vector<dataflow::Batch> levels;
    for (const dataflow::NodeId root : installed->roots) {
      dataflow::Batch& batch = levels.emplace_back(graph_->columns(root).size());
      const Status read = graph_->Read(root, [&](dataflow::RowView row, dataflow::Weight weight) {
        batch.Add(row, weight);
        return true;
      });
      if (!read) return ToString(read.error());
      batch.Consolidate();
    }
    std::vector<const dataflow::Batch*> deltas;
    for (const dataflow::Batch& batch : levels) deltas.push_back(&batch);
    LiveQuery& live = queries_.emplace_back();
    live.text = text;
    live.expected = std::move(expected);
    live.installed = *std::move(installed);
    live.view = std::make_unique<dataflow::View>(std::move(compiled->shape));
    live.view->Load(deltas);
    live.client = live.view->Snapshot({}).ToRows();
    return {};
  }

  // The naive answer as JSON. Errors: kLimit for what takes too long or is too large.
  Result<std::string> Expected(const std::string& query) const {
    const Result<Rows> rows = naive_.Run(query);
    if (!rows) return rows.error();
    std::string json = rows->ToJson();
    if (json.size() > kAnswerBytesMax) return LimitError("an answer too large for a test");
    return json;
  }

  static bool IsTooMuch(const Result<std::string>& expected) {
    return !expected && expected.error().code == ErrorCode::kLimit;
  }

  void StepView(LiveQuery& live) {
    std::vector<const dataflow::Batch*> deltas;
    for (const dataflow::NodeId root : live.installed.roots) {
      const auto& changed = graph_->changed();
      const bool has_delta = std::find(changed.begin(), changed.end(), root) != changed.end();
      deltas.push_back(has_delta ? &graph_->delta(root) : nullptr);
    }
    for (dataflow::ListChange& list : live.view->Step(deltas)) {
      Apply(ToChange(std::move(list), Version{1}, Version{2}, Origin::kLocal), live.client);
    }
  }

  std::string Compare(const std::string& when) {
    for (const LiveQuery& live : queries_) {
      const Result<std::string>& expected = live.expected;
      if (!expected) return ToString(expected.error());
      const std::string view = live.view->Snapshot({}).ToAnswer().ToJson();
      const std::string client = ShowRows(live.client);
      if (view != *expected || client != *expected) {
        return StrCat(when, ": ", live.text, "\nview   ", view, "\nclient ", client, "\nnaive  ",
                      *expected, "\n");
      }
    }
    return {};
  }

  const GeneratedCase& made_;
  NaiveDatabase naive_;
  QueryBed bed_;
  std::unique_ptr<dataflow::Graph> graph_;
  std::vector<LiveQuery> queries_;
};

std::string DifferenceOf(const std::vector<std::uint32_t>& recorded) {
  return RunForked([&] {
    Choices replay(recorded);
    const GeneratedCase made = GenerateCase(replay, kOptions);
    return LiveBed(made).Run();
  });
}

TEST(LivePropertyTest, LiveResultsAreThoseOfTheNaiveEvaluatorAfterEveryTransaction) {
  const std::uint64_t seed = TestSeed();
  const int rounds = static_cast<int>(kRounds * TestScale());
  const bool is_forked = std::getenv("TREFOIL_FORK") != nullptr;
  std::size_t pairs = 0;
  for (int round = 0; round < rounds; ++round) {
    Choices choices(seed + static_cast<std::uint64_t>(round));
    const GeneratedCase made = GenerateCase(choices, kOptions);
    std::string difference;
    if (is_forked) {
      difference = DifferenceOf(choices.taken());
    } else {
      LiveBed bed(made);
      difference = bed.Run();
      pairs += bed.lived();
    }
    if (difference.empty()) continue;
    Choices smallest(Shrink(choices.taken(), 3000, [](const std::vector<std::uint32_t>& recorded) {
      return !DifferenceOf(recorded).empty();
    }));
    const GeneratedCase small = GenerateCase(smallest, kOptions);
    FAIL() << "round " << round << "\n" << small.ToText() << DifferenceOf(smallest.taken());
  }
  std::printf("%zu pairs of a query and a history\n", pairs);
  EXPECT_TRUE(is_forked || TestScale() < 1 || pairs >= kPairsMin);
}

}  // namespace
}  // namespace trefoil::testing
