// Arena: memory that is handed out in small pieces and freed all at once. A piece costs one
// addition; pieces lie close together in the order in which they were asked for.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace trefoil {

// One thread allocates at a time. Runs no destructors of what is built in it.
class Arena {
 public:
  explicit Arena(std::size_t chunk_bytes = std::size_t{64} << 10) : chunk_bytes_(chunk_bytes) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Uninitialised memory that lives as long as the Arena. `alignment` is a power of two, at most
  // that of std::max_align_t. A piece above a quarter of a chunk gets a chunk of its own.
  char* Allocate(std::size_t size_bytes, std::size_t alignment = alignof(std::max_align_t));

  // What the Arena holds of the heap, handed out or not.
  std::size_t reserved_bytes() const { return reserved_bytes_; }

 private:
  char* NewChunk(std::size_t size_bytes);

  const std::size_t chunk_bytes_;
  std::vector<std::unique_ptr<char[]>> chunks_;
  char* next_ = nullptr;  // free part of the chunk in use
  std::size_t left_bytes_ = 0;
  std::size_t reserved_bytes_ = 0;
};

}  // namespace trefoil
