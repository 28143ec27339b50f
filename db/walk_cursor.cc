#include "db/walk_cursor.h"

#include <utility>

#include "schema/keys.h"

namespace trefoil::db {

namespace {

constexpr int kStepsBeforeSeek = 8;

}  // namespace

WalkCursor::WalkCursor(const ReadView& view, std::string prefix, std::span<const Walk> walks)
    : prefix_(std::move(prefix)), walks_(walks), reverse_(walks.front().reverse) {
  const std::string& limit = walks.back().limit;
  iterator_ =
      view.NewIterator({.start = prefix_ + walks.front().start,
                        .limit = limit.empty() ? schema::PrefixLimit(prefix_) : prefix_ + limit});
  reverse_ ? iterator_->SeekToLast() : iterator_->SeekToFirst();
}

bool WalkCursor::Valid() {
  for (; iterator_->Valid(); Enter(walk_ + 1)) {
    if (walk_ + 1 == walks_.size() || entry() < Slice(walks_[walk_].limit)) return true;
  }
  return false;
}

bool WalkCursor::Leave() {
  if (walk_ + 1 == walks_.size()) return false;
  Enter(walk_ + 1);
  return true;
}

void WalkCursor::Enter(std::size_t walk) {
  walk_ = walk;
  const Slice start(walks_[walk].start);
  for (int i = 0; i < kStepsBeforeSeek; ++i) {
    if (!iterator_->Valid() || entry() >= start) return;
    iterator_->Next();
  }
  if (!iterator_->Valid() || entry() >= start) return;
  target_.assign(prefix_).append(start.view());
  iterator_->Seek(Slice(target_));
}

}  // namespace trefoil::db
