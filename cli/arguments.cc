#include "cli/arguments.h"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <utility>

namespace trefoil::cli {

namespace {

Error Usage(std::string message, std::string hint = {}) {
  return {
      .code = ErrorCode::kInvalidArgument, .message = std::move(message), .hint = std::move(hint)};
}

const OptionSpec* FindSpec(std::span<const OptionSpec> specs, std::string_view name) {
  const auto found = std::ranges::find_if(specs, [&](const OptionSpec& spec) {
    return spec.name == name || (name.size() == 1 && spec.letter == name[0]);
  });
  return found == specs.end() ? nullptr : &*found;
}

Error UnknownOption(const std::string& word, std::string_view name,
                    std::span<const OptionSpec> specs) {
  std::vector<std::string> known;
  for (const OptionSpec& spec : specs) known.push_back(spec.name);
  const std::optional<std::string> nearest = NearestName(name, known);
  return Usage("unknown option " + word, nearest ? "did you mean --" + *nearest + "?" : "");
}

std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t substitution = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({substitution, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

Result<Arguments> Arguments::Parse(std::span<const std::string> words,
                                   std::span<const OptionSpec> specs) {
  Arguments arguments;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--") {
      arguments.positional_.insert(arguments.positional_.end(), words.begin() + i + 1, words.end());
      break;
    }
    if (word.size() < 2 || word[0] != '-') {
      arguments.positional_.push_back(word);
      continue;
    }
    const std::size_t equals = word.find('=');
    const std::string_view name =
        std::string_view(word).substr(0, equals).substr(word[1] == '-' ? 2 : 1);
    const OptionSpec* spec = FindSpec(specs, name);
    if (spec == nullptr) return UnknownOption(word, name, specs);
    std::string value;
    if (equals != std::string::npos) {
      if (!spec->takes_value) return Usage("option --" + spec->name + " takes no value");
      value = word.substr(equals + 1);
    } else if (spec->takes_value) {
      if (i + 1 == words.size()) return Usage("option --" + spec->name + " needs a value");
      value = words[++i];
    }
    arguments.options_[spec->name].push_back(std::move(value));
  }
  return arguments;
}

std::optional<std::string> Arguments::Get(std::string_view name) const {
  const auto found = options_.find(name);
  if (found == options_.end()) return std::nullopt;
  return found->second.back();
}

std::vector<std::string> Arguments::All(std::string_view name) const {
  const auto found = options_.find(name);
  return found == options_.end() ? std::vector<std::string>{} : found->second;
}

Result<std::int64_t> Arguments::Number(std::string_view name, std::int64_t fallback,
                                       std::int64_t min) const {
  const std::optional<std::string> text = Get(name);
  if (!text) return fallback;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc{} || end != text->data() + text->size() || number < min) {
    return Usage("option --" + std::string(name) + " takes a whole number of at least " +
                 std::to_string(min) + ", not '" + *text + "'");
  }
  return number;
}

std::optional<std::string> NearestName(std::string_view word,
                                       std::span<const std::string> candidates) {
  std::optional<std::string> nearest;
  std::size_t best = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = EditDistance(word, candidate);
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

}  // namespace trefoil::cli
