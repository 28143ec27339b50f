// Salvage: what is whole of a database that cannot be opened, as a dump. The store is rebuilt in
// memory from every page and record that verifies; what reads as a fact goes into the dump.
//
// S1. Nothing is written to the damaged directory.
// S2. Without a loss the dump is that of the whole database.
// S3. With a loss the dump claims to know no transaction of any replica, so that what is loaded
// from
//     it takes back from another replica whatever is missing.
#pragma once

#include <string>

#include "base/env.h"
#include "trefoil/database.h"
#include "trefoil/result.h"

namespace trefoil::db {

// Errors: kNotFound when there are no files of a store; kIo.
Result<SalvageReport> Salvage(Env& env, const std::string& path);

}  // namespace trefoil::db
