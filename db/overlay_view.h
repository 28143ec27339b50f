// OverlayView: a pinned version with the writes of one transaction over it. Reads see the writes
// in place, iterators included, and are noted as the read set by which a commit decides whether the
// transaction is serialisable. The writes are entries of the store, index entries too, so a scan of
// an index sees the transaction's own rows without any special case.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "db/read_view.h"
#include "db/write_set.h"

namespace trefoil::db {

// What a transaction has read: keys, and ranges of keys (an empty limit = no limit).
struct ReadSet {
  void AddPoint(Slice key) {
    if (ends.empty()) {
      constexpr std::size_t kFewPoints = 8;  // are all that most transactions read
      constexpr std::size_t kPointBytes = 16;
      bytes.reserve(kFewPoints * kPointBytes);
      ends.reserve(kFewPoints);
    }
    bytes.append(key.view());
    ends.push_back(bytes.size());
  }
  std::size_t points() const { return ends.size(); }
  Slice point(std::size_t i) const {
    const std::size_t start = i == 0 ? 0 : ends[i - 1];
    return {bytes.data() + start, ends[i] - start};
  }

  std::string bytes;  // of the points, one after the other
  std::vector<std::size_t> ends;
  std::vector<lsm::KeyRange> ranges;
};

// One thread at a time. `base` outlives it.
class OverlayView final : public ReadView {
 public:
  explicit OverlayView(const ReadView& base) : base_(base) {}

  Result<std::optional<std::string>> Get(Slice key) const override;
  using ReadView::MultiGet;
  Status MultiGet(std::span<const Slice> keys, lsm::FoundVisitor visit) const override {
    return MultiGet(keys, keys.size(), visit);
  }
  // As MultiGet, but only the first `noted` keys become part of the read set.
  Status MultiGet(std::span<const Slice> keys, std::size_t noted, lsm::FoundVisitor visit) const;
  // Makes a key part of the read set whose entry in the base the caller knows. False: it is written
  // here, and what the base holds does not matter.
  bool NoteReadOfBase(Slice key) const {
    if (writes_.Find(key) != nullptr) return false;
    reads_.AddPoint(key);
    return true;
  }
  // Must not outlive the view; the writes must not change while it is used.
  std::unique_ptr<lsm::Iterator> NewIterator(lsm::KeyRange range) const override;
  std::uint64_t ApproximateCount(const lsm::KeyRange& range) const override {
    return base_.ApproximateCount(range);
  }

  // The last key that the base has in the range; its start if there is none. No part of the read
  // set.
  Result<std::string> LastInBase(const lsm::KeyRange& range) const;

  void Put(std::string_view key, std::string_view value, WriteSet::Hint hint = 0) {
    writes_.Put(Slice(key), Slice(value), hint);
  }
  void Delete(std::string_view key, WriteSet::Hint hint = 0) { writes_.Delete(Slice(key), hint); }

  const WriteSet& writes() const { return writes_; }
  WriteSet& writes() { return writes_; }
  const ReadSet& reads() const { return reads_; }

 private:
  const ReadView& base_;
  WriteSet writes_;
  mutable ReadSet reads_;
};

}  // namespace trefoil::db
