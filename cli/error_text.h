// An Error as a person reads it: the code and sentence, then the line of text that it points at
// with a caret and the hint.
#pragma once

#include <string>
#include <string_view>

#include "trefoil/result.h"

namespace trefoil::cli {

//   error[unknown-column]: table "track" has no column "titel"
//     1 | SELECT titel FROM track
//                ^^^^^ did you mean "title"?
// Ends in a line end. Without a place in `text` only the first line, with the hint behind it.
// `first_line`: what number the first line of `text` has where it comes from.
std::string ErrorText(const Error& error, std::string_view text, int first_line = 1);

}  // namespace trefoil::cli
