// The store against a model (store_history.h): random histories, the failing ones made small.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "tests/lsm/store_history.h"
#include "tests/support/seed.h"

namespace trefoil::lsm {

std::vector<std::uint64_t> Shrink(std::vector<std::uint64_t> operations, const HistoryFails& fails,
                                  int tries_max) {
  for (std::size_t piece = operations.size(); piece != 0 && tries_max > 0; piece /= 2) {
    for (std::size_t end = operations.size(); end != 0 && tries_max > 0; --tries_max) {
      const std::size_t start = end > piece ? end - piece : 0;
      std::vector<std::uint64_t> fewer = operations;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(start),
                  fewer.begin() + static_cast<std::ptrdiff_t>(end));
      if (const std::optional<std::size_t> needed = fails(fewer)) {
        fewer.resize(*needed);
        operations = std::move(fewer);
      }
      end = std::min(start, operations.size());
    }
  }
  return operations;
}

namespace {

constexpr int kShrinkTries = 400;

double Scale() {
  const char* given = std::getenv("TREFOIL_SCALE");
  return given != nullptr ? std::strtod(given, nullptr) : 1;
}

std::vector<std::uint64_t> RandomOperations(std::uint64_t seed, int count) {
  Random seeds(seed);
  std::vector<std::uint64_t> operations;
  for (int i = 0; i < count; ++i) operations.push_back(seeds.Next());
  return operations;
}

// How many operations of a history it takes to fail; nothing if it does not.
std::optional<std::size_t> OperationsToFail(const HistoryOptions& options,
                                            std::span<const std::uint64_t> operations) {
  History history(options);
  if (!history.Run(operations)) return std::nullopt;
  return history.done();
}

// The smallest history found that fails like this one, as text; its last line says how.
std::string SmallestFailure(HistoryOptions options, std::vector<std::uint64_t> operations) {
  for (const std::uint64_t edits_max : {std::uint64_t{1}, std::uint64_t{3}, options.edits_max}) {
    HistoryOptions smaller = options;
    smaller.edits_max = edits_max;
    const std::optional<std::size_t> needed = OperationsToFail(smaller, operations);
    if (!needed) continue;
    operations.resize(*needed);
    options = smaller;
    break;
  }
  const HistoryFails fails = [&](std::span<const std::uint64_t> tried) {
    return OperationsToFail(options, tried);
  };
  operations = Shrink(std::move(operations), fails, kShrinkTries);
  options.trace = true;
  History history(options);
  const std::optional<std::string> failure = history.Run(operations);
  std::string text = StrCat(operations.size(), " operations:\n");
  for (const std::string& line : history.trace()) text += StrCat("  ", line, "\n");
  return text + failure.value_or("this time nothing failed");
}

void RunHistories(int histories, int operations, bool background) {
  Random seeds(testing::TestSeed());
  histories = std::max(1, static_cast<int>(histories * Scale()));
  for (int i = 0; i < histories; ++i) {
    HistoryOptions options;
    options.seed = seeds.Next();
    options.background = background;
    std::vector<std::uint64_t> history_operations = RandomOperations(options.seed, operations);
    History history(options);
    const std::optional<std::string> failure = history.Run(history_operations);
    if (!failure) continue;
    ADD_FAILURE() << "history " << i << ", seed " << options.seed << ", operation "
                  << history.done() << ": " << *failure << "\n"
                  << SmallestFailure(options, std::move(history_operations));
    return;
  }
}

TEST(StoreModelTest, RandomHistoriesReadLikeAMap) { RunHistories(40, 4000, /*background=*/false); }

TEST(StoreModelTest, RandomHistoriesReadLikeAMapWithWorkInTheBackground) {
  RunHistories(10, 4000, /*background=*/true);
}

TEST(StoreModelTest, ADifferenceIsToldByAFewOperations) {
  HistoryOptions options;
  options.seed = testing::TestSeed();
  options.forgetful = true;
  std::vector<std::uint64_t> operations = RandomOperations(options.seed, 2000);
  History history(options);
  ASSERT_TRUE(history.Run(operations));
  const std::string told = SmallestFailure(options, std::move(operations));
  // It begins with how many operations are left of 2,000; a batch among them is told in several
  // lines.
  EXPECT_LE(std::stoi(told), 6) << told;
  EXPECT_NE(told.find("delete "), std::string::npos) << told;
}

TEST(ShrinkTest, LeavesWhatTheFailureNeeds) {
  std::vector<std::uint64_t> operations;
  for (std::uint64_t i = 0; i < 1000; ++i) operations.push_back(i);
  // Fails once 17, 400 and 401 are there, in that order.
  const HistoryFails fails =
      [](std::span<const std::uint64_t> tried) -> std::optional<std::size_t> {
    std::size_t seen = 0;
    constexpr std::uint64_t kNeeded[] = {17, 400, 401};
    for (std::size_t i = 0; i < tried.size(); ++i) {
      if (tried[i] == kNeeded[seen] && ++seen == 3) return i + 1;
    }
    return std::nullopt;
  };
  EXPECT_EQ(Shrink(operations, fails, 1000), (std::vector<std::uint64_t>{17, 400, 401}));
  EXPECT_EQ(Shrink(operations, fails, 0).size(), 1000U);
}

}  // namespace
}  // namespace trefoil::lsm
