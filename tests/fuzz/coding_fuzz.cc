// Every decoder of base/coding.h is total, and what it reads is what its encoder writes.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "base/coding.h"

namespace {

using trefoil::Slice;

template <typename Read, typename Append>
void CheckRoundTrip(Slice input, const Read& read, const Append& append) {
  Slice rest = input;
  const auto value = read(rest);
  if (!value) {
    trefoil::Check(rest.data() == input.data() && rest.size() == input.size(),
                   "a failed read moves nothing");
    return;
  }
  std::string encoded;
  append(encoded, *value);
  trefoil::Check(input.StartsWith(encoded) && rest.size() == input.size() - encoded.size(),
                 "a value has exactly one encoding");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  const Slice input(reinterpret_cast<const char*>(data), size_bytes);
  CheckRoundTrip(input, trefoil::ReadFixed16, trefoil::AppendFixed16);
  CheckRoundTrip(input, trefoil::ReadFixed32, trefoil::AppendFixed32);
  CheckRoundTrip(input, trefoil::ReadFixed64, trefoil::AppendFixed64);
  CheckRoundTrip(input, trefoil::ReadBigEndian64, trefoil::AppendBigEndian64);
  CheckRoundTrip(input, trefoil::ReadVarint, trefoil::AppendVarint);
  CheckRoundTrip(input, trefoil::ReadOrderedVarint, trefoil::AppendOrderedVarint);
  CheckRoundTrip(input, trefoil::ReadLengthPrefixed, trefoil::AppendLengthPrefixed);
  CheckRoundTrip(input, trefoil::ReadEscaped, trefoil::AppendEscaped);
  return 0;
}
