// Appends pages to a new file: sums each, remembers the sums for the root, and writes in large
// pieces.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/env.h"
#include "lsm/sst_format.h"
#include "trefoil/slice.h"

namespace trefoil::lsm {

class PageSink {
 public:
  // `file` is empty and outlives the sink.
  PageSink(File& file, std::uint64_t file_seed) : file_(file), file_seed_(file_seed) {}

  // Sums one page or span as page `number` and appends it, sum included. Errors: those of the File.
  Status Append(std::span<char> pages, std::uint32_t number);
  // Appends whole pages as they are, for which `sums` go into the root.
  Status AppendSummed(Slice pages, std::span<const std::uint64_t> sums);
  Status Flush();

  std::uint64_t offset() const { return written_ + buffer_.size(); }
  Hash128 Root() const;

 private:
  File& file_;
  const std::uint64_t file_seed_;
  std::string buffer_;
  std::uint64_t written_ = 0;
  std::vector<std::uint64_t> sums_;
};

}  // namespace trefoil::lsm
