// A random history of every operation of a store, beside a model: one std::map per version. Options
// are drawn at random too, with memtables and files so small that every level is busy.
//
// A history is a seed for the options and a seed for each operation, which decides with the state
// of the moment what the operation does. So any subset of the operations is a history as well, and
// one that fails can be made smaller by leaving operations out (Shrink).
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/env_memory.h"
#include "base/random.h"
#include "base/str_cat.h"
#include "lsm/store.h"

namespace trefoil::lsm {

using Contents = std::map<std::string, std::string>;

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

struct HistoryOptions {
  std::uint64_t seed = 0;
  bool background = false;
  bool trace = false;
  std::uint64_t edits_max = 100;  // in a batch
  bool forgetful = false;         // the model forgets some deletions: a bug that is easy to find
};

// One run; every step compares.
class History {
 public:
  explicit History(const HistoryOptions& options)
      : options_(options), random_(options.seed), keys_(random_) {}

  // The first difference, if there is one.
  std::optional<std::string> Run(std::span<const std::uint64_t> operations) {
    random_ = Random(options_.seed);
    Open();
    for (std::size_t i = 0; i < operations.size() && failure_.empty(); ++i) {
      random_ = Random(operations[i]);
      done_ = i + 1;
      Operate();
    }
    pins_.clear();
    if (failure_.empty()) CheckAll(store_->GetSnapshot(), contents_);
    if (failure_.empty()) return std::nullopt;
    return failure_;
  }
  // How many operations were begun.
  std::size_t done() const { return done_; }
  // One line for each operation, when asked for.
  const std::vector<std::string>& trace() const { return trace_; }

 private:
  // What was true at a version, with a snapshot of it and perhaps an iterator in the middle.
  struct Pin {
    Snapshot snapshot;
    Contents contents;
    std::unique_ptr<Iterator> iterator;
  };

  void Open() {
    StoreOptions options;
    options.background_work = options_.background;
    options.memtable_bytes = std::size_t{16} << (10 + random_.Uniform(5));
    options.file_bytes = std::size_t{8} << (10 + random_.Uniform(4));
    options.level1_bytes = options.file_bytes * (1 + random_.Uniform(4));
    options.cache_bytes = std::size_t{64} << 10;
    options.sync_interval_ms = 1;
    if (random_.OneIn(2)) options.compression = Compression::kZstd;
    options.slow_paths_seed = random_.Next();
    if (random_.OneIn(2)) options.key_layout = &layout_;
    Result<std::unique_ptr<Store>> store = Store::Open(env_, "db", options);
    if (!Expect(store)) return;
    store_ = *std::move(store);
    if (history_) store_->SetHistoryHorizon(horizon_);
    Trace("open: memtable ", options.memtable_bytes, ", file ", options.file_bytes, ", level 1 ",
          options.level1_bytes, options.key_layout != nullptr ? ", layout" : "",
          options.compression == Compression::kZstd ? ", zstd" : "");
    (void)Require(store_->last_sequence() == last_, "the last sequence is another after an open");
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
    if (choice < 960) return Flush();
    if (choice < 965) return CompactSome();
    if (choice < 970) return Ingest();
    if (choice < 973) return Reopen();
    if (choice < 976) return ChangeHistory();
    if (choice < 985) return CheckHistory();
    return CheckLatest();
  }

  template <typename T>
  bool Expect(const Result<T>& result) {
    return result.has_value() || Fail(ToString(result.error()));
  }
  // Notes the first difference; false, so that it can be returned.
  bool Fail(std::string what) {
    if (failure_.empty()) failure_ = std::move(what);
    return false;
  }
  bool Require(bool holds, Slice what) { return holds || Fail(what.ToString()); }
  template <typename... Parts>
  void Trace(const Parts&... parts) {
    if (options_.trace) trace_.push_back(StrCat(parts...));
  }
  static std::string Shown(const std::optional<std::string>& value) {
    return value ? StrCat("`", value->substr(0, 40), "`") : "nothing";
  }

  void WriteBatchOfAny() {
    WriteBatch batch;
    const SequenceNumber sequence = last_ + 1;
    const std::uint64_t drawn = random_.OneIn(20) ? random_.Uniform(100) : 1 + random_.Uniform(3);
    const std::uint64_t edits = std::min(drawn, options_.edits_max);
    if (random_.OneIn(30)) DeleteSomeRange(batch);
    for (std::uint64_t i = 0; i < edits; ++i) {
      const std::string key = keys_.Any();
      touched_[key] = sequence;
      if (random_.OneIn(3)) {
        batch.Delete(key);
        Trace("delete ", key);
        if (!options_.forgetful || key.back() != '7') contents_.erase(key);
      } else {
        std::string value = StrCat(sequence, ":", i);
        if (random_.OneIn(20)) value.resize(random_.Uniform(random_.OneIn(10) ? 6000 : 300), 'v');
        batch.Put(key, value);
        Trace("put ", key, " = ", value.size(), " bytes");
        contents_[key] = value;
      }
    }
    const auto durability = random_.OneIn(10) ? Durability::kDurable : Durability::kRelaxed;
    const Result<SequenceNumber> written = store_->Write(batch, durability);
    Trace("write batch ", sequence, durability == Durability::kDurable ? ", durable" : "");
    if (!Expect(written)) return;
    (void)Require(*written == sequence, "a batch got another number");
    Commit();
  }

  void DeleteSomeRange(WriteBatch& batch) {
    std::string start = keys_.Any();
    std::string limit = keys_.Any();
    if (limit < start) std::swap(start, limit);
    if (random_.OneIn(2)) limit = start + '5';
    batch.DeleteRange(start, limit);
    Trace("delete range ", start, " to ", limit);
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
    Trace("get ", key);
    if (!Expect(value)) return;
    CheckValue(key, *value);
  }

  void CheckValue(const std::string& key, const std::optional<std::string>& value) {
    const std::optional<std::string> expected = Find(contents_, key);
    if (value == expected) return;
    Fail(StrCat("key ", key, " has ", Shown(value), " in place of ", Shown(expected)));
  }

  void CheckMultiGet() {
    std::vector<std::string> keys(random_.Uniform(100));
    for (std::string& key : keys) key = keys_.Any();
    const std::vector<Slice> slices(keys.begin(), keys.end());
    const Result<std::vector<std::optional<std::string>>> values =
        store_->MultiGet(slices, store_->GetSnapshot());
    Trace("get ", keys.size(), " keys");
    if (!Expect(values)) return;
    for (std::size_t i = 0; i < keys.size(); ++i) CheckValue(keys[i], (*values)[i]);
  }

  void CheckLatest() {
    const std::string key = keys_.Any();
    const Result<SequenceNumber> latest = store_->LatestSequence(key);
    if (!Expect(latest)) return;
    for (const Pin& pin : pins_) {
      const auto touched = touched_.find(key);
      if (touched == touched_.end() || touched->second <= pin.snapshot.sequence()) continue;
      (void)Require(*latest > pin.snapshot.sequence(),
                    StrCat("a newer write of ", key, " is not seen").c_str());
    }
  }

  static std::optional<std::string> Find(const Contents& contents, const std::string& key) {
    const auto found = contents.find(key);
    return found == contents.end() ? std::nullopt : std::optional(found->second);
  }

  void CheckWalk() { CheckSteps(*store_->NewIterator({}, store_->GetSnapshot()), contents_, 20); }

  // Whether the iterator stands where the model does.
  bool CheckPlace(const Iterator& iterator, const Contents& contents,
                  Contents::const_iterator place) {
    if (!Expect(iterator.status())) return false;
    if (place == contents.end()) {
      if (!iterator.Valid()) return true;
      return Fail(StrCat("a walk shows ", iterator.key(), " and should have ended"));
    }
    if (!iterator.Valid()) return Fail(StrCat("a walk ends in place of ", place->first));
    if (iterator.key() != Slice(place->first)) {
      return Fail(StrCat("a walk shows ", iterator.key(), " in place of ", place->first));
    }
    return iterator.value() == Slice(place->second) ||
           Fail(StrCat("a walk shows another value of ", place->first));
  }

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
      if (!CheckPlace(iterator, contents, place)) return;
    }
  }

  void CheckAll(const Snapshot& snapshot, const Contents& contents) {
    KeyRange range;
    if (random_.OneIn(2)) range.start = keys_.Any();
    if (random_.OneIn(2)) range.limit = keys_.Any();
    if (!range.limit.empty() && range.limit < range.start) std::swap(range.start, range.limit);
    const auto first = contents.lower_bound(range.start);
    const auto last = range.limit.empty() ? contents.end() : contents.lower_bound(range.limit);
    Trace("walk from ", range.start, " to ", range.limit, " at ", snapshot.sequence());
    const std::unique_ptr<Iterator> iterator = store_->NewIterator(range, snapshot);
    iterator->SeekToFirst();
    for (auto place = first; place != last; ++place, iterator->Next()) {
      if (!CheckPlace(*iterator, contents, place)) return;
    }
    if (!CheckPlace(*iterator, contents, contents.end())) return;
    iterator->SeekToLast();
    for (auto place = last; place != first; iterator->Prev()) {
      --place;
      if (!CheckPlace(*iterator, contents, place)) return;
    }
    (void)CheckPlace(*iterator, contents, contents.end());
  }

  void Step() {
    if (options_.background) return;
    const std::uint64_t budget = random_.Uniform(std::uint64_t{64} << 10);
    Trace("step ", budget);
    (void)Expect(store_->Step(budget));
  }

  void Flush() {
    Trace("flush");
    (void)Expect(store_->Flush());
  }

  void CompactSome() {
    KeyRange range;
    if (random_.OneIn(2)) range = {.start = "b", .limit = "c"};
    Trace("compact ", range.start, " to ", range.limit);
    (void)Expect(store_->Compact(range));
  }

  void ChangePins() {
    if (pins_.size() > 4 || (!pins_.empty() && random_.OneIn(2))) {
      pins_.erase(pins_.begin() + static_cast<std::ptrdiff_t>(random_.Uniform(pins_.size())));
      return;
    }
    Snapshot snapshot = store_->GetSnapshot();
    Trace("pin ", last_);
    (void)Require(snapshot.sequence() == last_, "a snapshot is of another version");
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
    Trace("ingest ", count, " keys from ", prefix);
    if (!Expect(ingested)) return;
    (void)Require(*ingested == last_ + 1, "a sorted run got another number");
    Commit();
  }

  void Reopen() {
    pins_.clear();
    store_.reset();
    Open();
    if (failure_.empty()) CheckAll(store_->GetSnapshot(), contents_);
  }

  void ChangeHistory() {
    if (history_ || random_.OneIn(2)) return;
    history_ = true;
    horizon_ = last_;
    store_->SetHistoryHorizon(horizon_);
    Trace("keep history from ", last_);
    (void)Require(store_->history_horizon() == last_, "the horizon is another than was set");
    versions_[last_] = contents_;
  }

  void CheckHistory() {
    if (versions_.empty()) return;
    auto version = versions_.lower_bound(horizon_ + random_.Uniform(last_ - horizon_ + 1));
    if (version == versions_.end()) return;
    const Result<Snapshot> snapshot = store_->SnapshotAt(version->first);
    if (Expect(snapshot)) CheckAll(*snapshot, version->second);
  }

  const HistoryOptions options_;
  Random random_;  // of the operation under way
  Keys keys_;
  std::size_t done_ = 0;
  std::string failure_;
  std::vector<std::string> trace_;
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

// Leaves operations out of a history that fails, for as long as it still fails; at most `tries_max`
// runs. `fails` says of a history how many of its operations it took to fail, or nothing.
using HistoryFails =
    std::function<std::optional<std::size_t>(std::span<const std::uint64_t> operations)>;
std::vector<std::uint64_t> Shrink(std::vector<std::uint64_t> operations, const HistoryFails& fails,
                                  int tries_max);

}  // namespace trefoil::lsm
