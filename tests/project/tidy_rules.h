// The rules that keep the tree in shape, as pure functions from a list of files to findings. A test
// plants each violation in a made-up tree; one more test runs all rules over the real one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace trefoil::project {

// One text file; the path is relative to the top of the tree, with '/'.
struct SourceFile {
  std::string path;
  std::string text;
};
using Tree = std::vector<SourceFile>;

struct Finding {
  std::string path;
  int line = 0;      // 1-based; 0 = the whole file
  std::string what;  // the rule, as a sentence
};

// "path:line: what", as compilers write it.
std::string ToString(const Finding& finding);

// Includes follow the layers of docs/architecture.md; files, clocks, randomness and threads are
// used behind base/ only; nothing includes "..".
std::vector<Finding> CheckLayers(const Tree& tree);

// No macro, goto, dynamic_cast or using namespace in the product; #pragma once in each header; a
// .cc includes its own header first, which proves that the header compiles alone.
std::vector<Finding> CheckLanguage(const Tree& tree);

// Length of files, of CMake as a whole, number of public headers.
std::vector<Finding> CheckSizes(const Tree& tree);

// No function is longer than 70 lines, from its signature to its closing brace.
std::vector<Finding> CheckFunctions(const Tree& tree);

// Each source is compiled into a target, each header is included, each script runs, each document
// is linked from another.
std::vector<Finding> CheckDeadFiles(const Tree& tree);

// Words that promise work later, or that belong to one machine.
std::vector<Finding> CheckWords(const Tree& tree);

// Each document has one title, and no other has the same; links and named sources exist; code
// marked as an example is that example; each ./dev command that is named exists.
std::vector<Finding> CheckDocuments(const Tree& tree);

// All of the above, in this order.
std::vector<Finding> CheckTree(const Tree& tree);

// The text files of a folder on disk, without build/ and hidden folders except .ci.
Tree ReadTree(const std::string& folder);

// --- shared by the rules ---

std::vector<std::string_view> LinesOf(std::string_view text);
bool IsCpp(std::string_view path);       // .h or .cc
bool IsProduct(std::string_view path);   // C++ outside tests/, bench/ and examples/
bool IsDocument(std::string_view path);  // .md
// The first component of a path: "lsm" of "lsm/store.h", "" of "README.md".
std::string_view FolderOf(std::string_view path);
const SourceFile* Find(const Tree& tree, std::string_view path);

struct Include {
  std::string_view target;  // without quotes or brackets
  bool ours = false;        // written with quotes
  int line = 0;
};
std::vector<Include> IncludesOf(const SourceFile& file);

}  // namespace trefoil::project
