#include "lsm/merging_cursor.h"

#include <gtest/gtest.h>

#include "base/errors.h"
#include "tests/lsm/entries.h"

namespace trefoil::lsm {
namespace {

// Walks forward over given entries, then fails if it is told to.
class ListCursor final : public RunCursor {
 public:
  ListCursor(std::vector<OwnedEntry> entries, bool fails)
      : entries_(std::move(entries)), fails_(fails) {}

  void SeekToFirst() override { MoveTo(0); }
  void Next() override { MoveTo(at_ + 1); }
  void Seek(Slice target) override { MoveTo(LowerBoundOf(entries_, target)); }
  void SeekToLast() override { valid_ = false; }
  void SeekBefore(Slice) override { valid_ = false; }
  void Prev() override { valid_ = false; }
  Status status() const override {
    return fails_ && at_ == entries_.size() ? Status(Corruption("damaged")) : Ok();
  }

 private:
  void MoveTo(std::size_t at) {
    at_ = at;
    valid_ = at < entries_.size();
    if (valid_) entry_ = entries_[at].view();
  }

  const std::vector<OwnedEntry> entries_;
  const bool fails_;
  std::size_t at_ = 0;
};

std::unique_ptr<RunCursor> Cursor(std::initializer_list<std::pair<std::string, int>> entries,
                                  bool fails = false) {
  std::vector<OwnedEntry> owned;
  for (const auto& [key, sequence] : entries) {
    owned.push_back({.key = key, .sequence = static_cast<SequenceNumber>(sequence)});
  }
  return std::make_unique<ListCursor>(std::move(owned), fails);
}

MergingCursor MergeOf(std::unique_ptr<RunCursor> a, std::unique_ptr<RunCursor> b,
                      std::unique_ptr<RunCursor> c) {
  std::vector<std::unique_ptr<RunCursor>> children;
  children.push_back(std::move(a));
  children.push_back(std::move(b));
  children.push_back(std::move(c));
  return MergingCursor(std::move(children));
}

TEST(MergingCursorTest, SkipsWhatTheOtherChildrenHaveOfAKey) {
  MergingCursor merge =
      MergeOf(Cursor({{"b", 9}, {"b", 8}, {"c", 9}}), Cursor({{"a", 5}, {"b", 5}, {"b", 4}}),
              Cursor({{"b", 1}, {"d", 1}}));
  std::string seen;
  for (merge.SeekToFirst(); merge.Valid(); merge.Next()) {
    seen += merge.entry().key.ToString() + std::to_string(merge.entry().sequence) + ' ';
    merge.SkipOthers();
  }
  EXPECT_TRUE(merge.status());
  EXPECT_EQ(seen, "a5 b9 b8 c9 d1 ");
}

TEST(MergingCursorTest, EndsWhereASkippedChildFails) {
  MergingCursor merge = MergeOf(Cursor({{"a", 9}, {"b", 9}, {"c", 9}}),
                                Cursor({{"a", 5}}, /*fails=*/true), Cursor({{"d", 1}}));
  merge.SeekToFirst();
  merge.SkipOthers();
  merge.Next();
  EXPECT_FALSE(merge.Valid());
  EXPECT_FALSE(merge.status());
}

}  // namespace
}  // namespace trefoil::lsm
