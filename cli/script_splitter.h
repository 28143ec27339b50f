// Cuts a script into statements and dot commands without understanding them: a statement ends at a
// `;` outside quotes and comments, a dot command is a line that begins with `.` where a statement
// could begin and ends with the line; within a `.live NAME SELECT ...` the query may span lines up
// to its `;`. A `#` line where a statement could begin is a comment.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace trefoil::cli {

struct ScriptPiece {
  std::string text;  // without the final ';' and surrounding space
  int line = 1;      // 1-based line of its first character
  bool is_dot_command = false;
};

struct SplitScript {
  std::vector<ScriptPiece> pieces;
  // What follows the last ';' or line end: an unfinished statement. Blank when the script is whole.
  ScriptPiece rest;
};

SplitScript Split(std::string_view script);

// The pieces of a whole script: an unfinished last statement counts as finished.
std::vector<ScriptPiece> SplitWhole(std::string_view script);

}  // namespace trefoil::cli
