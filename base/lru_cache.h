// LruCache: keeps values up to a number of bytes and drops the least recently used. A value that
// someone holds is pinned: it is neither dropped nor forgotten in the account, so the cache may
// exceed its capacity by what is pinned. Sharded by the hash of the key, one lock a shard.
//
//   shard: newest <-> ... <-> oldest     index: key -> place in the list
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/random.h"

namespace trefoil {

// Any thread.
template <typename Key, typename Value, typename Hash = std::hash<Key>>
class LruCache {
 public:
  // A pin: the value stays while the handle lives. Null = not there.
  using Handle = std::shared_ptr<const Value>;

  struct Stats {
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;
    std::uint64_t dropped = 0;
    std::size_t entries = 0;
    std::size_t bytes = 0;
  };

  explicit LruCache(std::size_t capacity_bytes, std::size_t shards = 16)
      : shards_(shards), shard_capacity_bytes_(capacity_bytes / shards) {
    Check(shards > 0, "an LruCache has a shard");
  }

  Handle Find(const Key& key) {
    Shard& shard = ShardOf(key);
    const std::lock_guard lock(shard.mutex);
    const auto found = shard.index.find(key);
    if (found == shard.index.end()) {
      ++shard.stats.misses;
      return nullptr;
    }
    ++shard.stats.hits;
    shard.entries.splice(shard.entries.begin(), shard.entries, found->second);
    return found->second->value;
  }

  // Adds a value of `size_bytes`, or returns the one that another thread added first.
  Handle Insert(const Key& key, Handle value, std::size_t size_bytes) {
    Shard& shard = ShardOf(key);
    const std::lock_guard lock(shard.mutex);
    const auto [place, is_new] = shard.index.try_emplace(key);
    if (!is_new) return place->second->value;
    shard.entries.push_front({.key = key, .value = value, .size_bytes = size_bytes});
    place->second = shard.entries.begin();
    shard.stats.bytes += size_bytes;
    Shrink(shard);
    return value;
  }

  // Forgets a value; who holds it keeps it.
  void Erase(const Key& key) {
    Shard& shard = ShardOf(key);
    const std::lock_guard lock(shard.mutex);
    if (const auto found = shard.index.find(key); found != shard.index.end()) {
      Remove(shard, found->second);
    }
  }

  // Sums over the shards, each at its own moment.
  Stats stats() const {
    Stats sum;
    for (const Shard& shard : shards_) {
      const std::lock_guard lock(shard.mutex);
      sum.hits += shard.stats.hits;
      sum.misses += shard.stats.misses;
      sum.dropped += shard.stats.dropped;
      sum.entries += shard.entries.size();
      sum.bytes += shard.stats.bytes;
    }
    return sum;
  }

 private:
  struct Entry {
    Key key;
    Handle value;
    std::size_t size_bytes;
  };
  using Entries = std::list<Entry>;
  struct Shard {
    mutable std::mutex mutex;  // guards all below
    Entries entries;           // newest first
    std::unordered_map<Key, typename Entries::iterator, Hash> index;
    Stats stats;
  };

  Shard& ShardOf(const Key& key) {
    std::uint64_t hash = Hash{}(key);
    return shards_[SplitMix64(hash) % shards_.size()];
  }

  // Drops the oldest values that only the cache holds. A handle is given out under the lock only,
  // so a count of one cannot grow meanwhile. A pinned value is in use: it becomes the newest.
  void Shrink(Shard& shard) {
    for (std::size_t seen = shard.entries.size();
         seen > 0 && shard.stats.bytes > shard_capacity_bytes_; --seen) {
      const auto oldest = std::prev(shard.entries.end());
      if (oldest->value.use_count() > 1) {
        shard.entries.splice(shard.entries.begin(), shard.entries, oldest);
        continue;
      }
      Remove(shard, oldest);
      ++shard.stats.dropped;
    }
  }

  static void Remove(Shard& shard, typename Entries::iterator entry) {
    shard.stats.bytes -= entry->size_bytes;
    shard.index.erase(entry->key);
    shard.entries.erase(entry);
  }

  std::vector<Shard> shards_;
  const std::size_t shard_capacity_bytes_;
};

}  // namespace trefoil
