// Verification of one SST, and what can be saved of a damaged one.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "lsm/file_meta.h"
#include "lsm/internal_key.h"
#include "lsm/sst_reader.h"
#include "lsm/store.h"

namespace trefoil::lsm {

// Looks for damage in the file. kFast reads identity, footer, index, range deletes and properties
// and compares them with `expected` (may be null); kFull also reads every page from the device and
// checks all sums; kDeep also checks every entry: order, index, filter, counts, directory. Nothing
// is changed. `layout` is that of the store, or null.
struct SstCheckOptions {
  SstReaderOptions reader;
  const FileMeta* expected = nullptr;
  const KeyLayout* layout = nullptr;
  VerifyDepth depth = VerifyDepth::kFast;
};
std::vector<Damage> CheckSst(Env& env, const std::string& path, const SstCheckOptions& options);

// What SalvageSst got out of a file.
struct SalvagedSst {
  std::uint64_t entries = 0;
  std::vector<RangeDelete> range_deletes;
  std::vector<Damage> damages;  // what is lost, with the keys between which it lay
};
// Reads every page that still verifies, without index and footer, and hands the entries of data
// pages to `take` in their order. Errors: those of Env; damage is none.
Result<SalvagedSst> SalvageSst(Env& env, const std::string& path, const FileIdentity& identity,
                               const std::function<void(const Entry&)>& take);

}  // namespace trefoil::lsm
