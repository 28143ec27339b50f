// Takes an encoded WriteBatch apart. Total: damaged bytes end the walk and are reported.
//
//   edit  = kind 1 | varint key size | varint value size (not for a delete) | key | value
//   batch = edit*            a range delete has its start as key and its limit as value
#pragma once

#include <optional>

#include "lsm/internal_key.h"
#include "trefoil/slice.h"

namespace trefoil::lsm {

// Points into the batch.
struct Edit {
  EntryKind kind{};
  Slice key;
  Slice value;
};

class WriteBatchReader {
 public:
  explicit WriteBatchReader(Slice encoded) : rest_(encoded) {}

  // Nothing at the end, or at the first damage.
  std::optional<Edit> Next();
  bool damaged() const { return damaged_; }

 private:
  std::optional<Edit> Fail();

  Slice rest_;
  bool damaged_ = false;
};

}  // namespace trefoil::lsm
