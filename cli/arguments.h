// The words of a command line, sorted by a command's own description into options and positional
// words. Options are `--name value`, `--name=value`, `-n value` or flags; `--` ends them; `-` is a
// positional word.
#pragma once

#include <initializer_list>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "trefoil/result.h"

namespace trefoil::cli {

struct OptionSpec {
  std::string name;  // without dashes
  char letter = 0;   // 0 = no short form
  bool takes_value = true;
};

class Arguments {
 public:
  // Error kInvalidArgument names an unknown option (with the nearest known one) or a missing value.
  static Result<Arguments> Parse(std::span<const std::string> words,
                                 std::span<const OptionSpec> specs);

  const std::vector<std::string>& positional() const { return positional_; }
  bool Has(std::string_view name) const { return options_.contains(name); }
  // The last value given, or nothing.
  std::optional<std::string> Get(std::string_view name) const;
  // All values given, in order.
  std::vector<std::string> All(std::string_view name) const;
  // A whole number of at least `min`, `fallback` if absent.
  Result<std::int64_t> Number(std::string_view name, std::int64_t fallback,
                              std::int64_t min = 0) const;

 private:
  std::vector<std::string> positional_;
  std::map<std::string, std::vector<std::string>, std::less<>> options_;
};

// The candidate with the smallest edit distance to `word`, if it is near enough to be a slip.
std::optional<std::string> NearestName(std::string_view word,
                                       std::span<const std::string> candidates);

}  // namespace trefoil::cli
