#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/filter_policy.h>
#include <leveldb/options.h>
#include <leveldb/write_batch.h>

#include "bench/engine.h"

namespace trefoil::bench {
namespace {

leveldb::Slice To(Slice bytes) { return {bytes.data(), bytes.size()}; }
Slice From(const leveldb::Slice& bytes) { return {bytes.data(), bytes.size()}; }
void Require(const leveldb::Status& status) {
  trefoil::bench::Require(status.ok(), "leveldb: " + status.ToString());
}

class LevelDb final : public Engine {
 public:
  explicit LevelDb(const EngineOptions& options)
      : cache_(leveldb::NewLRUCache(options.cache_bytes)),
        filter_(leveldb::NewBloomFilterPolicy(options.filter_bits_per_key)) {
    leveldb::Options db_options;
    db_options.create_if_missing = true;
    db_options.compression = leveldb::kNoCompression;
    db_options.write_buffer_size = options.memtable_bytes / 2;
    db_options.max_file_size = std::size_t{8} << 20;
    db_options.block_cache = cache_.get();
    db_options.filter_policy = filter_.get();
    leveldb::DB* db = nullptr;
    Require(leveldb::DB::Open(db_options, options.directory + "/db", &db));
    db_.reset(db);
    read_.verify_checksums = true;
  }

  std::string settings() const override {
    return "1.23: block cache (and mapped files, as it does by default), 2 write buffers of half "
           "the memtable, bloom filter, no compression, checksums on, log";
  }
  void Put(std::span<const KeyValue> batch, Sync sync) override {
    leveldb::WriteBatch writes;
    for (const auto& [key, value] : batch) writes.Put(To(key), To(value));
    leveldb::WriteOptions options;
    options.sync = sync == Sync::kYes;
    Require(db_->Write(options, &writes));
  }
  void Delete(std::span<const Slice> keys) override {
    leveldb::WriteBatch writes;
    for (const Slice key : keys) writes.Delete(To(key));
    Require(db_->Write({}, &writes));
  }
  bool Get(Slice key, std::string& value) override {
    const leveldb::Status status = db_->Get(read_, To(key), &value);
    if (status.IsNotFound()) return false;
    Require(status);
    return true;
  }
  std::size_t MultiGet(std::span<const Slice> keys) override {
    std::size_t found = 0;
    std::string value;
    for (const Slice key : keys) found += Get(key, value) ? 1 : 0;
    return found;
  }
  std::size_t Scan(Slice start, std::size_t count, Direction direction) override {
    const std::unique_ptr<leveldb::Iterator> iterator(db_->NewIterator(read_));
    const bool forward = direction == Direction::kForward;
    if (start.empty()) {
      forward ? iterator->SeekToFirst() : iterator->SeekToLast();
    } else {
      iterator->Seek(To(start));
      if (!forward && !iterator->Valid()) iterator->SeekToLast();
      if (!forward && iterator->Valid() && From(iterator->key()) > start) iterator->Prev();
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
  // Has no call that waits; compacting the whole range ends when the work is done.
  void Settle() override { db_->CompactRange(nullptr, nullptr); }

 private:
  const std::unique_ptr<leveldb::Cache> cache_;
  const std::unique_ptr<const leveldb::FilterPolicy> filter_;
  leveldb::ReadOptions read_;
  std::unique_ptr<leveldb::DB> db_;
};

}  // namespace

std::unique_ptr<Engine> OpenLevelDb(const EngineOptions& options) {
  return std::make_unique<LevelDb>(options);
}

}  // namespace trefoil::bench
