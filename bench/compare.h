// Two runs side by side: which of their differences are more than noise. A run is a file of JSON
// lines as `--json` writes them; the same case may stand in it several times, and the more often,
// the better its noise is known.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "trefoil/result.h"

namespace trefoil::bench {

enum class Verdict { kSame, kBetter, kWorse };

// One case of ours in both runs. Where it was measured beside a peer, the ratio to it is compared,
// since a busy machine slows both; elsewhere the value.
struct Comparison {
  std::string suite;
  std::string name;  // of the case
  double n = 0;      // size of its input
  std::string unit;
  std::string peer;   // empty: values are compared
  double before = 0;  // medians
  double after = 0;
  double noise = 0;  // the relative difference that may be chance
  Verdict verdict = Verdict::kSame;
};

// Cases that stand in both runs, in the order of the first. Error kSyntax names the line.
Result<std::vector<Comparison>> Compare(std::string_view before, std::string_view after);

// A line a case, the changed ones first, and a last line that counts.
std::string ComparisonText(const std::vector<Comparison>& comparisons);

}  // namespace trefoil::bench
