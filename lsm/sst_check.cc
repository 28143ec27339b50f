#include "lsm/sst_check.h"

#include <algorithm>
#include <map>

#include "base/coding.h"
#include "base/str_cat.h"
#include "lsm/blob_reference.h"
#include "lsm/filter.h"
#include "lsm/page_view.h"

namespace trefoil::lsm {

namespace {

// A file with so many damages is not looked at more closely.
constexpr std::size_t kDamagesMax = 1000;

// A page or span of the file.
struct Unit {
  std::uint32_t page = 0;
  std::uint32_t pages = 1;
  PageForm form = PageForm::kPlain;
};

class SstChecker {
 public:
  SstChecker(const SstReader& reader, const SstCheckOptions& options)
      : reader_(reader), options_(options) {}

  std::vector<Damage> Run() {
    CheckIdentity();
    CheckMeta();
    if (options_.depth != VerifyDepth::kFast) CheckPages();
    if (options_.depth == VerifyDepth::kDeep) CheckEntries();
    return std::move(damages_);
  }

 private:
  void Report(std::uint64_t page, std::string what) {
    if (damages_.size() == kDamagesMax) return;
    damages_.push_back(
        {.file = reader_.file().path(), .offset = page * kPageBytes, .what = std::move(what)});
  }
  void Require(bool ok, std::uint64_t page, const char* what) {
    if (!ok) Report(page, what);
  }

  void CheckIdentity() {
    char page[kPageBytes];
    Status status = reader_.file().ReadPages(0, 1, page);
    if (status) status = CheckIdentityPage(page, reader_.file().identity(), reader_.file().path());
    if (!status) Report(0, status.error().message);
  }

  void CheckMeta() {
    const Result<FileMeta> meta = reader_.ReadMeta();
    if (!meta) {
      Report(reader_.footer().section(SstSection::kProperties).first_page, meta.error().message);
    } else if (options_.expected != nullptr && !(*meta == *options_.expected)) {
      Report(reader_.file().pages() - 1, "the file is not the one that the manifest names");
    }
  }

  // All pages before the footer, in their order; false if they cannot be told apart.
  bool ListUnits(std::vector<Unit>& units) {
    units.push_back({.page = 0, .pages = 1, .form = PageForm::kPlain});
    for (std::uint32_t i = 0; i < reader_.index().size(); ++i) {
      const PagePlace& place = reader_.index().place(i);
      units.push_back({.page = place.page, .pages = place.pages, .form = PageForm::kEntries});
    }
    const SectionPlace& filter = reader_.footer().section(SstSection::kFilter);
    for (std::uint32_t i = 0; i < filter.pages; ++i) {
      units.push_back({.page = filter.first_page + i, .pages = 1, .form = PageForm::kPlain});
    }
    for (const SstSection section :
         {SstSection::kIndex, SstSection::kRangeDeletes, SstSection::kProperties}) {
      const SectionPlace& place = reader_.footer().section(section);
      const std::uint32_t end = place.first_page + place.pages;
      for (std::uint32_t page = place.first_page; page < end; page += units.back().pages) {
        char bytes[kPageBytes];
        if (Status status = reader_.file().ReadPages(page, 1, bytes); !status) {
          Report(page, status.error().message);
          return false;
        }
        units.push_back(
            {.page = page, .pages = SpanPagesAt(bytes, end - page), .form = PageForm::kEntries});
      }
    }
    return true;
  }

  void CheckPages() {
    std::vector<Unit> units;
    if (!ListUnits(units)) return;
    std::string sums;
    std::string bytes;
    for (const Unit& unit : units) {
      bytes.resize(unit.pages * kPageBytes);
      Status status = reader_.file().ReadPages(unit.page, unit.pages, bytes.data());
      if (!status) {
        Report(unit.page, status.error().message);
        continue;
      }
      if (const char* wrong = reader_.file().WhatIsWrong(unit.page, bytes, unit.form)) {
        Report(unit.page, wrong);
      }
      sums.append(bytes, 0, 8);
    }
    Require(DigestOf(sums) == reader_.footer().root, reader_.file().pages() - 1,
            "the sums of the pages do not give the root");
  }

  void CheckEntries() {
    std::string last_key;
    SequenceNumber last_sequence = 0;
    std::uint64_t entries = 0;
    for (std::uint32_t i = 0; i < reader_.index().size(); ++i) {
      const PagePlace& place = reader_.index().place(i);
      PageRef ref;
      if (Status status = reader_.file().Pin(place.page, place.pages, PageForm::kEntries, ref);
          !status) {
        Report(place.page, status.error().message);
        return;
      }
      const PageView view(ref.data());
      Require(view.count() == place.entries, place.page, "the index counts other entries");
      char buffer[kPageBytes];
      for (std::uint32_t e = 0; e < view.count(); ++e, ++entries) {
        const Entry entry{.key = view.Key(e, buffer),
                          .sequence = view.Sequence(e),
                          .kind = view.Kind(e),
                          .value = view.Value(e)};
        if (e == 0) CheckSeparator(i, last_key, entry.key);
        const Entry before{.key = last_key, .sequence = last_sequence, .kind = {}, .value = {}};
        Require(entries == 0 || CompareEntries(before, entry) < 0, place.page,
                "entries are out of order");
        CheckEntry(entry, place.page);
        last_key = entry.key.ToString();
        last_sequence = entry.sequence;
      }
    }
    CheckCounts();
  }

  void CheckSeparator(std::uint32_t i, Slice last_key, Slice first_key) {
    const Slice separator = reader_.index().separator(i);
    const PagePlace& place = reader_.index().place(i);
    const bool continues = i > 0 && last_key == first_key;
    const bool flagged = (place.flags & kIndexContinues) != 0;
    Require(continues == flagged, place.page, "a key goes on over a page that the index hides");
    const bool after = i == 0 || continues || last_key < separator;
    Require(after && separator <= first_key, place.page, "a separator lies on the wrong side");
  }

  void CheckEntry(const Entry& entry, std::uint32_t page) {
    deletes_ += entry.kind == EntryKind::kDelete ? 1 : 0;
    Require(reader_.MayContainKey(FilterHashOfKey(entry.key)), page, "the filter hides a key");
    if (entry.kind == EntryKind::kBlobPut) {
      const std::optional<BlobReference> reference = DecodeBlobReference(entry.value);
      Require(reference.has_value(), page, "a reference into a blob file has no sense");
      if (reference) blob_bytes_[reference->file] += reference->size_bytes;
    }
    if (options_.layout == nullptr) return;
    const Slice prefix = entry.key.Prefix(options_.layout->EqualityPrefix(entry.key));
    Require(prefix.empty() || reader_.MayContainPrefix(prefix), page, "the filter hides a prefix");
    GroupCounts& group =
        groups_[entry.key.Prefix(options_.layout->GroupPrefix(entry.key)).ToString()];
    ++group.entries;
    group.deletes += entry.kind == EntryKind::kDelete ? 1 : 0;
    group.value_bytes += entry.value.size();
  }

  void CheckCounts() {
    const std::uint64_t footer_page = reader_.file().pages() - 1;
    Require(deletes_ == reader_.footer().deletes, footer_page, "the footer counts other deletes");
    const Result<SstProperties> properties = reader_.ReadProperties();
    if (!properties) return;
    std::vector<BlobUse> blobs;
    for (const auto& [file, bytes] : blob_bytes_) blobs.push_back({.file = file, .bytes = bytes});
    Require(blobs == properties->blobs, footer_page, "the properties name other blobs");
    if (options_.layout == nullptr) return;
    Require(properties->groups.size() == groups_.size(), footer_page,
            "the directory has other groups");
    for (const GroupCounts& group : properties->groups) {
      const GroupCounts& counted = groups_[group.prefix];
      Require(counted.entries == group.entries && counted.deletes == group.deletes &&
                  counted.value_bytes == group.value_bytes,
              footer_page, "the directory counts other entries");
    }
  }

  const SstReader& reader_;
  const SstCheckOptions& options_;
  std::vector<Damage> damages_;
  std::uint64_t deletes_ = 0;
  std::map<FileNumber, std::uint64_t> blob_bytes_;
  std::map<std::string, GroupCounts> groups_;
};

}  // namespace

std::vector<Damage> CheckSst(Env& env, const std::string& path, const SstCheckOptions& options) {
  const Result<std::unique_ptr<SstReader>> reader = SstReader::Open(env, path, options.reader);
  if (!reader) return {{.file = path, .offset = 0, .what = reader.error().message}};
  return SstChecker(**reader, options).Run();
}

}  // namespace trefoil::lsm
