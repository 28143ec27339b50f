#include "base/env.h"

#include "base/errors.h"
#include "base/str_cat.h"

namespace trefoil {

void File::WillNeed(std::uint64_t, std::uint64_t) const {}

Error EnvError(ErrorCode code, std::string_view operation, std::string_view path,
               std::string_view cause) {
  return MakeError(code, StrCat(operation, " ", path, ": ", cause));
}

}  // namespace trefoil
