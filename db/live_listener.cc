#include "db/live_listener.h"

#include <boost/unordered/unordered_flat_map.hpp>
#include <utility>

#include "base/check.h"

namespace trefoil::db {

// Positions lead back edit by edit; what stood there is known by its key.
void Revert(const Change& change, std::vector<Row>& rows) {
  Check(!change.reset, "a reset leads back to nothing");
  std::vector<Value> keys;
  boost::unordered_flat_map<Value, Row, std::hash<Value>> row_of;
  for (const Row& row : rows) {
    keys.push_back(row.key());
    row_of.insert_or_assign(row.key(), row);
  }
  for (auto edit = change.edits.rbegin(); edit != change.edits.rend(); ++edit) {
    if (edit->path.size() > 1) continue;
    const auto at = static_cast<std::ptrdiff_t>(std::get<std::size_t>(edit->path.front()));
    if (edit->op == EditOp::kInsert) keys.erase(keys.begin() + at);
    if (edit->op == EditOp::kRemove) keys.insert(keys.begin() + at, edit->key);
  }
  for (const Row& row : change.removed) row_of.insert_or_assign(row.key(), row);
  for (const Update& update : change.updated) {
    row_of.insert_or_assign(update.before.key(), update.before);
  }
  rows.clear();
  for (const Value& key : keys) rows.push_back(row_of.at(key));
}

void Listener::Owe(Change change, ResultNow now) {
  const std::lock_guard lock(mutex_);
  if (cancelled_) return;
  // Changes join without a gap, though versions between them changed nothing here.
  change.from = owed_ ? owed_->to : delivered_version_;
  owed_ = owed_ ? Compose(*owed_, change) : std::move(change);
  if (owed_->reset || !owed_->has_same_rows()) return;
  // Edits that take each other back leave the result as it was delivered.
  std::vector<Row> rows = now().ToRows();
  const std::vector<Row> after = rows;
  Revert(*owed_, rows);
  if (rows == after) owed_.reset();
}

void Listener::OweReset(Change change, const dataflow::ViewSnapshot& before) {
  const std::lock_guard lock(mutex_);
  if (cancelled_) return;
  before_reset_ = DeliveredAt(before);
  owed_ = std::move(change);
}

void Listener::OweError(Error error, const dataflow::ViewSnapshot& last) {
  const std::lock_guard lock(mutex_);
  if (cancelled_) return;
  owed_error_ = std::move(error);
  if (!last_) last_ = last;
}

void Listener::StartAt(Version version) {
  const std::lock_guard lock(mutex_);
  delivered_version_ = version;
}

bool Listener::Begin(std::optional<Change>* change, std::optional<Error>* error) {
  const std::lock_guard lock(mutex_);
  if (caller_ != ThreadId() || (!owed_ && !owed_error_)) return false;
  *change = std::exchange(owed_, std::nullopt);
  *error = std::exchange(owed_error_, std::nullopt);
  if (*change) delivered_version_ = (*change)->to;
  before_reset_.reset();
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

Rows Listener::Delivered(const dataflow::ViewSnapshot& now) const {
  const std::lock_guard lock(mutex_);
  return DeliveredAt(last_ ? *last_ : now);
}

Rows Listener::DeliveredAt(const dataflow::ViewSnapshot& now) const {
  if (before_reset_) return *before_reset_;
  std::vector<Row> rows = now.ToRows();
  if (owed_) Revert(*owed_, rows);
  return dataflow::AnswerOf(now.names(), rows);
}

}  // namespace trefoil::db
