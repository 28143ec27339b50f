// A suite is a named function that measures and reports. A source file of a suite registers it:
//
//   void RunMine(const SuiteOptions& options, Report& report) { ... }
//   const SuiteRegistration kMine({.name = "mine", .about = "what it measures", .run = RunMine});
//
// Measure in rounds: each round runs every engine once, so that a disturbed machine disturbs all
// alike, and adds one value for each case and engine; the report shows medians.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "bench/picture.h"

namespace trefoil::bench {

struct SuiteOptions {
  bool quick = false;  // small inputs, one round: seconds in all
  bool large = false;  // also the largest inputs: many minutes
  int rounds = 3;
  std::string directory;             // for files; exists, is empty, is removed afterwards
  std::vector<std::string> engines;  // run only these; empty = all
  std::vector<std::string> cases;    // run only these; empty = all

  bool WantsEngine(const std::string& name) const;
  bool WantsCase(const std::string& name) const;
};

// One value of one case on one engine. `engine` is "trefoil" for ours; the others are its peers.
struct Measurement {
  std::string name;  // of the case
  std::string engine;
  std::uint64_t n = 0;  // size of the input
  double value = 0;
  std::string unit;
  bool lower_is_better = false;
};

// Collects measurements and shows their medians side by side. One thread.
class Report {
 public:
  explicit Report(std::string suite) : suite_(std::move(suite)) {}

  void Add(const Measurement& measurement);
  // A line to stand above the table: settings, sizes, what to bear in mind.
  void Note(std::string line) { notes_.push_back(std::move(line)); }

  // A row a case and size, a column an engine; beside each peer, how many times better we are.
  std::string Table() const;
  // {"suite","case","engine","n","value","unit","ratio_to","ratio"}, one object a line: one for
  // each peer's value, and ours once for each peer with the ratio to it (> 1: we are better).
  std::string JsonLines() const;
  // Ours over the size of the input, for each case that was measured at three sizes or more. What
  // the size counts stands in the name of the case: "change, by rows".
  std::vector<Chart> Charts() const;

 private:
  struct Row {
    std::string name;
    std::uint64_t n = 0;
    std::string unit;
    bool lower_is_better = false;
    std::map<std::string, std::vector<double>> values;  // by engine
  };
  double RatioTo(const Row& row, const std::string& peer) const;

  const std::string suite_;
  std::vector<std::string> notes_;
  std::vector<Row> rows_;             // in the order of their first value
  std::vector<std::string> engines_;  // the same
};

struct Suite {
  std::string name;
  std::string about;  // one line
  void (*run)(const SuiteOptions& options, Report& report) = nullptr;
};

class SuiteRegistration {
 public:
  explicit SuiteRegistration(Suite suite);
};
// All registered suites, by name.
std::vector<Suite> AllSuites();

// Seconds since it was made.
class Stopwatch {
 public:
  double Seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// The value below which `fraction` of the values lie; sorts them.
double Percentile(std::span<double> values, double fraction);

}  // namespace trefoil::bench
