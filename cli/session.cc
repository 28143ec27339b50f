#include "cli/session.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstring>
#include <utility>

#include "cli/dot_command.h"
#include "cli/error_text.h"
#include "cli/open.h"

namespace trefoil::cli {

namespace {

// The first word of a statement, in lower case, comments skipped; `rest` is what follows it.
std::string FirstWord(std::string_view text, std::string_view* rest) {
  while (true) {
    const std::size_t begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) return {};
    text.remove_prefix(begin);
    std::size_t end = 0;
    if (text.starts_with("--")) {
      end = text.find('\n');
    } else if (text.starts_with("/*")) {
      end = text.find("*/");
      if (end != std::string_view::npos) end += 2;
    } else {
      break;
    }
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end);
  }
  std::size_t size = 0;
  std::string word;
  while (size < text.size() && std::isalpha(static_cast<unsigned char>(text[size])) != 0) {
    word += static_cast<char>(std::tolower(static_cast<unsigned char>(text[size++])));
  }
  *rest = text.substr(size);
  return word;
}

Error TransactionError(std::string message) {
  return {.code = ErrorCode::kInvalidArgument, .message = std::move(message)};
}

Table ToTable(const Rows& rows) {
  Table table{.names = rows.names(), .rows = {}};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    table.rows.emplace_back(rows[i].begin(), rows[i].end());
  }
  return table;
}

Result<Durability> ParseDurability(std::string_view text) {
  std::string_view rest;
  const std::string word = FirstWord(text, &rest);
  if (word.empty()) return Durability::kDefault;
  if (word == "relaxed") return Durability::kRelaxed;
  if (word == "durable") return Durability::kDurable;
  return Error{.code = ErrorCode::kSyntax,
               .message = "COMMIT takes RELAXED or DURABLE, not '" + word + "'"};
}

}  // namespace

Session::Session(Database database, std::string path, Settings settings)
    : database_(std::move(database)), path_(std::move(path)), settings_(std::move(settings)) {}

bool Session::RunScript(std::string_view script) {
  bool ok = true;
  for (const ScriptPiece& piece : SplitWhole(script)) {
    if (!Run(piece)) {
      ok = false;
      if (!settings_.keep_going) break;
    }
    if (quit_ || Stopped()) break;
  }
  return ok;
}

bool Session::Run(const ScriptPiece& piece) {
  const auto start = std::chrono::steady_clock::now();
  Status done = Ok();
  if (piece.is_dot_command) {
    done = RunDotCommand(*this, piece.text);
  } else {
    ++statement_;
    done = RunStatement(piece);
  }
  if (!done) PrintError(done.error(), piece);
  PrintLiveChanges();
  if (done && Stopped()) std::fputs("\nstopped before all of it was shown\n", stderr);
  if (settings_.timer && !piece.is_dot_command) {
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    std::fprintf(settings_.out, "time: %.3f ms\n", took.count());
  }
  std::fflush(settings_.out);
  return done.has_value();
}

Status Session::RunStatement(const ScriptPiece& piece) {
  std::string_view rest;
  const std::string word = FirstWord(piece.text, &rest);
  bool handled = false;
  Status done = RunTransactionWord(word, rest, &handled);
  if (handled) return done;
  const RunOptions options{.stop = settings_.stop};
  Result<ExecuteSummary> summary =
      transaction_ ? transaction_->Execute(piece.text, settings_.params, options)
                   : database_.Execute(piece.text, settings_.params, options);
  if (!summary) return std::move(summary).error();
  for (const StatementResult& result : summary->statements) PrintStatement(result);
  return Ok();
}

Status Session::RunTransactionWord(std::string_view word, std::string_view rest, bool* handled) {
  *handled = word == "begin" || word == "commit" || word == "rollback";
  if (!*handled) return Ok();
  if (word == "begin") {
    if (transaction_) return TransactionError("a transaction is already open");
    transaction_.emplace(database_.Begin());
    PrintStatement({.affected = 0, .version = transaction_->version()});
    return Ok();
  }
  if (!transaction_) return TransactionError("no transaction is open");
  if (word == "rollback") {
    transaction_.reset();
    PrintStatement({.affected = 0, .version = database_.version()});
    return Ok();
  }
  const Result<Durability> durability = ParseDurability(rest);
  if (!durability) return durability.error();
  const Result<CommitInfo> commit = transaction_->Commit(*durability);
  transaction_.reset();
  if (!commit) return commit.error();
  PrintStatement({.affected = 0, .version = commit->version});
  return Ok();
}

void Session::PrintStatement(const StatementResult& result) {
  if (settings_.format != Format::kNdjson) {
    if (result.rows) PrintRows(*result.rows);
    return;
  }
  std::string line = "{\"stmt\":" + std::to_string(statement_);
  if (result.rows) line += ",\"rows\":" + result.rows->ToJson();
  if (result.affected) {
    line += ",\"affected\":" + std::to_string(*result.affected) +
            ",\"version\":" + std::to_string(ToNumber(result.version));
  }
  PrintText(line + "}\n");
}

void Session::PrintRows(const Rows& rows) {
  const Table table = ToTable(rows);
  switch (settings_.format) {
    case Format::kBox:
      PrintText(RenderBox(table, settings_.width));
      break;
    case Format::kJson:
      PrintText(RenderJsonRows(table) + "\n");
      break;
    case Format::kCsv:
      PrintText(RenderCsv(table));
      break;
    case Format::kNdjson:
      PrintText("{\"rows\":" + RenderJsonRows(table) + "}\n");
      break;
  }
}

void Session::PrintText(std::string_view text) {
  constexpr std::size_t kPart = 16'384;  // so that a long answer can be stopped, too
  while (!text.empty() && !Stopped()) {
    const std::string_view part = text.substr(0, kPart);
    std::fwrite(part.data(), 1, part.size(), settings_.out);
    text.remove_prefix(part.size());
  }
}

void Session::PrintError(const Error& error, const ScriptPiece& piece) {
  if (settings_.format != Format::kNdjson) {
    std::fflush(settings_.out);
    const int line = piece.line + std::max(error.line, 1) - 1;
    const std::string where =
        settings_.script.empty() ? "" : settings_.script + ":" + std::to_string(line) + ": ";
    std::fputs((where + ErrorText(error, piece.text, piece.line)).c_str(), stderr);
    return;
  }
  Error placed = error;
  // The piece begins somewhere in the script; the error counts from the piece.
  if (placed.line > 0) placed.line += piece.line - 1;
  std::string line = "{";
  if (!piece.is_dot_command) line += "\"stmt\":" + std::to_string(statement_) + ",";
  PrintText(line + "\"error\":" + JsonError(placed) + "}\n");
}

void Session::PrintLiveChanges() {
  for (const auto& [name, view] : live_) PrintText(view->TakeText(settings_.format));
}

Status Session::StartLive(const std::string& name, std::string_view query) {
  live_.erase(name);
  Result<std::unique_ptr<LiveView>> view =
      LiveView::Start(database_, name, query, settings_.params);
  if (!view) return std::move(view).error();
  live_.emplace(name, *std::move(view));
  return Ok();
}

Status Session::StopLive(const std::string& name) {
  if (live_.erase(name) == 0) {
    return Error{.code = ErrorCode::kNotFound, .message = "no live query is named '" + name + "'"};
  }
  return Ok();
}

Status Session::ShowLive(const std::string& name) {
  const auto found = live_.find(name);
  if (found == live_.end()) {
    return Error{.code = ErrorCode::kNotFound, .message = "no live query is named '" + name + "'"};
  }
  const Result<Rows> rows = found->second->Current();
  if (!rows) return rows.error();
  if (settings_.format != Format::kNdjson) {
    PrintRows(*rows);
    return Ok();
  }
  PrintText("{\"live\":" + JsonString(name) +
            ",\"version\":" + std::to_string(ToNumber(found->second->version())) +
            ",\"rows\":" + rows->ToJson() + "}\n");
  return Ok();
}

std::vector<std::string> Session::LiveNames() const {
  std::vector<std::string> names;
  for (const auto& [name, view] : live_) names.push_back(name);
  return names;
}

Status Session::Reopen(const std::string& path) {
  if (transaction_) return TransactionError("a transaction is open; COMMIT or ROLLBACK first");
  Result<Database> database = OpenDatabase(path, Access::kCreate);
  if (!database) return std::move(database).error();
  live_.clear();
  database_ = *std::move(database);
  path_ = path;
  return Ok();
}

}  // namespace trefoil::cli
