#include "bench/compare.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "base/errors.h"
#include "base/json_text.h"
#include "base/str_cat.h"

namespace trefoil::bench {

namespace {

constexpr const char* kOurs = "trefoil";
// What one run of a case on a machine that does other things differs from the next, where the runs
// do not tell it themselves.
constexpr double kUnknownNoise = 0.15;
// Less is never called a change: medians of three on a quiet machine differ by this.
constexpr double kLeastNoise = 0.05;

struct CaseKey {
  std::string suite;
  std::string name;
  double n = 0;
  std::string unit;
  std::string peer;

  friend auto operator<=>(const CaseKey&, const CaseKey&) = default;
};

struct Run {
  std::map<CaseKey, std::vector<double>> values;
  std::vector<CaseKey> order;
};

std::optional<std::string> TextOf(std::string_view object, std::string_view name) {
  const std::optional<std::string_view> member = JsonMember(object, name);
  return member ? JsonStringText(*member) : std::nullopt;
}

std::optional<double> NumberOf(std::string_view object, std::string_view name) {
  const std::optional<std::string_view> member = JsonMember(object, name);
  if (!member) return std::nullopt;
  const std::string text(*member);
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  if (end == text.c_str() || *end != '\0') return std::nullopt;
  return number;
}

Result<Run> Read(std::string_view lines) {
  Run run;
  int number = 0;
  while (!lines.empty()) {
    ++number;
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(std::min(end + 1, lines.size()));
    if (line.empty()) continue;
    const std::string object = CanonicalJson(line).value_or("");
    const auto engine = TextOf(object, "engine");
    const auto suite = TextOf(object, "suite");
    const auto name = TextOf(object, "case");
    const auto unit = TextOf(object, "unit");
    const auto n = NumberOf(object, "n");
    const auto value = NumberOf(object, "value");
    if (!engine || !suite || !name || !unit || !n || !value) {
      return MakeError(ErrorCode::kSyntax, StrCat("line ", number, " is no result of a benchmark"));
    }
    if (*engine != kOurs) continue;
    const CaseKey key{*suite, *name, *n, *unit, TextOf(object, "ratio_to").value_or("")};
    std::vector<double>& values = run.values[key];
    if (values.empty()) run.order.push_back(key);
    values.push_back(key.peer.empty() ? *value : NumberOf(object, "ratio").value_or(0));
  }
  return run;
}

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

// How far the values lie apart, relative to their median; nothing for a single one.
std::optional<double> SpreadOf(const std::vector<double>& values) {
  const double median = Median(values);
  if (values.size() < 2 || median == 0) return std::nullopt;
  const auto [least, most] = std::ranges::minmax(values);
  return (most - least) / std::abs(median);
}

bool MoreIsBetter(const CaseKey& key) { return !key.peer.empty() || key.unit.ends_with("/s"); }

std::string Number(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

int Rank(Verdict verdict) {
  return verdict == Verdict::kWorse ? 0 : verdict == Verdict::kBetter ? 1 : 2;
}

}  // namespace

Result<std::vector<Comparison>> Compare(std::string_view before, std::string_view after) {
  const Result<Run> old_run = Read(before);
  if (!old_run) return old_run.error();
  const Result<Run> new_run = Read(after);
  if (!new_run) return new_run.error();
  std::vector<Comparison> comparisons;
  for (const CaseKey& key : old_run->order) {
    const auto found = new_run->values.find(key);
    if (found == new_run->values.end()) continue;
    const std::vector<double>& old_values = old_run->values.at(key);
    Comparison comparison{.suite = key.suite,
                          .name = key.name,
                          .n = key.n,
                          .unit = key.unit,
                          .peer = key.peer,
                          .before = Median(old_values),
                          .after = Median(found->second)};
    comparison.noise = std::max({SpreadOf(old_values).value_or(kUnknownNoise),
                                 SpreadOf(found->second).value_or(kUnknownNoise), kLeastNoise});
    const double change = comparison.before == 0 ? 0 : comparison.after / comparison.before - 1;
    if (std::abs(change) > comparison.noise) {
      comparison.verdict = (change > 0) == MoreIsBetter(key) ? Verdict::kBetter : Verdict::kWorse;
    }
    comparisons.push_back(std::move(comparison));
  }
  return comparisons;
}

std::string ComparisonText(const std::vector<Comparison>& comparisons) {
  std::vector<const Comparison*> sorted;
  for (const Comparison& comparison : comparisons) sorted.push_back(&comparison);
  std::ranges::stable_sort(sorted, {}, [](const Comparison* c) { return Rank(c->verdict); });
  std::string text;
  int counts[3] = {};
  for (const Comparison* c : sorted) {
    ++counts[Rank(c->verdict)];
    constexpr const char* kWords[] = {"WORSE ", "better", "same  "};
    const std::string what = c->peer.empty() ? c->unit : StrCat("x ", c->peer);
    const double percent = c->before == 0 ? 0 : 100 * (c->after / c->before - 1);
    char change[60];
    std::snprintf(change, sizeof change, "%+.0f %% (noise %.0f %%)", percent, 100 * c->noise);
    text +=
        StrCat(kWords[Rank(c->verdict)], "  ", c->suite, "  ", c->name, "  n=", Number(c->n), "  ",
               Number(c->before), " -> ", Number(c->after), " ", what, "  ", change, "\n");
  }
  return text + StrCat(counts[0], " worse, ", counts[1], " better, ", counts[2],
                       " the same within their noise\n");
}

}  // namespace trefoil::bench
