#include "lsm/page_pool.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace trefoil::lsm {

namespace {

constexpr std::size_t kShards = 16;

std::uint64_t HashOf(const PagePool::Key& key) {
  std::uint64_t hash = ToNumber(key.file) * 0x9e3779b97f4a7c15 + key.page;
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111eb;
  return hash ^ (hash >> 31);
}

}  // namespace

PageRef& PageRef::operator=(PageRef&& other) noexcept {
  if (this == &other) return *this;
  Release();
  data_ = std::exchange(other.data_, nullptr);
  pins_ = std::exchange(other.pins_, nullptr);
  owned_ = std::move(other.owned_);
  return *this;
}

void PageRef::Release() {
  if (pins_ != nullptr) pins_->fetch_sub(1, std::memory_order_release);
  pins_ = nullptr;
  data_ = nullptr;
  owned_.reset();
}

// Frames, an open-addressing table from key to frame, and the clock's hand. Table slots hold the
// frame's number plus one; deletion shifts later slots back, so there are no tombstones.
class PagePool::Shard {
 public:
  explicit Shard(std::size_t frames)
      : frames_(frames), table_(std::bit_ceil(2 * frames)), bytes_(new char[frames * kPageBytes]) {}

  PageRef Find(const Key& key, std::uint64_t hash) {
    const std::lock_guard lock(mutex_);
    const std::size_t slot = SlotOf(key, hash);
    return table_[slot] == 0 ? PageRef() : Hold(table_[slot] - 1);
  }

  PageRef Insert(const Key& key, std::uint64_t hash, std::span<const char> page) {
    const std::lock_guard lock(mutex_);
    if (const std::size_t slot = SlotOf(key, hash); table_[slot] != 0)
      return Hold(table_[slot] - 1);
    const std::uint32_t frame = FreeFrame();
    if (frame == kNoFrame) return {};
    std::memcpy(bytes_.get() + frame * kPageBytes, page.data(), kPageBytes);
    frames_[frame].key = key;
    frames_[frame].hash = hash;
    frames_[frame].used = true;
    table_[SlotOf(key, hash)] = frame + 1;
    return Hold(frame);
  }

 private:
  static constexpr std::uint32_t kNoFrame = UINT32_MAX;
  struct Frame {
    Key key;
    std::uint64_t hash = 0;
    bool used = false;
    bool touched = false;  // since the hand passed
    std::atomic<std::uint32_t> pins{0};
  };

  PageRef Hold(std::uint32_t frame) {
    frames_[frame].touched = true;
    frames_[frame].pins.fetch_add(1, std::memory_order_relaxed);
    return PageRef(bytes_.get() + frame * kPageBytes, &frames_[frame].pins);
  }

  // The slot of the key, or the empty slot where it belongs.
  std::size_t SlotOf(const Key& key, std::uint64_t hash) const {
    std::size_t slot = hash & (table_.size() - 1);
    while (table_[slot] != 0 && !(frames_[table_[slot] - 1].key == key)) {
      slot = (slot + 1) & (table_.size() - 1);
    }
    return slot;
  }

  // A frame out of the table that nobody holds.
  std::uint32_t FreeFrame() {
    for (std::size_t steps = 0; steps < 2 * frames_.size(); ++steps) {
      const std::uint32_t frame = hand_;
      hand_ = hand_ + 1 == frames_.size() ? 0 : hand_ + 1;
      Frame& candidate = frames_[frame];
      if (candidate.pins.load(std::memory_order_acquire) != 0) continue;
      if (!candidate.used) return frame;
      if (candidate.touched) {
        candidate.touched = false;
        continue;
      }
      Erase(SlotOf(candidate.key, candidate.hash));
      candidate.used = false;
      return frame;
    }
    return kNoFrame;
  }

  void Erase(std::size_t hole) {
    const std::size_t mask = table_.size() - 1;
    for (std::size_t slot = (hole + 1) & mask; table_[slot] != 0; slot = (slot + 1) & mask) {
      const std::size_t home = frames_[table_[slot] - 1].hash & mask;
      if (((slot - home) & mask) >= ((slot - hole) & mask)) {
        table_[hole] = table_[slot];
        hole = slot;
      }
    }
    table_[hole] = 0;
  }

  std::mutex mutex_;
  std::vector<Frame> frames_;
  std::vector<std::uint32_t> table_;
  std::uint32_t hand_ = 0;
  const std::unique_ptr<char[]> bytes_;
};

PagePool::PagePool(std::size_t size_bytes, const Sometimes* sometimes) : sometimes_(sometimes) {
  const std::size_t frames = std::max<std::size_t>(1, size_bytes / kPageBytes / kShards);
  for (std::size_t i = 0; i < kShards; ++i) shards_.push_back(std::make_unique<Shard>(frames));
}

PagePool::~PagePool() = default;

PagePool::Shard& PagePool::ShardOf(const Key& key, std::uint64_t* hash) {
  *hash = HashOf(key);
  return *shards_[*hash >> 60];
}

PageRef PagePool::Find(const Key& key) {
  std::uint64_t hash = 0;
  PageRef page = Loses() ? PageRef() : ShardOf(key, &hash).Find(key, hash);
  (page ? hits_ : misses_).fetch_add(1, std::memory_order_relaxed);
  return page;
}

PageRef PagePool::Insert(const Key& key, std::span<const char> page) {
  Check(page.size() == kPageBytes, "the pool holds single pages");
  std::uint64_t hash = 0;
  PageRef held = Loses() ? PageRef() : ShardOf(key, &hash).Insert(key, hash, page);
  if (held) return held;
  std::unique_ptr<char[]> own(new char[kPageBytes]);
  std::memcpy(own.get(), page.data(), kPageBytes);
  return PageRef(std::move(own));
}

}  // namespace trefoil::lsm
