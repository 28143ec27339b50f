#include "lsm/sst_multi_get.h"

#include <algorithm>
#include <boost/container/static_vector.hpp>

#include "lsm/filter.h"
#include "lsm/page_view.h"
#include "lsm/sst_reader.h"

namespace trefoil::lsm {

namespace {

// Lines of so many pages stay in the nearest cache, where those at one offset of every page compete
// for few places.
constexpr std::size_t kGroup = 16;

// A lookup that passed the filter of its file.
struct Candidate {
  const SstReader* file = nullptr;
  PointLookup* lookup = nullptr;
  std::uint32_t page = 0;        // of the index
  const char* mapped = nullptr;  // where it lies, checked or not; null if the file is not mapped
  PageView::Place place = {};
  bool open = false;  // view is of that page
  PageView view;
};
using Candidates = std::span<Candidate>;

void PrefetchFilters(std::span<const SstLookup> lookups) {
  for (const auto& [file, lookup] : lookups) {
    if (!file->filter_guess().asks()) continue;
    const FilterPlace place = PlaceInFilter(lookup->hash, file->footer().filter_buckets);
    const std::uint32_t first = file->footer().section(SstSection::kFilter).first_page;
    const char* page = file->file().MappedPage(first + place.page);
    if (page != nullptr) __builtin_prefetch(page + place.offset);
  }
}

// The pages are asked for in a loop of their own: each request waits for the address of its page to
// be translated, and only requests that follow one another closely wait together.
void FindPages(Candidates candidates) {
  const Candidate* last = nullptr;  // keys mostly come in order
  for (Candidate& candidate : candidates) {
    const SstIndex& index = candidate.file->index();
    const Slice key = candidate.lookup->key;
    candidate.page = last != nullptr && last->file == candidate.file
                         ? index.FirstPageNear(last->page, key)
                         : index.FirstPageOf(key);
    last = &candidate;
    candidate.mapped = candidate.file->file().MappedPage(index.place(candidate.page).page);
  }
  for (const Candidate& candidate : candidates) __builtin_prefetch(candidate.mapped);
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
    candidate.place = candidate.view.Find(candidate.lookup->key);
    candidate.view.PrefetchFooter(candidate.place.index);
  }
  for (const Candidate& candidate : candidates) {
    if (candidate.open) candidate.view.PrefetchRecord(candidate.place.index);
  }
}

Status TakeEntries(Candidates candidates) {
  for (const Candidate& candidate : candidates) {
    const PointLookup& lookup = *candidate.lookup;
    if (candidate.open) {
      const std::uint32_t entry =
          candidate.view.FindVisible(candidate.place, lookup.key, lookup.snapshot);
      if (entry < candidate.view.count()) {
        TakeEntry(candidate.view, entry, PageLife::kOfTheRun, *candidate.lookup);
        continue;
      }
      if (!candidate.file->ContinuesAfter(candidate.page, lookup.key)) continue;
    }
    Status status = candidate.file->GetFromPages(*candidate.lookup, candidate.page);
    if (!status) return status;
  }
  return Ok();
}

// Tells each file how many of the keys looked up in it were there.
void NoteFound(std::span<const SstLookup> lookups) {
  for (std::size_t start = 0; start < lookups.size();) {
    const SstReader* file = lookups[start].file;
    std::size_t end = start;
    std::size_t found = 0;
    for (; end < lookups.size() && lookups[end].file == file; ++end) {
      found += lookups[end].lookup->found ? 1 : 0;
    }
    file->filter_guess().Note(end - start, found);
    start = end;
  }
}

Status MultiGetGroup(std::span<const SstLookup> lookups) {
  boost::container::static_vector<Candidate, kGroup> space;  // initialises what it holds
  PrefetchFilters(lookups);
  for (const auto& [file, lookup] : lookups) {
    if (file->index().size() == 0) continue;
    if (file->filter_guess().asks() && !file->MayContainKey(lookup->hash)) continue;
    space.push_back({.file = file, .lookup = lookup});
  }
  const Candidates candidates(space);
  FindPages(candidates);
  OpenPages(candidates);
  Search(candidates);
  return TakeEntries(candidates);
}

}  // namespace

Status MultiGetFromFiles(std::span<const SstLookup> lookups) {
  for (std::size_t i = 0; i < lookups.size(); i += kGroup) {
    const auto group = lookups.subspan(i, std::min(kGroup, lookups.size() - i));
    if (Status status = MultiGetGroup(group); !status) return status;
  }
  NoteFound(lookups);
  return Ok();
}

}  // namespace trefoil::lsm
