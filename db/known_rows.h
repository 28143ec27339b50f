// KnownRows: what commits know of rows without looking into the store. It remembers rows that were
// lately found to be there, because a reference names them: who refers to one next need not look.
// And it remembers where the rows of a type end: who adds rows in the order of their keys, as
// counted and generated keys are, need not look whether they are there already.
//
//   bucket = hash of the row cell's key -> 2 x (version | key)
//   type -> a key that no row cell of the type, be it a mark, lies behind
//
// I1: a row that is held was there at its version and is there in all published ones after it.
//     Every commit that deletes rows removes them here before it is published, and what was seen
//     before such a commit is not added after it.
// I2: an end holds for all published versions. Every commit that writes row cells raises it before
//     it is published, and an end that was seen before a commit that raised none is not taken.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

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
  // The commit that becomes `version` deletes the row.
  void Remove(Slice key, Version version);

  // Whether the key lies behind the row cells of all rows of the type. Nothing: nobody knows.
  std::optional<bool> IsBehindEnd(TypeId type, Slice key) const;
  // At the published `version` no row cell of the type lies behind `key`.
  void LearnEnd(TypeId type, Slice key, Version version);
  // The commit that becomes `version` writes this row cell, the last one that it writes of the
  // type.
  void RaiseEnd(TypeId type, Slice key, Version version);

  // The commit that becomes `version` may add and delete any rows.
  void ForgetAll(Version version);

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
  std::map<TypeId, std::string> ends_;                     // guarded by mutex_
  Version last_unseen_end_{};                              // guarded by mutex_
};

}  // namespace trefoil::db
