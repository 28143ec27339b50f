#include "lsm/visible_iterator.h"

#include <utility>
#include <vector>

namespace trefoil::lsm {

namespace {

std::vector<std::unique_ptr<RunCursor>> CursorsOf(const ReadView& view, const KeyRange& range,
                                                  const Run::CursorOptions& options) {
  std::vector<std::unique_ptr<RunCursor>> cursors;
  if (!view.active->empty()) cursors.push_back(view.active->NewCursor(options));
  for (const auto& memtable : view.sealed) cursors.push_back(memtable->NewCursor(options));
  const auto outside = [&](const FileMeta& meta) {
    return Slice(meta.limit) <= Slice(range.start) ||
           (!range.limit.empty() && Slice(range.limit) <= Slice(meta.smallest));
  };
  const std::vector<Version::Level>& levels = view.version->levels();
  for (const auto& file : levels[0]) {
    if (!outside(file->meta())) cursors.push_back(file->run().NewCursor(options));
  }
  for (std::size_t level = 1; level < levels.size(); ++level) {
    if (levels[level].empty()) continue;
    cursors.push_back(std::make_unique<LevelCursor>(levels[level], options));
  }
  return cursors;
}

}  // namespace

VisibleIterator::VisibleIterator(KeyRange range, Snapshot snapshot, BlobReader read_blob)
    : range_(std::move(range)),
      snapshot_(std::move(snapshot)),
      sequence_(snapshot_.sequence()),
      has_range_deletes_(snapshot_.state().view->has_range_deletes()),
      read_blob_(std::move(read_blob)),
      merge_(CursorsOf(*snapshot_.state().view, range_, {.snapshot = sequence_})) {}

void VisibleIterator::SeekToFirst() { Seek(range_.start); }

void VisibleIterator::SeekToLast() {
  if (!range_.limit.empty()) return SeekBefore(range_.limit);
  forward_ = false;
  merge_.SeekToLast();
  FindPrev();
}

void VisibleIterator::Seek(Slice target) {
  forward_ = true;
  skipping_ = false;
  merge_.Seek(std::max(target, Slice(range_.start)));
  FindNext();
}

void VisibleIterator::SeekForPrev(Slice target) {
  if (!range_.limit.empty() && target >= Slice(range_.limit)) return SeekBefore(range_.limit);
  // The keys <= target are those before the next longer key.
  const std::string after = target.ToString() + '\0';
  SeekBefore(after);
}

void VisibleIterator::SeekBefore(Slice target) {
  forward_ = false;
  merge_.SeekBefore(target);
  FindPrev();
}

void VisibleIterator::Next() {
  // Sequence 0 is that of the last entry of its key.
  skipping_ = !forward_ || shown_.sequence != 0;
  if (skipping_) skip_.assign(shown_.key.view());
  if (forward_) {
    merge_.Next();
  } else {
    forward_ = true;
    merge_.Seek(skip_);
  }
  FindNext();
}

void VisibleIterator::Prev() {
  if (forward_) {
    shown_key_.assign(shown_.key.view());
    return SeekBefore(shown_key_);
  }
  FindPrev();
}

void VisibleIterator::FindNext() {
  dead_keys_ = 0;
  std::string jumped;  // to where a hint led
  while (merge_.Valid()) {
    const Entry& entry = merge_.entry();
    const bool done = skipping_ && entry.key == Slice(skip_);
    if (entry.sequence > sequence_ || done) {
      merge_.Next();
      continue;
    }
    if (!range_.limit.empty() && entry.key >= Slice(range_.limit)) return EndAfter(range_.limit);
    if (entry.kind != EntryKind::kDelete && !IsHidden(entry)) {
      if (dead_keys_ != 0) LeaveHint(dead_from_, entry.key);
      return Show(entry);
    }
    skip_.assign(entry.key.view());
    skipping_ = true;
    if (dead_keys_++ == 0) dead_from_ = skip_;
    if (const std::optional<SkipHint> hint = HintOver(skip_)) {
      dead_keys_ += hint->dead_keys;
      jumped = hint->limit;
      merge_.Seek(jumped);
    } else {
      merge_.SkipOthers();
      merge_.Next();
    }
  }
  EndAfter(std::max(skip_ + '\0', jumped));
}

void VisibleIterator::FindPrev() {
  dead_keys_ = 0;
  while (merge_.Valid()) {
    if (merge_.entry().key < Slice(range_.start)) break;
    shown_key_.assign(merge_.entry().key.view());
    Entry newest = {.key = shown_key_, .kind = EntryKind::kDelete};
    for (; merge_.Valid() && merge_.entry().key == Slice(shown_key_); merge_.Prev()) {
      const Entry& entry = merge_.entry();
      if (entry.sequence > sequence_) continue;
      shown_value_.assign(entry.value.view());
      newest.sequence = entry.sequence;
      newest.kind = entry.kind;
    }
    newest.value = shown_value_;
    if (newest.kind != EntryKind::kDelete && !IsHidden(newest)) {
      LeaveHint(dead_to_, dead_from_);
      return Show(newest);
    }
    if (dead_keys_++ == 0) dead_from_ = shown_key_ + '\0';
    dead_to_ = shown_key_;
    if (const std::optional<SkipHint> hint = HintOver(shown_key_)) {
      dead_keys_ += hint->dead_keys;
      dead_to_ = std::min(dead_to_, hint->start);
      merge_.SeekBefore(hint->start);
    }
  }
  if (merge_.status()) LeaveHint(dead_to_, dead_from_);
  End();
}

std::optional<SkipHint> VisibleIterator::HintOver(Slice key) const {
  const ReadView& view = *snapshot_.state().view;
  if (!view.hints->MayHelp(dead_keys_)) return std::nullopt;
  return view.HintOver(key, sequence_);
}

void VisibleIterator::LeaveHint(Slice start, Slice limit) const {
  SkipHints& hints = *snapshot_.state().view->hints;
  if (!hints.IsWorth(dead_keys_)) return;
  hints.Add({.start = start.ToString(),
             .limit = limit.ToString(),
             .sequence = sequence_,
             .dead_keys = dead_keys_});
}

void VisibleIterator::EndAfter(const std::string& limit) {
  if (merge_.status()) LeaveHint(dead_from_, limit);
  End();
}

bool VisibleIterator::IsHidden(const Entry& entry) const {
  if (!has_range_deletes_) return false;
  return snapshot_.state().view->NewestCovering(entry.key, sequence_) > entry.sequence;
}

void VisibleIterator::Show(const Entry& entry) {
  shown_ = entry;
  valid_ = true;
  if (entry.kind != EntryKind::kBlobPut) [[likely]] {
    return;
  }
  Result<std::string> value = read_blob_(entry.value);
  if (!value) {
    blob_status_ = std::move(value).error();
    return End();
  }
  shown_value_ = *std::move(value);
  shown_.value = shown_value_;
}

Status VisibleIterator::status() const {
  if (!blob_status_) return blob_status_.error();
  return merge_.status();
}

}  // namespace trefoil::lsm
