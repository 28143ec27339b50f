// Any bytes as a record of a compressed file whose sum is right, as a dictionary and as a frame:
// what decodes lies in the bytes, and inflating fills the pages or says that it cannot.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/check.h"
#include "base/coding.h"
#include "base/hash.h"
#include "lsm/frames.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace trefoil;
  using namespace trefoil::lsm;
  std::string bytes(reinterpret_cast<const char*>(data), size);
  const std::string input = bytes;
  bytes.resize((std::max(size, kFrameHeaderBytes) + 7) / 8 * 8, '\0');
  StoreFixed64(bytes.data(), Hash64(Slice(bytes).Without(8), 1));
  const std::optional<FrameRecord> record = DecodeFrameRecord(bytes, 1, 0);
  if (record) {
    Check(record->content.data() + record->content.size() <= bytes.data() + bytes.size(),
          "the content lies in the record");
  }
  // The first byte says how much of the rest is the dictionary, and how many pages are wanted.
  const std::size_t first = size == 0 ? 0 : data[0];
  const Slice rest = Slice(input).Without(std::min<std::size_t>(size, 1));
  const std::size_t dictionary_bytes = rest.size() * (first / 8) / 32;
  const std::unique_ptr<const FrameInflater> inflater =
      FrameInflater::Create(rest.Prefix(dictionary_bytes));
  if (inflater == nullptr) return 0;
  std::string pages(kPageBytes * (1 + first % 8), '\0');
  static_cast<void>(inflater->Inflate(rest.Without(dictionary_bytes), pages));
  return 0;
}
