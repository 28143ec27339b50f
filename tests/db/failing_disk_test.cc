// Commits on a disk that fails: one that is refused is not there, and one that is there is told.
#include <gtest/gtest.h>

#include <string>

#include "base/env_fault.h"
#include "base/str_cat.h"
#include "trefoil/change.h"
#include "trefoil/database.h"

namespace trefoil {
namespace {

constexpr int kCommitsMax = 1000;

// The error with which the first of many commits is refused while every sync of the manifest fails.
Error FirstRefusal(FaultEnv& env) {
  Options options;
  options.env = &env;
  options.memtable_bytes = 64 << 10;
  Result<Database> database = Database::Open("db", options);
  EXPECT_TRUE(database && database->Execute("TABLE item (id INT KEY, text TEXT)"));
  const Result<Query> query = database->Prepare("SELECT count(*) AS n FROM item");
  const Result<Subscription> live = database->Watch(*query, {}, [](const Change&) {});
  EXPECT_TRUE(live);
  env.Inject({.operation = FileOperation::kSync, .path_part = ".man", .times = Fault::kForever});
  for (int id = 0; id < kCommitsMax; ++id) {
    const Result<ExecuteSummary> inserted = database->Execute(
        StrCat("INSERT INTO item VALUES (", id, ", '", std::string(1000, 'x'), "')"));
    const int rows = inserted ? id + 1 : id;
    const Result<Rows> told = live->Current();
    const Result<Rows> fresh = database->snapshot().Run(*query);
    EXPECT_EQ((*fresh)[0][0].AsInt(), rows);
    EXPECT_EQ((*told)[0][0].AsInt(), rows);
    if (!inserted) return inserted.error();
  }
  return Error{.code = ErrorCode::kLimit, .message = "no commit was refused"};
}

TEST(FailingDiskTest, ACommitIsToldThoughTheWorkBehindItFails) {
  FaultEnv env({.seed = 1});
  const Error refused = FirstRefusal(env);
  EXPECT_EQ(refused.code, ErrorCode::kPoisoned) << ToString(refused);
}

}  // namespace
}  // namespace trefoil
