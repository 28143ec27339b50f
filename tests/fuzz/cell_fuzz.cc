// Any bytes: a cell either does not decode or encodes back to the same bytes.
#include <cstdint>
#include <string>

#include "base/check.h"
#include "schema/cell.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace trefoil;
  const Slice input(reinterpret_cast<const char*>(data), size);
  schema::Cell cell;
  Value value;
  bool retracted;
  const bool whole = schema::DecodeCell(input, &cell);
  Check(schema::DecodeCellValue(input, &value, &retracted) == whole, "both decoders agree");
  if (whole) {
    const std::string again = schema::EncodeCell(cell);
    Check(Slice(again) == input, "a cell decodes canonically");
  }
  return 0;
}
