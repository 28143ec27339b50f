#include <filesystem>
#include <utility>

#include "cli/file_text.h"
#include "cli/import/record_reader.h"

namespace trefoil::cli {

namespace {

enum class FileFormat { kCsv, kJson, kNdjson, kSqlite };

constexpr std::string_view kSqliteMagic = "SQLite format 3";

FileFormat FormatOf(const std::string& ending, std::string_view text) {
  if (text.starts_with(kSqliteMagic)) return FileFormat::kSqlite;
  if (ending == ".json") return FileFormat::kJson;
  if (ending == ".ndjson" || ending == ".jsonl") return FileFormat::kNdjson;
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (ending != ".csv" && first != std::string_view::npos) {
    if (text[first] == '[') return FileFormat::kJson;
    if (text[first] == '{') return FileFormat::kNdjson;
  }
  return FileFormat::kCsv;
}

}  // namespace

Result<std::vector<ImportSource>> OpenImport(const std::string& path) {
  const std::filesystem::path file(path);
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) {
    return Error{.code = ErrorCode::kUnsupported,
                 .message = path + " is a directory",
                 .hint = "name the files in it"};
  }
  Result<std::string> text = ReadFile(path);
  if (!text) return std::move(text).error();
  const FileFormat format = FormatOf(file.extension().string(), *text);
  if (format == FileFormat::kSqlite) return OpenSqlite(path);
  const std::string name = file.filename().string();
  Result<std::unique_ptr<RecordReader>> reader =
      format == FileFormat::kCsv ? OpenCsv(*std::move(text), name)
                                 : OpenJson(*text, name, format == FileFormat::kNdjson);
  if (!reader) return std::move(reader).error();
  std::vector<ImportSource> sources;
  sources.push_back(
      {.table = path == "-" ? "input" : file.stem().string(), .reader = *std::move(reader)});
  return sources;
}

}  // namespace trefoil::cli
