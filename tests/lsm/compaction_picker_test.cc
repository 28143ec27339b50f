#include "lsm/compaction_picker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/random.h"
#include "base/str_cat.h"
#include "tests/support/seed.h"

namespace trefoil::lsm {
namespace {

FilePointer FileOf(std::uint64_t number, std::string smallest, std::string limit,
                   std::uint64_t size_bytes = 100) {
  FileMeta meta;
  meta.number = FileNumber{number};
  meta.smallest = std::move(smallest);
  meta.limit = std::move(limit);
  meta.size_bytes = size_bytes;
  meta.entries = size_bytes / 10;
  meta.last_sequence = 50;
  return std::make_shared<const FileMeta>(std::move(meta));
}

FilePointer WithDeletes(const FilePointer& file, std::uint64_t deletes) {
  FileMeta meta = *file;
  meta.deletes = deletes;
  return std::make_shared<const FileMeta>(std::move(meta));
}

std::vector<std::uint64_t> NumbersOf(const std::vector<FilePointer>& files) {
  std::vector<std::uint64_t> numbers;
  for (const FilePointer& file : files) numbers.push_back(ToNumber(file->number));
  return numbers;
}

using Numbers = std::vector<std::uint64_t>;
const CompactionOptions kOptions{.level0_files_max = 2,
                                 .level1_bytes = 300,
                                 .level_ratio = 4,
                                 .file_bytes = 100,
                                 .settled_sequence = 100};

TEST(CompactionPickerTest, HasNothingToDoWithinTheLimits) {
  EXPECT_FALSE(PickCompaction({}, kOptions).has_value());
  const LevelFiles levels = {{FileOf(1, "a", "z")},
                             {FileOf(2, "a", "d"), FileOf(3, "d", "m"), FileOf(4, "m", "z")}};
  EXPECT_FALSE(PickCompaction(levels, kOptions).has_value());
  EXPECT_EQ(CompactionDebt(levels, kOptions), 0U);
}

TEST(CompactionPickerTest, MergesTheOldestOfLevelZeroWithAllThatOverlapIt) {
  const LevelFiles levels = {
      {FileOf(9, "x", "z"), FileOf(8, "c", "f"), FileOf(7, "e", "h"), FileOf(6, "a", "d")},
      {FileOf(2, "a", "b"), FileOf(3, "g", "k"), FileOf(4, "k", "z")},
      {FileOf(1, "h", "j")}};
  const CompactionPlan plan = PickCompaction(levels, kOptions).value();
  EXPECT_EQ(plan.level, 0);
  EXPECT_EQ(plan.output_level, 1);
  EXPECT_EQ(NumbersOf(plan.inputs), (Numbers{8, 7, 6}));
  EXPECT_EQ(NumbersOf(plan.overlaps), (Numbers{2, 3}));
  EXPECT_EQ(NumbersOf(plan.grandparents), (Numbers{1}));
  EXPECT_FALSE(plan.trivial_move);
  EXPECT_FALSE(plan.bottom);
  EXPECT_EQ(plan.input_bytes(), 500U);
}

TEST(CompactionPickerTest, MovesAFileThatNothingOverlaps) {
  const LevelFiles levels = {{FileOf(9, "x", "z"), FileOf(8, "a", "c")}, {FileOf(2, "d", "e")}};
  const CompactionPlan plan = PickCompaction(levels, kOptions).value();
  EXPECT_EQ(NumbersOf(plan.inputs), (Numbers{8}));
  EXPECT_TRUE(plan.trivial_move);
  EXPECT_TRUE(plan.bottom);
}

TEST(CompactionPickerTest, RewritesAFileOfDeletionsInsteadOfMovingItToTheBottom) {
  const LevelFiles levels = {{FileOf(9, "x", "z"), WithDeletes(FileOf(8, "a", "c"), 3)}};
  const CompactionPlan plan = PickCompaction(levels, kOptions).value();
  EXPECT_EQ(NumbersOf(plan.inputs), (Numbers{8}));
  EXPECT_TRUE(plan.bottom);
  EXPECT_FALSE(plan.trivial_move);
}

TEST(CompactionPickerTest, DoesNotMoveAFileOverMuchOfTheLevelBelowItsTarget) {
  const LevelFiles levels = {
      {FileOf(9, "x", "z"), FileOf(8, "a", "c")}, {}, {FileOf(2, "a", "c", 1001)}};
  const CompactionPlan plan = PickCompaction(levels, kOptions).value();
  EXPECT_FALSE(plan.trivial_move);
}

TEST(CompactionPickerTest, TakesTheFileThatRewritesLeastOfTheFullestLevel) {
  const LevelFiles levels = {{},
                             {FileOf(2, "a", "d", 200), FileOf(3, "d", "g", 200)},
                             {FileOf(4, "a", "c", 500), FileOf(5, "e", "f", 100)}};
  const CompactionPlan plan = PickCompaction(levels, kOptions).value();
  EXPECT_EQ(plan.level, 1);
  EXPECT_EQ(NumbersOf(plan.inputs), (Numbers{3}));
  EXPECT_EQ(NumbersOf(plan.overlaps), (Numbers{5}));
}

TEST(CompactionPickerTest, PrefersAFileWhoseDeletionsFreeMore) {
  const LevelFiles levels = {{},
                             {FileOf(2, "a", "d", 200), WithDeletes(FileOf(3, "d", "g", 200), 19)},
                             {FileOf(4, "a", "c", 200), FileOf(5, "e", "f", 300)}};
  const CompactionPlan plan = PickCompaction(levels, kOptions).value();
  EXPECT_EQ(NumbersOf(plan.inputs), (Numbers{3}));
}

TEST(CompactionPickerTest, ARangeGoesDownLevelByLevelUntilItIsInOnePlace) {
  const LevelFiles levels = {
      {FileOf(9, "a", "c")}, {FileOf(2, "b", "d"), FileOf(3, "m", "p")}, {FileOf(4, "a", "z")}};
  const CompactionPlan first =
      PickRangeCompaction(levels, {.start = "a", .limit = "d"}, kOptions).value();
  EXPECT_EQ(first.level, 0);
  EXPECT_EQ(NumbersOf(first.overlaps), (Numbers{2}));
  const LevelFiles next = {{}, {FileOf(10, "a", "d"), FileOf(3, "m", "p")}, {FileOf(4, "a", "z")}};
  const CompactionPlan second =
      PickRangeCompaction(next, {.start = "a", .limit = "d"}, kOptions).value();
  EXPECT_EQ(second.level, 1);
  EXPECT_EQ(NumbersOf(second.inputs), (Numbers{10}));
  const LevelFiles last = {{}, {FileOf(3, "m", "p")}, {FileOf(11, "a", "z")}};
  EXPECT_FALSE(PickRangeCompaction(last, {.start = "a", .limit = "d"}, kOptions).has_value());
  EXPECT_TRUE(PickRangeCompaction(last, {.start = "", .limit = ""}, kOptions).has_value());
}

TEST(CompactionPickerTest, TakesFilesFullOfDeletionsOnlyWhenNoSnapshotNeedsThem) {
  const LevelFiles levels = {
      {}, {FileOf(2, "a", "d"), WithDeletes(FileOf(3, "d", "g"), 5)}, {FileOf(5, "e", "f")}};
  const CompactionPlan plan = PickDeletesCompaction(levels, kOptions).value();
  EXPECT_EQ(NumbersOf(plan.inputs), (Numbers{3}));
  CompactionOptions pinned = kOptions;
  pinned.settled_sequence = 49;
  EXPECT_FALSE(PickDeletesCompaction(levels, pinned).has_value());
}

// Plays plans on a tree of file ranges until nothing is left to do.
TEST(CompactionPickerTest, PlansEndAndKeepEveryLevelInOrder) {
  Random random(testing::TestSeed());
  for (int round = 0; round < 200 * testing::TestScale(); ++round) {
    LevelFiles levels(kLevels);
    std::uint64_t next_number = 1;
    const auto random_file = [&] {
      const std::uint64_t start = random.Uniform(1000);
      return FileOf(next_number++, StrCat(1000 + start), StrCat(1001 + start + random.Uniform(99)));
    };
    for (int flush = 0; flush < 30; ++flush) {
      levels[0].insert(levels[0].begin(), random_file());
      int plans = 0;
      while (std::optional<CompactionPlan> plan = PickCompaction(levels, kOptions)) {
        ASSERT_LT(++plans, 1000) << "compaction does not come to an end";
        std::set<FileNumber> gone;
        std::vector<FilePointer> outputs;
        for (const auto* files : {&plan->inputs, &plan->overlaps}) {
          for (const FilePointer& file : *files) gone.insert(file->number);
        }
        if (plan->trivial_move) {
          outputs = plan->inputs;
        } else {
          std::string start = plan->inputs[0]->smallest;
          std::string limit = plan->inputs[0]->limit;
          for (const auto* files : {&plan->inputs, &plan->overlaps}) {
            for (const FilePointer& file : *files) {
              start = std::min(start, file->smallest);
              limit = std::max(limit, file->limit);
            }
          }
          outputs.push_back(FileOf(next_number++, start, limit, plan->input_bytes()));
        }
        for (std::vector<FilePointer>& files : levels) {
          std::erase_if(files,
                        [&](const FilePointer& file) { return gone.contains(file->number); });
        }
        std::vector<FilePointer>& target = levels[static_cast<std::size_t>(plan->output_level)];
        target.insert(target.end(), outputs.begin(), outputs.end());
        std::ranges::sort(target, {}, [](const FilePointer& file) { return file->smallest; });
        for (std::size_t i = 1; i < target.size(); ++i) {
          ASSERT_LE(target[i - 1]->limit, target[i]->smallest);
        }
      }
    }
  }
}

}  // namespace
}  // namespace trefoil::lsm
