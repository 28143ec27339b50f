// What a replica that never met another one leaves in the store, beside one that merges all of it.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "lsm/store.h"
#include "schema/keys.h"
#include "tests/support/random_value.h"
#include "tests/support/replica.h"
#include "tests/support/seed.h"

namespace trefoil::testing {
namespace {

// The keys of all facts, marks of retractions included.
std::vector<std::string> FactKeys(Replica& replica) {
  const lsm::Store& store = replica.engine().store();
  const std::string prefix(1, schema::kFactSpace);
  const std::unique_ptr<lsm::Iterator> facts = store.NewIterator(
      {.start = prefix, .limit = schema::PrefixLimit(prefix)}, store.GetSnapshot());
  std::vector<std::string> keys;
  for (facts->SeekToFirst(); facts->Valid(); facts->Next()) keys.push_back(facts->key().ToString());
  return keys;
}

// Edits few rows, so that most are deleted and come back several times.
void EditRandomly(Replica& replica, RandomEngine& random, std::size_t columns) {
  const auto id = static_cast<std::int64_t>(1 + Below(random, 6));
  const std::uint64_t last = columns - 1;
  const auto column = static_cast<Column>(kName + Below(random, last));
  switch (Below(random, 6)) {
    case 0:
      replica.Insert(id);
      break;
    case 1:
      replica.Delete(id);
      break;
    case 2:
      if (column == kHigh || column == kLow) break;  // which never become NULL
      replica.Update(id, {{.attribute = AttributeId{column}, .value = Value()}});
      break;
    default:
      replica.Set(id, column, static_cast<std::int64_t>(Below(random, 100)));
      break;
  }
}

class LoneReplicaTest : public ::testing::TestWithParam<Column> {};

TEST_P(LoneReplicaTest, LeavesOfDeletedRowsWhatTheMergeOfItsTransactionsLeaves) {
  const std::uint64_t seed = TestSeed();
  RandomEngine random(seed);
  const int rounds = static_cast<int>(8 * TestScale());
  for (int round = 0; round < rounds; ++round) {
    Replica lone(seed + static_cast<std::uint64_t>(round));
    lone.DeclareTable(GetParam());
    for (int i = 0; i < 200; ++i) {
      EditRandomly(lone, random, lone.columns());
      // Columns leave with their facts, and come back.
      if (Below(random, 20) == 0) lone.DeclareTable(kB + Below(random, GetParam() - kB + 1));
      if (Below(random, 50) == 0) lone.Reopen();
    }
    Replica other(seed + 1'000'000 + static_cast<std::uint64_t>(round));
    other.Merge(lone.Changes());
    ASSERT_EQ(lone.Hex(), other.Hex());
    ASSERT_EQ(FactKeys(lone), FactKeys(other));
    EXPECT_TRUE(lone.database().Check()->problems.empty());
  }
}

// With columns that are one fact each, and with a SET and a tree.
INSTANTIATE_TEST_SUITE_P(Columns, LoneReplicaTest, ::testing::Values(kCount, kUp));

}  // namespace
}  // namespace trefoil::testing
