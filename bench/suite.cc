#include "bench/suite.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/str_cat.h"

namespace trefoil::bench {

namespace {

constexpr const char* kOurs = "trefoil";

// The one place where suites meet; filled before main starts.
std::vector<Suite>& Registered() {
  static std::vector<Suite> suites;
  return suites;
}

double Median(std::vector<double> values) { return Percentile(values, 0.5); }

// Three significant digits, with thousands and millions shortened.
std::string Short(double value) {
  const char* suffix = "";
  if (std::abs(value) >= 1e6) {
    value /= 1e6;
    suffix = "M";
  } else if (std::abs(value) >= 1e4) {
    value /= 1e3;
    suffix = "k";
  }
  const int decimals = std::abs(value) >= 100 ? 0 : std::abs(value) >= 10 ? 1 : 2;
  char text[40];
  std::snprintf(text, sizeof text, "%.*f%s", decimals, value, suffix);
  return text;
}

std::string Padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

}  // namespace

bool SuiteOptions::WantsEngine(const std::string& name) const {
  return engines.empty() || std::ranges::find(engines, name) != engines.end();
}

bool SuiteOptions::WantsCase(const std::string& name) const {
  return cases.empty() || std::ranges::find(cases, name) != cases.end();
}

double Percentile(std::span<double> values, double fraction) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const double last = static_cast<double>(values.size() - 1);
  return values[static_cast<std::size_t>(std::lround(fraction * last))];
}

void Report::Add(const Measurement& measurement) {
  if (std::ranges::find(engines_, measurement.engine) == engines_.end()) {
    engines_.push_back(measurement.engine);
  }
  auto row = std::ranges::find_if(rows_, [&](const Row& candidate) {
    return candidate.name == measurement.name && candidate.n == measurement.n &&
           candidate.unit == measurement.unit;
  });
  if (row == rows_.end()) {
    rows_.push_back({.name = measurement.name,
                     .n = measurement.n,
                     .unit = measurement.unit,
                     .lower_is_better = measurement.lower_is_better,
                     .values = {}});
    row = rows_.end() - 1;
  }
  row->values[measurement.engine].push_back(measurement.value);
}

double Report::RatioTo(const Row& row, const std::string& peer) const {
  const auto ours = row.values.find(kOurs);
  const auto theirs = row.values.find(peer);
  if (ours == row.values.end() || theirs == row.values.end()) return 0;
  const double our_median = Median(ours->second);
  const double their_median = Median(theirs->second);
  const double above = row.lower_is_better ? their_median : our_median;
  const double below = row.lower_is_better ? our_median : their_median;
  return below == 0 ? 0 : above / below;
}

std::string Report::Table() const {
  constexpr std::size_t kNameWidth = 38;
  constexpr std::size_t kColumnWidth = 17;
  std::string text = StrCat("== ", suite_, "\n");
  for (const std::string& note : notes_) text += StrCat("   ", note, "\n");
  text += Padded("case", kNameWidth) + Padded("n", 8) + Padded("unit", 8);
  for (const std::string& engine : engines_) text += Padded(engine, kColumnWidth);
  text += '\n';
  for (const Row& row : rows_) {
    text += Padded(row.name, kNameWidth) + Padded(Short(static_cast<double>(row.n)), 8) +
            Padded(row.unit, 8);
    for (const std::string& engine : engines_) {
      const auto values = row.values.find(engine);
      std::string cell = values == row.values.end() ? "-" : Short(Median(values->second));
      const double ratio = engine == kOurs ? 0 : RatioTo(row, engine);
      if (ratio != 0) cell += StrCat(" (", Short(ratio), "x)");
      text += Padded(cell, kColumnWidth);
    }
    text += '\n';
  }
  return text;
}

std::string Report::JsonLines() const {
  std::string lines;
  for (const Row& row : rows_) {
    const auto add = [&](const std::string& engine, const std::string& peer) {
      const std::string quoted = peer.empty() ? "null" : StrCat("\"", peer, "\"");
      const std::string ratio = peer.empty() ? "null" : StrCat(RatioTo(row, peer));
      lines +=
          StrCat("{\"suite\":\"", suite_, "\",\"case\":\"", row.name, "\",\"engine\":\"", engine,
                 "\",\"n\":", row.n, ",\"value\":", Median(row.values.at(engine)), ",\"unit\":\"",
                 row.unit, "\",\"ratio_to\":", quoted, ",\"ratio\":", ratio, "}\n");
    };
    for (const auto& [engine, values] : row.values) {
      if (engine != kOurs) {
        add(engine, "");
        if (row.values.contains(kOurs)) add(kOurs, engine);
      } else if (row.values.size() == 1) {
        add(engine, "");
      }
    }
  }
  return lines;
}

std::vector<Chart> Report::Charts() const {
  constexpr std::string_view kBy = ", by ";
  constexpr std::size_t kPointsMin = 3;
  std::vector<Chart> charts;
  for (const Row& row : rows_) {
    const auto values = row.values.find(kOurs);
    if (values == row.values.end()) continue;
    const double median = Median(values->second);
    if (row.n == 0 || median <= 0) continue;
    auto chart = std::ranges::find(charts, row.name, &Chart::title);
    if (chart == charts.end()) {
      const std::size_t by = row.name.find(kBy);
      charts.push_back({.title = row.name,
                        .x_label = by == row.name.npos ? "n" : row.name.substr(by + kBy.size()),
                        .unit = row.unit,
                        .points = {}});
      chart = charts.end() - 1;
    }
    chart->points.emplace_back(static_cast<double>(row.n), median);
  }
  std::erase_if(charts, [](const Chart& chart) { return chart.points.size() < kPointsMin; });
  for (Chart& chart : charts) std::ranges::sort(chart.points);
  return charts;
}

SuiteRegistration::SuiteRegistration(Suite suite) { Registered().push_back(std::move(suite)); }

std::vector<Suite> AllSuites() {
  std::vector<Suite> suites = Registered();
  std::ranges::sort(suites, {}, &Suite::name);
  return suites;
}

}  // namespace trefoil::bench
