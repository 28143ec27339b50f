// One interface for every ordered store that the lsm suite compares. An adapter lies in
// bench/peers/ and keeps to the same settings; what it cannot match it says in settings().
//
// Any failure of an engine ends the program with a message: a benchmark has no use for half a
// result.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "trefoil/slice.h"

namespace trefoil::bench {

struct EngineOptions {
  std::string directory;  // exists
  std::size_t cache_bytes = std::size_t{256} << 20;
  std::size_t memtable_bytes = std::size_t{64} << 20;
  int filter_bits_per_key = 10;
  bool compress = false;  // the last level by zstd with dictionaries, where the engine can
};

using KeyValue = std::pair<Slice, Slice>;
enum class Sync { kNo, kYes };
enum class Direction { kForward, kBackward };

class Engine {
 public:
  virtual ~Engine() = default;  // closes cleanly

  // What was set, and how the engine differs from the others; one line.
  virtual std::string settings() const = 0;

  // One atomic batch. Any thread.
  virtual void Put(std::span<const KeyValue> batch, Sync sync) = 0;
  virtual void Delete(std::span<const Slice> keys) = 0;
  // Whether the key is there, and its value. Any thread.
  virtual bool Get(Slice key, std::string& value) = 0;
  // How many of the keys are there; reads every value.
  virtual std::size_t MultiGet(std::span<const Slice> keys) = 0;
  // Walks up to `count` entries from `start` on (all entries when `start` is empty), touching every
  // key and value; how many there were. Backward: from the last key <= `start`.
  virtual std::size_t Scan(Slice start, std::size_t count, Direction direction) = 0;
  // Bytes written to sorted files since it was opened, without logs; 0 where it does not tell.
  virtual std::uint64_t TableBytes() { return 0; }
  // Returns when memory is flushed and background work is done.
  virtual void Settle() = 0;
};

struct EngineFactory {
  std::string name;
  std::unique_ptr<Engine> (*open)(const EngineOptions& options);
};
// Ours first.
std::vector<EngineFactory> AllEngines();

std::unique_ptr<Engine> OpenTrefoil(const EngineOptions& options);
std::unique_ptr<Engine> OpenRocksDb(const EngineOptions& options);
std::unique_ptr<Engine> OpenLevelDb(const EngineOptions& options);
std::unique_ptr<Engine> OpenLmdb(const EngineOptions& options);
std::unique_ptr<Engine> OpenSqlite(const EngineOptions& options);

// Ends the program with `what` when `ok` is false.
void Require(bool ok, const std::string& what);
// Makes an optimiser believe that the bytes of an entry are used.
inline void Touch(std::uint64_t& sum, Slice key, Slice value) {
  sum += key.size() + value.size();
  if (!key.empty()) sum += key[key.size() - 1];
  if (!value.empty()) sum += value[0];
}
void Consume(std::uint64_t sum);

}  // namespace trefoil::bench
