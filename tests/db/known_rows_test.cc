#include "db/known_rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/support/random_value.h"
#include "tests/support/seed.h"
#include "trefoil/changeset.h"
#include "trefoil/database.h"

namespace trefoil::db {
namespace {

using testing::Below;
using testing::RandomEngine;

TEST(KnownRowsTest, ARowIsKnownFromTheVersionOnAtWhichItWasSeen) {
  KnownRows rows;
  EXPECT_FALSE(rows.Has("a", Version{5}));
  rows.Add("a", Version{5});
  EXPECT_TRUE(rows.Has("a", Version{5}));
  EXPECT_TRUE(rows.Has("a", Version{9}));
  EXPECT_FALSE(rows.Has("a", Version{4}));
  EXPECT_FALSE(rows.Has("b", Version{9}));
  EXPECT_FALSE(rows.Has("", Version{9}));
}

TEST(KnownRowsTest, WhatWasSeenBeforeADeletionIsNotAddedAfterIt) {
  KnownRows rows;
  rows.Add("a", Version{5});
  rows.Add("b", Version{5});
  rows.Remove("a", Version{6});
  EXPECT_FALSE(rows.Has("a", Version{6}));
  EXPECT_TRUE(rows.Has("b", Version{6}));
  rows.Add("a", Version{5});
  EXPECT_FALSE(rows.Has("a", Version{6}));
  rows.Add("a", Version{6});  // it is back
  EXPECT_TRUE(rows.Has("a", Version{6}));
}

TEST(KnownRowsTest, ACommitThatMayDeleteAnyRowMakesAllUnknown) {
  KnownRows rows;
  rows.Add("a", Version{5});
  rows.ForgetAll(Version{6});
  EXPECT_FALSE(rows.Has("a", Version{7}));
  rows.Add("a", Version{5});
  EXPECT_FALSE(rows.Has("a", Version{7}));
  rows.Add("a", Version{6});
  EXPECT_TRUE(rows.Has("a", Version{7}));
}

TEST(KnownRowsTest, LongKeysAndTheOldestOfManyAreNotHeld) {
  KnownRows rows;
  const std::string longest(KnownRows::kKeyBytesMax, 'k');
  const std::string longer = longest + "k";
  rows.Add(Slice(longest), Version{1});
  EXPECT_TRUE(rows.Has(Slice(longest), Version{1}));
  rows.Add(Slice(longer), Version{1});
  EXPECT_FALSE(rows.Has(Slice(longer), Version{1}));
  std::vector<std::string> keys;
  for (int i = 0; i < 100'000; ++i) keys.push_back(std::to_string(i));
  for (const std::string& key : keys) rows.Add(Slice(key), Version{2});
  const auto is_known = [&](const std::string& key) { return rows.Has(Slice(key), Version{2}); };
  EXPECT_LT(std::ranges::count_if(keys, is_known), std::ssize(keys) / 10);
  EXPECT_TRUE(is_known(keys.back()));
}

TEST(KnownRowsTest, AnEndIsRaisedByWhatIsWritten) {
  KnownRows rows;
  const TypeId type{7};
  EXPECT_FALSE(rows.IsBehindEnd(type, "b"));
  rows.LearnEnd(type, "b", Version{5});
  EXPECT_EQ(rows.IsBehindEnd(type, "b"), false);
  EXPECT_EQ(rows.IsBehindEnd(type, "c"), true);
  rows.RaiseEnd(type, "d", Version{6});
  rows.RaiseEnd(type, "c", Version{7});
  EXPECT_EQ(rows.IsBehindEnd(type, "d"), false);
  EXPECT_EQ(rows.IsBehindEnd(type, "e"), true);
  EXPECT_FALSE(rows.IsBehindEnd(TypeId{8}, "e"));
}

TEST(KnownRowsTest, AnEndThatWasSeenBeforeAnUnseenRowIsNotTaken) {
  KnownRows rows;
  const TypeId type{7};
  rows.RaiseEnd(type, "d", Version{6});
  rows.LearnEnd(type, "b", Version{5});
  EXPECT_FALSE(rows.IsBehindEnd(type, "c"));
  rows.LearnEnd(type, "d", Version{6});
  EXPECT_EQ(rows.IsBehindEnd(type, "e"), true);
  rows.ForgetAll(Version{7});
  EXPECT_FALSE(rows.IsBehindEnd(type, "e"));
  rows.LearnEnd(type, "d", Version{6});
  EXPECT_FALSE(rows.IsBehindEnd(type, "e"));
}

constexpr std::int64_t kParents = 6;

Database TwoTables() {
  Database database = *Database::Open(":memory:");
  EXPECT_TRUE(
      database.Execute("TABLE parent (id INT KEY); TABLE child (id INT KEY, under REF parent)"));
  return database;
}

using Failure = std::optional<ErrorCode>;

Failure FailureOf(const Result<CommitInfo>& committed) {
  return committed ? Failure() : committed.error().code;
}

// Which parents are there is known to this test as well.
class References {
 public:
  explicit References(RandomEngine& random) : random_(random) {}

  void Step() {
    switch (Below(random_, 6)) {
      case 0:
        return Change(database_);
      case 1:
        return MergeAChange();
      case 2:
        return ReferBesideAChange();
      default:
        return Refer();
    }
  }

 private:
  std::int64_t AnyParent() { return static_cast<std::int64_t>(Below(random_, kParents)); }

  // Adds a parent, or deletes it.
  void Change(Database& database) {
    const Value parent = Value::Int(AnyParent());
    const bool was_there = parents_.erase(parent.AsInt()) > 0;
    if (!was_there) parents_.insert(parent.AsInt());
    ASSERT_TRUE(database.Write([&](Transaction& t) -> Status {
      if (was_there) return t.Delete("parent", std::span(&parent, 1)) ? Ok() : NotThere();
      return t.Insert("parent", {{"id", parent}}) ? Ok() : NotThere();
    }));
  }
  static Status NotThere() { return Error{.code = ErrorCode::kNotFound, .message = "a parent"}; }

  // The other replica, which knows all, changes one of ours.
  void MergeAChange() {
    ASSERT_TRUE(other_.Merge(*database_.Changes(other_.version_vector())));
    Change(other_);
    ASSERT_TRUE(database_.Merge(*other_.Changes(database_.version_vector())));
  }

  void PutChild(Transaction& transaction, std::int64_t parent) {
    const Value id = Value::Int(++children_);
    ASSERT_TRUE(transaction.Insert("child", {{"id", id}, {"under", Value::Int(parent)}}));
  }

  void Refer() {
    const std::int64_t parent = AnyParent();
    Transaction transaction = database_.Begin();
    PutChild(transaction, parent);
    // Its own deletion counts as well.
    const Value key = Value::Int(parent);
    const bool deletes = Below(random_, 8) == 0;
    if (deletes) {
      ASSERT_TRUE(transaction.Delete("parent", std::span(&key, 1)));
    }
    const bool there = parents_.contains(parent) && !deletes;
    EXPECT_EQ(FailureOf(transaction.Commit()), there ? Failure() : ErrorCode::kReferenceViolation);
  }

  void ReferBesideAChange() {
    const std::int64_t parent = AnyParent();
    const bool was_there = parents_.contains(parent);
    Transaction transaction = database_.Begin();
    PutChild(transaction, parent);
    Change(database_);
    const bool changed = was_there != parents_.contains(parent);
    const Failure expected = !was_there ? Failure(ErrorCode::kReferenceViolation)
                             : changed  ? Failure(ErrorCode::kConflict)
                                        : Failure();
    EXPECT_EQ(FailureOf(transaction.Commit()), expected);
  }

  RandomEngine& random_;
  Database database_ = TwoTables();
  Database other_ = *Database::Open(":memory:");
  std::set<std::int64_t> parents_;
  std::int64_t children_ = 0;
};

// Which rows are there is known to this test as well. Keys mostly ascend.
class Keys {
 public:
  explicit Keys(RandomEngine& random) : random_(random) {}

  void Step() {
    switch (Below(random_, 6)) {
      case 0:
        return Delete();
      case 1:
        return MergeARow();
      case 2:
        return InsertBesideAnother();
      default:
        return Insert(database_, AnyId());
    }
  }

 private:
  std::int64_t AnyId() {
    end_ += static_cast<std::int64_t>(Below(random_, 2));
    return end_ + 2 - static_cast<std::int64_t>(Below(random_, 6));
  }

  static Result<CommitInfo> InsertInto(Database& database, std::int64_t id) {
    return database.Write([&](Transaction& t) -> Status {
      Result<std::vector<Value>> key = t.Insert("parent", {{"id", Value::Int(id)}});
      return key ? Ok() : Status(std::move(key).error());
    });
  }
  void Insert(Database& database, std::int64_t id) {
    const bool is_new = ids_.insert(id).second;
    EXPECT_EQ(FailureOf(InsertInto(database, id)), is_new ? Failure() : ErrorCode::kDuplicateKey);
  }
  void Delete() {
    const std::int64_t id = AnyId();
    const Value key = Value::Int(id);
    ASSERT_TRUE(database_.Write([&](Transaction& t) -> Status {
      const Result<bool> deleted = t.Delete("parent", std::span(&key, 1));
      EXPECT_EQ(*deleted, ids_.erase(id) > 0);
      return Ok();
    }));
  }
  void MergeARow() {
    ASSERT_TRUE(other_.Merge(*database_.Changes(other_.version_vector())));
    Insert(other_, AnyId());
    ASSERT_TRUE(database_.Merge(*other_.Changes(database_.version_vector())));
  }
  void InsertBesideAnother() {
    const std::int64_t id = AnyId();
    const bool was_there = ids_.contains(id);
    Transaction transaction = database_.Begin();
    const std::int64_t other = AnyId();
    Insert(database_, other);
    const Result<std::vector<Value>> key = transaction.Insert("parent", {{"id", Value::Int(id)}});
    EXPECT_EQ(key.has_value(), !was_there);
    if (was_there) return;
    EXPECT_FALSE(transaction.Insert("parent", {{"id", Value::Int(id)}}));
    EXPECT_EQ(FailureOf(transaction.Commit()), id == other ? ErrorCode::kConflict : Failure());
    ids_.insert(id);
  }

  RandomEngine& random_;
  Database database_ = TwoTables();
  Database other_ = *Database::Open(":memory:");
  std::set<std::int64_t> ids_;
  std::int64_t end_ = 0;
};

template <typename History>
void RunHistories() {
  const std::uint64_t seed = testing::TestSeed();
  RandomEngine random(seed);
  const int rounds = static_cast<int>(10 * testing::TestScale());
  for (int round = 0; round < rounds && !::testing::Test::HasFailure(); ++round) {
    History history(random);
    for (int step = 0; step < 200; ++step) history.Step();
  }
}

TEST(KnownRowsTest, AReferenceIsGoodExactlyWhenItsRowIsThere) { RunHistories<References>(); }
TEST(KnownRowsTest, AKeyIsTakenExactlyWhenItsRowIsThere) { RunHistories<Keys>(); }

}  // namespace
}  // namespace trefoil::db
