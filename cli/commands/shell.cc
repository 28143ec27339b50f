// `trefoil DB`: the interactive shell, over libedit: history, completion, statements over several
// lines. Ctrl-C drops what is typed, or ends the statement that runs.
#include <editline/readline.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/commands/commands.h"
#include "cli/dot_command.h"
#include "cli/file_text.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "trefoil/version.h"

namespace trefoil::cli {

namespace {

constexpr const char* kPrompt = "trefoil> ";
constexpr const char* kContinuation = "    ...> ";
constexpr std::string_view kLive = ".live ";
constexpr int kHistoryLines = 10'000;

constexpr std::string_view kKeywords[] = {
    "AND",    "AS",        "BEGIN",    "BETWEEN", "BY",     "CASE",    "COMMIT", "COUNTER",
    "DELETE", "DESC",      "DISTINCT", "DROP",    "EXISTS", "EXPLAIN", "FROM",   "GROUP",
    "HAVING", "IN",        "INDEX",    "INSERT",  "INTO",   "JOIN",    "KEY",    "LEFT",
    "LIMIT",  "NOT",       "NULL",     "OFFSET",  "ON",     "OR",      "ORDER",  "RECURSIVE",
    "REF",    "RETURNING", "ROLLBACK", "SELECT",  "SET",    "TABLE",   "TEXT",   "TIMESTAMP",
    "UNION",  "UNIQUE",    "UPDATE",   "UPSERT",  "VALUES", "WHERE",   "WITH"};

// What Tab may complete. libedit's callbacks carry no context, so the words live here for the one
// shell of the process.
std::vector<std::string>& CompletionWords() {
  static std::vector<std::string> words;
  return words;
}

void CollectWords(Session& session) {
  std::vector<std::string>& words = CompletionWords();
  words.assign(std::begin(kKeywords), std::end(kKeywords));
  for (const DotCommand& command : DotCommands()) words.emplace_back(command.name);
  for (const char* treesql : {"SELECT name FROM sys.type", "SELECT name FROM sys.attribute"}) {
    const Result<Query> query = session.database().Prepare(treesql);
    if (!query) continue;
    const Result<Rows> rows = session.database().snapshot().Run(*query);
    if (!rows) continue;
    for (std::size_t i = 0; i < rows->size(); ++i) words.push_back(ToText((*rows)[i][0]));
  }
}

char* NextMatch(const char* text, int state) {
  static std::size_t at = 0;
  if (state == 0) at = 0;
  const std::size_t size = std::strlen(text);
  const std::vector<std::string>& words = CompletionWords();
  while (at < words.size()) {
    const std::string& word = words[at++];
    if (word.size() >= size && strncasecmp(word.c_str(), text, size) == 0) {
      return strdup(word.c_str());
    }
  }
  return nullptr;
}

char** Complete(const char* text, int, int) { return rl_completion_matches(text, NextMatch); }

std::string HistoryPath() {
  const char* home = std::getenv("HOME");
  return home == nullptr ? "" : std::string(home) + "/.trefoil_history";
}

// Whether Ctrl-C was pressed since the last InterruptHandler was made.
std::atomic<bool> pressed = false;
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler sets it");

// Takes Ctrl-C while it lives. While a line is read, without SA_RESTART: it ends the wait for a
// key. While a statement runs, with SA_RESTART: it ends the statement, not the writing of a file.
class InterruptHandler {
 public:
  explicit InterruptHandler(int flags) {
    pressed = false;
    struct sigaction action{};
    action.sa_handler = [](int) { pressed = true; };
    action.sa_flags = flags;
    sigaction(SIGINT, &action, &previous_);
  }
  InterruptHandler(const InterruptHandler&) = delete;
  InterruptHandler& operator=(const InterruptHandler&) = delete;
  ~InterruptHandler() { sigaction(SIGINT, &previous_, nullptr); }

 private:
  struct sigaction previous_{};
};

enum class Line { kRead, kEnd, kInterrupted };

// One line from the terminal.
Line ReadLine(const char* prompt, std::string* line) {
  const InterruptHandler handler(0);
  char* const read = readline(prompt);
  if (pressed) {
    std::free(read);
    std::printf("\n");
    return Line::kInterrupted;
  }
  if (read == nullptr) return Line::kEnd;
  *line = read;
  std::free(read);
  return Line::kRead;
}

// Runs what was typed; Ctrl-C ends it. The start of a live query cannot be stopped: there Ctrl-C
// ends the shell, as it does where nobody takes it.
void RunTyped(Session& session, std::string_view typed) {
  for (const ScriptPiece& piece : SplitWhole(typed)) {
    std::optional<InterruptHandler> handler;
    if (!piece.text.starts_with(kLive)) handler.emplace(SA_RESTART);
    session.Run(piece);
    if (pressed) break;
  }
}

// A dot command is whole with its line; a statement with its ';'.
bool IsWhole(const SplitScript& split) {
  return split.rest.text.empty() ||
         (split.rest.is_dot_command && !split.rest.text.starts_with(kLive));
}

void RunInteractive(Session& session) {
  rl_initialize();
  rl_attempted_completion_function = Complete;
  const std::string history = HistoryPath();
  using_history();
  stifle_history(kHistoryLines);
  if (!history.empty()) read_history(history.c_str());
  std::string pending;
  std::string line;
  while (!session.quit()) {
    CollectWords(session);
    const Line read = ReadLine(pending.empty() ? kPrompt : kContinuation, &line);
    if (read == Line::kEnd) break;
    if (read == Line::kInterrupted) {
      pending.clear();
      continue;
    }
    pending += line + "\n";
    const SplitScript split = Split(pending);
    if (!IsWhole(split)) continue;
    if (!line.empty()) add_history(pending.substr(0, pending.size() - 1).c_str());
    RunTyped(session, pending);
    pending.clear();
  }
  if (!history.empty()) write_history(history.c_str());
}

}  // namespace

int RunShell(const Arguments& arguments) {
  const std::string path = arguments.positional().empty() ? ":memory:" : arguments.positional()[0];
  Result<Database> database = OpenDatabase(path, Access::kCreate);
  if (!database) return Fail(database.error());
  const bool interactive = IsTerminal(STDIN_FILENO);
  Session session(*std::move(database), path,
                  {.format = Format::kBox,
                   .width = IsTerminal(STDOUT_FILENO) ? TerminalWidth() : 0,
                   .keep_going = interactive,
                   .stop = &pressed});
  if (!interactive) {
    const Result<std::string> script = ReadFile("-");
    if (!script) return Fail(script.error());
    return session.RunScript(*script) ? kExitOk : kExitFailed;
  }
  std::printf("trefoil %s, %s (.help lists the commands)\n", LibraryVersion(), path.c_str());
  RunInteractive(session);
  return kExitOk;
}

}  // namespace trefoil::cli
