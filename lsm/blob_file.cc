#include "lsm/blob_file.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/coding.h"
#include "base/errors.h"
#include "base/str_cat.h"

namespace trefoil::lsm {

namespace {

constexpr std::size_t kWriteBytes = std::size_t{256} << 10;
// Values are of at most a batch's size.
constexpr std::uint64_t kBlobBytesMax = std::uint64_t{1} << 30;

constexpr std::uint64_t RoundUpTo8(std::uint64_t bytes) { return (bytes + 7) & ~std::uint64_t{7}; }

std::uint64_t SumOf(Slice bytes, std::uint64_t seed, std::uint64_t offset) {
  return Hash64(bytes.Without(8), seed + offset);
}

}  // namespace

Result<std::unique_ptr<BlobFileWriter>> BlobFileWriter::Create(Env& env, const std::string& path,
                                                               const FileIdentity& identity) {
  Result<std::unique_ptr<File>> file = env.Open(path, Env::OpenMode::kCreate);
  if (!file) return std::move(file).error();
  return std::unique_ptr<BlobFileWriter>(new BlobFileWriter(*std::move(file), identity));
}

BlobFileWriter::BlobFileWriter(std::unique_ptr<File> file, const FileIdentity& identity)
    : file_(std::move(file)), identity_(identity), seed_(FileSeed(identity)) {
  buffer_.assign(kPageBytes, '\0');
  StoreFixed64(buffer_.data() + 8, kBlobIdentityMagic);
  StoreFixed32(buffer_.data() + 16, kSstFormat);
  std::memcpy(buffer_.data() + 24, identity_.uuid.data(), kUuidBytes);
  StoreFixed64(buffer_.data() + 40, ToNumber(identity_.number));
  StoreFixed64(buffer_.data(), SumOf(buffer_, seed_, 0));
}

Status BlobFileWriter::WriteBuffer() {
  if (Status status = file_->WriteAt(written_, buffer_); !status) return status;
  written_ += buffer_.size();
  buffer_.clear();
  return Ok();
}

Result<BlobReference> BlobFileWriter::Add(Slice value) {
  Check(value.size() <= kBlobBytesMax, "a blob is at most as large as a batch");
  const std::uint64_t offset = size_bytes();
  Check(offset + value.size() < kBlobFileBytesMax, "a blob file ends before references overflow");
  const std::size_t start = buffer_.size();
  buffer_.append(8, '\0');
  AppendFixed32(buffer_, static_cast<std::uint32_t>(value.size()));
  AppendFixed32(buffer_, static_cast<std::uint32_t>(records_));
  buffer_.append(value.data(), value.size());
  const std::uint64_t sum = SumOf(Slice(buffer_).Without(start), seed_, offset);
  StoreFixed64(buffer_.data() + start, sum);
  buffer_.resize(static_cast<std::size_t>(RoundUpTo8(buffer_.size())), '\0');
  ++records_;
  value_bytes_ += value.size();
  if (buffer_.size() >= kWriteBytes) {
    if (Status status = WriteBuffer(); !status) return std::move(status).error();
  }
  return BlobReference{.file = identity_.number,
                       .offset = offset,
                       .size_bytes = static_cast<std::uint32_t>(value.size()),
                       .sum = sum};
}

Status BlobFileWriter::Finish() {
  const std::uint64_t offset = size_bytes();
  std::string footer(8, '\0');
  for (const std::uint64_t number : {kBlobFooterMagic, records_, value_bytes_, offset}) {
    AppendFixed64(footer, number);
  }
  StoreFixed64(footer.data(), SumOf(footer, seed_, offset));
  buffer_ += footer;
  if (Status status = WriteBuffer(); !status) return status;
  return file_->Sync();
}

Result<std::unique_ptr<BlobFile>> BlobFile::Open(Env& env, const std::string& path,
                                                 const FileIdentity& identity) {
  Result<std::unique_ptr<File>> file = env.Open(path, Env::OpenMode::kRead);
  if (!file) return std::move(file).error();
  std::unique_ptr<BlobFile> blobs(new BlobFile(*std::move(file), identity));
  if (Status status = blobs->ReadIdentity(); !status) return std::move(status).error();
  if (Status status = blobs->ReadFooter(); !status) return std::move(status).error();
  return blobs;
}

Error BlobFile::Damaged(std::uint64_t offset, const char* what) const {
  return Corruption(StrCat(path(), ": offset ", offset, ": ", what, "; the file was damaged"));
}

Status BlobFile::ReadIdentity() const {
  char page[kPageBytes];
  if (Status status = file_->ReadAt(0, page); !status) return status;
  if (LoadFixed64(page + 8) != kBlobIdentityMagic) return Damaged(0, "it is no blob file");
  if (const std::uint32_t format = LoadFixed32(page + 16); format > kSstFormat) {
    return MakeError(ErrorCode::kNewerFormat,
                     StrCat(path(), ": format ", format, " is newer than ", kSstFormat,
                            ", the newest that this program reads"),
                     "use a newer release");
  }
  if (std::memcmp(page + 24, identity_.uuid.data(), kUuidBytes) != 0) {
    return MakeError(ErrorCode::kForeignDatabase,
                     StrCat(path(), ": the file belongs to another database"));
  }
  if (LoadFixed64(page) != SumOf(Slice(page, sizeof page), seed_, 0)) {
    return Damaged(0, "checksum mismatch");
  }
  return Ok();
}

Status BlobFile::ReadFooter() {
  Result<std::uint64_t> size_bytes = file_->Size();
  if (!size_bytes) return std::move(size_bytes).error();
  size_bytes_ = *size_bytes;
  if (size_bytes_ < kPageBytes + kBlobFooterBytes) return Damaged(size_bytes_, "the file was cut");
  const std::uint64_t offset = size_bytes_ - kBlobFooterBytes;
  char footer[kBlobFooterBytes];
  if (Status status = file_->ReadAt(offset, footer); !status) return status;
  const bool whole = LoadFixed64(footer) == SumOf(Slice(footer, sizeof footer), seed_, offset) &&
                     LoadFixed64(footer + 8) == kBlobFooterMagic &&
                     LoadFixed64(footer + 32) == offset;
  if (!whole) return Damaged(offset, "no footer stands here");
  records_ = LoadFixed64(footer + 16);
  value_bytes_ = LoadFixed64(footer + 24);
  return Ok();
}

Status BlobFile::ReadRecord(std::uint64_t offset, std::uint32_t size_bytes,
                            std::string& record) const {
  const std::uint64_t end = offset + kBlobRecordHeaderBytes + size_bytes;
  if (offset < kPageBytes || offset % 8 != 0 || end > size_bytes_ - kBlobFooterBytes) {
    return Damaged(offset, "a reference leads outside the records");
  }
  record.resize(kBlobRecordHeaderBytes + size_bytes);
  if (Status status = file_->ReadAt(offset, record); !status) return status;
  if (LoadFixed64(record.data()) != SumOf(record, seed_, offset)) {
    return Damaged(offset, "checksum mismatch");
  }
  if (LoadFixed32(record.data() + 8) != size_bytes) {
    return Damaged(offset, "a record has another length than its reference");
  }
  return Ok();
}

Result<std::string> BlobFile::Read(const BlobReference& reference) const {
  Check(reference.file == identity_.number, "a blob is read from its own file");
  std::string record;
  if (Status status = ReadRecord(reference.offset, reference.size_bytes, record); !status) {
    return std::move(status).error();
  }
  if (LoadFixed64(record.data()) != reference.sum) {
    return Damaged(reference.offset, "another record stands where a reference leads");
  }
  record.erase(0, kBlobRecordHeaderBytes);
  return record;
}

Status BlobFile::Walk(const std::function<void(const BlobReference&, Slice value)>& take) const {
  const std::uint64_t end = size_bytes_ - kBlobFooterBytes;
  std::string record;
  std::uint64_t offset = kPageBytes;
  for (std::uint64_t number = 0; number < records_; ++number) {
    char header[kBlobRecordHeaderBytes];
    if (offset + sizeof header > end) return Damaged(offset, "a record is missing");
    if (Status status = file_->ReadAt(offset, header); !status) return status;
    const std::uint32_t size_bytes = LoadFixed32(header + 8);
    if (LoadFixed32(header + 12) != static_cast<std::uint32_t>(number)) {
      return Damaged(offset, "a record has another number than its place");
    }
    if (Status status = ReadRecord(offset, size_bytes, record); !status) return status;
    take({.file = identity_.number,
          .offset = offset,
          .size_bytes = size_bytes,
          .sum = LoadFixed64(header)},
         Slice(record).Without(kBlobRecordHeaderBytes));
    offset = RoundUpTo8(offset + kBlobRecordHeaderBytes + size_bytes);
  }
  return offset == end ? Ok() : Status(Damaged(offset, "bytes stand between records and footer"));
}

}  // namespace trefoil::lsm
