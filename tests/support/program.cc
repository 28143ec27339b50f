#include "tests/support/program.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <utility>

#include "base/check.h"

namespace trefoil::testing {

namespace {

constexpr std::chrono::seconds kPatience{20};
constexpr std::chrono::milliseconds kBetweenLooks{200};
constexpr std::string_view kEndOfInput = "\x04";
constexpr unsigned short kLines = 24;

[[noreturn]] void Run(const Program::Settings& settings) {
  const std::string path = std::string(TREFOIL_BINARY_DIR) + "/trefoil";
  std::vector<char*> words = {const_cast<char*>(path.c_str())};
  for (const std::string& word : settings.arguments) {
    words.push_back(const_cast<char*>(word.c_str()));
  }
  words.push_back(nullptr);
  if (!settings.home.empty()) ::setenv("HOME", settings.home.c_str(), 1);
  ::setenv("TERM", settings.terminal ? "xterm" : "dumb", 1);
  ::setenv("LC_ALL", "C.UTF-8", 1);
  ::execv(path.c_str(), words.data());
  ::_exit(127);
}

}  // namespace

Program::Program(const Settings& settings) : terminal_(settings.terminal) {
  if (terminal_) {
    winsize size{.ws_row = kLines,
                 .ws_col = static_cast<unsigned short>(settings.columns),
                 .ws_xpixel = 0,
                 .ws_ypixel = 0};
    pid_ = ::forkpty(&output_, nullptr, nullptr, &size);
    Check(pid_ >= 0, "a test can make a terminal");
    if (pid_ == 0) Run(settings);
    input_ = output_;
    return;
  }
  int in[2];
  int out[2];
  Check(::pipe2(in, O_CLOEXEC) == 0 && ::pipe2(out, O_CLOEXEC) == 0, "a test can make pipes");
  pid_ = ::fork();
  Check(pid_ >= 0, "a test can fork");
  if (pid_ == 0) {
    ::dup2(in[0], STDIN_FILENO);
    ::dup2(out[1], STDOUT_FILENO);
    ::dup2(out[1], STDERR_FILENO);
    Run(settings);
  }
  ::close(in[0]);
  ::close(out[1]);
  input_ = in[1];
  output_ = out[0];
}

Program::~Program() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  if (input_ >= 0 && input_ != output_) ::close(input_);
  if (output_ >= 0) ::close(output_);
}

void Program::Type(std::string_view keys) {
  while (!keys.empty()) {
    const ssize_t written = ::write(input_, keys.data(), keys.size());
    if (written <= 0) return;  // it has ended, which Wait will tell
    keys.remove_prefix(static_cast<std::size_t>(written));
  }
}

void Program::EndInput() {
  has_ended_input_ = true;
  if (terminal_) return Type(kEndOfInput);
  ::close(std::exchange(input_, -1));
}

bool Program::ReadSome(std::chrono::steady_clock::time_point until) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      until - std::chrono::steady_clock::now());
  pollfd wanted{.fd = output_, .events = POLLIN, .revents = 0};
  if (left.count() <= 0 || ::poll(&wanted, 1, static_cast<int>(left.count())) <= 0) return false;
  char bytes[4096];
  const ssize_t size = ::read(output_, bytes, sizeof bytes);
  if (size <= 0) return false;
  unread_.append(bytes, static_cast<std::size_t>(size));
  return true;
}

std::string Program::ReadUntil(std::string_view text) {
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (unread_.find(text) == std::string::npos && ReadSome(until)) {
  }
  const std::size_t at = unread_.find(text);
  if (at == std::string::npos) return std::exchange(unread_, {});
  std::string read = unread_.substr(0, at + text.size());
  unread_.erase(0, read.size());
  return read;
}

std::string Program::ReadFor(std::chrono::milliseconds time) {
  const auto until = std::chrono::steady_clock::now() + time;
  while (ReadSome(until)) {
  }
  return std::exchange(unread_, {});
}

void Program::Signal(int number) { ::kill(pid_, number); }

Program::Ended Program::Wait(std::string* rest) {
  const auto until = std::chrono::steady_clock::now() + kPatience;
  int status = 0;
  while (::waitpid(pid_, &status, WNOHANG) == 0) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= until) ::kill(pid_, SIGKILL);
    // A line editor shows its prompt before it takes the terminal over, and what ends the input in
    // between is lost.
    if (terminal_ && has_ended_input_) Type(kEndOfInput);
    while (ReadSome(now + kBetweenLooks)) {
    }
    if (!terminal_) ::poll(nullptr, 0, 1);
  }
  pid_ = -1;
  while (ReadSome(std::chrono::steady_clock::now() + kBetweenLooks)) {
  }
  *rest = std::exchange(unread_, {});
  if (WIFEXITED(status)) return {.exit_code = WEXITSTATUS(status)};
  return {.signal = WTERMSIG(status)};
}

std::string WithoutEscapes(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' || text[i] == '\a') continue;
    if (text[i] != '\x1b') {
      plain += text[i];
      continue;
    }
    // ESC [ parameters letter, or ESC and one character.
    if (++i < text.size() && text[i] == '[') {
      ++i;
      while (i < text.size() && (text[i] < '@' || text[i] > '~')) ++i;
    }
  }
  return plain;
}

}  // namespace trefoil::testing
