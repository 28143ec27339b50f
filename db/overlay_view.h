// OverlayView: a pinned version with the writes of one transaction over it. Reads see the writes
// in place, iterators included, and are noted as the read set by which a commit decides whether the
// transaction is serialisable. The writes are entries of the store, index entries too, so a scan of
// an index sees the transaction's own rows without any special case.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "db/read_view.h"

namespace trefoil::db {

// A pending entry: a value, or nothing for a deletion.
using WriteSet = std::map<std::string, std::optional<std::string>, std::less<>>;

// What a transaction has read: keys, and ranges of keys (an empty limit = no limit).
struct ReadSet {
  std::vector<std::string> points;
  std::vector<lsm::KeyRange> ranges;
};

// One thread at a time. `base` outlives it.
class OverlayView final : public ReadView {
 public:
  explicit OverlayView(const ReadView& base) : base_(base) {}

  Result<std::optional<std::string>> Get(Slice key) const override;
  Result<std::vector<std::optional<std::string>>> MultiGet(
      std::span<const Slice> keys) const override;
  // Must not outlive the view; the writes must not change while it is used.
  std::unique_ptr<lsm::Iterator> NewIterator(lsm::KeyRange range) const override;
  std::uint64_t ApproximateCount(const lsm::KeyRange& range) const override {
    return base_.ApproximateCount(range);
  }

  void Put(std::string key, std::string value) { Write(std::move(key), std::move(value)); }
  void Delete(std::string key) { Write(std::move(key), std::nullopt); }

  // From Remember on every write notes what it replaced; Undo takes all of them back, Forget lets
  // them stand.
  void Remember();
  void Undo();
  void Forget();

  const WriteSet& writes() const { return writes_; }
  WriteSet& writes() { return writes_; }
  const ReadSet& reads() const { return reads_; }

 private:
  // What a key held before: nothing (outer) if it was not written.
  struct Replaced {
    std::string key;
    std::optional<std::optional<std::string>> before;
  };

  void Write(std::string key, std::optional<std::string> value);

  const ReadView& base_;
  WriteSet writes_;
  mutable ReadSet reads_;
  bool remembers_ = false;
  std::vector<Replaced> replaced_;  // oldest first
};

}  // namespace trefoil::db
