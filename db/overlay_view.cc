#include "db/overlay_view.h"

#include <algorithm>
#include <boost/container/small_vector.hpp>
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
    write_ = writes_.LowerBound(Slice(range_.start));
    SettleForward(range_.start);
  }
  void SeekToLast() override {
    base_->SeekToLast();
    write_ = range_.limit.empty() ? writes_.end() : writes_.LowerBound(Slice(range_.limit));
    SettleBackward(range_.limit);
  }
  void Seek(Slice target) override {
    base_->Seek(target);
    write_ = writes_.LowerBound(std::max(target, Slice(range_.start)));
    SettleForward(target.ToString());
  }
  void SeekForPrev(Slice target) override {
    base_->SeekForPrev(target);
    write_ = writes_.UpperBound(target);
    const bool beyond = !range_.limit.empty() && target >= Slice(range_.limit);
    if (beyond) write_ = writes_.LowerBound(Slice(range_.limit));
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
    return at_ == At::kBase ? base_->key() : CurrentWrite()->first.slice();
  }
  Slice value() const override {
    return at_ == At::kBase ? base_->value() : CurrentWrite()->second.slice();
  }
  lsm::SequenceNumber sequence() const override { return at_ == At::kBase ? base_->sequence() : 0; }
  Status status() const override { return base_->status(); }

 private:
  enum class At { kEnd, kBase, kWrite };

  static std::string Behind(Slice key) { return key.ToString() + '\0'; }

  // Going back, write_ points behind the current write.
  WriteSet::Iterator CurrentWrite() const { return reverse_ ? std::prev(write_) : write_; }

  bool HasWriteAhead() const {
    return write_ != writes_.end() &&
           (range_.limit.empty() || write_->first.slice() < Slice(range_.limit));
  }
  bool HasWriteBehind() const {
    return write_ != writes_.begin() && std::prev(write_)->first.slice() >= Slice(range_.start);
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
      if (!has_write || (base_->Valid() && base_->key() < write_->first.slice())) {
        at_ = At::kBase;
        break;
      }
      if (base_->Valid() && base_->key() == write_->first.slice()) base_->Next();
      if (!write_->second.deletes()) {
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
      if (!has_write || (base_->Valid() && base_->key() > std::prev(write_)->first.slice())) {
        at_ = At::kBase;
        break;
      }
      if (base_->Valid() && base_->key() == std::prev(write_)->first.slice()) base_->Prev();
      if (!std::prev(write_)->second.deletes()) {
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
  WriteSet::Iterator write_;
  At at_ = At::kEnd;
  bool reverse_ = false;
  bool seen_ = false;
  bool has_low_ = false;
  bool has_high_ = false;
  std::string low_;
  std::string high_;
};

}  // namespace

namespace {

std::optional<std::string> ValueOf(const PendingValue& write) {
  if (write.deletes()) return std::nullopt;
  return write.slice().ToString();
}

}  // namespace

Result<std::optional<std::string>> OverlayView::Get(Slice key) const {
  if (const PendingValue* write = writes_.Find(key)) return ValueOf(*write);
  reads_.AddPoint(key);
  return base_.Get(key);
}

Result<std::string> OverlayView::LastInBase(const lsm::KeyRange& range) const {
  const std::unique_ptr<lsm::Iterator> last = base_.NewIterator(range);
  last->SeekToLast();
  if (last->Valid()) return last->key().ToString();
  if (Status read = last->status(); !read) return std::move(read).error();
  return range.start;
}

Status OverlayView::MultiGet(std::span<const Slice> keys, std::size_t noted,
                             lsm::FoundVisitor visit) const {
  constexpr std::size_t kUsualKeys = 32;
  boost::container::small_vector<Slice, kUsualKeys> asked;
  boost::container::small_vector<std::size_t, kUsualKeys> places;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (writes_.Find(keys[i]) != nullptr) continue;
    if (i < noted) reads_.AddPoint(keys[i]);
    asked.push_back(keys[i]);
    places.push_back(i);
  }
  if (asked.size() == keys.size()) return base_.MultiGet(keys, visit);
  // The keys in between, which this transaction writes.
  std::size_t next = 0;
  const auto visit_writes = [&](std::size_t end) {
    for (; next < end; ++next) {
      const PendingValue& write = *writes_.Find(keys[next]);
      visit(next, write.deletes() ? std::nullopt : std::optional(write.slice()));
    }
  };
  Status found =
      base_.MultiGet({asked.data(), asked.size()}, [&](std::size_t i, std::optional<Slice> value) {
        visit_writes(places[i]);
        visit(next++, value);
      });
  if (found) visit_writes(keys.size());
  return found;
}

std::unique_ptr<lsm::Iterator> OverlayView::NewIterator(lsm::KeyRange range) const {
  std::unique_ptr<lsm::Iterator> base = base_.NewIterator(range);
  return std::make_unique<OverlayIterator>(std::move(base), writes_, std::move(range), reads_);
}

}  // namespace trefoil::db
