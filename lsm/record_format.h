// Records: how the log and the manifest store what happened, so that a reader can tell a torn tail
// from damage. A file of records is a header page and a chain of records, each 8-byte aligned:
//
//   header  magic 8 | format 4 | page size 4 | uuid 16 | number 8 | first sequence 8 |
//           previous sum 8 | zeros | sum 8                                     (4096 bytes)
//   record  sum 8 | payload size 4 | link 4 | sequence 8 | synced 8 | payload | zeros to 8
//
// A record's sum covers everything after it and is seeded with database, file and offset, so bytes
// of another file, place or earlier use of the file never validate. `link` is the low half of the
// sum of the record before; `synced` is the sequence that was durable when the record was written.
//
// I1: sequences are dense along the chain. I2: a record validates only if all before it do; when a
// later record says in `synced` that a missing one was durable, bytes were damaged, not torn.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "lsm/options.h"
#include "lsm/page_format.h"
#include "lsm/sst_format.h"
#include "trefoil/result.h"
#include "trefoil/slice.h"

namespace trefoil::lsm {

inline constexpr std::uint32_t kFormatNumber = 1;
inline constexpr std::size_t kRecordHeaderBytes = 32;
inline constexpr Slice kLogMagic = "TREFLOG\x01";
inline constexpr Slice kManifestMagic = "TREFMAN\x01";

// Seed of the sums of one file; the sum at an offset is seeded with this plus the offset.
std::uint64_t FileSeed(Slice uuid, std::uint64_t number);

struct RecordFileHeader {
  std::uint64_t number = 0;  // segment number of a log, file number of a manifest
  SequenceNumber first_sequence = 1;
  std::uint64_t previous_sum = 0;  // of the last record before this file; 0 = none
};
std::string EncodeHeaderPage(Slice magic, Slice uuid, const RecordFileHeader& header);
// Errors name what is wrong: kForeignDatabase (another uuid), kNewerFormat, kCorruption.
Result<RecordFileHeader> DecodeHeaderPage(Slice page, Slice magic, Slice uuid);

// Points into the file's bytes.
struct Record {
  std::uint64_t sum = 0;
  std::uint32_t link = 0;
  SequenceNumber sequence = 0;
  SequenceNumber synced = 0;
  Slice payload;
};

// Bytes that a record with this payload takes in the file.
constexpr std::size_t RecordBytes(std::size_t payload_bytes) {
  return (kRecordHeaderBytes + payload_bytes + 7) & ~std::size_t{7};
}

// The end of a chain of records: where the next one goes and what it links to.
struct ChainEnd {
  std::uint64_t offset = kPageBytes;
  std::uint64_t sum = 0;  // of the last record; 0 before the first
  SequenceNumber sequence = 0;
};

// Writes the record that follows `end` to `to`, which has RecordBytes(payload) bytes, and moves
// `end` behind it.
void EncodeRecord(char* to, std::uint64_t file_seed, SequenceNumber synced, Slice payload,
                  ChainEnd& end);

// The record at `offset` if its own sum holds; says nothing of its place in the chain.
std::optional<Record> DecodeRecord(Slice file, std::uint64_t offset, std::uint64_t file_seed);

// Walks the chain in the bytes of one file.
class RecordReader {
 public:
  RecordReader(Slice file, std::uint64_t file_seed, ChainEnd start)
      : file_(file), file_seed_(file_seed), end_(start) {}

  // The next record of the chain, or nothing where it ends, whatever the reason.
  std::optional<Record> Next();
  const ChainEnd& end() const { return end_; }
  // The offset of a valid record at or behind the end that proves that sequences after
  // `end().sequence` were durable.
  std::optional<std::uint64_t> FindProofOfLoss() const;

 private:
  Slice file_;
  std::uint64_t file_seed_;
  ChainEnd end_;
};

// The search behind RecordReader::FindProofOfLoss, for files whose header does not tell a chain.
std::optional<std::uint64_t> FindRecordSyncedAfter(Slice file, std::uint64_t from,
                                                   std::uint64_t file_seed,
                                                   SequenceNumber sequence);

}  // namespace trefoil::lsm
