#include "query/diagnostic.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "base/str_cat.h"

namespace trefoil::query {

namespace {

// Names longer than this are no typing errors of each other.
constexpr std::size_t kNameBytesMax = 64;

// Edits (insert, delete, replace, swap of neighbours) between two lower-case names.
std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replace, last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

Error ErrorAt(std::string_view text, Span span, ErrorCode code, std::string message,
              std::string hint) {
  const std::string_view before = text.substr(0, std::min<std::size_t>(span.begin, text.size()));
  const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return {.code = code,
          .message = std::move(message),
          .hint = std::move(hint),
          .line = static_cast<int>(std::ranges::count(before, '\n')) + 1,
          .column = static_cast<int>(before.size() - line_start) + 1};
}

std::optional<std::string_view> NearestName(std::string_view name,
                                            std::span<const std::string_view> candidates) {
  if (name.empty() || name.size() > kNameBytesMax) return std::nullopt;
  const std::string wanted = ToLowerAscii(name);
  std::size_t best = std::max<std::size_t>(1, name.size() / 3) + 1;
  std::optional<std::string_view> nearest;
  for (const std::string_view candidate : candidates) {
    if (candidate.size() > kNameBytesMax) continue;
    const std::size_t distance = EditDistance(wanted, ToLowerAscii(candidate));
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

std::string NearestNameHint(std::string_view name, std::span<const std::string_view> candidates) {
  const std::optional<std::string_view> nearest = NearestName(name, candidates);
  return nearest ? StrCat("did you mean \"", *nearest, "\"?") : std::string();
}

}  // namespace trefoil::query
