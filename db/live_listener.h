// Listener: one subscription's side of a live query: what it is owed, and the rule that its
// callback is never called twice at once and always in the order of versions.
//
// A listener keeps no rows: the view has the result as it is now, and what is owed leads back from
// there to the result that was delivered last. A view that nobody holds on to changes in place.
//
// I1: delivered result + owed_ = result of the view, whenever LiveQueries::mutex_ is held.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/function_ref.h"
#include "base/thread_id.h"
#include "dataflow/view.h"
#include "trefoil/change.h"
#include "trefoil/database.h"

namespace trefoil::db {

// Brings the rows of a result at change.to back to change.from. Not of a reset.
void Revert(const Change& change, std::vector<Row>& rows);

class Listener {
 public:
  Listener(OnChange on_change, WatchOptions options)
      : on_change_(std::move(on_change)), options_(std::move(options)) {}

  // Gives the result of the view as it is now.
  using ResultNow = FunctionRef<dataflow::ViewSnapshot()>;
  // Adds a Change to what is owed, which `now` has in it already. A Change that takes back all that
  // is owed leaves nothing. `from` is set here: to where the Change before ended. Any thread.
  void Owe(Change change, ResultNow now);
  // A reset replaces what is owed; `before`: the result of the view ahead of it.
  void OweReset(Change change, const dataflow::ViewSnapshot& before);
  // The query can no longer be kept; `last`: the result that its view had. Nothing will follow.
  void OweError(Error error, const dataflow::ViewSnapshot& last);

  // The listener starts at a result that it knows, without a Change.
  void StartAt(Version version);

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
  // The result as of the Change delivered last. `now`: that of the view, unless there is none.
  Rows Delivered(const dataflow::ViewSnapshot& now) const;

 private:
  // Takes what is owed, and marks the listener as being called; false if there is nothing to do.
  bool Begin(std::optional<Change>* change, std::optional<Error>* error);
  Rows DeliveredAt(const dataflow::ViewSnapshot& now) const;

  const OnChange on_change_;
  const WatchOptions options_;

  mutable std::mutex mutex_;
  std::condition_variable called_;
  std::optional<Change> owed_;                  // guarded by mutex_
  std::optional<Rows> before_reset_;            // guarded by mutex_; delivered, while one is owed
  Version delivered_version_{};                 // guarded by mutex_
  std::optional<Error> owed_error_;             // guarded by mutex_
  std::optional<dataflow::ViewSnapshot> last_;  // guarded by mutex_; of a view that has failed
  bool cancelled_ = false;                      // guarded by mutex_
  bool is_due_ = false;                         // guarded by mutex_
  ThreadId caller_;                             // guarded by mutex_; of the running call
};

}  // namespace trefoil::db
