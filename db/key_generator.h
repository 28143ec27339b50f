// KeyGenerator makes UUIDv7 keys (RFC 9562): milliseconds, then randomness; keys of one generator
// only ever grow, so new rows go to the end of their table.
#pragma once

#include <cstdint>
#include <mutex>

#include "base/clock.h"
#include "base/random.h"
#include "trefoil/value.h"

namespace trefoil::db {

// Any thread. The clock outlives it.
class KeyGenerator {
 public:
  KeyGenerator(const Clock& clock, std::uint64_t seed) : clock_(clock), random_(seed) {}

  Value Next();

 private:
  const Clock& clock_;
  std::mutex mutex_;
  Random random_;              // guarded by mutex_
  std::uint64_t last_ms_ = 0;  // guarded by mutex_
  std::uint64_t tail_ = 0;     // guarded by mutex_; 62 random bits, counted up within one ms
};

}  // namespace trefoil::db
