// Subscription and the calls of Database that keep queries live.
#include <utility>

#include "db/public_state.h"
#include "trefoil/change.h"

namespace trefoil {

Subscription::Subscription(std::shared_ptr<State> state) : state_(std::move(state)) {}

Subscription::Subscription(Subscription&& other) noexcept
    : state_(std::exchange(other.state_, nullptr)) {}

Subscription& Subscription::operator=(Subscription&& other) noexcept {
  if (this != &other) {
    Cancel();
    state_ = std::exchange(other.state_, nullptr);
  }
  return *this;
}

Subscription::~Subscription() { Cancel(); }

void Subscription::Cancel() {
  if (const std::shared_ptr<State> state = std::exchange(state_, nullptr)) {
    state->live.Cancel(state->listener);
  }
}

Result<Rows> Subscription::Current() const {
  if (state_ == nullptr) {
    return Error{.code = ErrorCode::kInvalidArgument, .message = "the subscription has ended"};
  }
  return state_->live.Current(*state_->listener);
}

Result<Subscription> Database::Watch(const Query& query, const Params& params, OnChange on_change,
                                     WatchOptions options) {
  Result<std::shared_ptr<db::Listener>> listener =
      state_->live.Watch(query.plan(), params, std::move(on_change), std::move(options));
  if (!listener) return std::move(listener).error();
  return Subscription(std::make_shared<Subscription::State>(state_->live, *std::move(listener)));
}

std::size_t Database::Pump(std::chrono::microseconds budget) { return state_->live.Pump(budget); }

std::string Database::DataflowJson() const { return state_->live.ToJson(); }

}  // namespace trefoil
