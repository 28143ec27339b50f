// A progress line on a terminal: done, rate, time left. Silent where standard error is no terminal
// that can redraw a line.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace trefoil::cli {

class Progress {
 public:
  // What a user counts: rows, or bytes, which are shown as MiB.
  enum class Unit { kRows, kBytes };

  // `total` of the same unit as Update's `done`; 0 = not known (yet).
  Progress(std::string what, std::uint64_t total, Unit unit = Unit::kRows);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();  // clears the line

  // `items` is what the user counts, `done` what `total` measures. Cheap: draws ten times a second.
  void Update(std::uint64_t done, std::uint64_t items);
  // The same when the total comes to be known on the way.
  void Update(std::uint64_t done, std::uint64_t items, std::uint64_t total);

 private:
  std::string what_;
  std::uint64_t total_;
  Unit unit_;
  bool visible_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point last_;
};

// "orders: 120,000 rows, 95,000/s, 45 %, 3 s left"; the share and the time left only where the
// total is known. Pure.
struct ProgressState {
  std::string_view what;
  Progress::Unit unit = Progress::Unit::kRows;
  std::uint64_t items = 0;
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  double seconds = 0;  // since the start
};
std::string ProgressText(const ProgressState& state);

// True when the file descriptor is a terminal.
bool IsTerminal(int descriptor);
// Columns of the terminal on standard output; 0 where there is none.
std::size_t TerminalWidth();

}  // namespace trefoil::cli
