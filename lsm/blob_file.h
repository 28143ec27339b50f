// A blob file holds large values outside the sorted files, so that compaction moves a reference of
// 20 bytes instead of them. Written once from start to end, read by reference at any place.
//
//   page 0    identity: sum 8 | magic 8 | format 4 | zero 4 | uuid 16 | file 8 | zeros
//   then      records: sum 8 | length 4 | number in the file 4 | bytes | zeros up to 8
//   last 40   footer: sum 8 | magic 8 | records 8 | bytes of values 8 | offset of the footer 8
//
// A sum covers all after it of its identity, record (without padding) or footer, seeded with the
// file's seed plus its offset, so a record proves that it is this record of this file. The
// reference repeats the sum: a reference to another record, or into another file, is found out.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/env.h"
#include "lsm/blob_reference.h"
#include "lsm/sst_format.h"

namespace trefoil::lsm {

inline constexpr std::uint64_t kBlobIdentityMagic = 0x4449'424f'4c42'5254;  // "TRBLOBID"
inline constexpr std::uint64_t kBlobFooterMagic = 0x5446'424f'4c42'5254;    // "TRBLOBFT"
inline constexpr std::size_t kBlobRecordHeaderBytes = 16;
inline constexpr std::size_t kBlobFooterBytes = 40;
// References count in units of 8 bytes, in 32 bits; a writer ends its file long before.
inline constexpr std::uint64_t kBlobFileBytesMax = std::uint64_t{8} << 32;

class BlobFileWriter {
 public:
  // Creates the file at `path`, which must not exist. Errors: those of Env.
  static Result<std::unique_ptr<BlobFileWriter>> Create(Env& env, const std::string& path,
                                                        const FileIdentity& identity);

  // Appends a value; durable after Finish only.
  Result<BlobReference> Add(Slice value);
  // Writes the footer and syncs the file; the directory is the caller's. Only once.
  Status Finish();

  std::uint64_t value_bytes() const { return value_bytes_; }
  std::uint64_t size_bytes() const { return written_ + buffer_.size(); }

 private:
  BlobFileWriter(std::unique_ptr<File> file, const FileIdentity& identity);
  Status WriteBuffer();

  const std::unique_ptr<File> file_;
  const FileIdentity identity_;
  const std::uint64_t seed_;
  std::string buffer_;
  std::uint64_t written_ = 0;
  std::uint64_t records_ = 0;
  std::uint64_t value_bytes_ = 0;
};

// An open blob file. Any thread.
class BlobFile {
 public:
  // Checks identity and footer. Errors: those of Env, kCorruption, kForeignDatabase, kNewerFormat.
  static Result<std::unique_ptr<BlobFile>> Open(Env& env, const std::string& path,
                                                const FileIdentity& identity);

  // The value, checked. Errors: kIo, kCorruption naming file and offset.
  Result<std::string> Read(const BlobReference& reference) const;
  // Checks all records from start to end and hands out each; the first damage ends the walk with
  // kCorruption.
  Status Walk(const std::function<void(const BlobReference&, Slice value)>& take) const;

  std::uint64_t records() const { return records_; }
  std::uint64_t value_bytes() const { return value_bytes_; }
  std::uint64_t size_bytes() const { return size_bytes_; }
  const std::string& path() const { return file_->path(); }

 private:
  BlobFile(std::unique_ptr<File> file, const FileIdentity& identity)
      : file_(std::move(file)), identity_(identity), seed_(FileSeed(identity)) {}

  Status ReadIdentity() const;
  Status ReadFooter();
  // Reads and checks the record at `offset` with a value of `size_bytes` bytes into `record`.
  Status ReadRecord(std::uint64_t offset, std::uint32_t size_bytes, std::string& record) const;
  Error Damaged(std::uint64_t offset, const char* what) const;

  const std::unique_ptr<File> file_;
  const FileIdentity identity_;
  const std::uint64_t seed_;
  std::uint64_t size_bytes_ = 0;
  std::uint64_t records_ = 0;
  std::uint64_t value_bytes_ = 0;
};

}  // namespace trefoil::lsm
