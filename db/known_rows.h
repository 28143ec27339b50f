// KnownRows: rows that a commit has lately found to be there, because a reference names them. Who
// refers to one of them next need not look for it in the store: nothing has deleted it since.
//
//   bucket = hash of the row cell's key -> 2 x (version | key)
//
// I1: a row that is held was there at its version and is there in all published ones after it.
//     Every commit that deletes rows removes them here before it is published, and what was seen
//     before such a commit is not added after it.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <mutex>

#include "trefoil/slice.h"
#include "trefoil/version.h"

namespace trefoil::db {

// Any thread. About 256 kB from the first row on.
class KnownRows {
 public:
  static constexpr std::size_t kKeyBytesMax = 55;  // rows with longer keys are not held

  // Whether the row with this row cell is there at the published `version`. False: nobody knows.
  bool Has(Slice key, Version version) const;
  // The row is there at the published `version`.
  void Add(Slice key, Version version);
  // The commit that becomes `version` deletes the row, or may delete any number of rows.
  void Remove(Slice key, Version version);
  void RemoveAll(Version version);

 private:
  struct Row {
    bool Is(Slice other) const { return Slice(key.data(), size_bytes) == other; }

    Version version{};
    unsigned char size_bytes = 0;  // of the key; 0: no row
    std::array<char, kKeyBytesMax> key;
  };
  static constexpr std::size_t kBuckets = 2048;
  using Bucket = std::array<Row, 2>;

  // Null before the first row.
  Bucket* BucketOf(Slice key) const;

  // Whether it still stands for the row `key`.
  bool Knows(const Row& row, Slice key) const { return row.Is(key) && row.version >= valid_from_; }

  mutable std::mutex mutex_;
  std::unique_ptr<std::array<Bucket, kBuckets>> buckets_;  // guarded by mutex_
  Version last_removal_{};                                 // guarded by mutex_
  Version valid_from_{};                                   // guarded by mutex_; older ones are void
};

}  // namespace trefoil::db
