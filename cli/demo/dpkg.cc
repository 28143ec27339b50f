#include "cli/demo/dpkg.h"

#include <algorithm>
#include <charconv>

namespace trefoil::cli {

namespace {

std::string_view Trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// "libc6 (>= 2.34), foo:any | bar" -> libc6, foo
void AppendDepends(std::string_view list, std::vector<std::string>& names) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view item = Trim(list.substr(0, comma));
    const std::string_view name = item.substr(0, item.find_first_of(" (|:"));
    if (!name.empty()) names.emplace_back(name);
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
}

struct Paragraph {
  DebianPackage package;
  bool installed = false;
};

void SetField(Paragraph& paragraph, std::string_view name, std::string_view value) {
  DebianPackage& package = paragraph.package;
  if (name == "Package") package.name = value;
  if (name == "Version") package.version = value;
  if (name == "Section") package.section = value;
  if (name == "Status") paragraph.installed = value == "install ok installed";
  if (name == "Installed-Size") {
    std::from_chars(value.data(), value.data() + value.size(), package.size_kib);
  }
  if (name == "Depends" || name == "Pre-Depends") AppendDepends(value, package.depends);
}

Paragraph ParseParagraph(std::string_view text) {
  Paragraph paragraph;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t colon = line.find(':');
    // A line that begins with a blank goes on with the field before it; none of ours does.
    if (colon == std::string_view::npos || line[0] == ' ') continue;
    SetField(paragraph, line.substr(0, colon), Trim(line.substr(colon + 1)));
  }
  std::vector<std::string>& depends = paragraph.package.depends;
  std::ranges::sort(depends);
  depends.erase(std::unique(depends.begin(), depends.end()), depends.end());
  return paragraph;
}

}  // namespace

std::vector<DebianPackage> ParseDpkgStatus(std::string_view text) {
  std::vector<DebianPackage> packages;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find("\n\n"), text.size());
    Paragraph paragraph = ParseParagraph(text.substr(0, end));
    if (paragraph.installed && !paragraph.package.name.empty()) {
      packages.push_back(std::move(paragraph.package));
    }
    text.remove_prefix(std::min(end + 2, text.size()));
  }
  std::ranges::sort(packages, {}, &DebianPackage::name);
  // The same name for two architectures: one of them will do.
  const auto same = [](const DebianPackage& a, const DebianPackage& b) { return a.name == b.name; };
  packages.erase(std::unique(packages.begin(), packages.end(), same), packages.end());
  return packages;
}

}  // namespace trefoil::cli
