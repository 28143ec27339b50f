// Counters of the store as JSON.
#pragma once

#include <string>

#include "lsm/store.h"
#include "trefoil/version.h"

namespace trefoil::db {

// {"version":..,"durable":..,"levels":[{"files":..,"bytes":..,"entries":..}],...}
std::string StatsJson(const lsm::StoreStats& stats, Version version, Version durable);

}  // namespace trefoil::db
