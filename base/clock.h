// Clock: the only source of time. Code that needs time is given a Clock, so that a test sets it.
#pragma once

#include <atomic>
#include <cstdint>

namespace trefoil {

// Any thread.
class Clock {
 public:
  virtual ~Clock() = default;

  // Wall time in microseconds since 1970-01-01T00:00:00Z; may jump in both directions.
  virtual std::int64_t NowMicros() const = 0;
  // Microseconds since some fixed moment; never goes back. For durations.
  virtual std::uint64_t MonotonicMicros() const = 0;

  // The clock of this machine. Lives for ever.
  static Clock& System();
};

// Stands still until it is told to move.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(std::int64_t now_micros = 0) : now_micros_(now_micros) {}

  std::int64_t NowMicros() const override { return now_micros_; }
  std::uint64_t MonotonicMicros() const override { return monotonic_micros_; }

  // Moves both times on.
  void Advance(std::uint64_t micros) {
    now_micros_ += static_cast<std::int64_t>(micros);
    monotonic_micros_ += micros;
  }
  // Moves the wall time only, as an administrator would.
  void SetNow(std::int64_t now_micros) { now_micros_ = now_micros; }

 private:
  std::atomic<std::int64_t> now_micros_;
  std::atomic<std::uint64_t> monotonic_micros_ = 0;
};

}  // namespace trefoil
