#include "base/clock.h"

#include <chrono>

namespace trefoil {

namespace {

class SystemClock final : public Clock {
 public:
  std::int64_t NowMicros() const override {
    return Micros(std::chrono::system_clock::now().time_since_epoch());
  }
  std::uint64_t MonotonicMicros() const override {
    return static_cast<std::uint64_t>(Micros(std::chrono::steady_clock::now().time_since_epoch()));
  }

 private:
  template <typename Duration>
  static std::int64_t Micros(Duration duration) {
    return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
  }
};

}  // namespace

Clock& Clock::System() {
  static SystemClock clock;
  return clock;
}

}  // namespace trefoil
