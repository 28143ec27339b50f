#include "dataflow/batch.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
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

// Texts that differ behind their first bytes, in zeros or in length alone.
Value TextLike(std::uint64_t number) {
  std::string text = number % 2 == 0 ? "abcdef" : "abcde";
  text.append(number / 2 % 4, number % 3 == 0 ? '\0' : '\xff');
  return Value::Text(text + (number % 5 == 0 ? "z" : ""));
}

Value CellOf(std::uint64_t kind, std::uint64_t range, std::mt19937_64& random) {
  const std::uint64_t number = random() % range;
  switch (kind) {
    case 0:
      return Value::Int(static_cast<std::int64_t>(number) - 20);
    case 1:
      return Value::Timestamp(static_cast<std::int64_t>(number) - 20);
    case 2:
      return Value::Text(std::string(number % 8, 'a'));
    case 3:
      return TextLike(number);
    default:
      return testing::RandomValue(random, ValueKind::kNull);
  }
}

// Sizes around the border between small and large, rows of every shape that sorting tells apart.
TEST(BatchTest, ConsolidatesWhatAMapConsolidates) {
  std::mt19937_64 random(testing::TestSeed());
  for (int round = 0; round < 300 * testing::TestScale(); ++round) {
    const std::size_t width = random() % 4;
    std::vector<std::uint64_t> kinds(width);
    for (std::uint64_t& kind : kinds) kind = random() % 5;
    const std::uint64_t range = 1 + random() % 40;
    Batch batch(width);
    Content content;
    for (std::uint64_t rows = random() % (round % 5 == 0 ? 400 : 40); rows > 0; --rows) {
      Row row;
      for (std::size_t i = 0; i < width; ++i) {
        row.push_back(CellOf(kinds[i], range, random));
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
