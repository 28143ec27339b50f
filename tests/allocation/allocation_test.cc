// Memory that runs out (docs/decisions/0090-failed-allocations.md): the n-th allocation of opening,
// committing and querying fails, for every n. The process then ends, with the message of the C++
// library and SIGABRT, and never goes on with half of something; what it acknowledged is there when
// the database is opened again, and the database is whole.
//
// This program replaces operator new (failing_new.h), which is why it is one of its own.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>

#include "base/str_cat.h"
#include "tests/allocation/failing_new.h"
#include "trefoil/database.h"

namespace trefoil::testing {
namespace {

// Every failure of the first ones, then ever fewer: the later look like each other.
constexpr std::int64_t kEach = 24;
constexpr double kStride = 1.3;
// Exit codes of work that ended well: no allocation failed, or one that it did without.
constexpr int kNoFailure = 7;
constexpr int kWentOn = 8;
constexpr int kRefused = 9;  // it ended with an error

class AllocationTest : public ::testing::Test {
 protected:
  AllocationTest() : folder_(StrCat(::testing::TempDir(), "allocation_", ::getpid())) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    Result<Database> database = Database::Open(Path());
    EXPECT_TRUE(database &&
                database->Execute("TABLE item (id INT KEY, size INT INDEX, text TEXT)"));
    for (int id = 1; id <= kRows; ++id) EXPECT_TRUE(database->Execute(InsertOf(id)));
  }
  ~AllocationTest() override { std::filesystem::remove_all(folder_); }

  std::string Path() const { return folder_ + "/db"; }
  static std::string InsertOf(int id) {
    return StrCat("INSERT INTO item {id: ", id, ", size: ", id % 7,
                  ", text: 'a text that is longer than a value holds inside'}");
  }

  // Runs `work` in a child whose n-th allocation from `arm` on fails; the status of its end.
  using Work = std::function<bool(const std::string& path, const std::function<void()>& arm)>;
  int RunWith(std::int64_t n, const Work& work) const {
    const pid_t child = ::fork();
    if (child == 0) {
      // What the C++ library says is expected here, and no news.
      if (std::freopen((folder_ + "/stderr").c_str(), "w", stderr) == nullptr) ::_exit(1);
      RunChild(n, work);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return status;
  }
  [[noreturn]] void RunChild(std::int64_t n, const Work& work) const noexcept {
    const bool done = work(Path(), [n] { FailAllocation(n); });
    const bool failed = AllocationFailed();
    ::_exit(!done ? kRefused : failed ? kWentOn : kNoFailure);
  }

  // Fails ever later allocations of `work` until none fails; looks at the database after each.
  void FailEach(const Work& work, const std::function<void(const Database&)>& look) {
    int ends = 0;
    for (std::int64_t n = 0;; n = n < kEach ? n + 1 : static_cast<std::int64_t>(n * kStride)) {
      const int status = RunWith(n, work);
      {
        const Result<Database> database = Database::Open(Path());
        ASSERT_TRUE(database) << "allocation " << n << ": " << ToString(database.error());
        const Result<CheckReport> report = database->Check();
        ASSERT_TRUE(report);
        ASSERT_EQ(report->problems, std::vector<std::string>()) << "allocation " << n;
        look(*database);
      }
      if (WIFEXITED(status) && WEXITSTATUS(status) == kNoFailure) break;
      // Sorting asks for memory that it can do without.
      if (WIFEXITED(status) && WEXITSTATUS(status) == kWentOn) continue;
      ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT)
          << "allocation " << n << ": exit " << WEXITSTATUS(status);
      ++ends;
    }
    std::printf("%d allocations failed, and the database was whole after each\n", ends);
    EXPECT_GT(ends, 20);
  }

  static std::int64_t CountRows(const Database& database) {
    const Result<Query> query = database.Prepare("SELECT count(*) AS n FROM item");
    const Result<Rows> rows = database.snapshot().Run(*query);
    return rows ? (*rows)[0][0].AsInt() : -1;
  }

  static constexpr int kRows = 50;
  const std::string folder_;
};

TEST_F(AllocationTest, InOpenEndsTheProcessAndLeavesTheDatabaseWhole) {
  FailEach(
      [](const std::string& path, const std::function<void()>& arm) {
        arm();
        return Database::Open(path).has_value();
      },
      [](const Database& database) { ASSERT_EQ(CountRows(database), kRows); });
}

TEST_F(AllocationTest, InACommitKeepsWhatWasAcknowledgedAndNothingInParts) {
  int next = kRows;
  FailEach(
      [&next](const std::string& path, const std::function<void()>& arm) {
        Result<Database> database = Database::Open(path);
        if (!database || !database->Execute(InsertOf(next + 1))) return false;
        arm();
        return database
            ->Execute(StrCat("BEGIN; ", InsertOf(next + 2), "; ", InsertOf(next + 3), "; COMMIT"))
            .has_value();
      },
      [&next](const Database& database) {
        const std::int64_t rows = CountRows(database);
        // The acknowledged one is there; the two of the transaction are there or not.
        ASSERT_TRUE(rows == next + 1 || rows == next + 3) << rows << " rows after " << next;
        next = static_cast<int>(rows);
      });
}

TEST_F(AllocationTest, InAQueryAndALiveQueryChangesNothing) {
  FailEach(
      [](const std::string& path, const std::function<void()>& arm) {
        Result<Database> database = Database::Open(path);
        if (!database) return false;
        arm();
        const Result<Query> query = database->Prepare(
            "SELECT size, count(*) AS n, max(text) AS t FROM item GROUP BY size ORDER BY n DESC");
        if (!query) return false;
        const Result<Subscription> live = database->Watch(*query, {}, [](const Change&) {});
        return live && database->snapshot().Run(*query).has_value();
      },
      [](const Database& database) { ASSERT_EQ(CountRows(database), kRows); });
}

}  // namespace
}  // namespace trefoil::testing
