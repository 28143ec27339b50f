// Any bytes between the identity and the footer of a blob file, with right sums: a walk and reads
// by reference end and stay in the file, and what the walk hands out is read again by its
// reference.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/coding.h"
#include "base/env_memory.h"
#include "base/hash.h"
#include "lsm/blob_file.h"

namespace {

using namespace trefoil;
using namespace trefoil::lsm;

constexpr const char* kPath = "000005.blob";

// The sum of `bytes`, which lie at `offset`, is their first 8 bytes.
void Sum(char* bytes, std::size_t size_bytes, std::uint64_t seed, std::uint64_t offset) {
  StoreFixed64(bytes, Hash64(Slice(bytes, size_bytes).Without(8), seed + offset));
}

// Sums the records that lie in `body`, as far as their lengths lead, and returns their number.
std::uint64_t SumRecords(std::string& body, std::uint64_t seed) {
  std::uint64_t records = 0;
  for (std::size_t at = 0; at + kBlobRecordHeaderBytes <= body.size(); ++records) {
    const std::size_t size_bytes = kBlobRecordHeaderBytes + LoadFixed32(body.data() + at + 8);
    if (size_bytes > body.size() - at) break;
    Sum(body.data() + at, size_bytes, seed, kPageBytes + at);
    at += (size_bytes + 7) / 8 * 8;
  }
  return records;
}

void WriteFile(Env& env, std::string body, const FileIdentity& identity) {
  const auto writer = BlobFileWriter::Create(env, kPath, identity).value();
  Check(writer->Finish().has_value(), "memory takes an empty file");
  const std::uint64_t seed = FileSeed(identity);
  const std::uint64_t records = SumRecords(body, seed);
  const std::uint64_t offset = kPageBytes + body.size();
  std::string footer(8, '\0');
  for (const std::uint64_t number : {kBlobFooterMagic, records, records, offset}) {
    AppendFixed64(footer, number);
  }
  Sum(footer.data(), footer.size(), seed, offset);
  body += footer;
  const auto file = env.Open(kPath, Env::OpenMode::kReadWrite).value();
  Check(file->WriteAt(kPageBytes, body).has_value(), "memory takes a file");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  const FileIdentity identity = IdentityOf("0123456789abcdef", FileNumber{5});
  MemoryEnv env;
  WriteFile(env, input, identity);
  const auto file = BlobFile::Open(env, kPath, identity);
  Check(file.has_value(), "identity and footer are as they must be");
  std::vector<std::pair<BlobReference, std::string>> walked;
  static_cast<void>((*file)->Walk([&](const BlobReference& reference, Slice value) {
    walked.emplace_back(reference, value.ToString());
  }));
  for (const auto& [reference, value] : walked) {
    const Result<std::string> read = (*file)->Read(reference);
    Check(read && *read == value, "what a walk hands out is there");
  }
  const Slice head = Slice(input).Prefix(std::min(input.size(), kBlobReferenceBytes));
  std::optional<BlobReference> reference = DecodeBlobReference(head);
  if (!reference) return 0;
  reference->file = identity.number;
  static_cast<void>((*file)->Read(*reference));
  return 0;
}
