#include <gtest/gtest.h>

#include <array>

#include "lsm/page_builder.h"
#include "lsm/page_view.h"
#include "tests/lsm/entries.h"

namespace trefoil::lsm {
namespace {

using Page = std::array<char, kPageBytes>;

// As many of the entries as fit one page; how many they are.
std::size_t FillPage(const std::vector<OwnedEntry>& entries, Page& page) {
  PageBuilder builder;
  std::size_t count = 0;
  while (count < entries.size() && builder.Add(entries[count].view())) ++count;
  if (count != 0) builder.Finish(page);
  return count;
}

void ExpectSamePage(const std::vector<OwnedEntry>& entries, const Page& page) {
  ASSERT_EQ(WhatIsWrongWithPage(page), nullptr);
  const PageView view(page.data());
  ASSERT_EQ(view.count(), entries.size());
  Page buffer;
  for (std::uint32_t i = 0; i < view.count(); ++i) {
    ASSERT_EQ(view.Key(i, buffer.data()), Slice(entries[i].key)) << "entry " << i;
    ASSERT_EQ(view.Value(i), Slice(entries[i].value)) << "entry " << i;
    ASSERT_EQ(view.Kind(i), entries[i].kind) << "entry " << i;
    ASSERT_EQ(view.Sequence(i), entries[i].sequence) << "entry " << i;
  }
}

// What a reader at `snapshot` finds, by walking all entries.
std::size_t FindVisiblePlainly(const std::vector<OwnedEntry>& entries, Slice key,
                               SequenceNumber snapshot) {
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (Slice(entries[i].key) == key && entries[i].sequence <= snapshot) return i;
  }
  return entries.size();
}

TEST(PageTest, GivesBackEveryEntryAndFindsEveryKeyOfRandomPages) {
  Random random(testing::TestSeed());
  for (int round = 0; round < 1500 * testing::TestScale(); ++round) {
    std::vector<OwnedEntry> entries = RandomEntries(random, RandomShape(random));
    Page page;
    const std::size_t count = FillPage(entries, page);
    if (count == 0) continue;
    entries.resize(count);
    ASSERT_NO_FATAL_FAILURE(ExpectSamePage(entries, page));
    const PageView view(page.data());
    for (int i = 0; i < 20; ++i) {
      const std::string target = RandomTarget(random, entries);
      const PageView::Place place = view.Find(target);
      ASSERT_EQ(place.index, LowerBoundOf(entries, target)) << "round " << round;
      const SequenceNumber snapshot = random.OneIn(3) ? kLatestSequence : random.Uniform(75000);
      ASSERT_EQ(view.FindVisible(place, target, snapshot),
                FindVisiblePlainly(entries, target, snapshot));
    }
  }
}

TEST(PageTest, GivesBackASpanOfSeveralPages) {
  for (const std::size_t value_bytes : {4100U, 8192U, 70000U}) {
    const OwnedEntry entry{.key = "large", .sequence = 9, .value = std::string(value_bytes, 'v')};
    std::string pages(SpanPages(entry.view()) * kPageBytes, 'x');
    EncodeSpan(entry.view(), pages);
    ASSERT_EQ(WhatIsWrongWithPage(pages), nullptr);
    const PageView view(pages.data());
    EXPECT_EQ(view.count(), 1U);
    EXPECT_EQ(view.Key(0, pages.data()), Slice(entry.key));
    EXPECT_EQ(view.Value(0), Slice(entry.value));
    EXPECT_EQ(view.Sequence(0), 9U);
    EXPECT_EQ(view.Kind(0), EntryKind::kPut);
    EXPECT_EQ(view.LowerBound("large"), 0U);
    EXPECT_EQ(view.LowerBound("larger"), 1U);
    EXPECT_EQ(view.FindVisible(view.Find("large"), "large", 8), 1U);
    EXPECT_EQ(view.FindVisible(view.Find("large"), "large", 9), 0U);
  }
}

TEST(PageTest, RefusesAnEntryThatNoPageHolds) {
  PageBuilder builder;
  const std::string value(kPageBytes, 'v');
  EXPECT_FALSE(builder.Add({.key = "k", .sequence = 0, .kind = EntryKind::kPut, .value = value}));
  EXPECT_TRUE(builder.empty());
}

TEST(PageTest, StoresKeysOfOneLengthAsHeadsAlone) {
  PageBuilder builder;
  std::size_t count = 0;
  while (true) {
    std::string key = "\x02\x07\x05";
    AppendBigEndian64(key, 1000 + count * 3);
    if (!builder.Add({.key = key, .sequence = 0, .kind = EntryKind::kPut, .value = "12345678"})) {
      break;
    }
    ++count;
  }
  // 8 bytes of value and 2 of head an entry, and nothing besides.
  EXPECT_GT(count, 400U);
}

// No bytes lead a validated view outside its page. Asan watches.
TEST(PageTest, SurvivesDamageThatTheSumDidNotSee) {
  Random random(testing::TestSeed());
  int accepted = 0;
  for (int round = 0; round < 3000 * testing::TestScale(); ++round) {
    const std::vector<OwnedEntry> entries = RandomEntries(random, RandomShape(random));
    const std::unique_ptr<Page> page = std::make_unique<Page>();
    if (FillPage(entries, *page) == 0) continue;
    for (std::uint64_t flips = 1 + random.Uniform(4); flips > 0; --flips) {
      const std::size_t at = random.OneIn(2) ? random.Uniform(16) : random.Uniform(kPageBytes);
      (*page)[at] = static_cast<char>(random.Next());
    }
    if (WhatIsWrongWithPage(*page) != nullptr) continue;
    ++accepted;
    const PageView view(page->data());
    Page buffer;
    std::size_t bytes = 0;
    for (std::uint32_t i = 0; i < view.count(); ++i) {
      bytes += view.Key(i, buffer.data()).ToString().size() + view.Value(i).ToString().size();
      bytes += view.Sequence(i) + static_cast<std::size_t>(view.Kind(i));
    }
    const std::string target = RandomTarget(random, entries);
    EXPECT_LE(view.FindVisible(view.Find(target), target, bytes), view.count());
  }
  EXPECT_GT(accepted, 0);
}

}  // namespace
}  // namespace trefoil::lsm
