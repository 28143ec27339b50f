// Growth as a picture: for each case a chart of its value over the size of its input, both axes
// logarithmic, as one SVG file that needs nothing else.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace trefoil::bench {

struct Chart {
  std::string title;
  std::string x_label;                            // what n counts
  std::string unit;                               // of the values
  std::vector<std::pair<double, double>> points;  // n and value, both above 0; n ascending
};

// Charts side by side, three in a row. Equal charts give equal bytes.
std::string GrowthPicture(const std::vector<Chart>& charts);

}  // namespace trefoil::bench
