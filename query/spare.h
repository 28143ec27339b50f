// Spare: a place for at most one object that is costly to make and cheap to use again. Whoever
// comes first takes it and gives it back; whoever finds none makes one. Any thread, without
// waiting.
#pragma once

#include <atomic>
#include <memory>

namespace trefoil::query {

template <typename T>
class Spare {
 public:
  Spare() = default;
  ~Spare() { delete spare_.load(std::memory_order_acquire); }
  Spare(const Spare&) = delete;
  Spare& operator=(const Spare&) = delete;

  // Null: somebody else has it, or there is none yet.
  std::unique_ptr<T> Take() {
    return std::unique_ptr<T>(spare_.exchange(nullptr, std::memory_order_acq_rel));
  }
  void Give(std::unique_ptr<T> object) {
    delete spare_.exchange(object.release(), std::memory_order_acq_rel);
  }

 private:
  std::atomic<T*> spare_ = nullptr;
};

}  // namespace trefoil::query
