// ScratchStack: buffers that are used again call after call, where a call may come back into its
// own operator: each level of nesting has its own buffer, and none is freed.
#pragma once

#include <deque>

namespace trefoil::dataflow {

template <typename T>
class ScratchStack {
 public:
  class Lease {
   public:
    explicit Lease(ScratchStack& stack) : stack_(stack) {
      if (stack_.buffers_.size() == stack_.depth_) stack_.buffers_.emplace_back();
      buffer_ = &stack_.buffers_[stack_.depth_++];
    }
    ~Lease() { --stack_.depth_; }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    T& operator*() { return *buffer_; }
    T* operator->() { return buffer_; }

   private:
    ScratchStack& stack_;
    T* buffer_;
  };

  // A buffer with whatever its last user left in it, for as long as the lease lives.
  Lease Take() { return Lease(*this); }

 private:
  std::deque<T> buffers_;  // never move
  std::size_t depth_ = 0;
};

}  // namespace trefoil::dataflow
