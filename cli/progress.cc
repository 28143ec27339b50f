#include "cli/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace trefoil::cli {

namespace {

constexpr std::chrono::milliseconds kRedraw{100};

bool TerminalCanDraw() {
  const char* terminal = std::getenv("TERM");
  return IsTerminal(STDERR_FILENO) && terminal != nullptr && std::string_view(terminal) != "dumb";
}

}  // namespace

bool IsTerminal(int descriptor) { return isatty(descriptor) == 1; }

std::size_t TerminalWidth() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

Progress::Progress(std::string what, std::uint64_t total)
    : what_(std::move(what)),
      total_(total),
      visible_(TerminalCanDraw()),
      start_(std::chrono::steady_clock::now()),
      last_(start_) {}

Progress::~Progress() {
  if (drawn_) std::fprintf(stderr, "\r\x1b[K");
}

void Progress::Update(std::uint64_t done, std::uint64_t items) {
  if (!visible_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now - last_ < kRedraw) return;
  last_ = now;
  drawn_ = true;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  std::fprintf(stderr, "\r\x1b[K%s: %llu, %.0f/s", what_.c_str(),
               static_cast<unsigned long long>(items), static_cast<double>(items) / seconds);
  if (total_ > 0 && done > 0) {
    const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(total_));
    std::fprintf(stderr, ", %.0f %%, %.0f s left", 100 * share, seconds / share - seconds);
  }
}

}  // namespace trefoil::cli
