// Counters of the store as JSON.
#pragma once

#include <string>

#include "lsm/store.h"
#include "trefoil/version.h"

namespace trefoil::db {

// Where the database stands, beyond its store.
struct DatabaseStats {
  Version version{};
  Version durable{};
  bool is_copy = false;
  std::string part = {};  // as text; empty: all rows
};

// {"version":..,"durable":..,"is_copy":..,"part":null,"levels":[{"files":..,"bytes":..,"entries":..}],...}
std::string StatsJson(const lsm::StoreStats& stats, const DatabaseStats& database);

}  // namespace trefoil::db
