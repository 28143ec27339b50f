// Reading: snapshots, point look-ups, iterators, statistics.
#include <algorithm>
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

Result<std::optional<std::string>> StoreImpl::ValueOf(PointLookup lookup,
                                                      const Version& version) const {
  if (!lookup.found || lookup.kind == EntryKind::kDelete) return std::optional<std::string>();
  if (lookup.kind == EntryKind::kPut) return std::optional<std::string>(std::move(lookup.value));
  Result<std::string> value = version.ReadBlob(lookup.value);
  if (!value) return std::move(value).error();
  return std::optional<std::string>(*std::move(value));
}

Result<std::optional<std::string>> StoreImpl::Get(Slice key, const Snapshot& snapshot) const {
  Check(snapshot.valid(), "a read needs a snapshot");
  PointLookup lookup;
  lookup.key = key;
  lookup.hash = Hash64(key);
  lookup.snapshot = snapshot.sequence();
  if (Status got = snapshot.state().view->Get(lookup); !got) return std::move(got).error();
  return ValueOf(std::move(lookup), *snapshot.state().view->version);
}

Result<std::vector<std::optional<std::string>>> StoreImpl::MultiGet(
    std::span<const Slice> keys, const Snapshot& snapshot) const {
  Check(snapshot.valid(), "a read needs a snapshot");
  std::vector<PointLookup> lookups(keys.size());
  std::vector<PointLookup*> pointers(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    lookups[i].key = keys[i];
    lookups[i].hash = Hash64(keys[i]);
    lookups[i].snapshot = snapshot.sequence();
    pointers[i] = &lookups[i];
  }
  if (Status got = snapshot.state().view->MultiGet(pointers); !got) return std::move(got).error();
  std::vector<std::optional<std::string>> values(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    Result<std::optional<std::string>> value =
        ValueOf(std::move(lookups[i]), *snapshot.state().view->version);
    if (!value) return std::move(value).error();
    values[i] = *std::move(value);
  }
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
  PointLookup lookup;
  lookup.key = key;
  lookup.hash = Hash64(key);
  lookup.snapshot = last_sequence();
  if (Status got = view->Get(lookup); !got) return std::move(got).error();
  return lookup.found ? lookup.sequence : 0;
}

}  // namespace trefoil::lsm
