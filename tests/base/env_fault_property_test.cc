// Small append-only files are written, synced, crashed and opened again, from random seeds. What
// was synced is always there; what was not may be absent or torn, and a record that reads back is
// the record that was written.
//
//   file    record*
//   record  length 1 | sum 8, seeded with file and record number | bytes
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "base/coding.h"
#include "base/env_fault.h"
#include "base/hash.h"
#include "base/random.h"
#include "base/str_cat.h"
#include "tests/support/seed.h"

namespace trefoil {
namespace {

using OpenMode = Env::OpenMode;

constexpr int kHistories = 2'500;
constexpr int kCrashesEach = 4;  // each on the disk that the one before left
constexpr std::size_t kFiles = 3;

std::uint64_t SumOf(std::size_t file, std::size_t record, Slice bytes) {
  return Hash64(bytes, file * 1'000 + record + 1);
}

// The records at the front of `content` that verify.
std::vector<std::string> ReadRecords(std::size_t file, const std::string& content) {
  std::vector<std::string> records;
  Slice rest(content);
  while (rest.size() >= 9 && rest.size() - 9 >= rest[0]) {
    const Slice bytes = rest.Without(9).Prefix(rest[0]);
    if (LoadFixed64(rest.data() + 1) != SumOf(file, records.size(), bytes)) break;
    records.push_back(bytes.ToString());
    rest.RemovePrefix(9 + bytes.size());
  }
  return records;
}

// A writer of append-only files, and what it knows to be durable.
class Writer {
 public:
  Writer(Env& env, Random& random) : env_(env), random_(random) {}

  // Opens what is there, checks it against what must be there, and cuts torn tails.
  void Recover() {
    for (std::size_t number = 0; number < kFiles; ++number) {
      Log& log = logs_[number];
      log.file = nullptr;
      if (!env_.Exists(Path(number)).value()) {
        ASSERT_FALSE(log.has_durable_name) << Path(number) << " is lost";
        log = {};
        continue;
      }
      log.file = env_.Open(Path(number), OpenMode::kReadWrite).value();
      std::string content(log.file->Size().value(), '\0');
      ASSERT_TRUE(log.file->ReadAt(0, content));
      const std::vector<std::string> found = ReadRecords(number, content);
      ASSERT_GE(found.size(), log.durable_records) << Path(number) << " lost what was synced";
      ASSERT_LE(found.size(), log.records.size()) << Path(number) << " has what nobody wrote";
      log.records.resize(found.size());
      ASSERT_EQ(found, log.records) << Path(number);
      CutTail(log);
    }
    ASSERT_TRUE(env_.SyncDirectory("/"));
    for (Log& log : logs_) log.has_durable_name = log.file != nullptr;
  }

  void Step() {
    Log& log = logs_[random_.Uniform(kFiles)];
    const auto number = static_cast<std::size_t>(&log - logs_.data());
    if (log.file == nullptr) {
      log.file = env_.Open(Path(number), OpenMode::kCreate).value();
    } else if (random_.OneIn(4)) {
      ASSERT_TRUE(log.file->Sync());
      log.durable_records = log.records.size();
    } else if (random_.OneIn(8)) {
      ASSERT_TRUE(env_.SyncDirectory("/"));
      for (Log& any : logs_) any.has_durable_name = any.file != nullptr;
    } else {
      Append(log, number);
    }
  }

  // The same knowledge over the disk that a crash left.
  Writer After(Env& env) && {
    Writer next(env, random_);
    next.logs_ = std::move(logs_);
    return next;
  }

 private:
  struct Log {
    std::unique_ptr<File> file;
    std::vector<std::string> records;
    std::uint64_t size_bytes = 0;
    std::size_t durable_records = 0;
    bool has_durable_name = false;
  };

  static std::string Path(std::size_t number) { return StrCat("log", number); }

  void Append(Log& log, std::size_t number) {
    std::string bytes(random_.Uniform(256), '\0');
    random_.Fill(bytes);
    std::string record(1, static_cast<char>(bytes.size()));
    AppendFixed64(record, SumOf(number, log.records.size(), bytes));
    record += bytes;
    ASSERT_TRUE(log.file->WriteAt(log.size_bytes, record));
    log.size_bytes += record.size();
    log.records.push_back(std::move(bytes));
  }

  static void CutTail(Log& log) {
    log.size_bytes = 0;
    for (const std::string& record : log.records) log.size_bytes += 9 + record.size();
    ASSERT_TRUE(log.file->Truncate(log.size_bytes));
    ASSERT_TRUE(log.file->Sync());
    log.durable_records = log.records.size();
  }

  Env& env_;
  Random& random_;
  std::array<Log, kFiles> logs_;
};

void RunHistory(std::uint64_t seed) {
  Random random(seed);
  auto env = std::make_unique<FaultEnv>(FaultEnvOptions{.seed = seed});
  auto writer = std::make_unique<Writer>(*env, random);
  for (int crash = 0; crash < kCrashesEach; ++crash) {
    const std::uint64_t steps = random.Uniform(30);
    for (std::uint64_t i = 0; i < steps; ++i) ASSERT_NO_FATAL_FAILURE(writer->Step());
    constexpr CrashMode kModes[] = {CrashMode::kKeepAll, CrashMode::kLoseAll, CrashMode::kSectors,
                                    CrashMode::kTorn, CrashMode::kTorn};
    std::unique_ptr<FaultEnv> after = env->Crash(kModes[random.Uniform(5)], random.Next());
    writer = std::make_unique<Writer>(std::move(*writer).After(*after));
    ASSERT_NO_FATAL_FAILURE(writer->Recover());
    env = std::move(after);
  }
}

TEST(FaultEnvPropertyTest, SyncedRecordsSurviveTenThousandCrashesAndTornOnesAreNeverGood) {
  const char* scale = std::getenv("TREFOIL_SCALE");
  const int histories = kHistories * (scale != nullptr ? std::atoi(scale) : 1);
  Random random(testing::TestSeed());
  for (int i = 0; i < histories; ++i) {
    const std::uint64_t seed = random.Next();
    ASSERT_NO_FATAL_FAILURE(RunHistory(seed)) << "history of seed " << seed;
  }
}

}  // namespace
}  // namespace trefoil
