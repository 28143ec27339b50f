// The page pool: a bounded cache of 4 kB pages for files that are not mapped, replaced by CLOCK.
// Shards of their own lock keep readers apart; a page that somebody holds is never replaced, and
// when all are held a page lives outside the pool for as long as its holder.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/sometimes.h"
#include "lsm/file_meta.h"
#include "lsm/page_format.h"

namespace trefoil::lsm {

class PagePool;

// Holds bytes of a page or a span. Move-only; lets go on destruction. The bytes lie in a map, in a
// frame of the pool, or in memory of its own.
class PageRef {
 public:
  PageRef() = default;
  // Bytes that outlive the reference.
  explicit PageRef(const char* data) : data_(data) {}
  explicit PageRef(std::unique_ptr<char[]> bytes) : data_(bytes.get()), owned_(std::move(bytes)) {}
  PageRef(PageRef&& other) noexcept { *this = std::move(other); }
  PageRef& operator=(PageRef&& other) noexcept;
  ~PageRef() { Release(); }

  const char* data() const { return data_; }
  explicit operator bool() const { return data_ != nullptr; }

 private:
  friend class PagePool;
  PageRef(const char* data, std::atomic<std::uint32_t>* pins) : data_(data), pins_(pins) {}
  void Release();

  const char* data_ = nullptr;
  std::atomic<std::uint32_t>* pins_ = nullptr;  // of the frame; null outside the pool
  std::unique_ptr<char[]> owned_;
};

class PagePool {
 public:
  // At least one page a shard.
  // At times a page is lost at once if `sometimes` says so; it may be null and outlives the pool.
  explicit PagePool(std::size_t size_bytes, const Sometimes* sometimes = nullptr);
  ~PagePool();
  PagePool(const PagePool&) = delete;
  PagePool& operator=(const PagePool&) = delete;

  struct Key {
    FileNumber file{};
    std::uint32_t page = 0;

    friend bool operator==(const Key&, const Key&) = default;
  };
  // The page, or an empty reference. Any thread. References must not outlive the pool.
  PageRef Find(const Key& key);
  // Keeps a copy of `page` and returns it; the first copy of a key wins.
  PageRef Insert(const Key& key, std::span<const char> page);

  std::uint64_t hits() const { return hits_.load(std::memory_order_relaxed); }
  std::uint64_t misses() const { return misses_.load(std::memory_order_relaxed); }

 private:
  class Shard;

  Shard& ShardOf(const Key& key, std::uint64_t* hash);

  bool Loses() const { return sometimes_ != nullptr && sometimes_->OneIn(10); }

  const Sometimes* const sometimes_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::atomic<std::uint64_t> hits_{0};
  std::atomic<std::uint64_t> misses_{0};
};

}  // namespace trefoil::lsm
