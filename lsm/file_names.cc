#include "lsm/file_names.h"

#include <array>
#include <charconv>

#include "base/str_cat.h"

namespace trefoil::lsm {

namespace {

struct Suffix {
  FileKind kind;
  std::string_view text;
};
constexpr std::array<Suffix, 4> kSuffixes = {{
    {FileKind::kLog, ".log"},
    {FileKind::kSst, ".sst"},
    {FileKind::kBlob, ".blob"},
    {FileKind::kManifest, ".man"},
}};
constexpr std::size_t kDigitsMin = 6;

}  // namespace

std::string FileName(NumberedFile file) {
  const std::string digits = StrCat(ToNumber(file.number));
  std::string name(digits.size() < kDigitsMin ? kDigitsMin - digits.size() : 0, '0');
  name += digits;
  for (const Suffix& suffix : kSuffixes) {
    if (suffix.kind == file.kind) name += suffix.text;
  }
  return name;
}

std::string FilePath(const std::string& directory, NumberedFile file) {
  return StrCat(directory, "/", FileName(file));
}

std::optional<NumberedFile> ParseFileName(std::string_view name) {
  for (const Suffix& suffix : kSuffixes) {
    if (!name.ends_with(suffix.text)) continue;
    const std::string_view digits = name.substr(0, name.size() - suffix.text.size());
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(digits.begin(), digits.end(), number);
    if (error != std::errc() || end != digits.end()) return std::nullopt;
    const NumberedFile file{.kind = suffix.kind, .number = FileNumber{number}};
    if (FileName(file) != name) return std::nullopt;
    return file;
  }
  return std::nullopt;
}

std::string ParentDirectory(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace trefoil::lsm
