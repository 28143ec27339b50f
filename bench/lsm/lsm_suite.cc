// The lsm suite: ordered stores side by side, on keys and values like ours (workload.h). Each round
// runs one engine after the other from an empty directory through all cases in the same order.
#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>
#include <vector>

#include "base/str_cat.h"
#include "bench/engine.h"
#include "bench/lsm/workload.h"
#include "bench/suite.h"

namespace trefoil::bench {
namespace {

namespace fs = std::filesystem;

// Bytes that this process caused to be written to the device, stores into maps included.
std::uint64_t WrittenBytes() {
  std::ifstream io("/proc/self/io");
  std::string name;
  std::uint64_t value = 0;
  while (io >> name >> value) {
    if (name == "write_bytes:") return value;
  }
  return 0;
}

// Memory of this process that is no file's, in MB.
double AnonymousMegabytes() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    if (word != "RssAnon:") continue;
    double kilobytes = 0;
    status >> kilobytes;
    return kilobytes / 1024;
  }
  return 0;
}

std::uint64_t DiskBytes(const fs::path& directory) {
  std::uint64_t bytes = 0;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  return bytes;
}

// Runs all cases on one engine once.
class Run {
 public:
  Run(const EngineFactory& factory, const SuiteOptions& options, std::uint64_t n, Report& report)
      : factory_(factory), options_(options), n_(n), report_(report) {
    engine_options_.directory = options.directory + "/" + factory.name;
  }

  void All() {
    Fills();
    Open(/*fresh=*/true);
    Load();
    Reads();
    Scans();
    ReadsBesideAWriter();
    Changes();
    Latency();
    DurableCommits();
    Text("text", /*compress=*/false);
    Text("text, zstd", /*compress=*/true);
    engine_.reset();
    fs::remove_all(engine_options_.directory);
  }

 private:
  void Open(bool fresh) {
    engine_.reset();
    if (fresh) {
      fs::remove_all(engine_options_.directory);
      fs::create_directories(engine_options_.directory);
    }
    engine_ = factory_.open(engine_options_);
  }

  void Rate(const std::string& name, double count, double seconds) {
    report_.Add(
        {.name = name, .engine = factory_.name, .n = n_, .value = count / seconds, .unit = "1/s"});
  }
  void Cost(const std::string& name, double value, const std::string& unit) {
    report_.Add({.name = name,
                 .engine = factory_.name,
                 .n = n_,
                 .value = value,
                 .unit = unit,
                 .lower_is_better = true});
  }

  // Puts keys [first, last) in batches.
  void PutRange(std::uint64_t first, std::uint64_t last, std::size_t batch_size, bool scattered) {
    std::vector<KeyOf> keys;
    std::vector<KeyValue> batch;
    for (std::uint64_t i = first; i < last; i += batch_size) {
      keys.clear();
      batch.clear();
      const std::uint64_t end = std::min<std::uint64_t>(last, i + batch_size);
      for (std::uint64_t j = i; j < end; ++j) keys.emplace_back(j, scattered);
      for (std::uint64_t j = i; j < end; ++j) {
        batch.emplace_back(keys[j - i].slice(), values_[j + generation_]);
      }
      engine_->Put(batch, Sync::kNo);
    }
  }

  void Fills() {
    const std::uint64_t few = std::min<std::uint64_t>(n_, 1'000'000);
    if (options_.WantsCase("fillrandom batch 1")) {
      Open(true);
      const Stopwatch watch;
      PutRange(0, few, 1, true);
      Rate("fillrandom batch 1", static_cast<double>(few), watch.Seconds());
    }
    if (options_.WantsCase("fillseq batch 100")) {
      Open(true);
      const Stopwatch watch;
      PutRange(0, n_, 100, false);
      Rate("fillseq batch 100", static_cast<double>(n_), watch.Seconds());
    }
  }

  // The data that the other cases read.
  void Load() {
    const std::uint64_t before = WrittenBytes();
    const double memory_before = AnonymousMegabytes();
    const Stopwatch watch;
    PutRange(0, n_, 100, true);
    Rate("fillrandom batch 100", static_cast<double>(n_), watch.Seconds());
    engine_->Settle();
    Rate("fillrandom + settle", static_cast<double>(n_), watch.Seconds());
    Cost("memory, anonymous", AnonymousMegabytes() - memory_before, "MB");
    const std::uint64_t table_bytes = engine_->TableBytes();
    engine_.reset();
    const double user_bytes = static_cast<double>(n_) * (kKeyBytes + Values::kBytesAverage);
    Cost("write amplification", static_cast<double>(WrittenBytes() - before) / user_bytes, "x");
    if (table_bytes != 0) {
      Cost("write amp., no log", static_cast<double>(table_bytes) / user_bytes, "x");
    }
    Cost("space", static_cast<double>(DiskBytes(engine_options_.directory)) / user_bytes, "x");
    const Stopwatch reopen;
    Open(false);
    Cost("reopen", reopen.Seconds() * 1e3, "ms");
    engine_->Scan({}, n_, Direction::kForward);  // warm, for all alike
  }

  void Reads() {
    const std::uint64_t count = std::min<std::uint64_t>(n_, 200'000);
    Random random(7);
    std::string value;
    if (options_.WantsCase("get hit")) {
      const Stopwatch watch;
      for (std::uint64_t i = 0; i < count; ++i) {
        Require(engine_->Get(KeyOf(random.Uniform(n_), true).slice(), value), "a key is missing");
      }
      Rate("get hit", static_cast<double>(count), watch.Seconds());
    }
    if (options_.WantsCase("get miss")) {
      const Stopwatch watch;
      for (std::uint64_t i = 0; i < count; ++i) {
        const KeyOf key(n_ + random.Uniform(n_), true);
        Require(!engine_->Get(key.slice(), value), "a key is there that must not be");
      }
      Rate("get miss", static_cast<double>(count), watch.Seconds());
    }
    if (options_.WantsCase("multiget 64")) {
      const Stopwatch watch;
      std::vector<KeyOf> keys;
      std::vector<Slice> slices;
      for (std::uint64_t i = 0; i < count; i += 64) {
        keys.clear();
        slices.clear();
        for (int j = 0; j < 64; ++j) keys.emplace_back(random.Uniform(n_), true);
        for (const KeyOf& key : keys) slices.push_back(key.slice());
        Require(engine_->MultiGet(slices) == slices.size(), "a key is missing");
      }
      Rate("multiget 64", static_cast<double>(count), watch.Seconds());
    }
  }

  void Seeks(const std::string& name, std::size_t length, Direction direction) {
    if (!options_.WantsCase(name)) return;
    const std::uint64_t count = std::min<std::uint64_t>(n_ / 4, 50'000);
    Random random(9);
    const Stopwatch watch;
    for (std::uint64_t i = 0; i < count; ++i) {
      engine_->Scan(KeyOf(random.Uniform(n_), true).slice(), length, direction);
    }
    Rate(name, static_cast<double>(count), watch.Seconds());
  }

  void FullScan(const std::string& name, Direction direction, std::uint64_t expected) {
    if (!options_.WantsCase(name)) return;
    const Stopwatch watch;
    const std::uint64_t walked = engine_->Scan({}, ~std::size_t{0}, direction);
    Require(walked == expected, StrCat(name, " saw ", walked, " entries of ", expected));
    Rate(name, static_cast<double>(walked), watch.Seconds());
  }

  void Scans() {
    Seeks("seek + 10", 10, Direction::kForward);
    Seeks("seek + 100", 100, Direction::kForward);
    Seeks("seek + 10 backward", 10, Direction::kBackward);
    FullScan("full scan", Direction::kForward, n_);
    FullScan("full scan backward", Direction::kBackward, n_);
  }

  // Random reads while another thread overwrites at about 50,000 keys a second.
  void ReadsBesideAWriter() {
    if (!options_.WantsCase("get beside a writer")) return;
    std::atomic<bool> stop{false};
    generation_ = 1;
    std::thread writer([&] {
      const Stopwatch watch;
      for (std::uint64_t i = 0; !stop.load(std::memory_order_relaxed); i += 10) {
        PutRange(i % n_, std::min(n_, i % n_ + 10), 10, true);
        while (watch.Seconds() * 50'000 < static_cast<double>(i) &&
               !stop.load(std::memory_order_relaxed)) {
          std::this_thread::sleep_for(std::chrono::microseconds(100));
        }
      }
    });
    const std::uint64_t count = std::min<std::uint64_t>(n_, 200'000);
    Random random(11);
    std::string value;
    const Stopwatch watch;
    for (std::uint64_t i = 0; i < count; ++i) {
      Require(engine_->Get(KeyOf(random.Uniform(n_), true).slice(), value), "a key is missing");
    }
    Rate("get beside a writer", static_cast<double>(count), watch.Seconds());
    stop = true;
    writer.join();
  }

  void Changes() {
    generation_ = 2;
    if (options_.WantsCase("overwrite batch 100")) {
      const Stopwatch watch;
      PutRange(0, n_, 100, true);
      Rate("overwrite batch 100", static_cast<double>(n_), watch.Seconds());
      engine_->Settle();
    }
    if (!options_.WantsCase("delete batch 100")) return;
    const Stopwatch watch;
    std::vector<KeyOf> keys;
    std::vector<Slice> slices;
    for (std::uint64_t i = 0; i < n_; i += 200) {
      keys.clear();
      slices.clear();
      for (std::uint64_t j = i; j < std::min(n_, i + 200); j += 2) keys.emplace_back(j, true);
      for (const KeyOf& key : keys) slices.push_back(key.slice());
      engine_->Delete(slices);
    }
    Rate("delete batch 100", static_cast<double>(n_) / 2, watch.Seconds());
    FullScan("scan after deletes", Direction::kForward, n_ / 2);
    if (!options_.WantsCase("scan after deletes, again")) return;
    engine_->Scan({}, n_, Direction::kForward);
    FullScan("scan after deletes, again", Direction::kForward, n_ / 2);
  }

  void Latency() {
    if (!options_.WantsCase("write latency")) return;
    const std::uint64_t count = std::min<std::uint64_t>(n_, 200'000);
    std::vector<double> micros;
    micros.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i) {
      const KeyOf key(i * 7919 % n_, true);
      const KeyValue entry(key.slice(), values_[i]);
      const Stopwatch watch;
      engine_->Put({&entry, 1}, Sync::kNo);
      micros.push_back(watch.Seconds() * 1e6);
    }
    Cost("write latency p50", Percentile(micros, 0.5), "us");
    Cost("write latency p99", Percentile(micros, 0.99), "us");
    Cost("write latency p999", Percentile(micros, 0.999), "us");
    Cost("write latency max", micros.back(), "us");
  }

  void DurableCommits() {
    if (!options_.WantsCase("durable commits 8 threads")) return;
    constexpr std::uint64_t kThreads = 8;
    const std::uint64_t each = options_.quick ? 100 : 500;
    const Stopwatch watch;
    std::vector<std::thread> threads;
    for (std::uint64_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (std::uint64_t i = 0; i < each; ++i) {
          const KeyOf key(n_ + t * each + i, true);
          const KeyValue entry(key.slice(), values_[i]);
          engine_->Put({&entry, 1}, Sync::kYes);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    Rate("durable commits 8 threads", static_cast<double>(kThreads * each), watch.Seconds());
  }

  // Size and point reads of values that repeat themselves.
  void Text(const std::string& name, bool compress) {
    if (!options_.WantsCase(name)) return;
    engine_options_.compress = compress;
    Open(/*fresh=*/true);
    double user_bytes = 0;
    for (std::uint64_t i = 0; i < n_; i += 100) {
      std::vector<KeyOf> keys;
      std::vector<std::string> values;
      std::vector<KeyValue> batch;
      for (std::uint64_t j = i; j < std::min(n_, i + 100); ++j) {
        keys.emplace_back(j, true);
        values.push_back(text_[j]);
        user_bytes += kKeyBytes + static_cast<double>(values.back().size());
      }
      for (std::size_t j = 0; j < keys.size(); ++j) batch.emplace_back(keys[j].slice(), values[j]);
      engine_->Put(batch, Sync::kNo);
    }
    engine_->Settle();
    engine_.reset();
    Cost("space, " + name, static_cast<double>(DiskBytes(engine_options_.directory)) / user_bytes,
         "x");
    Open(/*fresh=*/false);
    const std::uint64_t count = std::min<std::uint64_t>(n_, 100'000);
    Random random(13);
    std::string value;
    const Stopwatch watch;
    for (std::uint64_t i = 0; i < count; ++i) {
      Require(engine_->Get(KeyOf(random.Uniform(n_), true).slice(), value), "a key is missing");
    }
    Rate("get hit, " + name, static_cast<double>(count), watch.Seconds());
    engine_options_.compress = false;
  }

  const EngineFactory& factory_;
  const SuiteOptions& options_;
  const std::uint64_t n_;
  Report& report_;
  EngineOptions engine_options_;
  std::unique_ptr<Engine> engine_;
  const Values values_;
  const TextValues text_;
  std::uint64_t generation_ = 0;  // of the values written
};

void RunLsm(const SuiteOptions& options, Report& report) {
  const EngineOptions engine_options;
  report.Note(StrCat("keys of 10 bytes, values of ", Values::kBytesMin, " to ", Values::kBytesMax,
                     "; cache ", engine_options.cache_bytes >> 20, " MB, memtables ",
                     engine_options.memtable_bytes >> 20, " MB, filter ",
                     engine_options.filter_bits_per_key, " bits a key, no compression"));
  std::vector<std::uint64_t> sizes = {options.quick ? 100'000U : 1'000'000U};
  if (options.large) sizes.push_back(10'000'000);
  for (const EngineFactory& factory : AllEngines()) {
    if (!options.WantsEngine(factory.name)) continue;
    EngineOptions probe = engine_options;
    probe.directory = options.directory + "/probe";
    fs::create_directories(probe.directory);
    report.Note(StrCat(factory.name, ": ", factory.open(probe)->settings()));
    fs::remove_all(probe.directory);
  }
  for (const std::uint64_t n : sizes) {
    for (int round = 0; round < options.rounds; ++round) {
      for (const EngineFactory& factory : AllEngines()) {
        if (options.WantsEngine(factory.name)) Run(factory, options, n, report).All();
      }
    }
  }
}

const SuiteRegistration kLsm({.name = "lsm",
                              .about = "ordered stores: ours, RocksDB, LevelDB, LMDB, SQLite",
                              .run = RunLsm});

}  // namespace
}  // namespace trefoil::bench
