#include "lsm/drop_rules.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace trefoil::lsm {

SequenceNumber Boundaries::settled() const {
  Check(!sequences.empty(), "the newest state is always a boundary");
  return horizon ? std::min(sequences.front(), *horizon) : sequences.front();
}

bool Boundaries::AnyIn(SequenceNumber from, SequenceNumber to) const {
  if (horizon && to > *horizon) return true;
  const auto first = std::ranges::lower_bound(sequences, from);
  return first != sequences.end() && *first < to;
}

DropRules::DropRules(Options options)
    : options_(std::move(options)),
      settled_(options_.boundaries.settled()),
      ranges_(options_.range_deletes) {
  for (const RangeDelete& range : options_.range_deletes) {
    if (!options_.bottom || range.sequence > settled_) kept_ranges_.push_back(range);
  }
  std::ranges::sort(kept_ranges_, [](const RangeDelete& a, const RangeDelete& b) {
    return a.start != b.start ? a.start < b.start : a.sequence > b.sequence;
  });
}

SequenceNumber DropRules::NextRangeDelete(Slice key, SequenceNumber sequence) const {
  if (ranges_.empty()) return kLatestSequence;
  const RangeDeleteSet::Fragment* fragment = ranges_.Find(key);
  if (fragment == nullptr) return kLatestSequence;
  // Sequences descend: the last one above `sequence`.
  const auto after = std::ranges::lower_bound(fragment->sequences, sequence, std::greater<>());
  return after == fragment->sequences.begin() ? kLatestSequence : *std::prev(after);
}

std::optional<Entry> DropRules::Keep(const Entry& entry) {
  const bool newest = !has_key_ || entry.key != Slice(key_);
  if (newest) {
    key_.assign(entry.key.view());
    has_key_ = true;
  } else {
    Check(entry.sequence < newer_, "entries of a key come newest first, each once");
  }
  const SequenceNumber next =
      std::min(newest ? kLatestSequence : newer_, NextRangeDelete(entry.key, entry.sequence));
  newer_ = entry.sequence;
  if (!options_.boundaries.AnyIn(entry.sequence, next)) return std::nullopt;

  Entry kept = entry;
  const bool settled = entry.sequence <= settled_;
  if (newest && settled && next == kLatestSequence && kept.kind == EntryKind::kPut &&
      options_.filter && options_.filter(kept.key, kept.value) == FilterDecision::kDrop) {
    kept.kind = EntryKind::kDelete;
    kept.value = Slice();
  }
  if (settled && options_.bottom) {
    if (kept.kind == EntryKind::kDelete) return std::nullopt;
    if (kept_ranges_.empty()) kept.sequence = 0;
  }
  return kept;
}

}  // namespace trefoil::lsm
