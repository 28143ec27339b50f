#include "db/key_generator.h"

#include <algorithm>
#include <string>

#include "base/coding.h"

namespace trefoil::db {

Value KeyGenerator::Next() {
  constexpr std::uint64_t kTailBits = (std::uint64_t{1} << 62) - 1;
  const std::lock_guard lock(mutex_);
  const std::int64_t micros = clock_.NowMicros();
  const auto now_ms = static_cast<std::uint64_t>(std::max<std::int64_t>(micros, 0) / 1000);
  if (now_ms > last_ms_) {
    last_ms_ = now_ms;
    tail_ = random_.Next() & (kTailBits >> 1);  // room to count up
  } else {
    tail_ += 1 + random_.Uniform(std::uint64_t{1} << 32);
    if (tail_ > kTailBits) {
      ++last_ms_;
      tail_ &= kTailBits >> 1;
    }
  }
  // 48 bits of time, version 7, 12 bits; variant 10, 62 bits.
  const std::uint64_t high = last_ms_ << 16 | 0x7000 | tail_ >> 50;
  const std::uint64_t low =
      std::uint64_t{2} << 62 | ((tail_ << 12 | (random_.Next() & 0xFFF)) & kTailBits);
  std::string bytes;
  AppendBigEndian64(bytes, high);
  AppendBigEndian64(bytes, low);
  return Value::Uuid(bytes);
}

}  // namespace trefoil::db
