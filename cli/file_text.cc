#include "cli/file_text.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace trefoil::cli {

namespace {

struct Closer {
  void operator()(std::FILE* file) const {
    if (file != stdin) std::fclose(file);
  }
};
using OpenFile = std::unique_ptr<std::FILE, Closer>;

Error FileError(const std::string& operation, const std::string& path) {
  const ErrorCode code = errno == ENOENT   ? ErrorCode::kNotFound
                         : errno == ENOSPC ? ErrorCode::kNoSpace
                         : errno == EACCES ? ErrorCode::kPermission
                                           : ErrorCode::kIo;
  return {.code = code, .message = operation + " " + path + ": " + std::strerror(errno)};
}

}  // namespace

Result<std::string> ReadFile(const std::string& path) {
  const OpenFile file(path == "-" ? stdin : std::fopen(path.c_str(), "rb"));
  if (file == nullptr) return FileError("open", path);
  std::string text;
  char buffer[1 << 16];
  while (const std::size_t size = std::fread(buffer, 1, sizeof buffer, file.get())) {
    text.append(buffer, size);
  }
  if (std::ferror(file.get()) != 0) return FileError("read", path);
  return text;
}

Status WriteFile(const std::string& path, std::string_view bytes) {
  if (path == "-") {
    std::fwrite(bytes.data(), 1, bytes.size(), stdout);
    return Ok();
  }
  const std::string temporary = path + ".part";
  OpenFile file(std::fopen(temporary.c_str(), "wb"));
  if (file == nullptr) return FileError("create", temporary);
  const bool written = std::fwrite(bytes.data(), 1, bytes.size(), file.get()) == bytes.size();
  const bool closed = std::fclose(file.release()) == 0;
  if (!written || !closed) {
    const Error error = FileError("write", temporary);
    std::remove(temporary.c_str());
    return error;
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0) return FileError("rename to", path);
  return Ok();
}

Error InFile(Error error, std::string_view kind, const std::string& path) {
  if (error.message.starts_with(std::string(kind) + ":")) {
    error.message.replace(0, kind.size(), path);
  }
  return error;
}

}  // namespace trefoil::cli
