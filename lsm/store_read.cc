// Reading: snapshots, point look-ups, iterators, statistics.
#include <algorithm>
#include <array>
#include <cstddef>
#include <memory_resource>
#include <utility>

#include "base/check.h"
#include "base/errors.h"
#include "base/hash.h"
#include "base/str_cat.h"
#include "lsm/store_impl.h"
#include "lsm/visible_iterator.h"

namespace trefoil::lsm {

SequenceNumber Snapshot::sequence() const { return state_->sequence; }

std::shared_ptr<const ReadView> StoreImpl::CurrentView() const {
  const std::lock_guard lock(state_mutex_);
  return view_;
}

Snapshot StoreImpl::GetSnapshot() const {
  // Under the lock, so that compaction either sees the snapshot or began with an older state.
  const std::lock_guard lock(state_mutex_);
  const SequenceNumber sequence = last_sequence();
  snapshots_->Add(sequence);
  return Snapshot(std::make_shared<const Snapshot::State>(view_, sequence, snapshots_));
}

namespace {

// Keys whose look-ups are held at once: they stay in the nearest cache.
constexpr std::size_t kKeysAtOnce = 64;
// A value is asked for again so many keys before it is shown: searching for the others has mostly
// pushed it out of there.
constexpr std::size_t kValuesAhead = 8;

// What the lookup found, or nothing; `blob` holds it when it is a blob.
Result<std::optional<Slice>> ValueOf(const PointLookup& lookup, const Version& version,
                                     std::string& blob) {
  if (!lookup.found || lookup.kind == EntryKind::kDelete) return std::optional<Slice>();
  if (lookup.kind == EntryKind::kPut) return std::optional(lookup.value.get());
  Result<std::string> value = version.ReadBlob(lookup.value.get());
  if (!value) return std::move(value).error();
  blob = *std::move(value);
  return std::optional(Slice(blob));
}

}  // namespace

Result<std::optional<std::string>> StoreImpl::Get(Slice key, const Snapshot& snapshot) const {
  Check(snapshot.valid(), "a read needs a snapshot");
  PointLookup lookup = {.key = key, .hash = Hash64(key), .snapshot = snapshot.sequence()};
  if (Status got = snapshot.state().view->Get(lookup); !got) return std::move(got).error();
  std::string blob;
  const Result<std::optional<Slice>> value = ValueOf(lookup, *snapshot.state().view->version, blob);
  if (!value) return value.error();
  return *value ? std::optional((*value)->ToString()) : std::nullopt;
}

Status StoreImpl::MultiGet(std::span<const Slice> keys, const Snapshot& snapshot,
                           FoundVisitor visit) const {
  Check(snapshot.valid(), "a read needs a snapshot");
  // The look-ups of one row need no allocation.
  std::array<std::byte, 2048> space;
  std::pmr::monotonic_buffer_resource memory(space.data(), space.size());
  std::pmr::vector<PointLookup> lookups(&memory);
  std::pmr::vector<PointLookup*> pointers(&memory);
  lookups.reserve(std::min(kKeysAtOnce, keys.size()));  // pointers point into it
  pointers.reserve(lookups.capacity());
  std::string blob;
  for (std::size_t start = 0; start < keys.size(); start += kKeysAtOnce) {
    const std::size_t count = std::min(kKeysAtOnce, keys.size() - start);
    lookups.clear();
    pointers.clear();
    for (const Slice key : keys.subspan(start, count)) {
      lookups.push_back({.key = key, .hash = Hash64(key), .snapshot = snapshot.sequence()});
      pointers.push_back(&lookups.back());
    }
    if (Status got = snapshot.state().view->MultiGet(pointers); !got) return got;
    for (std::size_t i = 0; i < count; ++i) {
      if (i + kValuesAhead < count) {
        __builtin_prefetch(lookups[i + kValuesAhead].value.get().data());
      }
      const Result<std::optional<Slice>> value =
          ValueOf(lookups[i], *snapshot.state().view->version, blob);
      if (!value) return Status(Error(value.error()));
      visit(start + i, *value);
    }
  }
  return Ok();
}

Result<std::vector<std::optional<std::string>>> Store::MultiGet(std::span<const Slice> keys,
                                                                const Snapshot& snapshot) const {
  std::vector<std::optional<std::string>> values(keys.size());
  Status got = MultiGet(keys, snapshot, [&](std::size_t i, std::optional<Slice> value) {
    if (value) values[i] = value->ToString();
  });
  if (!got) return std::move(got).error();
  return values;
}

std::unique_ptr<Iterator> StoreImpl::NewIterator(KeyRange range, const Snapshot& snapshot) const {
  Check(snapshot.valid(), "a read needs a snapshot");
  return std::make_unique<VisibleIterator>(
      std::move(range), snapshot, [version = snapshot.state().view->version](Slice reference) {
        return version->ReadBlob(reference);
      });
}

Result<SequenceNumber> StoreImpl::LatestSequence(Slice key) const {
  const std::shared_ptr<const ReadView> view = CurrentView();
  PointLookup lookup = {.key = key, .hash = Hash64(key), .snapshot = last_sequence()};
  if (Status got = view->Get(lookup); !got) return std::move(got).error();
  return lookup.found ? lookup.sequence : 0;
}

}  // namespace trefoil::lsm
