#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <chrono>
#include <thread>

#include "bench/engine.h"

namespace trefoil::bench {
namespace {

rocksdb::Slice To(Slice bytes) { return {bytes.data(), bytes.size()}; }
Slice From(const rocksdb::Slice& bytes) { return {bytes.data(), bytes.size()}; }
void Require(const rocksdb::Status& status) {
  trefoil::bench::Require(status.ok(), "rocksdb: " + status.ToString());
}

class RocksDb final : public Engine {
 public:
  explicit RocksDb(const EngineOptions& options) {
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = rocksdb::NewLRUCache(options.cache_bytes);
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(options.filter_bits_per_key));
    table.block_size = 4096;
    table.format_version = 5;
    rocksdb::Options db_options;
    db_options.create_if_missing = true;
    db_options.compression = rocksdb::kNoCompression;
    if (options.compress) {
      db_options.bottommost_compression = rocksdb::kZSTD;
      db_options.bottommost_compression_opts.enabled = true;
      db_options.bottommost_compression_opts.max_dict_bytes = 16 << 10;
      db_options.bottommost_compression_opts.zstd_max_train_bytes = 512 << 10;
    }
    db_options.write_buffer_size = options.memtable_bytes / 2;
    db_options.max_write_buffer_number = 2;
    db_options.max_background_jobs = 2;
    db_options.level_compaction_dynamic_level_bytes = true;
    db_options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    rocksdb::DB* db = nullptr;
    Require(rocksdb::DB::Open(db_options, options.directory + "/db", &db));
    db_.reset(db);
  }

  std::string settings() const override {
    return "7.8: block cache, 2 write buffers of half the memtable, bloom filter, no compression, "
           "checksums on, write-ahead log";
  }
  void Put(std::span<const KeyValue> batch, Sync sync) override {
    rocksdb::WriteBatch writes;
    for (const auto& [key, value] : batch) Require(writes.Put(To(key), To(value)));
    rocksdb::WriteOptions options;
    options.sync = sync == Sync::kYes;
    Require(db_->Write(options, &writes));
  }
  void Delete(std::span<const Slice> keys) override {
    rocksdb::WriteBatch writes;
    for (const Slice key : keys) Require(writes.Delete(To(key)));
    Require(db_->Write({}, &writes));
  }
  bool Get(Slice key, std::string& value) override {
    rocksdb::PinnableSlice found;
    const rocksdb::Status status = db_->Get({}, db_->DefaultColumnFamily(), To(key), &found);
    if (status.IsNotFound()) return false;
    Require(status);
    value.assign(found.data(), found.size());
    return true;
  }
  std::size_t MultiGet(std::span<const Slice> keys) override {
    std::vector<rocksdb::Slice> asked;
    for (const Slice key : keys) asked.push_back(To(key));
    std::vector<rocksdb::PinnableSlice> values(keys.size());
    std::vector<rocksdb::Status> statuses(keys.size());
    db_->MultiGet({}, db_->DefaultColumnFamily(), keys.size(), asked.data(), values.data(),
                  statuses.data());
    std::size_t found = 0;
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (!statuses[i].ok()) continue;
      ++found;
      Touch(sum, {}, From(values[i]));
    }
    Consume(sum);
    return found;
  }
  std::size_t Scan(Slice start, std::size_t count, Direction direction) override {
    const std::unique_ptr<rocksdb::Iterator> iterator(db_->NewIterator({}));
    const bool forward = direction == Direction::kForward;
    if (start.empty()) {
      forward ? iterator->SeekToFirst() : iterator->SeekToLast();
    } else {
      forward ? iterator->Seek(To(start)) : iterator->SeekForPrev(To(start));
    }
    std::size_t walked = 0;
    std::uint64_t sum = 0;
    while (walked < count && iterator->Valid()) {
      Touch(sum, From(iterator->key()), From(iterator->value()));
      ++walked;
      forward ? iterator->Next() : iterator->Prev();
    }
    Consume(sum);
    return walked;
  }
  void Settle() override {
    Require(db_->Flush({}));
    while (Number(rocksdb::DB::Properties::kNumRunningCompactions) +
               Number(rocksdb::DB::Properties::kCompactionPending) !=
           0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }

 private:
  std::uint64_t Number(const std::string& property) const {
    std::uint64_t number = 0;
    trefoil::bench::Require(db_->GetIntProperty(property, &number), "rocksdb: " + property);
    return number;
  }

  std::unique_ptr<rocksdb::DB> db_;
};

}  // namespace

std::unique_ptr<Engine> OpenRocksDb(const EngineOptions& options) {
  return std::make_unique<RocksDb>(options);
}

}  // namespace trefoil::bench
