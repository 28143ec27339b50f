#include "cli/open.h"

#include <filesystem>
#include <system_error>
#include <utility>

namespace trefoil::cli {

namespace {

constexpr const char* kMemory = ":memory:";

bool Exists(const std::string& path) {
  std::error_code ignored;  // what cannot be looked at, the open will report
  return std::filesystem::exists(path, ignored);
}

bool IsFile(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored);
}

Error Explain(Error error, const std::string& path, Access access) {
  switch (error.code) {
    case ErrorCode::kLocked:
      error.message = path + " is open in another process";
      error.hint = "wait for it to end; `trefoil run --read-only` reads beside it";
      break;
    case ErrorCode::kNotFound:
      if (access == Access::kCreate) break;
      error.message = "there is no database " + path;
      error.hint = "`trefoil run`, `import` and `load` make one";
      break;
    case ErrorCode::kForeignDatabase:
      if (access == Access::kCreate) break;
      error.hint = "name the directory of a database";
      break;
    case ErrorCode::kCorruption:
      error.hint = "`trefoil dump --salvage " + path + "` writes out what is whole";
      break;
    default:
      break;
  }
  return error;
}

}  // namespace

Result<Database> OpenDatabase(const std::string& path, Access access, const Part& part) {
  if (IsFile(path)) {
    return Error{.code = ErrorCode::kForeignDatabase,
                 .message = path + " is a file; a database is a directory",
                 .hint = "`trefoil import DB " + path + "` adds the records of a file"};
  }
  Options options;
  options.create = access == Access::kCreate;
  options.read_only = access == Access::kRead;
  if (!Exists(path)) options.part = part;
  Result<Database> database = Database::Open(path, options);
  if (database) return database;
  return Explain(std::move(database).error(), path, access);
}

Status ChangeDatabase(const std::string& path, const std::function<Status(Database&)>& work,
                      const Part& part) {
  const bool is_new = path != kMemory && !Exists(path);
  Status done = Ok();
  {
    Result<Database> database = OpenDatabase(path, Access::kCreate, part);
    if (!database) return std::move(database).error();
    done = work(*database);
    if (done) done = database->Flush();
  }
  if (!done && is_new) {
    std::error_code ignored;  // the error that led here is the one to tell
    std::filesystem::remove_all(path, ignored);
  }
  return done;
}

}  // namespace trefoil::cli
