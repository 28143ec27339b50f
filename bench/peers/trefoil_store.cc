#include "bench/engine.h"
#include "lsm/store.h"

namespace trefoil::bench {
namespace {

template <typename T>
T Value(Result<T> result) {
  Require(result.has_value(), result ? "" : "trefoil: " + ToString(result.error()));
  return *std::move(result);
}
void RequireOk(const Status& status) {
  Require(status.has_value(), status ? "" : "trefoil: " + ToString(status.error()));
}

class TrefoilStore final : public Engine {
 public:
  explicit TrefoilStore(const EngineOptions& options) {
    lsm::StoreOptions store_options;
    store_options.cache_bytes = options.cache_bytes;
    store_options.memtable_bytes = options.memtable_bytes;
    if (options.compress) store_options.compression = lsm::Compression::kZstd;
    store_ = Value(lsm::Store::Open(Env::Posix(), options.directory + "/db", store_options));
  }

  std::string settings() const override {
    return "mapped files (the system's cache; cache bytes only bound what is not mapped), "
           "memtables "
           "together the memtable bytes, filter 8 to 16 bits by level, no compression, checksums "
           "on, "
           "log";
  }
  void Put(std::span<const KeyValue> batch, Sync sync) override {
    lsm::WriteBatch writes;
    for (const auto& [key, value] : batch) writes.Put(key, value);
    Write(writes, sync);
  }
  void Delete(std::span<const Slice> keys) override {
    lsm::WriteBatch writes;
    for (const Slice key : keys) writes.Delete(key);
    Write(writes, Sync::kNo);
  }
  bool Get(Slice key, std::string& value) override {
    std::optional<std::string> found = Value(store_->Get(key, store_->GetSnapshot()));
    if (!found) return false;
    value = *std::move(found);
    return true;
  }
  std::size_t MultiGet(std::span<const Slice> keys) override {
    std::size_t found = 0;
    std::uint64_t sum = 0;
    for (const std::optional<std::string>& value :
         Value(store_->MultiGet(keys, store_->GetSnapshot()))) {
      if (!value) continue;
      ++found;
      Touch(sum, {}, *value);
    }
    Consume(sum);
    return found;
  }
  std::size_t Scan(Slice start, std::size_t count, Direction direction) override {
    const std::unique_ptr<lsm::Iterator> iterator =
        store_->NewIterator({.start = "", .limit = ""}, store_->GetSnapshot());
    const bool forward = direction == Direction::kForward;
    if (start.empty()) {
      forward ? iterator->SeekToFirst() : iterator->SeekToLast();
    } else {
      forward ? iterator->Seek(start) : iterator->SeekForPrev(start);
    }
    std::size_t walked = 0;
    std::uint64_t sum = 0;
    while (walked < count && iterator->Valid()) {
      Touch(sum, iterator->key(), iterator->value());
      ++walked;
      forward ? iterator->Next() : iterator->Prev();
    }
    RequireOk(iterator->status());
    Consume(sum);
    return walked;
  }
  std::uint64_t TableBytes() override {
    const lsm::StoreStats stats = store_->Stats();
    return stats.bytes_written_by_flush + stats.bytes_written_by_compaction;
  }
  void Settle() override {
    RequireOk(store_->Flush());
    while (Value(store_->Step(std::uint64_t{64} << 20))) {
    }
  }

 private:
  void Write(const lsm::WriteBatch& batch, Sync sync) {
    Value(store_->Write(
        batch, sync == Sync::kYes ? lsm::Durability::kDurable : lsm::Durability::kRelaxed));
  }

  std::unique_ptr<lsm::Store> store_;
};

}  // namespace

std::unique_ptr<Engine> OpenTrefoil(const EngineOptions& options) {
  return std::make_unique<TrefoilStore>(options);
}

}  // namespace trefoil::bench
