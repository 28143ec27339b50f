#include "cli/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "cli/text.h"

namespace trefoil::cli {

namespace {

constexpr std::chrono::milliseconds kRedraw{100};
constexpr int kMebibyteShift = 20;

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

Progress::Progress(std::string what, std::uint64_t total, Unit unit)
    : what_(std::move(what)),
      total_(total),
      unit_(unit),
      visible_(TerminalCanDraw()),
      start_(std::chrono::steady_clock::now()),
      last_(start_) {}

Progress::~Progress() {
  if (drawn_) std::fprintf(stderr, "\r\x1b[K");
}

void Progress::Update(std::uint64_t done, std::uint64_t items, std::uint64_t total) {
  total_ = total;
  Update(done, items);
}

void Progress::Update(std::uint64_t done, std::uint64_t items) {
  if (!visible_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now - last_ < kRedraw) return;
  last_ = now;
  drawn_ = true;
  const std::string text =
      ProgressText({.what = what_,
                    .unit = unit_,
                    .items = items,
                    .done = done,
                    .total = total_,
                    .seconds = std::chrono::duration<double>(now - start_).count()});
  std::fprintf(stderr, "\r\x1b[K%s", text.c_str());
}

std::string ProgressText(const ProgressState& state) {
  const double rate = static_cast<double>(state.items) / std::max(state.seconds, 1e-3);
  std::string text(state.what);
  if (state.unit == Progress::Unit::kRows) {
    text +=
        ": " + Count(state.items, "row") + ", " + Grouped(static_cast<std::uint64_t>(rate)) + "/s";
  } else {
    text += ": " + Grouped(state.items >> kMebibyteShift) + " MiB, " +
            Grouped(static_cast<std::uint64_t>(rate) >> kMebibyteShift) + " MiB/s";
  }
  if (state.total == 0 || state.done == 0) return text;
  const double share =
      std::min(1.0, static_cast<double>(state.done) / static_cast<double>(state.total));
  const double left = state.seconds / share - state.seconds;
  return text + ", " + std::to_string(static_cast<int>(100 * share)) + " %, " +
         Grouped(static_cast<std::uint64_t>(std::llround(left))) + " s left";
}

}  // namespace trefoil::cli
