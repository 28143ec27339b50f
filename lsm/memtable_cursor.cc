#include <algorithm>
#include <memory>
#include <optional>
#include <span>

#include "lsm/memtable.h"
#include "lsm/memtable_node.h"

namespace trefoil::lsm {

// Holds a copy of one leaf, so that the writer may go on. What it misses was inserted after the
// copy and is newer than the snapshot of any reader that began before.
class MemtableCursor final : public RunCursor {
 public:
  MemtableCursor(const Memtable& memtable, const Run::CursorOptions& options)
      : memtable_(memtable), snapshot_(options.snapshot) {}

  void SeekToFirst() override { Seek(Slice()); }

  void SeekToLast() override {
    LoadLeaf([](const Memtable::Inner& inner) { return inner.count.load(kAcquire); });
    slot_ = view_.count;
    StepBack();
  }

  void Seek(Slice target) override {
    const Memtable::SearchKey key(target);
    LoadLeaf([&](const Memtable::Inner& inner) { return Memtable::UpperBound(inner, key); });
    slot_ = FirstNotBefore(target) - 1;
    record_ = nullptr;
    Next();
  }

  void SeekBefore(Slice target) override {
    const Memtable::SearchKey key(target);
    LoadLeaf([&](const Memtable::Inner& inner) { return Memtable::LowerBound(inner, key); });
    slot_ = FirstNotBefore(target);
    StepBack();
  }

  void Next() override {
    if (record_ != nullptr && !snapshot_ && record_->older != nullptr) return Set(record_->older);
    for (;;) {
      if (++slot_ < view_.count) {
        PrefetchAhead();
        const Memtable::Record* record = view_.records[static_cast<std::size_t>(slot_)];
        if (snapshot_) record = record->VisibleAt(*snapshot_);
        if (record != nullptr) return Set(record);
        continue;
      }
      if (view_.next == nullptr) return End();
      const Memtable::Node& leaf = *view_.next;
      while (!Memtable::ReadLeaf(leaf, leaf.StableVersion(), &view_)) {
      }
      slot_ = -1;
    }
  }

  void Prev() override {
    // Within one key the cursor goes from older to newer, along a list that is linked the other
    // way.
    if (!snapshot_ && view_.records[static_cast<std::size_t>(slot_)] != record_) {
      const Memtable::Record* newer = view_.records[static_cast<std::size_t>(slot_)];
      while (newer->older != record_) newer = newer->older;
      return Set(newer);
    }
    StepBack();
  }

  Status status() const override { return Ok(); }

 private:
  template <typename ChildIndex>
  void LoadLeaf(const ChildIndex& child_index) {
    std::uint32_t version = 0;
    while (!Memtable::ReadLeaf(*memtable_.Descend(child_index, &version), version, &view_)) {
    }
  }

  int FirstNotBefore(Slice target) const {
    const auto records = std::span(view_.records).first(static_cast<std::size_t>(view_.count));
    const auto place = std::ranges::lower_bound(records, target, {}, &Memtable::Record::key);
    return static_cast<int>(place - records.begin());
  }

  // To the oldest entry of the slot before slot_, in this leaf or the ones left of it.
  void StepBack() {
    for (;;) {
      if (--slot_ >= 0) {
        const Memtable::Record* record = view_.records[static_cast<std::size_t>(slot_)];
        if (snapshot_) {
          record = record->VisibleAt(*snapshot_);
        } else {
          while (record->older != nullptr) record = record->older;
        }
        if (record != nullptr) return Set(record);
        continue;
      }
      if (view_.count == 0) return End();
      const Slice first = view_.records[0]->key();
      const Memtable::SearchKey key(first);
      LoadLeaf([&](const Memtable::Inner& inner) { return Memtable::LowerBound(inner, key); });
      slot_ = FirstNotBefore(first);
      if (slot_ == 0) return End();
    }
  }

  // Records lie in the order in which they were written, so a walk finds few of them in a cache.
  // Those of a whole leaf, asked for at once, had left the nearest one again.
  void PrefetchAhead() const {
    constexpr int kRecordsAhead = 3;
    const int ahead = slot_ + kRecordsAhead;
    if (ahead < view_.count) __builtin_prefetch(view_.records[static_cast<std::size_t>(ahead)]);
  }

  void Set(const Memtable::Record* record) {
    record_ = record;
    entry_ = record->entry();
    valid_ = true;
  }

  void End() {
    record_ = nullptr;
    valid_ = false;
  }

  const Memtable& memtable_;
  const std::optional<SequenceNumber> snapshot_;
  Memtable::LeafView view_;
  int slot_ = -1;
  const Memtable::Record* record_ = nullptr;
};

std::unique_ptr<RunCursor> Memtable::NewCursor(const CursorOptions& options) const {
  return std::make_unique<MemtableCursor>(*this, options);
}

}  // namespace trefoil::lsm
