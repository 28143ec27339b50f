// Names of the files in a store's directory: `super`, `LOCK`, and numbered files of four kinds.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lsm/file_meta.h"

namespace trefoil::lsm {

enum class FileKind { kLog, kSst, kBlob, kManifest };

struct NumberedFile {
  FileKind kind{};
  FileNumber number{};

  friend bool operator==(const NumberedFile&, const NumberedFile&) = default;
};

inline constexpr std::string_view kSuperblockName = "super";
inline constexpr std::string_view kLockName = "LOCK";

// "000042.sst"
std::string FileName(NumberedFile file);
std::string FilePath(const std::string& directory, NumberedFile file);
// Nothing when `name` is not exactly what FileName makes.
std::optional<NumberedFile> ParseFileName(std::string_view name);
// The directory that a path lies in.
std::string ParentDirectory(const std::string& path);

}  // namespace trefoil::lsm
