#include "lsm/version.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory_resource>
#include <utility>

#include "base/errors.h"
#include "base/str_cat.h"
#include "lsm/page_view.h"
#include "lsm/sst_multi_get.h"

namespace trefoil::lsm {

Version::Version(std::vector<Level> levels, Blobs blobs)
    : levels_(std::move(levels)), blobs_(std::move(blobs)) {
  std::vector<RangeDelete> deletes;
  for (const Level& level : levels_) {
    std::vector<std::uint64_t>& heads = limit_heads_.emplace_back();
    for (const auto& file : level) {
      heads.push_back(PaddedHead(file->meta().limit));
      const std::span<const RangeDelete> ranges = file->run().range_deletes();
      deletes.insert(deletes.end(), ranges.begin(), ranges.end());
    }
  }
  range_deletes_ = RangeDeleteSet(deletes);
}

LevelFiles Version::metas() const {
  LevelFiles metas(levels_.size());
  for (std::size_t level = 0; level < levels_.size(); ++level) {
    for (const auto& file : levels_[level]) metas[level].push_back(file->shared_meta());
  }
  return metas;
}

namespace {

bool MayHold(const TableFile& file, Slice key) {
  return Slice(file.meta().smallest) <= key && key < Slice(file.meta().limit);
}

}  // namespace

const TableFile* Version::FindFile(std::size_t level, Slice key) const {
  const std::vector<std::uint64_t>& heads = limit_heads_[level];
  const std::uint64_t head = PaddedHead(key);
  // A smaller head is that of a smaller limit; of equal ones the whole limits decide.
  const auto [first, last] = std::ranges::equal_range(heads, head);
  const auto files = levels_[level].begin();
  const auto place =
      std::upper_bound(files + (first - heads.begin()), files + (last - heads.begin()), key,
                       [](Slice wanted, const auto& file) { return wanted < file->meta().limit; });
  if (place == levels_[level].end() || key < Slice((*place)->meta().smallest)) return nullptr;
  return place->get();
}

Status Version::Get(PointLookup& lookup) const {
  for (const auto& file : levels_[0]) {
    if (!MayHold(*file, lookup.key)) continue;
    if (Status got = file->run().Get(lookup); !got || lookup.found) return got;
  }
  for (std::size_t level = 1; level < levels_.size(); ++level) {
    const TableFile* file = FindFile(level, lookup.key);
    if (file == nullptr) continue;
    if (Status got = file->run().Get(lookup); !got || lookup.found) return got;
  }
  return Ok();
}

Status Version::MultiGet(std::span<PointLookup* const> lookups) const {
  std::array<std::byte, 512> space;  // enough for one row
  std::pmr::monotonic_buffer_resource memory(space.data(), space.size());
  std::pmr::vector<SstLookup> group(&memory);
  group.reserve(lookups.size());
  for (const auto& file : levels_[0]) {
    group.clear();
    for (PointLookup* lookup : lookups) {
      if (lookup->found || !MayHold(*file, lookup->key)) continue;
      group.push_back({.file = &file->run(), .lookup = lookup});
    }
    if (Status got = MultiGetFromFiles(group); !got) return got;
  }
  for (std::size_t level = 1; level < levels_.size(); ++level) {
    if (levels_[level].empty()) continue;
    group.clear();
    const TableFile* file = nullptr;  // neighbours mostly lie in one file
    for (PointLookup* lookup : lookups) {
      if (lookup->found) continue;
      if (file == nullptr || !MayHold(*file, lookup->key)) {
        file = FindFile(level, lookup->key);
      }
      if (file != nullptr) group.push_back({.file = &file->run(), .lookup = lookup});
    }
    if (Status got = MultiGetFromFiles(group); !got) return got;
  }
  return Ok();
}

Result<std::string> Version::ReadBlob(Slice reference) const {
  const std::optional<BlobReference> place = DecodeBlobReference(reference);
  if (!place) return Corruption("an entry holds no reference into a blob file");
  const auto blob = std::ranges::lower_bound(
      blobs_, place->file, {},
      [](const auto& candidate) -> FileNumber { return candidate->meta().number; });
  if (blob == blobs_.end() || (*blob)->meta().number != place->file) {
    return Corruption(
        StrCat("an entry refers to blob file ", ToNumber(place->file), ", which is not there"));
  }
  return (*blob)->file().Read(*place);
}

bool ReadView::has_range_deletes() const {
  return !version->range_deletes().empty() || !active->range_delete_set().empty() ||
         std::ranges::any_of(
             sealed, [](const auto& memtable) { return !memtable->range_delete_set().empty(); });
}

SequenceNumber ReadView::NewestCovering(Slice key, SequenceNumber snapshot) const {
  SequenceNumber newest = active->range_delete_set().NewestCovering(key, snapshot);
  for (const auto& memtable : sealed) {
    newest = std::max(newest, memtable->range_delete_set().NewestCovering(key, snapshot));
  }
  return std::max(newest, version->range_deletes().NewestCovering(key, snapshot));
}

std::optional<SkipHint> ReadView::HintOver(Slice key, SequenceNumber snapshot) const {
  std::optional<SkipHint> hint = hints->Find(key, snapshot);
  if (!hint) return std::nullopt;
  const auto unchanged = [&](const auto& memtable) {
    return memtable->NewestSequenceIn(hint->start, hint->limit) <= hint->sequence;
  };
  if (!unchanged(active) || !std::ranges::all_of(sealed, unchanged)) return std::nullopt;
  return hint;
}

void ReadView::ApplyRangeDeletes(PointLookup& lookup) const {
  const SequenceNumber covering = NewestCovering(lookup.key, lookup.snapshot);
  if (covering == 0 || (lookup.found && lookup.sequence >= covering)) return;
  lookup.found = true;
  lookup.kind = EntryKind::kDelete;
  lookup.sequence = covering;
  lookup.value.Borrow({});
}

Status ReadView::Get(PointLookup& lookup) const {
  Status got = active->Get(lookup);
  for (std::size_t i = 0; got && !lookup.found && i < sealed.size(); ++i) {
    got = sealed[i]->Get(lookup);
  }
  if (got && !lookup.found) got = version->Get(lookup);
  if (got && has_range_deletes()) ApplyRangeDeletes(lookup);
  return got;
}

Status ReadView::MultiGet(std::span<PointLookup* const> lookups) const {
  Status got = active->MultiGet(lookups);
  for (std::size_t i = 0; got && i < sealed.size(); ++i) got = sealed[i]->MultiGet(lookups);
  std::array<std::byte, 256> space;  // enough for one row
  std::pmr::monotonic_buffer_resource memory(space.data(), space.size());
  std::pmr::vector<PointLookup*> rest(&memory);
  rest.reserve(lookups.size());
  for (PointLookup* lookup : lookups) {
    if (!lookup->found) rest.push_back(lookup);
  }
  if (got && !rest.empty()) got = version->MultiGet(rest);
  if (got && has_range_deletes()) {
    for (PointLookup* lookup : lookups) ApplyRangeDeletes(*lookup);
  }
  return got;
}

}  // namespace trefoil::lsm
