#include "lsm/skip_hints.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace trefoil::lsm {

void SkipHints::Add(SkipHint hint) {
  Check(hint.start < hint.limit, "a hint covers something");
  if (hint.sequence < oldest_) return;
  const std::lock_guard lock(mutex_);
  auto first = hints_.upper_bound(hint.start);
  if (first != hints_.begin() && std::prev(first)->second.limit > hint.start) --first;
  hints_.erase(first, hints_.lower_bound(hint.limit));
  if (hints_.size() == kHintsMax) {
    const auto least = std::ranges::min_element(
        hints_, {}, [](const auto& entry) { return entry.second.dead_keys; });
    if (least->second.dead_keys > hint.dead_keys) return;
    hints_.erase(least);
  }
  std::string start = hint.start;
  hints_.emplace(std::move(start), std::move(hint));
  count_.store(hints_.size(), std::memory_order_relaxed);
}

std::optional<SkipHint> SkipHints::Find(Slice key, SequenceNumber snapshot) const {
  const std::lock_guard lock(mutex_);
  auto after = hints_.upper_bound(key.view());
  if (after == hints_.begin()) return std::nullopt;
  const SkipHint& hint = std::prev(after)->second;
  if (Slice(hint.limit) <= key || hint.sequence > snapshot) return std::nullopt;
  return hint;
}

}  // namespace trefoil::lsm
