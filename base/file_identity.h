// What tells a file or a directory apart from a copy of it: the number of its node and the moment
// of its birth. A rename keeps both; a copy, a restored backup or another file system does not.
#pragma once

#include <string>

#include "trefoil/result.h"

namespace trefoil {

inline constexpr std::size_t kFileIdentityBytes = 16;

// Of the file system of this machine. Errors: kNotFound, kPermission, kIo.
Result<std::string> FileIdentity(const std::string& path);

}  // namespace trefoil
