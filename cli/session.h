// Session: one open database and what a script or a shell keeps between its statements: an open
// transaction, live queries, the output format. It runs one piece at a time and prints what came
// of it.
#pragma once

#include <atomic>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/live_view.h"
#include "cli/render.h"
#include "cli/script_splitter.h"
#include "trefoil/database.h"

namespace trefoil::cli {

class Session {
 public:
  struct Settings {
    Format format = Format::kBox;
    std::string script;  // file of the statements, for error messages; empty = none
    Params params;
    std::size_t width = 0;  // of boxes; 0 = no limit
    bool timer = false;
    bool keep_going = false;                  // after an error
    const std::atomic<bool>* stop = nullptr;  // RunOptions::stop of every statement; ends scripts
    std::FILE* out = stdout;
  };

  Session(Database database, std::string path, Settings settings);

  // Runs one statement or dot command and prints its outcome. False if it failed.
  bool Run(const ScriptPiece& piece);
  // Runs pieces in order; stops at the first failure unless settings say to keep going. False if
  // any failed.
  bool RunScript(std::string_view script);
  // True once .quit ran.
  bool quit() const { return quit_; }

  Database& database() { return database_; }
  const std::string& path() const { return path_; }
  Settings& settings() { return settings_; }

  // For dot commands: prints rows in the session's format, or text as it is.
  void PrintRows(const Rows& rows);
  void PrintText(std::string_view text);
  // Registers a live query under a name; prints its result.
  Status StartLive(const std::string& name, std::string_view query);
  Status StopLive(const std::string& name);
  // Prints the present result of a live query.
  Status ShowLive(const std::string& name);
  std::vector<std::string> LiveNames() const;
  // Closes this database and opens another.
  Status Reopen(const std::string& path);
  void Quit() { quit_ = true; }

 private:
  bool Stopped() const { return settings_.stop != nullptr && settings_.stop->load(); }
  Status RunStatement(const ScriptPiece& piece);
  Status RunTransactionWord(std::string_view word, std::string_view rest, bool* handled);
  void PrintStatement(const StatementResult& result);
  void PrintError(const Error& error, const ScriptPiece& piece);
  void PrintLiveChanges();

  Database database_;
  std::string path_;
  Settings settings_;
  std::optional<Transaction> transaction_;
  std::map<std::string, std::unique_ptr<LiveView>> live_;  // ended before the database closes
  int statement_ = 0;  // number of the statement that runs, from 1
  bool quit_ = false;
};

}  // namespace trefoil::cli
