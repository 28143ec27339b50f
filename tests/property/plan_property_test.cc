// E4: whatever passes run over a plan, its answer is that of the naive evaluator.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "base/errors.h"
#include "base/str_cat.h"
#include "tests/support/forked.h"
#include "tests/support/naive_database.h"
#include "tests/support/query_bed.h"
#include "tests/support/query_generator.h"
#include "tests/support/seed.h"

namespace trefoil::testing {
namespace {

struct Outcome {
  std::string difference;  // empty: all agree
  std::size_t answered = 0;
  std::size_t refused = 0;  // kUnsupported
};

Outcome RunEverywhere(const GeneratedCase& made) {
  Outcome outcome;
  NaiveDatabase naive(made.tables);
  QueryBed bed(made.Declarations());
  for (const GeneratedWrite& write : made.rows) {
    naive.Apply(write);
    const std::string& table = made.tables[write.table].name;
    write.row ? bed.Put(table, *write.row) : bed.Erase(table, write.key);
  }
  for (const std::string& query : made.queries) {
    const Result<Rows> expected = naive.Run(query);
    if (!expected && expected.error().code == ErrorCode::kLimit) continue;
    if (!expected) {
      outcome.difference = ToString(expected.error());
      return outcome;
    }
    const query::PassSet no_pass{.push_filters = false,
                                 .find_keys = false,
                                 .drop_domains = false,
                                 .choose_ranges = false,
                                 .drop_idle = false,
                                 .order_joins = false,
                                 .prune_columns = false};
    std::vector<query::PassSet> sets = {{}, no_pass, {}, {}, {}, {}, {}, {}, {}};
    sets[2].push_filters = false;
    sets[3].find_keys = false;
    sets[4].choose_ranges = false;
    sets[5].prune_columns = false;
    sets[6].order_joins = false;
    sets[7].drop_domains = false;
    sets[8].drop_idle = false;
    for (std::size_t i = 0; i < sets.size(); ++i) {
      const std::string answer = bed.Run(query, {}, sets[i]);
      if (answer.starts_with("error[unsupported]")) {
        ++outcome.refused;
        break;
      }
      if (answer != expected->ToJson()) {
        outcome.difference =
            StrCat("pass set ", i, " gives\n", answer, "\nexpected\n", expected->ToJson(), "\n");
        return outcome;
      }
    }
    ++outcome.answered;
  }
  return outcome;
}

// Errors that abort are found in a child process.
std::string DifferenceOf(const std::vector<std::uint32_t>& recorded) {
  return RunForked([&] {
    Choices replay(recorded);
    return RunEverywhere(GenerateCase(replay, {})).difference;
  });
}

TEST(PlanPropertyTest, AnswersAreThoseOfTheNaiveEvaluatorWhateverPassesRun) {
  const std::uint64_t seed = TestSeed();
  const int rounds = static_cast<int>(300 * TestScale());
  const bool is_forked = std::getenv("TREFOIL_FORK") != nullptr;
  std::size_t answered = 0;
  std::size_t refused = 0;
  for (int round = 0; round < rounds; ++round) {
    Choices choices(seed + static_cast<std::uint64_t>(round));
    const GeneratedCase made = GenerateCase(choices, {});
    if (is_forked) {
      if (DifferenceOf(choices.taken()).empty()) continue;
    } else {
      const Outcome outcome = RunEverywhere(made);
      answered += outcome.answered;
      refused += outcome.refused;
      if (outcome.difference.empty()) continue;
    }
    Choices smallest(Shrink(choices.taken(), 3000, [](const std::vector<std::uint32_t>& recorded) {
      return !DifferenceOf(recorded).empty();
    }));
    const GeneratedCase small = GenerateCase(smallest, {});
    FAIL() << "round " << round << "\n" << small.ToText() << DifferenceOf(smallest.taken());
  }
  EXPECT_LE(refused * 4, answered) << "most generated queries are accepted";
}

}  // namespace
}  // namespace trefoil::testing
