// E2 for plans that many queries share: texts that differ in literals only are bindings of one
// plan. After every transaction, and after bindings came and went, the result of each binding is
// what the naive evaluator makes of its own text, and a client that applies the Changes has the
// same rows.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "base/errors.h"
#include "base/str_cat.h"
#include "dataflow/graph.h"
#include "db/live_plan.h"
#include "query/lexer.h"
#include "query/prepare.h"
#include "query/to_expression.h"
#include "tests/support/forked.h"
#include "tests/support/naive_database.h"
#include "tests/support/query_bed.h"
#include "tests/support/query_generator.h"
#include "tests/support/seed.h"
#include "trefoil/change.h"

namespace trefoil::testing {
namespace {

constexpr GeneratorOptions kOptions{
    .with_literals = true, .query_count = 3, .transaction_count = 8};
constexpr int kBindingsAtFirst = 3;
constexpr std::size_t kBindingsMax = 8;

std::string ShowRows(const std::vector<Row>& rows) {
  std::string text = "[";
  for (const Row& row : rows) text += StrCat(text.size() > 1 ? "," : "", row.ToJson());
  return text + "]";
}

// `text` with some of its literals replaced by others.
std::string Vary(Choices& choices, const std::string& text) {
  static constexpr std::string_view kTexts[] = {"'a'", "'b'", "''", "'ab'"};
  std::string varied;
  std::size_t end = 0;
  for (const query::Token& token : query::Lex(text)) {
    varied += text.substr(end, token.span.begin - end);
    end = token.span.end;
    const std::string spelled = text.substr(token.span.begin, end - token.span.begin);
    const bool is_number = token.kind == query::TokenKind::kInteger;
    const bool is_text = token.kind == query::TokenKind::kText;
    if ((!is_number && !is_text) || choices.Pick(2) == 0) {
      varied += spelled;
    } else {
      varied += is_number ? StrCat(choices.Pick(5)) : std::string(kTexts[choices.Pick(4)]);
    }
  }
  return varied;
}

struct Bound {
  std::string text;
  std::vector<Value> slots;
  db::BindingId id{};
  std::vector<Row> client;
};

struct Shared {
  std::string key;
  std::string text;
  std::unique_ptr<db::LivePlan> plan;
  std::vector<Bound> bindings;
};

class SharedBed {
 public:
  SharedBed(const GeneratedCase& made, Choices& choices)
      : made_(made), choices_(choices), naive_(made.tables), bed_(made.Declarations()) {
    for (const GeneratedWrite& write : made.rows) Write(write);
    bed_.source().Advance();
    graph_ = std::make_unique<dataflow::Graph>(bed_.source(), query::Functions(),
                                               dataflow::GraphOptions{});
  }

  // "" when all agree all the time.
  std::string Run() {
    for (const std::string& text : made_.queries) {
      if (std::string problem = Install(text); !problem.empty()) return problem;
    }
    for (Shared& shared : plans_) {
      for (int i = 0; i < kBindingsAtFirst; ++i) Bind(shared);
    }
    std::string problem = Compare("at first");
    for (std::size_t i = 0; i < made_.transactions.size() && problem.empty(); ++i) {
      for (const GeneratedWrite& write : made_.transactions[i]) Write(write);
      if (Status step = bed_.source().Commit(*graph_); !step) return ToString(step.error());
      for (Shared& shared : plans_) Tell(shared);
      problem = Compare(StrCat("after transaction ", i + 1));
      if (!problem.empty()) break;
      for (Shared& shared : plans_) Rebind(shared);
      problem = Compare(StrCat("with other bindings after transaction ", i + 1));
    }
    return problem;
  }

  int plans() const { return static_cast<int>(plans_.size()); }
  int bindings() const { return bound_; }

 private:
  void Write(const GeneratedWrite& write) {
    naive_.Apply(write);
    const std::string& table = made_.tables[write.table].name;
    write.row ? bed_.Put(table, *write.row) : bed_.Erase(table, write.key);
  }

  // Queries that cannot share are left out.
  std::string Install(const std::string& text) {
    const auto prepared = query::Prepare(text, bed_.schema());
    if (!prepared) {
      return prepared.error().code == ErrorCode::kUnsupported ? "" : ToString(prepared.error());
    }
    const std::string name = StrCat("bindings ", plans_.size());
    Result<query::Compiled> compiled = query::CompileShared(**prepared, {}, name, SomePasses());
    if (!compiled) {
      return compiled.error().code == ErrorCode::kUnsupported ? "" : ToString(compiled.error());
    }
    Result<std::unique_ptr<db::LivePlan>> plan =
        db::LivePlan::Install(*graph_, *std::move(compiled), plans_.size());
    if (!plan) return ToString(plan.error());
    Shared& shared = plans_.emplace_back();
    shared.key = query::PlanKey((*prepared)->lifted, {});
    shared.text = text;
    shared.plan = *std::move(plan);
    return {};
  }

  // Without the others the plans would try every binding.
  query::PassSet SomePasses() {
    return {.route_bindings = choices_.Pick(4) != 3,
            .choose_ranges = choices_.Pick(4) != 3,
            .prune_columns = choices_.Pick(4) != 3,
            .bind_tops = choices_.Pick(4) != 3};
  }

  // Adds a binding with other literals, unless none is found that leaves the plan as it is.
  void Bind(Shared& shared) {
    for (int attempt = 0; attempt < 5 && !TryBind(shared); ++attempt) {
    }
  }

  bool TryBind(Shared& shared) {
    const std::string text = Vary(choices_, shared.text);
    const auto prepared = query::Prepare(text, bed_.schema());
    if (!prepared || query::PlanKey((*prepared)->lifted, {}) != shared.key) return false;
    const auto slots = query::SlotValues((*prepared)->lifted, {});
    if (!slots) return false;
    Bound& bound = shared.bindings.emplace_back();
    ++bound_;
    bound.text = text;
    bound.slots = *slots;
    bound.id = shared.plan->Stage(bound.slots);
    Settle(shared);
    bound.client = shared.plan->Snapshot(bound.id).ToRows();
    return true;
  }

  void Unbind(Shared& shared, std::size_t i) {
    const Bound& bound = shared.bindings[i];
    shared.plan->Unstage(bound.id, bound.slots);
    Settle(shared);
    EXPECT_EQ(shared.plan->Snapshot(bound.id).size(), 0);
    shared.bindings.erase(shared.bindings.begin() + static_cast<std::ptrdiff_t>(i));
  }

  void Rebind(Shared& shared) {
    if (!shared.bindings.empty() && choices_.Pick(2) == 1) {
      Unbind(shared, choices_.Pick(static_cast<std::uint32_t>(shared.bindings.size())));
    }
    if (shared.bindings.size() < kBindingsMax && choices_.Pick(2) == 1) Bind(shared);
  }

  void Settle(Shared& shared) {
    const Status step = graph_->Step({});
    ASSERT_TRUE(step.has_value());
    shared.plan->Load();
  }

  void Tell(Shared& shared) {
    for (dataflow::ListChange& list : shared.plan->Step()) {
      const db::BindingId id{list.bucket[0].AsInt()};
      const auto bound = std::ranges::find(shared.bindings, id, &Bound::id);
      ASSERT_NE(bound, shared.bindings.end()) << "a result of no binding";
      Apply(ToChange(std::move(list), Version{1}, Version{2}, Origin::kLocal), bound->client);
    }
  }

  std::string Compare(const std::string& when) {
    for (const Shared& shared : plans_) {
      for (const Bound& bound : shared.bindings) {
        const Result<Rows> naive = naive_.Run(bound.text);
        if (!naive && naive.error().code == ErrorCode::kLimit) continue;
        if (!naive) return ToString(naive.error());
        const std::string expected = naive->ToJson();
        const std::string view = shared.plan->Snapshot(bound.id).ToAnswer().ToJson();
        const std::string client = ShowRows(bound.client);
        if (view != expected || client != expected) {
          return StrCat(when, ": ", bound.text, "\nas a binding of ", shared.text, "\nview   ",
                        view, "\nclient ", client, "\nnaive  ", expected, "\n");
        }
      }
    }
    return {};
  }

  const GeneratedCase& made_;
  Choices& choices_;
  NaiveDatabase naive_;
  QueryBed bed_;
  std::unique_ptr<dataflow::Graph> graph_;
  std::vector<Shared> plans_;
  int bound_ = 0;
};

std::string DifferenceOf(const std::vector<std::uint32_t>& recorded) {
  return RunForked([&] {
    Choices replay(recorded);
    const GeneratedCase made = GenerateCase(replay, kOptions);
    return SharedBed(made, replay).Run();
  });
}

TEST(BindingPropertyTest, EveryBindingOfAPlanIsAQueryOfItsOwn) {
  const std::uint64_t seed = TestSeed();
  const int rounds = static_cast<int>(150 * TestScale());
  const bool is_forked = std::getenv("TREFOIL_FORK") != nullptr;
  int plans = 0;
  int bindings = 0;
  for (int round = 0; round < rounds; ++round) {
    Choices choices(seed + static_cast<std::uint64_t>(round));
    const GeneratedCase made = GenerateCase(choices, kOptions);
    SharedBed bed(made, choices);
    const std::string difference = is_forked ? DifferenceOf(choices.taken()) : bed.Run();
    plans += bed.plans();
    bindings += bed.bindings();
    if (difference.empty()) continue;
    Choices smallest(Shrink(choices.taken(), 3000, [](const std::vector<std::uint32_t>& recorded) {
      return !DifferenceOf(recorded).empty();
    }));
    const GeneratedCase small = GenerateCase(smallest, kOptions);
    FAIL() << "round " << round << "\n" << small.ToText() << DifferenceOf(smallest.taken());
  }
  std::printf("%d plans with %d bindings\n", plans, bindings);
  EXPECT_GT(bindings, plans) << "the generator makes no literals any more";
}

}  // namespace
}  // namespace trefoil::testing
