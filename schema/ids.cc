#include "schema/ids.h"

#include <string>

#include "base/ascii.h"
#include "base/hash.h"

namespace trefoil::schema {

namespace {

// Never 0: hash seed and fold are part of the format.
std::uint32_t Hash28(std::string_view name) {
  const std::string folded = ToLowerAscii(name);
  const auto bits = static_cast<std::uint32_t>(Hash64(Slice(folded)) & (kTypeLimit - 1));
  return bits == 0 ? 1 : bits;
}

}  // namespace

TypeId TypeIdOf(std::string_view name) { return TypeId{Hash28(name)}; }

AttributeId UndeclaredAttributeId(std::string_view name) {
  return AttributeId{kFieldLimit + Hash28(name)};
}

IndexId IndexIdOf(std::string_view name) { return IndexId{Hash28(name)}; }

}  // namespace trefoil::schema
