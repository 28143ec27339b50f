// Executor: where work goes that need not be done now. The engine above makes no threads of its
// own: it posts tasks, and whoever opened the database decides what runs them.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace trefoil {

// Post may be called from any thread, also from a task. Tasks start in the order in which they were
// posted and must not throw. Every posted task runs, at the latest in the destructor.
class Executor {
 public:
  virtual ~Executor() = default;

  virtual void Post(std::function<void()> task) = 0;
};

// Runs tasks on threads of its own. The destructor runs what is left and joins.
class ThreadExecutor final : public Executor {
 public:
  // With one thread, tasks run one after another.
  explicit ThreadExecutor(std::size_t threads = 1);
  ~ThreadExecutor() override;

  void Post(std::function<void()> task) override;

 private:
  void Work();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;  // guarded by mutex_
  bool closing_ = false;                     // guarded by mutex_
  std::vector<std::jthread> threads_;        // last, so that all else outlives the threads
};

// Runs tasks when it is told to: for event loops, game loops and tests.
class ManualExecutor final : public Executor {
 public:
  ~ManualExecutor() override;

  void Post(std::function<void()> task) override;

  // Runs the oldest task on this thread; false when there is none.
  bool RunOne();
  // Runs tasks until none is left, those included that tasks post. Returns their number.
  std::size_t RunAll();
  std::size_t waiting() const;

 private:
  mutable std::mutex mutex_;
  std::deque<std::function<void()>> tasks_;  // guarded by mutex_
};

}  // namespace trefoil
