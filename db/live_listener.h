// Listener: one subscription's side of a live query: what it is owed, and the rule that its
// callback is never called twice at once and always in the order of versions.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "base/thread_id.h"
#include "dataflow/view.h"
#include "trefoil/change.h"
#include "trefoil/database.h"

namespace trefoil::db {

class Listener {
 public:
  Listener(OnChange on_change, WatchOptions options)
      : on_change_(std::move(on_change)), options_(std::move(options)) {}

  // Adds a Change to what is owed; `after` is the result that it leads to. A reset replaces what
  // is owed; a Change that takes back all that is owed leaves nothing. `from` is set here: to where
  // the Change before ended. Any thread.
  void Owe(Change change, dataflow::ViewSnapshot after);
  // The query can no longer be kept; nothing will follow.
  void OweError(Error error);

  // The listener starts at a result that it knows, without a Change.
  void StartAt(Version version, dataflow::ViewSnapshot result);

  // Calls back with what is owed, as one Change, unless another thread is at it, which then does
  // it. Returns the number of calls. Any thread, no lock held.
  std::size_t Deliver();

  // No call begins afterwards. Waits for a running one, unless this thread is in it.
  void Cancel();

  const WatchOptions& options() const { return options_; }
  trefoil::Deliver deliver() const { return options_.deliver; }
  // Notes that the listener waits to be pumped, or no longer does; true if it did before.
  bool SetDue(bool due) {
    const std::lock_guard lock(mutex_);
    return std::exchange(is_due_, due);
  }
  // The result as of the Change delivered last.
  Rows Current() const;

 private:
  // Takes what is owed, and marks the listener as being called; false if there is nothing to do.
  bool Begin(std::optional<Change>* change, std::optional<Error>* error);

  const OnChange on_change_;
  const WatchOptions options_;

  mutable std::mutex mutex_;
  std::condition_variable called_;
  std::optional<Change> owed_;          // guarded by mutex_
  dataflow::ViewSnapshot owed_result_;  // guarded by mutex_
  dataflow::ViewSnapshot delivered_;    // guarded by mutex_
  Version delivered_version_{};         // guarded by mutex_
  std::optional<Error> owed_error_;     // guarded by mutex_
  bool cancelled_ = false;              // guarded by mutex_
  bool is_due_ = false;                 // guarded by mutex_
  ThreadId caller_;                     // guarded by mutex_; of the running call
};

}  // namespace trefoil::db
