#include "lsm/sst_multi_get.h"

#include <algorithm>
#include <array>

#include "lsm/filter.h"
#include "lsm/page_view.h"
#include "lsm/sst_reader.h"

namespace trefoil::lsm {

namespace {

constexpr std::size_t kGroup = 64;

// A lookup that passed the filter of its file.
struct Candidate {
  const SstReader* file = nullptr;
  PointLookup* lookup = nullptr;
  std::uint32_t page = 0;  // of the index
  std::uint32_t entry = 0;
  bool open = false;  // view is of that page
  PageView view;
};
using Candidates = std::span<Candidate>;

void PrefetchFilters(std::span<const SstLookup> lookups) {
  for (const auto& [file, lookup] : lookups) {
    const FilterPlace place = PlaceInFilter(lookup->hash, file->footer().filter_buckets);
    const std::uint32_t first = file->footer().section(SstSection::kFilter).first_page;
    const char* page = file->file().MappedPage(first + place.page);
    if (page != nullptr) __builtin_prefetch(page + place.offset);
  }
}

void FindPages(Candidates candidates) {
  for (Candidate& candidate : candidates) {
    const SstIndex& index = candidate.file->index();
    candidate.page = index.FirstPageOf(candidate.lookup->key);
    const char* page = candidate.file->file().MappedPage(index.place(candidate.page).page);
    if (page != nullptr) __builtin_prefetch(page);
  }
}

void OpenPages(Candidates candidates) {
  for (Candidate& candidate : candidates) {
    const PagePlace& place = candidate.file->index().place(candidate.page);
    const char* page = candidate.file->file().CheckedPage(place.page);
    candidate.open = page != nullptr && place.pages == 1;
    if (!candidate.open) continue;
    candidate.view = PageView(page);
    candidate.view.PrefetchHeads();
  }
}

void Search(Candidates candidates) {
  for (Candidate& candidate : candidates) {
    if (!candidate.open) continue;
    candidate.entry = candidate.view.LowerBound(candidate.lookup->key);
    candidate.view.PrefetchFooter(candidate.entry);
  }
  for (const Candidate& candidate : candidates) {
    if (candidate.open) candidate.view.PrefetchRecord(candidate.entry);
  }
}

Status TakeEntries(Candidates candidates) {
  for (const Candidate& candidate : candidates) {
    const PointLookup& lookup = *candidate.lookup;
    if (candidate.open) {
      const std::uint32_t entry =
          candidate.view.FindVisible(candidate.entry, lookup.key, lookup.snapshot);
      if (entry < candidate.view.count()) {
        TakeEntry(candidate.view, entry, *candidate.lookup);
        continue;
      }
      if (!candidate.file->ContinuesAfter(candidate.page, lookup.key)) continue;
    }
    Status status = candidate.file->GetFromPages(*candidate.lookup, candidate.page);
    if (!status) return status;
  }
  return Ok();
}

Status MultiGetGroup(std::span<const SstLookup> lookups) {
  std::array<Candidate, kGroup> space;
  std::size_t count = 0;
  PrefetchFilters(lookups);
  for (const auto& [file, lookup] : lookups) {
    if (file->index().size() == 0 || !file->MayContainKey(lookup->hash)) continue;
    space[count].file = file;
    space[count].lookup = lookup;
    ++count;
  }
  const Candidates candidates(space.data(), count);
  FindPages(candidates);
  OpenPages(candidates);
  Search(candidates);
  return TakeEntries(candidates);
}

}  // namespace

Status MultiGetFromFiles(std::span<const SstLookup> lookups) {
  for (std::size_t i = 0; i < lookups.size(); i += kGroup) {
    const std::size_t count = std::min(kGroup, lookups.size() - i);
    if (Status status = MultiGetGroup(lookups.subspan(i, count)); !status) return status;
  }
  return Ok();
}

}  // namespace trefoil::lsm
