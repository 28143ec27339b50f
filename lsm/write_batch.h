// A WriteBatch is a list of edits applied together or not at all, under one sequence number. A key
// appears at most once among its puts and deletes; the last edit of a key wins.
#pragma once

#include <cstdint>
#include <string>

#include "lsm/internal_key.h"
#include "trefoil/slice.h"

namespace trefoil::lsm {

class WriteBatch {
 public:
  void Put(Slice key, Slice value);
  void Delete(Slice key);
  // Deletes every key in [start, limit) that exists before this batch; nothing if limit <= start.
  void DeleteRange(Slice start, Slice limit);
  void Clear();

  std::uint32_t count() const { return count_; }
  bool empty() const { return count_ == 0; }
  // The edits as the log stores them (docs/format.md): kind, varint lengths, bytes.
  Slice encoded() const { return Slice(encoded_); }

  // Size of the longest key or range border; Store::Write refuses more than kKeyBytesMax.
  std::size_t longest_key_bytes() const { return longest_key_bytes_; }

 private:
  void Append(EntryKind kind, Slice key, Slice value);

  std::string encoded_;
  std::uint32_t count_ = 0;
  std::size_t longest_key_bytes_ = 0;
};

}  // namespace trefoil::lsm
