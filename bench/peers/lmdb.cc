#include <lmdb.h>

#include "bench/engine.h"

namespace trefoil::bench {
namespace {

MDB_val To(Slice bytes) { return {bytes.size(), const_cast<char*>(bytes.data())}; }
Slice From(const MDB_val& bytes) {
  return {static_cast<const char*>(bytes.mv_data), bytes.mv_size};
}
void Require(int code) {
  trefoil::bench::Require(code == MDB_SUCCESS, std::string("lmdb: ") + mdb_strerror(code));
}

// A read transaction of this thread, begun anew for every read, as an application would.
class Reading {
 public:
  explicit Reading(MDB_env* env) { Require(mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn_)); }
  ~Reading() { mdb_txn_abort(txn_); }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;
  MDB_txn* get() const { return txn_; }

 private:
  MDB_txn* txn_ = nullptr;
};

class Lmdb final : public Engine {
 public:
  explicit Lmdb(const EngineOptions& options) {
    Require(mdb_env_create(&env_));
    Require(mdb_env_set_mapsize(env_, std::size_t{16} << 30));
    const std::string path = options.directory + "/lmdb";
    Require(mdb_env_open(env_, path.c_str(), MDB_NOSUBDIR | MDB_NOSYNC | MDB_NOTLS, 0644));
    MDB_txn* txn = nullptr;
    Require(mdb_txn_begin(env_, nullptr, 0, &txn));
    Require(mdb_dbi_open(txn, nullptr, 0, &dbi_));
    Require(mdb_txn_commit(txn));
  }
  ~Lmdb() override {
    Require(mdb_env_sync(env_, 1));
    mdb_env_close(env_);
  }

  std::string settings() const override {
    return "0.9: one mapped file (its cache is the system's), no checksums, no log; relaxed = "
           "NOSYNC, which a power cut may damage";
  }
  void Put(std::span<const KeyValue> batch, Sync sync) override {
    Write([&](MDB_txn* txn) {
      for (const auto& [key, value] : batch) {
        MDB_val k = To(key);
        MDB_val v = To(value);
        Require(mdb_put(txn, dbi_, &k, &v, 0));
      }
    });
    if (sync == Sync::kYes) Require(mdb_env_sync(env_, 1));
  }
  void Delete(std::span<const Slice> keys) override {
    Write([&](MDB_txn* txn) {
      for (const Slice key : keys) {
        MDB_val k = To(key);
        const int code = mdb_del(txn, dbi_, &k, nullptr);
        if (code != MDB_NOTFOUND) Require(code);
      }
    });
  }
  bool Get(Slice key, std::string& value) override {
    const Reading reading(env_);
    return GetIn(reading.get(), key, value);
  }
  std::size_t MultiGet(std::span<const Slice> keys) override {
    const Reading reading(env_);
    std::size_t found = 0;
    std::string value;
    for (const Slice key : keys) found += GetIn(reading.get(), key, value) ? 1 : 0;
    return found;
  }
  std::size_t Scan(Slice start, std::size_t count, Direction direction) override {
    const Reading reading(env_);
    MDB_cursor* cursor = nullptr;
    Require(mdb_cursor_open(reading.get(), dbi_, &cursor));
    const bool forward = direction == Direction::kForward;
    MDB_val k = To(start);
    MDB_val v{};
    int code = MDB_SUCCESS;
    if (start.empty()) {
      code = mdb_cursor_get(cursor, &k, &v, forward ? MDB_FIRST : MDB_LAST);
    } else {
      code = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
      if (!forward && code == MDB_NOTFOUND) {
        code = mdb_cursor_get(cursor, &k, &v, MDB_LAST);
      } else if (!forward && From(k) > start) {
        code = mdb_cursor_get(cursor, &k, &v, MDB_PREV);
      }
    }
    std::size_t walked = 0;
    std::uint64_t sum = 0;
    while (walked < count && code == MDB_SUCCESS) {
      Touch(sum, From(k), From(v));
      ++walked;
      code = mdb_cursor_get(cursor, &k, &v, forward ? MDB_NEXT : MDB_PREV);
    }
    mdb_cursor_close(cursor);
    Consume(sum);
    return walked;
  }
  void Settle() override {}

 private:
  template <typename Function>
  void Write(const Function& function) {
    MDB_txn* txn = nullptr;
    Require(mdb_txn_begin(env_, nullptr, 0, &txn));
    function(txn);
    Require(mdb_txn_commit(txn));
  }
  bool GetIn(MDB_txn* txn, Slice key, std::string& value) const {
    MDB_val k = To(key);
    MDB_val v{};
    const int code = mdb_get(txn, dbi_, &k, &v);
    if (code == MDB_NOTFOUND) return false;
    Require(code);
    value.assign(static_cast<const char*>(v.mv_data), v.mv_size);
    return true;
  }

  MDB_env* env_ = nullptr;
  MDB_dbi dbi_ = 0;
};

}  // namespace

std::unique_ptr<Engine> OpenLmdb(const EngineOptions& options) {
  return std::make_unique<Lmdb>(options);
}

}  // namespace trefoil::bench
