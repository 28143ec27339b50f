// The packages of this Debian machine, from dpkg's status file (deb-control(5) paragraphs).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace trefoil::cli {

struct DebianPackage {
  std::string name;
  std::string version;
  std::string section;
  std::int64_t size_kib = 0;
  // Names that it depends on, first alternatives only, without versions; sorted, each once.
  std::vector<std::string> depends;
};

// Installed packages in the order of their names. Paragraphs without a name, and packages that are
// not installed, are left out.
std::vector<DebianPackage> ParseDpkgStatus(std::string_view text);

}  // namespace trefoil::cli
