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
  // Overlaps the look-ups; visits each key, in order, where its value lies.
  virtual Status MultiGet(std::span<const Slice> keys, lsm::FoundVisitor visit) const = 0;
  // The same, values copied.
  Result<std::vector<std::optional<std::string>>> MultiGet(std::span<const Slice> keys) const {
    std::vector<std::optional<std::string>> values(keys.size());
    Status got = MultiGet(keys, [&](std::size_t i, std::optional<Slice> value) {
      if (value) values[i] = value->ToString();
    });
    if (!got) return std::move(got).error();
    return values;
  }
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
  using ReadView::MultiGet;
  Status MultiGet(std::span<const Slice> keys, lsm::FoundVisitor visit) const override {
    return store_.MultiGet(keys, snapshot_, visit);
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
