#include "bench/picture.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/str_cat.h"

namespace trefoil::bench {

namespace {

constexpr int kColumns = 3;
constexpr double kWidth = 300;
constexpr double kHeight = 210;
// The plot within a chart.
constexpr double kLeft = 52;
constexpr double kRight = 285;
constexpr double kTop = 34;
constexpr double kBottom = 165;

std::string Fixed(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

// 1, 10, 100, 1k, 1M; 0.1, 0.01.
std::string PowerText(int exponent) {
  if (exponent < 0) return "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + "1";
  const char* suffix = exponent >= 6 ? "M" : exponent >= 3 ? "k" : "";
  return "1" + std::string(static_cast<std::size_t>(exponent % 3), '0') + suffix;
}

std::string Escaped(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '<') {
      escaped += "&lt;";
    } else if (c == '&') {
      escaped += "&amp;";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

// Whole powers of ten around the values, with their places on a line.
class Axis {
 public:
  Axis(double least, double most, double start, double end)
      : low_(static_cast<int>(std::floor(std::log10(least)))),
        high_(std::max(low_ + 1, static_cast<int>(std::ceil(std::log10(most))))),
        start_(start),
        end_(end) {}

  double PlaceOf(double value) const { return PlaceOfLog(std::log10(value)); }
  double PlaceOfLog(double log) const {
    return start_ + (end_ - start_) * (log - low_) / (high_ - low_);
  }
  int low() const { return low_; }
  int high() const { return high_; }

 private:
  int low_;
  int high_;
  double start_;
  double end_;
};

std::string Text(double x, double y, const char* anchor, const std::string& text) {
  return StrCat("<text x=\"", Fixed(x), "\" y=\"", Fixed(y), "\" text-anchor=\"", anchor, "\">",
                Escaped(text), "</text>\n");
}

std::string Line(double x1, double y1, double x2, double y2) {
  return StrCat("<path d=\"M", Fixed(x1), " ", Fixed(y1), "L", Fixed(x2), " ", Fixed(y2),
                "\" stroke=\"#ddd\"/>\n");
}

std::string ChartText(const Chart& chart) {
  std::string text = StrCat(Text(kLeft, 18, "start", chart.title));
  if (chart.points.empty()) return text;
  const auto [least, most] =
      std::ranges::minmax(chart.points, {}, &std::pair<double, double>::second);
  const Axis x(chart.points.front().first, chart.points.back().first, kLeft, kRight);
  const Axis y(least.second, most.second, kBottom, kTop);
  for (int power = x.low(); power <= x.high(); ++power) {
    text += Line(x.PlaceOfLog(power), kTop, x.PlaceOfLog(power), kBottom);
    text += Text(x.PlaceOfLog(power), kBottom + 14, "middle", PowerText(power));
  }
  for (int power = y.low(); power <= y.high(); ++power) {
    text += Line(kLeft, y.PlaceOfLog(power), kRight, y.PlaceOfLog(power));
    text += Text(kLeft - 5, y.PlaceOfLog(power) + 4, "end", PowerText(power));
  }
  text += Text(kLeft - 5, kTop - 8, "end", chart.unit);
  text += Text((kLeft + kRight) / 2, kBottom + 30, "middle", chart.x_label);
  std::string path;
  std::string dots;
  for (const auto& [n, value] : chart.points) {
    const std::string at_x = Fixed(x.PlaceOf(n));
    const std::string at_y = Fixed(y.PlaceOf(value));
    path += StrCat(path.empty() ? "M" : "L", at_x, " ", at_y);
    dots += StrCat("<circle cx=\"", at_x, "\" cy=\"", at_y, "\" r=\"3\" fill=\"#175\"/>\n");
  }
  return StrCat(text, "<path d=\"", path, "\" stroke=\"#175\" stroke-width=\"2\" fill=\"none\"/>\n",
                dots);
}

}  // namespace

std::string GrowthPicture(const std::vector<Chart>& charts) {
  const std::size_t rows = (charts.size() + kColumns - 1) / kColumns;
  std::string text =
      StrCat("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"", Fixed(kWidth * kColumns),
             "\" height=\"", Fixed(kHeight * static_cast<double>(rows)),
             "\" font-family=\"sans-serif\" font-size=\"11\">\n"
             "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n");
  for (std::size_t i = 0; i < charts.size(); ++i) {
    const std::size_t row = i / kColumns;
    const double x = kWidth * static_cast<double>(i % kColumns);
    const double y = kHeight * static_cast<double>(row);
    text += StrCat("<g transform=\"translate(", Fixed(x), " ", Fixed(y), ")\">\n",
                   ChartText(charts[i]), "</g>\n");
  }
  return text + "</svg>\n";
}

}  // namespace trefoil::bench
