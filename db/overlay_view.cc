#include "db/overlay_view.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace trefoil::db {

namespace {

// Merges the entries of the base with the writes over them. Notes the stretch of keys that the walk
// has looked at, which is what a later insertion could have changed.
class OverlayIterator final : public lsm::Iterator {
 public:
  OverlayIterator(std::unique_ptr<lsm::Iterator> base, const WriteSet& writes, lsm::KeyRange range,
                  ReadSet& reads)
      : base_(std::move(base)), writes_(writes), range_(std::move(range)), reads_(reads) {}
  ~OverlayIterator() override {
    if (seen_) reads_.ranges.push_back({.start = std::move(low_), .limit = std::move(high_)});
  }

  bool Valid() const override { return at_ != At::kEnd; }

  void SeekToFirst() override {
    base_->SeekToFirst();
    write_ = writes_.lower_bound(range_.start);
    SettleForward(range_.start);
  }
  void SeekToLast() override {
    base_->SeekToLast();
    write_ = range_.limit.empty() ? writes_.end() : writes_.lower_bound(range_.limit);
    SettleBackward(range_.limit);
  }
  void Seek(Slice target) override {
    base_->Seek(target);
    write_ = writes_.lower_bound(std::max(target.view(), std::string_view(range_.start)));
    SettleForward(target.ToString());
  }
  void SeekForPrev(Slice target) override {
    base_->SeekForPrev(target);
    write_ = writes_.upper_bound(target.view());
    const bool beyond = !range_.limit.empty() && target >= Slice(range_.limit);
    if (beyond) write_ = writes_.lower_bound(range_.limit);
    SettleBackward(Behind(target));
  }
  void Next() override {
    Check(!reverse_, "a walk over a transaction keeps its direction");
    if (at_ == At::kWrite) {
      ++write_;
    } else {
      base_->Next();
    }
    SettleForward(std::nullopt);
  }
  void Prev() override {
    Check(reverse_, "a walk over a transaction keeps its direction");
    if (at_ == At::kWrite) {
      --write_;
    } else {
      base_->Prev();
    }
    SettleBackward(std::nullopt);
  }

  Slice key() const override {
    return at_ == At::kBase ? base_->key() : Slice(CurrentWrite()->first);
  }
  Slice value() const override {
    return at_ == At::kBase ? base_->value() : Slice(*CurrentWrite()->second);
  }
  lsm::SequenceNumber sequence() const override { return at_ == At::kBase ? base_->sequence() : 0; }
  Status status() const override { return base_->status(); }

 private:
  enum class At { kEnd, kBase, kWrite };

  static std::string Behind(Slice key) { return key.ToString() + '\0'; }

  // Going back, write_ points behind the current write.
  WriteSet::const_iterator CurrentWrite() const { return reverse_ ? std::prev(write_) : write_; }

  bool HasWriteAhead() const {
    return write_ != writes_.end() && (range_.limit.empty() || write_->first < range_.limit);
  }
  bool HasWriteBehind() const {
    return write_ != writes_.begin() && std::prev(write_)->first >= range_.start;
  }

  // Finds the entry at or behind both positions. `from`: where a new walk begins.
  void SettleForward(std::optional<std::string> from) {
    reverse_ = false;
    for (;;) {
      const bool has_write = HasWriteAhead();
      if (!has_write && !base_->Valid()) {
        at_ = At::kEnd;
        break;
      }
      if (!has_write || (base_->Valid() && base_->key() < Slice(write_->first))) {
        at_ = At::kBase;
        break;
      }
      if (base_->Valid() && base_->key() == Slice(write_->first)) base_->Next();
      if (write_->second) {
        at_ = At::kWrite;
        break;
      }
      ++write_;
    }
    if (from) NoteLow(std::move(*from));
    NoteHigh(Valid() ? Behind(key()) : range_.limit);
  }

  void SettleBackward(std::optional<std::string> from) {
    reverse_ = true;
    for (;;) {
      const bool has_write = HasWriteBehind();
      if (!has_write && !base_->Valid()) {
        at_ = At::kEnd;
        break;
      }
      if (!has_write || (base_->Valid() && base_->key() > Slice(std::prev(write_)->first))) {
        at_ = At::kBase;
        break;
      }
      if (base_->Valid() && base_->key() == Slice(std::prev(write_)->first)) base_->Prev();
      if (std::prev(write_)->second) {
        at_ = At::kWrite;
        break;
      }
      --write_;
    }
    if (from) NoteHigh(std::move(*from));
    NoteLow(Valid() ? key().ToString() : range_.start);
  }

  void NoteLow(std::string key) {
    if (!has_low_ || key < low_) low_ = std::move(key);
    has_low_ = true;
    seen_ = has_low_ && has_high_;
  }
  // An empty high end means no limit, which nothing exceeds.
  void NoteHigh(std::string key) {
    if (!has_high_ || key.empty() || (!high_.empty() && key > high_)) high_ = std::move(key);
    has_high_ = true;
    seen_ = has_low_ && has_high_;
  }

  std::unique_ptr<lsm::Iterator> base_;
  const WriteSet& writes_;
  lsm::KeyRange range_;
  ReadSet& reads_;
  WriteSet::const_iterator write_;
  At at_ = At::kEnd;
  bool reverse_ = false;
  bool seen_ = false;
  bool has_low_ = false;
  bool has_high_ = false;
  std::string low_;
  std::string high_;
};

}  // namespace

Result<std::optional<std::string>> OverlayView::Get(Slice key) const {
  const auto write = writes_.find(key.view());
  if (write != writes_.end()) return write->second;
  reads_.points.push_back(key.ToString());
  return base_.Get(key);
}

Result<std::vector<std::optional<std::string>>> OverlayView::MultiGet(
    std::span<const Slice> keys) const {
  std::vector<std::optional<std::string>> values(keys.size());
  std::vector<Slice> asked;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto write = writes_.find(keys[i].view());
    if (write != writes_.end()) {
      values[i] = write->second;
      continue;
    }
    reads_.points.push_back(keys[i].ToString());
    asked.push_back(keys[i]);
    places.push_back(i);
  }
  Result<std::vector<std::optional<std::string>>> found = base_.MultiGet(asked);
  if (!found) return found;
  for (std::size_t i = 0; i < places.size(); ++i) values[places[i]] = std::move((*found)[i]);
  return values;
}

std::unique_ptr<lsm::Iterator> OverlayView::NewIterator(lsm::KeyRange range) const {
  std::unique_ptr<lsm::Iterator> base = base_.NewIterator(range);
  return std::make_unique<OverlayIterator>(std::move(base), writes_, std::move(range), reads_);
}

void OverlayView::Write(std::string key, std::optional<std::string> value) {
  const auto [at, is_new] = writes_.try_emplace(std::move(key));
  if (remembers_) {
    Replaced& replaced = replaced_.emplace_back(Replaced{.key = at->first, .before = {}});
    if (!is_new) replaced.before = at->second;
  }
  at->second = std::move(value);
}

void OverlayView::Remember() {
  replaced_.clear();
  remembers_ = true;
}

void OverlayView::Undo() {
  for (; !replaced_.empty(); replaced_.pop_back()) {
    Replaced& last = replaced_.back();
    if (last.before) {
      writes_[last.key] = *std::move(last.before);
    } else {
      writes_.erase(last.key);
    }
  }
  remembers_ = false;
}

void OverlayView::Forget() {
  replaced_.clear();
  remembers_ = false;
}

}  // namespace trefoil::db
