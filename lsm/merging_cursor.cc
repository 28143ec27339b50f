#include "lsm/merging_cursor.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace trefoil::lsm {

MergingCursor::MergingCursor(std::vector<std::unique_ptr<RunCursor>> children)
    : children_(std::move(children)) {}

bool MergingCursor::Precedes(const Entry& a, const Entry& b) const {
  const auto order = CompareEntries(a, b);
  return forward_ ? order < 0 : order > 0;
}

// Finds the leader and the second among the children, all positioned.
void MergingCursor::Lead() {
  const RunCursor* leader = nullptr;
  second_ = nullptr;
  for (std::size_t i = 0; i < children_.size(); ++i) {
    const RunCursor* child = children_[i].get();
    if (!child->Valid()) {
      if (Status failed = child->status(); !failed) {
        leader = nullptr;
        break;
      }
      continue;
    }
    if (leader == nullptr || Precedes(child->entry(), leader->entry())) {
      second_ = leader;
      leader = child;
      leader_ = i;
    } else if (second_ == nullptr || Precedes(child->entry(), second_->entry())) {
      second_ = child;
    }
  }
  valid_ = leader != nullptr;
  if (valid_) ShowEntryOf(*leader);
}

void MergingCursor::SeekToFirst() {
  forward_ = true;
  for (const auto& child : children_) child->SeekToFirst();
  Lead();
}

void MergingCursor::SeekToLast() {
  forward_ = false;
  for (const auto& child : children_) child->SeekToLast();
  Lead();
}

void MergingCursor::Seek(Slice target) {
  forward_ = true;
  for (const auto& child : children_) child->Seek(target);
  Lead();
}

void MergingCursor::SeekBefore(Slice target) {
  forward_ = false;
  for (const auto& child : children_) child->SeekBefore(target);
  Lead();
}

void MergingCursor::Next() {
  Verify([&] { return forward_; }, "a merge goes on in the direction of its last seek");
  RunCursor& leader = *children_[leader_];
  leader.Next();
  if (leader.Valid() &&
      (second_ == nullptr || CompareEntries(leader.entry(), second_->entry()) < 0)) [[likely]] {
    ShowEntryOf(leader);
    return;
  }
  Lead();
}

void MergingCursor::SkipOthers() {
  Verify([&] { return forward_; }, "a merge goes on in the direction of its last seek");
  // No other child can have the key if the second has not.
  if (second_ == nullptr || second_->entry().key != entry().key) return;
  second_ = nullptr;
  for (std::size_t i = 0; i < children_.size(); ++i) {
    if (i == leader_) continue;
    RunCursor& child = *children_[i];
    while (child.Valid() && child.entry().key == entry().key) child.Next();
    if (!child.Valid()) {
      if (Status moved = child.status(); moved) continue;
      // The leader cannot pass itself, so that Next looks at all children and finds the error.
      second_ = children_[leader_].get();
      return;
    }
    if (second_ == nullptr || CompareEntries(child.entry(), second_->entry()) < 0) {
      second_ = &child;
    }
  }
}

void MergingCursor::Prev() {
  Verify([&] { return !forward_; }, "a merge goes on in the direction of its last seek");
  RunCursor& leader = *children_[leader_];
  leader.Prev();
  if (leader.Valid() &&
      (second_ == nullptr || CompareEntries(leader.entry(), second_->entry()) > 0)) {
    ShowEntryOf(leader);
    return;
  }
  Lead();
}

Status MergingCursor::status() const {
  for (const auto& child : children_) {
    if (Status status = child->status(); !status) return status;
  }
  return Ok();
}

void LevelCursor::Open(std::size_t index) {
  if (cursor_ != nullptr && index_ == index) return;
  index_ = index;
  cursor_ = level_[index]->run().NewCursor(options_);
}

void LevelCursor::TakeEntry() {
  valid_ = cursor_ != nullptr && cursor_->Valid();
  if (valid_) ShowEntryOf(*cursor_);
}

void LevelCursor::SkipEmptyFilesForward() {
  while (!cursor_->Valid() && cursor_->status() && index_ + 1 < level_.size()) {
    Open(index_ + 1);
    cursor_->SeekToFirst();
  }
  TakeEntry();
}

void LevelCursor::SkipEmptyFilesBackward() {
  while (!cursor_->Valid() && cursor_->status() && index_ > 0) {
    Open(index_ - 1);
    cursor_->SeekToLast();
  }
  TakeEntry();
}

void LevelCursor::SeekToFirst() {
  valid_ = false;
  if (level_.empty()) return;
  Open(0);
  cursor_->SeekToFirst();
  SkipEmptyFilesForward();
}

void LevelCursor::SeekToLast() {
  valid_ = false;
  if (level_.empty()) return;
  Open(level_.size() - 1);
  cursor_->SeekToLast();
  SkipEmptyFilesBackward();
}

void LevelCursor::Seek(Slice target) {
  valid_ = false;
  const auto file = std::ranges::upper_bound(
      level_, target, {}, [](const auto& candidate) { return Slice(candidate->meta().limit); });
  if (file == level_.end()) return;
  Open(static_cast<std::size_t>(file - level_.begin()));
  cursor_->Seek(target);
  SkipEmptyFilesForward();
}

void LevelCursor::SeekBefore(Slice target) {
  valid_ = false;
  const auto after = std::ranges::lower_bound(
      level_, target, {}, [](const auto& candidate) { return Slice(candidate->meta().smallest); });
  if (after == level_.begin()) return;
  Open(static_cast<std::size_t>(after - level_.begin()) - 1);
  cursor_->SeekBefore(target);
  SkipEmptyFilesBackward();
}

void LevelCursor::Next() {
  cursor_->Next();
  if (!cursor_->Valid()) SkipEmptyFilesForward();
}

void LevelCursor::Prev() {
  cursor_->Prev();
  SkipEmptyFilesBackward();
}

Status LevelCursor::status() const { return cursor_ == nullptr ? Ok() : cursor_->status(); }

}  // namespace trefoil::lsm
