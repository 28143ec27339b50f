#include "db/stats.h"

#include "base/str_cat.h"
#include "trefoil/value.h"

namespace trefoil::db {

std::string StatsJson(const lsm::StoreStats& stats, const DatabaseStats& database) {
  std::string json = StrCat(
      "{\"version\":", ToNumber(database.version), ",\"durable\":", ToNumber(database.durable),
      ",\"is_copy\":", database.is_copy ? "true" : "false",
      ",\"part\":", database.part.empty() ? "null" : ToJson(Value::Text(database.part)),
      ",\"levels\":[");
  for (const lsm::LevelStats& level : stats.levels) {
    if (json.back() != '[') json += ',';
    json += StrCat("{\"files\":", level.files, ",\"bytes\":", level.bytes,
                   ",\"entries\":", level.entries, '}');
  }
  json += ']';
  const struct {
    const char* name;
    std::uint64_t value;
  } counters[] = {{"memtable_bytes", stats.memtable_bytes},
                  {"log_bytes", stats.log_bytes},
                  {"bytes_written_by_user", stats.bytes_written_by_user},
                  {"bytes_written_to_log", stats.bytes_written_to_log},
                  {"bytes_written_by_flush", stats.bytes_written_by_flush},
                  {"bytes_written_by_compaction", stats.bytes_written_by_compaction},
                  {"flushes", stats.flushes},
                  {"compactions", stats.compactions},
                  {"trivial_moves", stats.trivial_moves},
                  {"stalls", stats.stalls},
                  {"stall_micros", stats.stall_micros},
                  {"cache_hits", stats.cache_hits},
                  {"cache_misses", stats.cache_misses},
                  {"snapshots", stats.snapshots},
                  {"syncs", stats.syncs}};
  for (const auto& counter : counters) {
    json += StrCat(",\"", counter.name, "\":", counter.value);
  }
  return json + '}';
}

}  // namespace trefoil::db
