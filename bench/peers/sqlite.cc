#include "bench/sqlite.h"

#include <algorithm>
#include <mutex>

#include "bench/engine.h"

namespace trefoil::bench {
namespace {

constexpr std::size_t kAll = std::size_t{1} << 40;

// One connection; calls are serialised, as SQLite itself would.
class Sqlite final : public Engine {
 public:
  explicit Sqlite(const EngineOptions& options)
      : database_(options.directory + "/sqlite", options.cache_bytes),
        put_(Prepare("INSERT INTO kv VALUES (?1, ?2) ON CONFLICT (k) DO UPDATE SET v = ?2")),
        delete_(Prepare("DELETE FROM kv WHERE k = ?1")),
        get_(Prepare("SELECT v FROM kv WHERE k = ?1")),
        forward_(Prepare("SELECT k, v FROM kv WHERE k >= ?1 ORDER BY k LIMIT ?2")),
        backward_(Prepare("SELECT k, v FROM kv WHERE k <= ?1 ORDER BY k DESC LIMIT ?2")),
        last_(Prepare("SELECT k, v FROM kv ORDER BY k DESC LIMIT ?2")) {}

  std::string settings() const override {
    return "3: WITHOUT ROWID table, WAL, page cache, no checksums; relaxed = synchronous OFF, "
           "durable = FULL";
  }
  void Put(std::span<const KeyValue> batch, Sync sync) override {
    const std::lock_guard lock(mutex_);
    if (sync == Sync::kYes) database_.Execute("PRAGMA synchronous = FULL");
    database_.Execute("BEGIN");
    for (const auto& [key, value] : batch) {
      put_.BindBlob(1, key);
      put_.BindBlob(2, value);
      put_.Run();
    }
    database_.Execute("COMMIT");
    if (sync == Sync::kYes) database_.Execute("PRAGMA synchronous = OFF");
  }
  void Delete(std::span<const Slice> keys) override {
    const std::lock_guard lock(mutex_);
    database_.Execute("BEGIN");
    for (const Slice key : keys) {
      delete_.BindBlob(1, key);
      delete_.Run();
    }
    database_.Execute("COMMIT");
  }
  bool Get(Slice key, std::string& value) override {
    const std::lock_guard lock(mutex_);
    return GetLocked(key, value);
  }
  std::size_t MultiGet(std::span<const Slice> keys) override {
    const std::lock_guard lock(mutex_);
    database_.Execute("BEGIN");
    std::size_t found = 0;
    std::string value;
    for (const Slice key : keys) found += GetLocked(key, value) ? 1 : 0;
    database_.Execute("COMMIT");
    return found;
  }
  std::size_t Scan(Slice start, std::size_t count, Direction direction) override {
    const std::lock_guard lock(mutex_);
    const bool forward = direction == Direction::kForward;
    SqliteStatement& statement = forward ? forward_ : start.empty() ? last_ : backward_;
    if (&statement != &last_) statement.BindBlob(1, start);
    statement.Bind(2, static_cast<std::int64_t>(std::min(count, kAll)));
    std::size_t walked = 0;
    std::uint64_t sum = 0;
    while (statement.Step()) {
      Touch(sum, statement.Blob(0), statement.Blob(1));
      ++walked;
    }
    statement.Reset();
    Consume(sum);
    return walked;
  }
  void Settle() override {
    const std::lock_guard lock(mutex_);
    database_.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
  }

 private:
  SqliteStatement Prepare(const std::string& sql) {
    database_.Execute("CREATE TABLE IF NOT EXISTS kv (k BLOB PRIMARY KEY, v BLOB) WITHOUT ROWID");
    return database_.Prepare(sql);
  }
  bool GetLocked(Slice key, std::string& value) {
    get_.BindBlob(1, key);
    const bool found = get_.Step();
    if (found) value = get_.Blob(0).ToString();
    get_.Reset();
    return found;
  }

  std::mutex mutex_;
  SqliteDatabase database_;
  SqliteStatement put_;
  SqliteStatement delete_;
  SqliteStatement get_;
  SqliteStatement forward_;
  SqliteStatement backward_;
  SqliteStatement last_;
};

}  // namespace

std::unique_ptr<Engine> OpenSqlite(const EngineOptions& options) {
  return std::make_unique<Sqlite>(options);
}

}  // namespace trefoil::bench
