// A progress line on a terminal: done, rate, time left. Silent where standard error is no terminal
// or NO_COLOR-like dumb terminals are set.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace trefoil::cli {

class Progress {
 public:
  // `total` of the same unit as Update's `done`; 0 = unknown.
  Progress(std::string what, std::uint64_t total);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();  // clears the line

  // `items` counts what the user cares about (rows), `done` what `total` measures (bytes).
  void Update(std::uint64_t done, std::uint64_t items);

 private:
  std::string what_;
  std::uint64_t total_;
  bool visible_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point last_;
};

// True when the file descriptor is a terminal.
bool IsTerminal(int descriptor);
// Columns of the terminal on standard output; 0 where there is none.
std::size_t TerminalWidth();

}  // namespace trefoil::cli
