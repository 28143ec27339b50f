#include "base/arena.h"

#include <bit>
#include <cstdint>

#include "base/check.h"

namespace trefoil {

char* Arena::Allocate(std::size_t size_bytes, std::size_t alignment) {
  Check(std::has_single_bit(alignment) && alignment <= alignof(std::max_align_t),
        "an alignment is a small power of two");
  const std::size_t skip = (0 - reinterpret_cast<std::uintptr_t>(next_)) & (alignment - 1);
  if (size_bytes <= left_bytes_ && skip <= left_bytes_ - size_bytes) {
    char* piece = next_ + skip;
    next_ += skip + size_bytes;
    left_bytes_ -= skip + size_bytes;
    return piece;
  }
  if (size_bytes > chunk_bytes_ / 4) return NewChunk(size_bytes);
  char* piece = NewChunk(chunk_bytes_);
  next_ = piece + size_bytes;
  left_bytes_ = chunk_bytes_ - size_bytes;
  return piece;
}

// The memory of new[] is aligned for any type.
char* Arena::NewChunk(std::size_t size_bytes) {
  chunks_.push_back(std::make_unique_for_overwrite<char[]>(size_bytes));
  reserved_bytes_ += size_bytes;
  return chunks_.back().get();
}

}  // namespace trefoil
