#include "db/live_listener.h"

#include <utility>

namespace trefoil::db {

void Listener::Owe(Change change, dataflow::ViewSnapshot after) {
  const std::lock_guard lock(mutex_);
  if (cancelled_) return;
  owed_result_ = std::move(after);
  if (change.reset) {
    owed_ = std::move(change);
    return;
  }
  // Changes join without a gap, though versions between them changed nothing here.
  change.from = owed_ ? owed_->to : delivered_version_;
  owed_ = owed_ ? Compose(*owed_, change) : std::move(change);
  // Edits that take each other back leave the result as it was delivered.
  if (!owed_->reset && owed_->has_same_rows() && delivered_.ToRows() == owed_result_.ToRows()) {
    owed_.reset();
  }
}

void Listener::StartAt(Version version, dataflow::ViewSnapshot result) {
  const std::lock_guard lock(mutex_);
  delivered_version_ = version;
  owed_result_ = result;
  delivered_ = std::move(result);
}

void Listener::OweError(Error error) {
  const std::lock_guard lock(mutex_);
  if (!cancelled_) owed_error_ = std::move(error);
}

bool Listener::Begin(std::optional<Change>* change, std::optional<Error>* error) {
  const std::lock_guard lock(mutex_);
  if (caller_ != ThreadId() || (!owed_ && !owed_error_)) return false;
  *change = std::exchange(owed_, std::nullopt);
  *error = std::exchange(owed_error_, std::nullopt);
  if (*change) delivered_version_ = (*change)->to;
  delivered_ = owed_result_;
  caller_ = CurrentThreadId();
  return true;
}

std::size_t Listener::Deliver() {
  std::size_t calls = 0;
  std::optional<Change> change;
  std::optional<Error> error;
  while (Begin(&change, &error)) {
    if (change) on_change_(*change);
    if (error && options_.on_error) options_.on_error(*error);
    ++calls;
    const std::lock_guard lock(mutex_);
    caller_ = {};
    called_.notify_all();
  }
  return calls;
}

void Listener::Cancel() {
  std::unique_lock lock(mutex_);
  cancelled_ = true;
  owed_.reset();
  owed_error_.reset();
  if (caller_ == CurrentThreadId()) return;
  called_.wait(lock, [this] { return caller_ == ThreadId(); });
}

Rows Listener::Current() const {
  const std::lock_guard lock(mutex_);
  return delivered_.ToAnswer();
}

}  // namespace trefoil::db
