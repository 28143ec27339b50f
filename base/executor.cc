#include "base/executor.h"

#include <utility>

#include "base/check.h"

namespace trefoil {

ThreadExecutor::ThreadExecutor(std::size_t threads) {
  Check(threads > 0, "a ThreadExecutor has a thread");
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { Work(); });
  }
}

ThreadExecutor::~ThreadExecutor() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  wake_.notify_all();
}

void ThreadExecutor::Post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  wake_.notify_one();
}

void ThreadExecutor::Work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return closing_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    {
      const std::function<void()> task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
    }
    lock.lock();
  }
}

ManualExecutor::~ManualExecutor() { RunAll(); }

void ManualExecutor::Post(std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  tasks_.push_back(std::move(task));
}

bool ManualExecutor::RunOne() {
  std::function<void()> task;
  {
    const std::lock_guard lock(mutex_);
    if (tasks_.empty()) return false;
    task = std::move(tasks_.front());
    tasks_.pop_front();
  }
  task();
  return true;
}

std::size_t ManualExecutor::RunAll() {
  std::size_t count = 0;
  while (RunOne()) ++count;
  return count;
}

std::size_t ManualExecutor::waiting() const {
  const std::lock_guard lock(mutex_);
  return tasks_.size();
}

}  // namespace trefoil
