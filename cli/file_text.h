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

// An error that begins with what kind of bytes it is about ("dump: line 4 ...") begins with the
// name of the file instead.
Error InFile(Error error, std::string_view kind, const std::string& path);

}  // namespace trefoil::cli
