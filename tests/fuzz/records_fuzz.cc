// Any bytes as a file of records, as a batch, as an edit of the manifest and as a superblock: the
// readers end, and what they accept is written back as it was.
#include <cstdint>
#include <optional>
#include <string>

#include "base/check.h"
#include "lsm/record_format.h"
#include "lsm/superblock.h"
#include "lsm/version_edit.h"
#include "lsm/write_batch_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace trefoil::lsm;
  const trefoil::Slice bytes(reinterpret_cast<const char*>(data), size);
  const std::string uuid(kUuidBytes, 'u');
  const trefoil::Result<RecordFileHeader> header = DecodeHeaderPage(bytes, kLogMagic, uuid);
  trefoil::Check(header || !header.error().message.empty(), "an error says what is wrong");
  RecordReader reader(bytes, FileSeed(uuid, 1), ChainEnd{.offset = 0});
  while (reader.Next()) {
  }
  const std::optional<std::uint64_t> proof = reader.FindProofOfLoss();
  trefoil::Check(!proof || *proof < size, "a proof lies in the file");

  // The same bytes as the payload of a record that verifies.
  std::string file(kPageBytes + RecordBytes(size), '\0');
  ChainEnd end;
  EncodeRecord(file.data() + kPageBytes, FileSeed(uuid, 1), 0, bytes, end);
  RecordReader written(file, FileSeed(uuid, 1), ChainEnd());
  const std::optional<Record> record = written.Next();
  trefoil::Check(record && record->payload == bytes, "a record comes back as it was written");

  WriteBatchReader batch(bytes);
  while (batch.Next()) {
  }
  const trefoil::Result<VersionEdit> edit = DecodeVersionEdit(bytes);
  if (edit) {
    const std::string encoded = EncodeVersionEdit(*edit);
    const trefoil::Result<VersionEdit> again = DecodeVersionEdit(encoded);
    trefoil::Check(again && *again == *edit, "an edit comes back as it was written");
  }
  const trefoil::Result<Superblock> superblock = DecodeSuperblock(bytes);
  trefoil::Check(superblock || !superblock.error().message.empty(), "an error says what is wrong");
  return 0;
}
