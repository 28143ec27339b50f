// Whole files in and out, for scripts, imports and exports.
#pragma once

#include <string>
#include <string_view>

#include "trefoil/result.h"

namespace trefoil::cli {

// The bytes of a file; `-` is standard input. Error kIo or kNotFound names the path and the cause.
Result<std::string> ReadFile(const std::string& path);
// Replaces the file whole or not at all (a temporary name, then a rename); `-` is standard output.
Status WriteFile(const std::string& path, std::string_view bytes);

}  // namespace trefoil::cli
