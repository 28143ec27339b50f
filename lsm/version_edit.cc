#include "lsm/version_edit.h"

#include <utility>

#include "base/coding.h"
#include "base/errors.h"
#include "base/str_cat.h"

namespace trefoil::lsm {

namespace {

enum Tag : std::uint64_t {
  kAddFile = 1,
  kDropFile = 2,
  kAddBlob = 3,
  kDropBlob = 4,
  kLogFloor = 5,
  kNextFile = 6,
  kHistoryHorizon = 7,
  kFirstSkippable = 128,
};

void AppendField(std::string& out, Tag tag, const std::string& bytes) {
  AppendVarint(out, tag);
  AppendLengthPrefixed(out, bytes);
}

std::string EncodeNumbers(std::initializer_list<std::uint64_t> numbers) {
  std::string bytes;
  for (const std::uint64_t number : numbers) AppendVarint(bytes, number);
  return bytes;
}

std::string EncodeAddFile(const VersionEdit::AddFile& file) {
  const FileMeta& meta = file.meta;
  std::string bytes =
      EncodeNumbers({file.level, ToNumber(meta.number), meta.size_bytes, meta.entries, meta.deletes,
                     meta.range_deletes, meta.first_sequence, meta.last_sequence});
  AppendLengthPrefixed(bytes, meta.smallest);
  AppendLengthPrefixed(bytes, meta.limit);
  AppendFixed64(bytes, meta.root.low);
  AppendFixed64(bytes, meta.root.high);
  AppendVarint(bytes, meta.blobs.size());
  for (const BlobUse& blob : meta.blobs) {
    AppendVarint(bytes, ToNumber(blob.file));
    AppendVarint(bytes, blob.bytes);
  }
  return bytes;
}

// Takes numbers and bytes from the front of a field; remembers whether all were there.
class FieldReader {
 public:
  explicit FieldReader(Slice bytes) : rest_(bytes) {}

  std::uint64_t Number() { return Take(ReadVarint(rest_)); }
  std::uint64_t Fixed() { return Take(ReadFixed64(rest_)); }
  std::string Bytes() {
    const std::optional<Slice> bytes = ReadLengthPrefixed(rest_);
    good_ = good_ && bytes.has_value();
    return bytes ? bytes->ToString() : std::string();
  }
  FileNumber File() { return FileNumber{Number()}; }
  std::uint32_t Level() {
    const std::uint64_t level = Number();
    good_ = good_ && level < kLevels;
    return static_cast<std::uint32_t>(level);
  }
  bool good() const { return good_; }
  bool done() const { return good_ && rest_.empty(); }

 private:
  std::uint64_t Take(std::optional<std::uint64_t> number) {
    good_ = good_ && number.has_value();
    return number.value_or(0);
  }

  Slice rest_;
  bool good_ = true;
};

VersionEdit::AddFile DecodeAddFile(FieldReader& field) {
  VersionEdit::AddFile file;
  file.level = field.Level();
  file.meta.number = field.File();
  file.meta.size_bytes = field.Number();
  file.meta.entries = field.Number();
  file.meta.deletes = field.Number();
  file.meta.range_deletes = field.Number();
  file.meta.first_sequence = field.Number();
  file.meta.last_sequence = field.Number();
  file.meta.smallest = field.Bytes();
  file.meta.limit = field.Bytes();
  file.meta.root.low = field.Fixed();
  file.meta.root.high = field.Fixed();
  const std::uint64_t blobs = field.Number();
  for (std::uint64_t i = 0; i < blobs && field.good(); ++i) {
    const FileNumber number = field.File();
    file.meta.blobs.push_back({.file = number, .bytes = field.Number()});
  }
  return file;
}

// False for a tag that is not known.
bool DecodeField(std::uint64_t tag, FieldReader& field, VersionEdit& edit) {
  switch (tag) {
    case kAddFile:
      edit.added.push_back(DecodeAddFile(field));
      return true;
    case kDropFile: {
      const std::uint32_t level = field.Level();
      edit.dropped.push_back({.level = level, .number = field.File()});
      return true;
    }
    case kAddBlob: {
      const FileNumber number = field.File();
      const std::uint64_t bytes = field.Number();
      edit.added_blobs.push_back({.number = number, .bytes = bytes, .size_bytes = field.Number()});
      return true;
    }
    case kDropBlob:
      edit.dropped_blobs.push_back(field.File());
      return true;
    case kLogFloor: {
      const std::uint64_t segment = field.Number();
      edit.log_floor = {.segment = segment, .sequence = field.Number()};
      return true;
    }
    case kNextFile:
      edit.next_file = field.File();
      return true;
    case kHistoryHorizon:
      edit.history_horizon = field.Number();
      return true;
    default:
      return false;
  }
}

}  // namespace

std::string EncodeVersionEdit(const VersionEdit& edit) {
  std::string out;
  for (const VersionEdit::AddFile& file : edit.added) {
    AppendField(out, kAddFile, EncodeAddFile(file));
  }
  for (const VersionEdit::DropFile& file : edit.dropped) {
    AppendField(out, kDropFile, EncodeNumbers({file.level, ToNumber(file.number)}));
  }
  for (const BlobMeta& blob : edit.added_blobs) {
    AppendField(out, kAddBlob, EncodeNumbers({ToNumber(blob.number), blob.bytes, blob.size_bytes}));
  }
  for (const FileNumber number : edit.dropped_blobs) {
    AppendField(out, kDropBlob, EncodeNumbers({ToNumber(number)}));
  }
  if (edit.log_floor) {
    AppendField(out, kLogFloor, EncodeNumbers({edit.log_floor->segment, edit.log_floor->sequence}));
  }
  if (edit.next_file) AppendField(out, kNextFile, EncodeNumbers({ToNumber(*edit.next_file)}));
  if (edit.history_horizon) {
    AppendField(out, kHistoryHorizon, EncodeNumbers({*edit.history_horizon}));
  }
  return out;
}

Result<VersionEdit> DecodeVersionEdit(Slice bytes) {
  VersionEdit edit;
  while (!bytes.empty()) {
    const std::optional<std::uint64_t> tag = ReadVarint(bytes);
    if (!tag) return Corruption("manifest edit: a tag is cut short");
    const std::optional<Slice> content = ReadLengthPrefixed(bytes);
    if (!content) return Corruption(StrCat("manifest edit: field ", *tag, " is cut short"));
    FieldReader field(*content);
    if (!DecodeField(*tag, field, edit)) {
      if (*tag >= kFirstSkippable) continue;
      return MakeError(ErrorCode::kNewerFormat,
                       StrCat("manifest edit: field ", *tag, " is not known to this release"),
                       "open the database with a newer release");
    }
    if (!field.done()) return Corruption(StrCat("manifest edit: field ", *tag, " is malformed"));
  }
  return edit;
}

}  // namespace trefoil::lsm
