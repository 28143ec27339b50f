#include "lsm/record_format.h"

#include <cstring>

#include "base/check.h"
#include "base/coding.h"
#include "base/errors.h"
#include "base/hash.h"
#include "base/str_cat.h"

namespace trefoil::lsm {

namespace {

constexpr std::size_t kSumBytes = 8;
constexpr std::size_t kHeaderSumOffset = kPageBytes - kSumBytes;

std::uint64_t HeaderSum(Slice page, Slice uuid) {
  return Hash64(page.Prefix(kHeaderSumOffset), FileSeed(uuid, 0));
}

}  // namespace

std::uint64_t FileSeed(Slice uuid, std::uint64_t number) { return Hash64(uuid, number); }

std::string EncodeHeaderPage(Slice magic, Slice uuid, const RecordFileHeader& header) {
  Check(uuid.size() == kUuidBytes, "a uuid has 16 bytes");
  std::string page(magic.view());
  AppendFixed32(page, kFormatNumber);
  AppendFixed32(page, kPageBytes);
  page.append(uuid.view());
  AppendFixed64(page, header.number);
  AppendFixed64(page, header.first_sequence);
  AppendFixed64(page, header.previous_sum);
  page.resize(kHeaderSumOffset);
  AppendFixed64(page, HeaderSum(page, uuid));
  return page;
}

Result<RecordFileHeader> DecodeHeaderPage(Slice page, Slice magic, Slice uuid) {
  if (page.size() < kPageBytes) return Corruption("header page: the file is shorter than a page");
  page = page.Prefix(kPageBytes);
  if (!page.StartsWith(magic)) return Corruption("header page: the magic number does not match");
  const std::uint32_t format = LoadFixed32(page.data() + 8);
  const std::uint64_t sum = LoadFixed64(page.data() + kHeaderSumOffset);
  const Slice found_uuid(page.data() + 16, kUuidBytes);
  if (sum != HeaderSum(page, found_uuid)) {
    return Corruption("header page: checksum mismatch; the file was damaged");
  }
  if (format > kFormatNumber) {
    return MakeError(
        ErrorCode::kNewerFormat,
        StrCat("header page: format ", format, ", this release reads up to format ", kFormatNumber),
        "open the database with a newer release");
  }
  if (found_uuid != uuid) {
    return MakeError(ErrorCode::kForeignDatabase,
                     "header page: the file belongs to another database");
  }
  return RecordFileHeader{.number = LoadFixed64(page.data() + 32),
                          .first_sequence = LoadFixed64(page.data() + 40),
                          .previous_sum = LoadFixed64(page.data() + 48)};
}

void EncodeRecord(char* to, std::uint64_t file_seed, SequenceNumber synced, Slice payload,
                  ChainEnd& end) {
  Check(synced <= end.sequence, "only what was written before can be durable");
  const std::size_t size_bytes = kRecordHeaderBytes + payload.size();
  StoreFixed32(to + 8, static_cast<std::uint32_t>(payload.size()));
  StoreFixed32(to + 12, static_cast<std::uint32_t>(end.sum));
  StoreFixed64(to + 16, ++end.sequence);
  StoreFixed64(to + 24, synced);
  if (!payload.empty()) std::memcpy(to + kRecordHeaderBytes, payload.data(), payload.size());
  const std::size_t padded_bytes = RecordBytes(payload.size());
  std::memset(to + size_bytes, 0, padded_bytes - size_bytes);
  end.sum = Hash64(Slice(to + kSumBytes, size_bytes - kSumBytes), file_seed + end.offset);
  StoreFixed64(to, end.sum);
  end.offset += padded_bytes;
}

std::optional<Record> DecodeRecord(Slice file, std::uint64_t offset, std::uint64_t file_seed) {
  if (offset > file.size() || file.size() - offset < kRecordHeaderBytes) return std::nullopt;
  const char* bytes = file.data() + offset;
  const std::uint32_t payload_bytes = LoadFixed32(bytes + 8);
  if (RecordBytes(payload_bytes) > file.size() - offset) return std::nullopt;
  const std::size_t size_bytes = kRecordHeaderBytes + payload_bytes;
  const std::uint64_t sum = LoadFixed64(bytes);
  if (sum != Hash64(Slice(bytes + kSumBytes, size_bytes - kSumBytes), file_seed + offset)) {
    return std::nullopt;
  }
  return Record{.sum = sum,
                .link = LoadFixed32(bytes + 12),
                .sequence = LoadFixed64(bytes + 16),
                .synced = LoadFixed64(bytes + 24),
                .payload = Slice(bytes + kRecordHeaderBytes, payload_bytes)};
}

std::optional<Record> RecordReader::Next() {
  const std::optional<Record> record = DecodeRecord(file_, end_.offset, file_seed_);
  if (!record || record->link != static_cast<std::uint32_t>(end_.sum) ||
      record->sequence != end_.sequence + 1) {
    return std::nullopt;
  }
  end_ = {.offset = end_.offset + RecordBytes(record->payload.size()),
          .sum = record->sum,
          .sequence = record->sequence};
  return record;
}

std::optional<std::uint64_t> RecordReader::FindProofOfLoss() const {
  return FindRecordSyncedAfter(file_, end_.offset, file_seed_, end_.sequence);
}

std::optional<std::uint64_t> FindRecordSyncedAfter(Slice file, std::uint64_t from,
                                                   std::uint64_t file_seed,
                                                   SequenceNumber sequence) {
  for (std::uint64_t offset = from; offset + kRecordHeaderBytes <= file.size(); offset += 8) {
    // The cheap conditions first: the sum of random bytes as long as they say costs much.
    const SequenceNumber synced = LoadFixed64(file.data() + offset + 24);
    if (synced <= sequence || synced >= LoadFixed64(file.data() + offset + 16)) continue;
    if (DecodeRecord(file, offset, file_seed)) return offset;
  }
  return std::nullopt;
}

}  // namespace trefoil::lsm
