// ReadView: one consistent state of the store to read from: a pinned version, or a pinned version
// with the writes of a transaction over it (db/overlay_view.h). Everything that reads facts and
// index entries does so through it and cannot tell the two apart.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lsm/store.h"
#include "trefoil/result.h"
#include "trefoil/slice.h"

namespace trefoil::db {

class ReadView {
 public:
  virtual ~ReadView() = default;

  virtual Result<std::optional<std::string>> Get(Slice key) const = 0;
  // Results in the order of `keys`; overlaps the look-ups.
  virtual Result<std::vector<std::optional<std::string>>> MultiGet(
      std::span<const Slice> keys) const = 0;
  virtual std::unique_ptr<lsm::Iterator> NewIterator(lsm::KeyRange range) const = 0;
  virtual std::uint64_t ApproximateCount(const lsm::KeyRange& range) const = 0;
};

// A pinned version. Any thread. The store outlives it.
class SnapshotView final : public ReadView {
 public:
  SnapshotView(const lsm::Store& store, lsm::Snapshot snapshot)
      : store_(store), snapshot_(std::move(snapshot)) {}

  Result<std::optional<std::string>> Get(Slice key) const override {
    return store_.Get(key, snapshot_);
  }
  Result<std::vector<std::optional<std::string>>> MultiGet(
      std::span<const Slice> keys) const override {
    return store_.MultiGet(keys, snapshot_);
  }
  std::unique_ptr<lsm::Iterator> NewIterator(lsm::KeyRange range) const override {
    return store_.NewIterator(std::move(range), snapshot_);
  }
  std::uint64_t ApproximateCount(const lsm::KeyRange& range) const override {
    return store_.ApproximateCount(range);
  }
  lsm::SequenceNumber sequence() const { return snapshot_.sequence(); }

 private:
  const lsm::Store& store_;
  lsm::Snapshot snapshot_;
};

}  // namespace trefoil::db
