// The manual page, made of the same table as --help, so that the two cannot differ.
#pragma once

#include <span>
#include <string>

#include "cli/command.h"

namespace trefoil::cli {

// trefoil(1) as roff: the text of every command's --help, as it stands there.
std::string ManPage(std::span<const Command> commands);

}  // namespace trefoil::cli
