// Any bytes: a key part either does not decode or encodes back to the same bytes.
#include <cstdint>
#include <string>

#include "base/check.h"
#include "schema/key_codec.h"
#include "schema/keys.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace trefoil;
  if (size < 2) return 0;
  const schema::KeyPart part = {.kind = static_cast<ValueKind>(data[0] % 14),
                                .scale = static_cast<std::uint8_t>(data[1] % 19),
                                .nullable = (data[1] & 0x40) != 0,
                                .descending = (data[1] & 0x80) != 0};
  const Slice input(reinterpret_cast<const char*>(data) + 2, size - 2);
  Slice rest = input;
  Value value;
  if (schema::TakeKeyPart(rest, part, &value)) {
    std::string again;
    schema::AppendKeyPart(again, part, value);
    Check(Slice(again) == input.Prefix(input.size() - rest.size()), "a key decodes canonically");
    Slice skipped = input;
    Check(schema::SkipKeyPart(skipped, part) && skipped == rest, "skipping ends where taking does");
  }
  Slice skipped = input;
  static_cast<void>(schema::SkipKeyPart(skipped, part));
  schema::FactName name;
  static_cast<void>(schema::ParseFactKey(input, &name));
  Check(schema::GroupSize(input) <= input.size(), "a group is a prefix of its key");
  return 0;
}
