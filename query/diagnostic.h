// Diagnostics: errors that know their place in a text, and how they are shown to a person.
//
//   error[unknown-column]: table "track" has no column "titel"
//     1 | SELECT titel FROM track
//                ^^^^^ did you mean "title"?
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "query/ast.h"
#include "trefoil/result.h"

namespace trefoil::query {

// An Error of `code` that points at `span` of `text`.
Error ErrorAt(std::string_view text, Span span, ErrorCode code, std::string message,
              std::string hint = {});

// The name of `candidates` that is nearest to `name` by edit distance, ASCII case ignored; nothing
// when none is near enough to be what was meant.
std::optional<std::string_view> NearestName(std::string_view name,
                                            std::span<const std::string_view> candidates);
// `did you mean "title"?`, or an empty hint.
std::string NearestNameHint(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace trefoil::query
