// The program `trefoil` as a child process, as a person meets it: on a terminal of a given size, or
// with pipes. Both of its outputs come as one text.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace trefoil::testing {

class Program {
 public:
  struct Settings {
    std::vector<std::string> arguments;
    bool terminal = false;  // else pipes
    int columns = 80;       // of the terminal
    std::string home;       // $HOME; empty = as it is
  };
  struct Ended {
    int exit_code = -1;  // -1: a signal ended it
    int signal = 0;
  };

  explicit Program(const Settings& settings);
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program();  // kills it if it still runs

  void Type(std::string_view keys);
  // Closes what it reads from; on a terminal, types Ctrl-D.
  void EndInput();
  // Reads on until the output since the last call holds `text`, at most 20 seconds. Returns that
  // output up to the end of `text`, or all where it does not.
  std::string ReadUntil(std::string_view text);
  // Reads for that long; returns the output since the last call.
  std::string ReadFor(std::chrono::milliseconds time);
  void Signal(int number);
  // Waits for the end, and makes one after 20 s; `rest` gets the output since the last call.
  Ended Wait(std::string* rest);
  pid_t pid() const { return pid_; }

 private:
  // One read; false at the end of the output, or when `until` passed.
  bool ReadSome(std::chrono::steady_clock::time_point until);

  pid_t pid_ = -1;
  int input_ = -1;
  int output_ = -1;
  bool terminal_;
  bool has_ended_input_ = false;
  std::string unread_;
};

// Terminal sequences removed: what stands on the screen, roughly, line ends as "\n".
std::string WithoutEscapes(std::string_view text);

}  // namespace trefoil::testing
