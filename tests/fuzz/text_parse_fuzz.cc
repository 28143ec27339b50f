// Every parser of values is total, and what it reads prints to text that reads as the same.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/text_format.h"
#include "base/text_parse.h"
#include "base/time_text.h"

namespace {

template <typename Parse, typename Append>
void CheckReadsBack(std::string_view text, const Parse& parse, const Append& append) {
  const auto value = parse(text);
  if (!value) return;
  std::string printed;
  append(printed, *value);
  trefoil::Check(parse(printed) == value, "a printed value reads back as the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  const std::string_view text(reinterpret_cast<const char*>(data), size_bytes);
  CheckReadsBack(text, trefoil::ParseDate, trefoil::AppendDate);
  CheckReadsBack(text, trefoil::ParseTimestamp, trefoil::AppendTimestamp);
  CheckReadsBack(text, trefoil::ParseBase64, trefoil::AppendBase64);
  CheckReadsBack(text, trefoil::ParseUuid, trefoil::AppendUuid);
  if (const auto number = trefoil::ParseFloat(text); number && !std::isnan(*number)) {
    CheckReadsBack(text, trefoil::ParseFloat, trefoil::AppendFloat);
  }
  trefoil::ParseInt(text);
  for (const int scale : {0, 2, 18}) {
    const auto decimal = trefoil::ParseDecimal(text, scale);
    if (!decimal) continue;
    std::string printed;
    trefoil::AppendDecimal(printed, *decimal);
    const auto again = trefoil::ParseDecimal(printed, scale);
    trefoil::Check(again && again->unscaled == decimal->unscaled, "a DECIMAL reads back");
  }
  return 0;
}
