#include "dataflow/batch.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

#include "tests/support/random_value.h"
#include "tests/support/seed.h"

namespace trefoil::dataflow {
namespace {

Value Int(std::uint64_t number) { return Value::Int(static_cast<std::int64_t>(number)); }

// Rows with weights, consolidated by a map.
using Content = std::map<Row, Weight>;

void Add(const Row& row, Weight weight, Batch& batch, Content& content) {
  batch.Add(row, weight);
  if ((content[row] += weight) == 0) content.erase(row);
}

void ExpectContent(const Batch& batch, const Content& content) {
  EXPECT_TRUE(batch.IsConsolidated());
  Content found;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    found[Row(batch.row(i).begin(), batch.row(i).end())] = batch.weight(i);
  }
  EXPECT_EQ(found, content);
}

// Sizes around the border between small and large, rows of every shape that sorting tells apart.
TEST(BatchTest, ConsolidatesWhatAMapConsolidates) {
  std::mt19937_64 random(testing::TestSeed());
  for (int round = 0; round < 300 * testing::TestScale(); ++round) {
    const std::size_t width = random() % 4;
    const std::uint64_t kinds = random() % 4;
    const std::uint64_t range = 1 + random() % 40;
    Batch batch(width);
    Content content;
    for (std::uint64_t rows = random() % (round % 5 == 0 ? 400 : 40); rows > 0; --rows) {
      Row row;
      for (std::size_t i = 0; i < width; ++i) {
        // INT everywhere, only in front, only behind, nowhere.
        const bool is_int = kinds == 0 || (kinds == 1 && i == 0) || (kinds == 2 && i > 0);
        row.push_back(is_int ? Int(random() % range)
                             : testing::RandomValue(random, ValueKind::kNull));
      }
      Add(row, random() % 2 == 0 ? 1 : -1, batch, content);
    }
    batch.Consolidate();
    ExpectContent(batch, content);
    // Again, with the buffers of the first time.
    batch.Consolidate();
    ExpectContent(batch, content);
  }
}

// Ascending keys, each old row beside its new one: what a commit of many updates looks like.
TEST(BatchTest, ConsolidatesACommitOfUpdates) {
  std::mt19937_64 random(testing::TestSeed());
  Batch batch(3);
  Content content;
  for (int step = 0; step < 3; ++step) {
    batch.Clear();
    content.clear();
    for (std::uint64_t key = 0; key < 1000; ++key) {
      Add({Int(key), Int(random() % 5), Value::Text("a title that is shared")}, -1, batch, content);
      Add({Int(key), Int(random() % 5), Value::Text("a title that is shared")}, 1, batch, content);
    }
    batch.Consolidate();
    ExpectContent(batch, content);
    EXPECT_LT(batch.size(), 2000U) << "some updates cancel";
  }
}

}  // namespace
}  // namespace trefoil::dataflow
