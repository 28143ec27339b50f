// How every command opens its database, and what a refused open means to the person at the
// terminal.
#pragma once

#include <functional>
#include <string>

#include "trefoil/database.h"
#include "trefoil/result.h"

namespace trefoil::cli {

enum class Access {
  kCreate,  // made if it is missing
  kWrite,   // must exist
  kRead,    // must exist; beside a writing process, too
};

// The errors of Database::Open in terms of the command line: what to type instead.
// `part`: what it is to hold if it is made.
Result<Database> OpenDatabase(const std::string& path, Access access, const Part& part = {});

// Opens with kCreate, does the work and flushes. A directory that was made for it is removed again
// when that fails, so that a mistake leaves nothing behind.
Status ChangeDatabase(const std::string& path, const std::function<Status(Database&)>& work,
                      const Part& part = {});

}  // namespace trefoil::cli
