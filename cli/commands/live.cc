// `trefoil live`: prints a result, then each change of it.
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "cli/commands/commands.h"
#include "cli/file_text.h"
#include "cli/live_view.h"
#include "cli/progress.h"
#include "cli/session.h"

namespace trefoil::cli {

namespace {

// Set by Ctrl-C, and at the end.
std::atomic<bool> stopped = false;
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler sets it");

constexpr std::chrono::milliseconds kPoll{50};

// Hands Changes, and what went wrong between them, from the committing thread to the printing one.
class Mailbox {
 public:
  struct Arrived {
    Change change;
    std::chrono::steady_clock::time_point when;
    std::function<void()> tell;  // of what went wrong; empty for a Change
  };

  void Put(const Change& change) {
    const auto now = std::chrono::steady_clock::now();
    Add({.change = change, .when = now});
  }
  void PutFailure(std::function<void()> tell) { Add({.tell = std::move(tell)}); }
  // Nothing will be put any more.
  void Close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    arrived_.notify_one();
  }

  // The next Change, or nothing when `until` passed, Ctrl-C was pressed, or none can come.
  std::optional<Arrived> Take(std::chrono::steady_clock::time_point until) {
    std::unique_lock lock(mutex_);
    while (changes_.empty()) {
      if (stopped || closed_ || std::chrono::steady_clock::now() >= until) return std::nullopt;
      arrived_.wait_for(lock, kPoll);
    }
    Arrived first = std::move(changes_.front());
    changes_.pop_front();
    return first;
  }

 private:
  void Add(Arrived arrived) {
    const std::lock_guard lock(mutex_);
    changes_.push_back(std::move(arrived));
    arrived_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Arrived> changes_;
  bool closed_ = false;
};

void Print(const Mailbox::Arrived& arrived, Format format) {
  if (format == Format::kNdjson) {
    std::printf("%s\n", ToJson(arrived.change, "live").c_str());
  } else {
    const std::chrono::duration<double, std::milli> waited =
        std::chrono::steady_clock::now() - arrived.when;
    std::printf("%s  (printed %.3f ms after its commit)\n",
                ChangeText("live", arrived.change).c_str(), waited.count());
  }
  std::fflush(stdout);
}

// Of the dot commands only `.merge FILE` changes anything, so only that is taken here.
Status RunDot(Database& database, std::string_view line) {
  constexpr std::string_view kMerge = ".merge ";
  if (!line.starts_with(kMerge)) {
    return Error{
        .code = ErrorCode::kInvalidArgument,
        .message = "`trefoil live` takes statements and .merge FILE, not " + std::string(line)};
  }
  const std::string path(line.substr(line.find_first_not_of(' ', kMerge.size())));
  const Result<std::string> changeset = ReadFile(path);
  if (!changeset) return changeset.error();
  const Result<MergeSummary> merged = database.Merge(*changeset);
  if (!merged) return InFile(merged.error(), "changeset", path);
  return Ok();
}

// Nothing but the input can change the result, so its end is the end, unless a time was asked for.
enum class AtEndOfInput { kStop, kWait };

void RunPiece(Database& database, const ScriptPiece& piece, Mailbox& mailbox) {
  if (piece.is_dot_command) {
    const Status done = RunDot(database, piece.text);
    if (!done) mailbox.PutFailure([error = done.error()] { Fail(error); });
    return;
  }
  const Result<ExecuteSummary> done = database.Execute(piece.text, {}, {.stop = &stopped});
  if (done) return;
  mailbox.PutFailure([error = done.error(), text = piece.text] { FailQuery(error, text); });
}

// Statements from standard input run in this process, so that their changes are seen; where it
// ends, nothing else can change the result. The thread may wait for input for ever; without
// `running` it touches nothing.
void RunInput(Database& database, Mailbox& mailbox, AtEndOfInput end,
              const std::shared_ptr<std::mutex>& running) {
  std::string script;
  for (int c = std::getchar(); c != EOF; c = std::getchar()) {
    script += static_cast<char>(c);
    if (c != ';' && c != '\n') continue;
    const SplitScript split = Split(script);
    const std::lock_guard lock(*running);
    if (stopped) return;
    for (const ScriptPiece& piece : split.pieces) RunPiece(database, piece, mailbox);
    script = split.rest.text;
    if (!script.empty()) script += static_cast<char>(c);
  }
  const std::lock_guard lock(*running);
  if (stopped) return;
  for (const ScriptPiece& piece : SplitWhole(script)) RunPiece(database, piece, mailbox);
  if (end == AtEndOfInput::kStop) mailbox.Close();
}

}  // namespace

int RunLive(const Arguments& arguments) {
  const Result<std::int64_t> changes_max = arguments.Number("changes", 0);
  const Result<std::int64_t> seconds = arguments.Number("for", 0);
  const Result<Format> format =
      ParseFormat(arguments.Get("format").value_or(IsTerminal(STDOUT_FILENO) ? "box" : "ndjson"));
  const Result<Params> params = ParseParams(arguments.All("param"));
  if (!changes_max) return FailUsage("live", changes_max.error());
  if (!seconds) return FailUsage("live", seconds.error());
  if (!format) return FailUsage("live", format.error());
  if (!params) return FailUsage("live", params.error());
  Result<Database> database = OpenDatabase(arguments.positional()[0], Access::kWrite);
  if (!database) return Fail(database.error());
  const Result<Query> query = database->Prepare(arguments.positional()[1]);
  if (!query) return FailQuery(query.error(), arguments.positional()[1]);

  Mailbox mailbox;
  const Result<Subscription> subscription =
      database->Watch(*query, *params, [&](const Change& change) { mailbox.Put(change); });
  if (!subscription) return Fail(subscription.error());
  std::signal(SIGINT, [](int) { stopped = true; });
  const auto running = std::make_shared<std::mutex>();
  const AtEndOfInput end = *seconds == 0 ? AtEndOfInput::kStop : AtEndOfInput::kWait;
  std::thread([&database = *database, &mailbox, end, running] {
    RunInput(database, mailbox, end, running);
  }).detach();
  const auto until = *seconds == 0
                         ? std::chrono::steady_clock::time_point::max()
                         : std::chrono::steady_clock::now() + std::chrono::seconds(*seconds);
  // The first Change is the result itself.
  for (std::int64_t seen = -1; *changes_max == 0 || seen < *changes_max;) {
    const std::optional<Mailbox::Arrived> arrived = mailbox.Take(until);
    if (!arrived) break;
    if (arrived->tell) {
      arrived->tell();
      continue;
    }
    Print(*arrived, *format);
    ++seen;
  }
  const std::lock_guard lock(*running);  // a statement that runs comes to its end
  stopped = true;
  std::fflush(stdout);
  return kExitOk;
}

}  // namespace trefoil::cli
