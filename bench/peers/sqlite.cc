#include <sqlite3.h>

#include <algorithm>
#include <mutex>

#include "base/str_cat.h"
#include "bench/engine.h"

namespace trefoil::bench {
namespace {

constexpr std::size_t kAll = std::size_t{1} << 40;

// One connection; calls are serialised, as SQLite itself would.
class Sqlite final : public Engine {
 public:
  explicit Sqlite(const EngineOptions& options) {
    Require(sqlite3_open((options.directory + "/sqlite").c_str(), &db_));
    Execute("PRAGMA journal_mode = WAL");
    Execute("PRAGMA synchronous = OFF");
    Execute(StrCat("PRAGMA cache_size = -", options.cache_bytes / 1024));
    Execute("CREATE TABLE IF NOT EXISTS kv (k BLOB PRIMARY KEY, v BLOB) WITHOUT ROWID");
    put_ = Prepare("INSERT INTO kv VALUES (?1, ?2) ON CONFLICT (k) DO UPDATE SET v = ?2");
    delete_ = Prepare("DELETE FROM kv WHERE k = ?1");
    get_ = Prepare("SELECT v FROM kv WHERE k = ?1");
    forward_ = Prepare("SELECT k, v FROM kv WHERE k >= ?1 ORDER BY k LIMIT ?2");
    backward_ = Prepare("SELECT k, v FROM kv WHERE k <= ?1 ORDER BY k DESC LIMIT ?2");
    last_ = Prepare("SELECT k, v FROM kv ORDER BY k DESC LIMIT ?2");
  }
  ~Sqlite() override {
    for (sqlite3_stmt* statement : {put_, delete_, get_, forward_, backward_, last_}) {
      sqlite3_finalize(statement);
    }
    sqlite3_close(db_);
  }

  std::string settings() const override {
    return "3: WITHOUT ROWID table, WAL, page cache, no checksums; relaxed = synchronous OFF, "
           "durable = FULL";
  }
  void Put(std::span<const KeyValue> batch, Sync sync) override {
    const std::lock_guard lock(mutex_);
    if (sync == Sync::kYes) Execute("PRAGMA synchronous = FULL");
    Execute("BEGIN");
    for (const auto& [key, value] : batch) {
      Bind(put_, 1, key);
      Bind(put_, 2, value);
      Finish(put_);
    }
    Execute("COMMIT");
    if (sync == Sync::kYes) Execute("PRAGMA synchronous = OFF");
  }
  void Delete(std::span<const Slice> keys) override {
    const std::lock_guard lock(mutex_);
    Execute("BEGIN");
    for (const Slice key : keys) {
      Bind(delete_, 1, key);
      Finish(delete_);
    }
    Execute("COMMIT");
  }
  bool Get(Slice key, std::string& value) override {
    const std::lock_guard lock(mutex_);
    return GetLocked(key, value);
  }
  std::size_t MultiGet(std::span<const Slice> keys) override {
    const std::lock_guard lock(mutex_);
    Execute("BEGIN");
    std::size_t found = 0;
    std::string value;
    for (const Slice key : keys) found += GetLocked(key, value) ? 1 : 0;
    Execute("COMMIT");
    return found;
  }
  std::size_t Scan(Slice start, std::size_t count, Direction direction) override {
    const std::lock_guard lock(mutex_);
    const bool forward = direction == Direction::kForward;
    sqlite3_stmt* statement = forward ? forward_ : start.empty() ? last_ : backward_;
    if (statement != last_) Bind(statement, 1, start);
    Require(sqlite3_bind_int64(statement, 2, static_cast<sqlite3_int64>(std::min(count, kAll))));
    std::size_t walked = 0;
    std::uint64_t sum = 0;
    while (sqlite3_step(statement) == SQLITE_ROW) {
      Touch(sum, Column(statement, 0), Column(statement, 1));
      ++walked;
    }
    sqlite3_reset(statement);
    Consume(sum);
    return walked;
  }
  void Settle() override {
    const std::lock_guard lock(mutex_);
    Execute("PRAGMA wal_checkpoint(TRUNCATE)");
  }

 private:
  void Require(int code) const {
    trefoil::bench::Require(code == SQLITE_OK || code == SQLITE_DONE,
                            StrCat("sqlite: ", sqlite3_errmsg(db_)));
  }
  void Execute(const std::string& sql) const {
    Require(sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr));
  }
  sqlite3_stmt* Prepare(const std::string& sql) const {
    sqlite3_stmt* statement = nullptr;
    Require(sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr));
    return statement;
  }
  void Bind(sqlite3_stmt* statement, int index, Slice bytes) const {
    Require(sqlite3_bind_blob(statement, index, bytes.empty() ? "" : bytes.data(),
                              static_cast<int>(bytes.size()), SQLITE_STATIC));
  }
  void Finish(sqlite3_stmt* statement) const {
    Require(sqlite3_step(statement));
    sqlite3_reset(statement);
  }
  static Slice Column(sqlite3_stmt* statement, int index) {
    return {static_cast<const char*>(sqlite3_column_blob(statement, index)),
            static_cast<std::size_t>(sqlite3_column_bytes(statement, index))};
  }
  bool GetLocked(Slice key, std::string& value) const {
    Bind(get_, 1, key);
    const bool found = sqlite3_step(get_) == SQLITE_ROW;
    if (found) value = Column(get_, 0).ToString();
    sqlite3_reset(get_);
    return found;
  }

  std::mutex mutex_;
  sqlite3* db_ = nullptr;
  sqlite3_stmt* put_ = nullptr;
  sqlite3_stmt* delete_ = nullptr;
  sqlite3_stmt* get_ = nullptr;
  sqlite3_stmt* forward_ = nullptr;
  sqlite3_stmt* backward_ = nullptr;
  sqlite3_stmt* last_ = nullptr;
};

}  // namespace

std::unique_ptr<Engine> OpenSqlite(const EngineOptions& options) {
  return std::make_unique<Sqlite>(options);
}

}  // namespace trefoil::bench
