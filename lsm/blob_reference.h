// What an entry of kind kBlobPut holds instead of its value: where the bytes lie in a blob file.
//
//   file 4 | offset / 8 4 | length 4 | sum 8
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/coding.h"
#include "lsm/file_meta.h"
#include "trefoil/slice.h"

namespace trefoil::lsm {

struct BlobReference {
  FileNumber file{};
  std::uint64_t offset = 0;  // a multiple of 8
  std::uint32_t size_bytes = 0;
  std::uint64_t sum = 0;  // of the record in the blob file

  friend bool operator==(const BlobReference&, const BlobReference&) = default;
};
inline constexpr std::size_t kBlobReferenceBytes = 20;

inline std::string EncodeBlobReference(const BlobReference& reference) {
  std::string bytes;
  AppendFixed32(bytes, static_cast<std::uint32_t>(ToNumber(reference.file)));
  AppendFixed32(bytes, static_cast<std::uint32_t>(reference.offset / 8));
  AppendFixed32(bytes, reference.size_bytes);
  AppendFixed64(bytes, reference.sum);
  return bytes;
}

// Nothing when the bytes are no reference.
inline std::optional<BlobReference> DecodeBlobReference(Slice bytes) {
  if (bytes.size() != kBlobReferenceBytes) return std::nullopt;
  return BlobReference{.file = FileNumber{LoadFixed32(bytes.data())},
                       .offset = std::uint64_t{LoadFixed32(bytes.data() + 4)} * 8,
                       .size_bytes = LoadFixed32(bytes.data() + 8),
                       .sum = LoadFixed64(bytes.data() + 12)};
}

}  // namespace trefoil::lsm
