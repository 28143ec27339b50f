// Canonical JSON is total over any bytes and a fixed point of itself.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/json_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto canonical = trefoil::CanonicalJson({reinterpret_cast<const char*>(data), size});
  if (canonical) {
    trefoil::Check(trefoil::CanonicalJson(*canonical) == canonical,
                   "canonical JSON is its own canonical form");
    (void)trefoil::JsonElements(*canonical);
    (void)trefoil::JsonStringText(*canonical);
  }
  return 0;
}
