#include "bench/engine.h"

#include <cstdio>
#include <cstdlib>

namespace trefoil::bench {

std::vector<EngineFactory> AllEngines() {
  return {{"trefoil", OpenTrefoil},
          {"rocksdb", OpenRocksDb},
          {"leveldb", OpenLevelDb},
          {"lmdb", OpenLmdb},
          {"sqlite", OpenSqlite}};
}

void Require(bool ok, const std::string& what) {
  if (ok) return;
  std::fprintf(stderr, "trefoil_bench: %s\n", what.c_str());
  std::exit(1);
}

void Consume(std::uint64_t sum) { asm volatile("" : : "r"(sum)); }

}  // namespace trefoil::bench
