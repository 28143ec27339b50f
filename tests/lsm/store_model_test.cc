// The store against a model: random histories of every operation under random options, with
// memtables and files so small that every level is busy. The model is one std::map per version.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/env_memory.h"
#include "base/random.h"
#include "base/str_cat.h"
#include "lsm/store.h"
#include "tests/support/seed.h"

namespace trefoil::lsm {
namespace {

using Contents = std::map<std::string, std::string>;

double Scale() {
  const char* given = std::getenv("TREFOIL_SCALE");
  return given != nullptr ? std::strtod(given, nullptr) : 1;
}

// Keys like ours: a short group prefix, then digits; now and then long or strange ones.
class Keys {
 public:
  explicit Keys(Random& random) : random_(random), count_(10 + random.Uniform(600)) {}

  std::string Any() {
    if (random_.OneIn(200)) return std::string(random_.Uniform(300), 'q');
    std::string key(1, static_cast<char>('a' + random_.Uniform(3)));
    key += std::to_string(random_.Uniform(count_));
    if (random_.OneIn(50)) key += '\0';
    return key;
  }

 private:
  Random& random_;
  const std::uint64_t count_;
};

class GroupLayout final : public KeyLayout {
 public:
  std::size_t GroupPrefix(Slice key) const override { return key.empty() ? 0 : 1; }
  std::size_t EqualityPrefix(Slice key) const override {
    return std::min<std::size_t>(key.size(), 2);
  }
};

// One history; every step compares.
class History {
 public:
  explicit History(std::uint64_t seed, bool background)
      : random_(seed), keys_(random_), background_(background) {
    Open();
  }

  void Run(int operations) {
    for (int i = 0; i < operations && !::testing::Test::HasFailure(); ++i) Operate();
    pins_.clear();
    CheckAll(store_->GetSnapshot(), contents_);
  }

 private:
  // What was true at a version, with a snapshot of it and perhaps an iterator in the middle.
  struct Pin {
    Snapshot snapshot;
    Contents contents;
    std::unique_ptr<Iterator> iterator;
  };

  void Open() {
    StoreOptions options;
    options.background_work = background_;
    options.memtable_bytes = std::size_t{16} << (10 + random_.Uniform(5));
    options.file_bytes = std::size_t{8} << (10 + random_.Uniform(4));
    options.level1_bytes = options.file_bytes * (1 + random_.Uniform(4));
    options.cache_bytes = std::size_t{64} << 10;
    options.sync_interval_ms = 1;
    if (random_.OneIn(2)) options.compression = Compression::kZstd;
    if (random_.OneIn(2)) options.key_layout = &layout_;
    Result<std::unique_ptr<Store>> store = Store::Open(env_, "db", options);
    ASSERT_TRUE(store) << ToString(store.error());
    store_ = *std::move(store);
    if (history_) store_->SetHistoryHorizon(horizon_);
    EXPECT_EQ(store_->last_sequence(), last_);
  }

  void Operate() {
    const std::uint64_t choice = random_.Uniform(1000);
    if (choice < 550) return WriteBatchOfAny();
    if (choice < 700) return CheckGet();
    if (choice < 760) return CheckWalk();
    if (choice < 800) return CheckMultiGet();
    if (choice < 860) return Step();
    if (choice < 900) return ChangePins();
    if (choice < 930) return MovePinnedIterator();
    if (choice < 950) return CheckPin();
    if (choice < 960) return (void)Expect(store_->Flush());
    if (choice < 965) return CompactSome();
    if (choice < 970) return Ingest();
    if (choice < 973) return Reopen();
    if (choice < 976) return ChangeHistory();
    if (choice < 985) return CheckHistory();
    return CheckLatest();
  }

  template <typename T>
  bool Expect(const Result<T>& result) {
    EXPECT_TRUE(result) << ToString(result.error());
    return result.has_value();
  }

  void WriteBatchOfAny() {
    WriteBatch batch;
    const SequenceNumber sequence = last_ + 1;
    const std::uint64_t edits = random_.OneIn(20) ? random_.Uniform(100) : 1 + random_.Uniform(3);
    if (random_.OneIn(30)) DeleteSomeRange(batch);
    for (std::uint64_t i = 0; i < edits; ++i) {
      const std::string key = keys_.Any();
      touched_[key] = sequence;
      if (random_.OneIn(3)) {
        batch.Delete(key);
        contents_.erase(key);
      } else {
        std::string value = StrCat(sequence, ":", i);
        if (random_.OneIn(20)) value.resize(random_.Uniform(random_.OneIn(10) ? 6000 : 300), 'v');
        batch.Put(key, value);
        contents_[key] = value;
      }
    }
    const auto durability = random_.OneIn(10) ? Durability::kDurable : Durability::kRelaxed;
    const Result<SequenceNumber> written = store_->Write(batch, durability);
    if (!Expect(written)) return;
    EXPECT_EQ(*written, sequence);
    Commit();
  }

  void DeleteSomeRange(WriteBatch& batch) {
    std::string start = keys_.Any();
    std::string limit = keys_.Any();
    if (limit < start) std::swap(start, limit);
    if (random_.OneIn(2)) limit = start + '5';
    batch.DeleteRange(start, limit);
    if (start >= limit) return;
    contents_.erase(contents_.lower_bound(start), contents_.lower_bound(limit));
  }

  void Commit() {
    ++last_;
    if (history_ && last_ % 16 == 0) versions_[last_] = contents_;
    if (versions_.size() > 8) {
      horizon_ = std::next(versions_.begin(), 4)->first;
      store_->SetHistoryHorizon(horizon_);
      versions_.erase(versions_.begin(), versions_.find(horizon_));
    }
  }

  void CheckGet() {
    const std::string key = keys_.Any();
    const Result<std::optional<std::string>> value = store_->Get(key, store_->GetSnapshot());
    if (!Expect(value)) return;
    EXPECT_EQ(*value, Find(contents_, key)) << key;
  }

  void CheckMultiGet() {
    std::vector<std::string> keys(random_.Uniform(100));
    for (std::string& key : keys) key = keys_.Any();
    const std::vector<Slice> slices(keys.begin(), keys.end());
    const Result<std::vector<std::optional<std::string>>> values =
        store_->MultiGet(slices, store_->GetSnapshot());
    if (!Expect(values)) return;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      EXPECT_EQ((*values)[i], Find(contents_, keys[i])) << keys[i];
    }
  }

  void CheckLatest() {
    const std::string key = keys_.Any();
    const Result<SequenceNumber> latest = store_->LatestSequence(key);
    if (!Expect(latest)) return;
    for (const Pin& pin : pins_) {
      const auto touched = touched_.find(key);
      if (touched == touched_.end() || touched->second <= pin.snapshot.sequence()) continue;
      EXPECT_GT(*latest, pin.snapshot.sequence()) << "a newer write of " << key << " is not seen";
    }
  }

  static std::optional<std::string> Find(const Contents& contents, const std::string& key) {
    const auto found = contents.find(key);
    return found == contents.end() ? std::nullopt : std::optional(found->second);
  }

  void CheckWalk() { CheckSteps(*store_->NewIterator({}, store_->GetSnapshot()), contents_, 20); }

  // Moves an iterator about at random beside the model.
  void CheckSteps(Iterator& iterator, const Contents& contents, int steps) {
    auto place = contents.end();
    for (int i = 0; i < steps; ++i) {
      switch (iterator.Valid() ? random_.Uniform(8) : random_.Uniform(4)) {
        case 0:
          iterator.SeekToFirst();
          place = contents.begin();
          break;
        case 1:
          iterator.SeekToLast();
          place = contents.empty() ? contents.end() : std::prev(contents.end());
          break;
        case 2: {
          const std::string target = keys_.Any();
          iterator.Seek(target);
          place = contents.lower_bound(target);
          break;
        }
        case 3: {
          const std::string target = keys_.Any();
          iterator.SeekForPrev(target);
          place = contents.upper_bound(target);
          place = place == contents.begin() ? contents.end() : std::prev(place);
          break;
        }
        case 4:
        case 5:
          place = std::next(contents.find(iterator.key().ToString()));
          iterator.Next();
          break;
        default:
          place = contents.find(iterator.key().ToString());
          place = place == contents.begin() ? contents.end() : std::prev(place);
          iterator.Prev();
      }
      EXPECT_TRUE(iterator.status());
      ASSERT_EQ(iterator.Valid(), place != contents.end());
      if (!iterator.Valid()) continue;
      ASSERT_EQ(iterator.key(), Slice(place->first));
      ASSERT_EQ(iterator.value(), Slice(place->second)) << place->first;
    }
  }

  void CheckAll(const Snapshot& snapshot, const Contents& contents) {
    KeyRange range;
    if (random_.OneIn(2)) range.start = keys_.Any();
    if (random_.OneIn(2)) range.limit = keys_.Any();
    if (!range.limit.empty() && range.limit < range.start) std::swap(range.start, range.limit);
    const auto first = contents.lower_bound(range.start);
    const auto last = range.limit.empty() ? contents.end() : contents.lower_bound(range.limit);
    const std::unique_ptr<Iterator> iterator = store_->NewIterator(range, snapshot);
    iterator->SeekToFirst();
    for (auto place = first; place != last; ++place, iterator->Next()) {
      ASSERT_TRUE(iterator->Valid()) << place->first << " is missing";
      ASSERT_EQ(iterator->key(), Slice(place->first));
      ASSERT_EQ(iterator->value(), Slice(place->second)) << place->first;
    }
    ASSERT_FALSE(iterator->Valid()) << iterator->key().view() << " is too much";
    iterator->SeekToLast();
    for (auto place = last; place != first; iterator->Prev()) {
      --place;
      ASSERT_TRUE(iterator->Valid()) << place->first << " is missing backward";
      ASSERT_EQ(iterator->key(), Slice(place->first));
      ASSERT_EQ(iterator->value(), Slice(place->second)) << place->first;
    }
    ASSERT_FALSE(iterator->Valid());
  }

  void Step() {
    if (background_) return;
    (void)Expect(store_->Step(random_.Uniform(std::uint64_t{64} << 10)));
  }

  void CompactSome() {
    KeyRange range;
    if (random_.OneIn(2)) range = {.start = "b", .limit = "c"};
    (void)Expect(store_->Compact(range));
  }

  void ChangePins() {
    if (pins_.size() > 4 || (!pins_.empty() && random_.OneIn(2))) {
      pins_.erase(pins_.begin() + static_cast<std::ptrdiff_t>(random_.Uniform(pins_.size())));
      return;
    }
    Snapshot snapshot = store_->GetSnapshot();
    EXPECT_EQ(snapshot.sequence(), last_);
    std::unique_ptr<Iterator> iterator = store_->NewIterator({}, snapshot);
    pins_.push_back(
        {.snapshot = std::move(snapshot), .contents = contents_, .iterator = std::move(iterator)});
  }

  Pin* AnyPin() { return pins_.empty() ? nullptr : &pins_[random_.Uniform(pins_.size())]; }

  void MovePinnedIterator() {
    if (Pin* pin = AnyPin()) CheckSteps(*pin->iterator, pin->contents, 5);
  }

  void CheckPin() {
    if (const Pin* pin = AnyPin()) CheckAll(pin->snapshot, pin->contents);
  }

  void Ingest() {
    const std::string prefix = StrCat("z", ingests_++, "-");
    const std::uint64_t count = random_.Uniform(200);
    std::uint64_t next = 0;
    const Result<SequenceNumber> ingested =
        store_->IngestSorted([&](std::string* key, std::string* value) {
          if (next == count) return false;
          *key = StrCat(prefix, next / 100, next / 10 % 10, next % 10);
          *value = StrCat("ingested ", next++);
          contents_[*key] = *value;
          touched_[*key] = last_ + 1;
          return true;
        });
    if (!Expect(ingested)) return;
    EXPECT_EQ(*ingested, last_ + 1);
    Commit();
  }

  void Reopen() {
    pins_.clear();
    store_.reset();
    Open();
    CheckAll(store_->GetSnapshot(), contents_);
  }

  void ChangeHistory() {
    if (history_ || random_.OneIn(2)) return;
    history_ = true;
    horizon_ = last_;
    store_->SetHistoryHorizon(horizon_);
    EXPECT_EQ(store_->history_horizon(), last_);
    versions_[last_] = contents_;
  }

  void CheckHistory() {
    if (versions_.empty()) return;
    auto version = versions_.lower_bound(horizon_ + random_.Uniform(last_ - horizon_ + 1));
    if (version == versions_.end()) return;
    const Result<Snapshot> snapshot = store_->SnapshotAt(version->first);
    if (Expect(snapshot)) CheckAll(*snapshot, version->second);
  }

  Random random_;
  Keys keys_;
  const bool background_;
  const GroupLayout layout_;
  MemoryEnv env_;
  Contents contents_;
  std::map<std::string, SequenceNumber> touched_;  // last write of a key by name
  SequenceNumber last_ = 0;
  int ingests_ = 0;
  bool history_ = false;
  SequenceNumber horizon_ = 0;
  std::map<SequenceNumber, Contents> versions_;  // from the horizon on
  std::unique_ptr<Store> store_;
  std::vector<Pin> pins_;  // before store_ in destruction
};

void RunHistories(int histories, int operations, bool background) {
  Random seeds(testing::TestSeed());
  histories = std::max(1, static_cast<int>(histories * Scale()));
  for (int i = 0; i < histories; ++i) {
    const std::uint64_t seed = seeds.Next();
    History(seed, background).Run(operations);
    if (::testing::Test::HasFailure()) {
      std::printf("history %d, seed %llu\n", i, static_cast<unsigned long long>(seed));
      return;
    }
  }
}

TEST(StoreModelTest, RandomHistoriesReadLikeAMap) { RunHistories(40, 4000, /*background=*/false); }

TEST(StoreModelTest, RandomHistoriesReadLikeAMapWithWorkInTheBackground) {
  RunHistories(10, 4000, /*background=*/true);
}

}  // namespace
}  // namespace trefoil::lsm
