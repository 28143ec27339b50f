// The replay of moves against a model that starts from nothing each time and knows rows as numbers.
#include "crdt/move_tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "schema/key_codec.h"
#include "tests/crdt/random_frame.h"
#include "tests/support/seed.h"

namespace trefoil::crdt {
namespace {

using testing::Below;
using testing::RandomEngine;
using testing::SiteNumber;

constexpr int kRows = 6;

struct RowMove {
  int row = 0;
  std::uint64_t length = 1;
  std::optional<int> parent = {};
};
struct Transaction {
  Stamp stamp;
  std::vector<RowMove> moves;  // of different rows
};

SiteTable ThreeSites() {
  SiteTable sites;
  // Ordinals in another order than the bytes.
  for (unsigned char number : {2, 3, 1}) sites.Add(SiteNumber(number));
  return sites;
}

std::string SubjectOf(int row) { return SubjectOfParent(Value::Int(row)); }

// What holds after all transactions: the parent of each row that ever moved.
std::map<int, std::optional<int>> Model(std::vector<Transaction> transactions,
                                        const SiteTable& sites) {
  std::ranges::sort(transactions, [&](const Transaction& a, const Transaction& b) {
    return std::tuple(a.stamp.time, sites.Of(a.stamp.site)) <
           std::tuple(b.stamp.time, sites.Of(b.stamp.site));
  });
  std::map<int, std::optional<int>> parents;
  std::map<int, std::uint64_t> lengths;
  const auto is_on_cycle = [&](int row) {
    std::optional<int> up = parents[row];
    for (int steps = 0; up && steps <= kRows; ++steps) {
      if (*up == row) return true;
      up = parents[*up];
    }
    return false;
  };
  for (const Transaction& transaction : transactions) {
    const auto before = parents;
    std::set<int> moved;
    for (const RowMove& move : transaction.moves) {
      const bool has_gone = move.length < lengths[move.row];
      lengths[move.row] = std::max(lengths[move.row], move.length);
      if (has_gone) continue;
      parents[move.row] = move.parent;
      moved.insert(move.row);
    }
    for (;;) {
      std::set<int> back;
      for (const int row : moved) {
        if (is_on_cycle(row)) back.insert(row);
      }
      if (back.empty()) break;
      for (const int row : back) {
        const auto found = before.find(row);
        parents[row] = found == before.end() ? std::nullopt : found->second;
        moved.erase(row);
      }
    }
  }
  return parents;
}

// A replica's stored facts, which take transactions in any order.
class Tree {
 public:
  explicit Tree(const SiteTable& sites) : sites_(sites) {}

  void Apply(std::span<const Transaction> batch) {
    std::optional<Stamp> start;
    for (const Transaction& transaction : batch) {
      for (const RowMove& move : transaction.moves) {
        const FactOp op = {.kind = MergeKind::kTree,
                           .causal_length = move.length,
                           .retracted = !move.parent,
                           .value = move.parent ? Value::Int(*move.parent) : Value()};
        FactState& fact = facts_[SubjectOf(move.row)];
        if (!MergeOp(fact, op, transaction.stamp, sites_)) continue;
        if (!start || CompareStamps(transaction.stamp, *start, sites_) < 0) {
          start = transaction.stamp;
        }
      }
    }
    if (start) Replay(*start);
  }

  std::optional<int> ParentOfRow(int row) const {
    const auto found = facts_.find(SubjectOf(row));
    const Move* last = found == facts_.end() ? nullptr : LastMove(found->second);
    if (last == nullptr || last->parent.is_null()) return std::nullopt;
    return static_cast<int>(last->parent.AsInt());
  }
  const std::map<std::string, FactState>& facts() const { return facts_; }

 private:
  // Only rows with a move from `start` on take part; the others are asked for.
  void Replay(const Stamp& start) {
    std::vector<MovedRow> rows;
    for (auto& [subject, fact] : facts_) {
      if (fact.moves.empty() || CompareStamps(fact.stamp, start, sites_) < 0) continue;
      rows.push_back({subject, &fact});
    }
    const auto parent_of = [&](Slice subject) -> Result<Value> {
      const auto found = facts_.find(subject.ToString());
      const Move* last = found == facts_.end() ? nullptr : LastMove(found->second);
      return last == nullptr ? Value() : last->parent;
    };
    ASSERT_TRUE(ReplayMoves(rows, start, parent_of, sites_));
  }

  const SiteTable& sites_;
  std::map<std::string, FactState> facts_;
};

std::vector<Transaction> RandomTransactions(RandomEngine& random) {
  std::map<std::pair<std::uint64_t, SiteOrdinal>, Transaction> by_stamp;
  const std::size_t count = 2 + Below(random, 12);
  for (std::size_t i = 0; i < count; ++i) {
    Transaction transaction;
    transaction.stamp = {.time = 1 + Below(random, 12),
                         .site = static_cast<SiteOrdinal>(Below(random, 3))};
    std::set<int> rows;
    for (std::size_t j = 1 + Below(random, 3); j > 0; --j) {
      rows.insert(static_cast<int>(Below(random, kRows)));
    }
    for (const int row : rows) {
      RowMove move = {.row = row, .length = Below(random, 6) == 0 ? 2 + Below(random, 2) : 1};
      if (Below(random, 5) != 0) move.parent = static_cast<int>(Below(random, kRows));
      transaction.moves.push_back(move);
    }
    by_stamp[{transaction.stamp.time, transaction.stamp.site}] = transaction;
  }
  std::vector<Transaction> transactions;
  for (auto& [stamp, transaction] : by_stamp) transactions.push_back(std::move(transaction));
  std::shuffle(transactions.begin(), transactions.end(), random);
  return transactions;
}

TEST(MoveTreeTest, IsTheReplayOfAllMovesWhateverTheOrderInWhichTheyArrive) {
  RandomEngine random(testing::TestSeed());
  const SiteTable sites = ThreeSites();
  const int rounds = static_cast<int>(5000 * testing::TestScale());
  for (int round = 0; round < rounds; ++round) {
    const std::vector<Transaction> all = RandomTransactions(random);
    Tree tree(sites);
    for (std::size_t first = 0; first < all.size();) {
      const std::size_t end = std::min(all.size(), first + 1 + Below(random, 3));
      tree.Apply(std::span(all).subspan(first, end - first));
      first = end;
      auto model = Model({all.begin(), all.begin() + static_cast<std::ptrdiff_t>(end)}, sites);
      for (int row = 0; row < kRows; ++row) {
        ASSERT_EQ(tree.ParentOfRow(row), model[row]) << "row " << row << " in round " << round;
      }
    }
    Tree at_once(sites);
    at_once.Apply(all);
    ASSERT_EQ(at_once.facts(), tree.facts()) << "round " << round;
  }
}

constexpr Stamp At(std::uint64_t time) { return {.time = time, .site = 0}; }

TEST(MoveTreeTest, OfTwoRowsMovedIntoEachOtherTheLaterStaysWhereItWas) {
  const SiteTable sites = ThreeSites();
  Tree tree(sites);
  const std::vector<Transaction> all = {{At(1), {{.row = 1, .parent = 0}, {.row = 2, .parent = 0}}},
                                        {At(3), {{.row = 2, .parent = 1}}},
                                        {At(2), {{.row = 1, .parent = 2}}}};
  for (const Transaction& transaction : all) tree.Apply(std::span(&transaction, 1));
  EXPECT_EQ(tree.ParentOfRow(1), 2);
  EXPECT_EQ(tree.ParentOfRow(2), 0);
}

TEST(MoveTreeTest, AnEarlierMoveThatArrivesLateMakesASkippedOneHold) {
  const SiteTable sites = ThreeSites();
  Tree tree(sites);
  const std::vector<Transaction> all = {{At(2), {{.row = 1, .parent = 2}}},
                                        {At(5), {{.row = 2, .parent = 1}}}};
  tree.Apply(all);
  ASSERT_EQ(tree.ParentOfRow(2), std::nullopt);
  const Transaction late = {At(3), {{.row = 1, .parent = 4}}};
  tree.Apply(std::span(&late, 1));
  EXPECT_EQ(tree.ParentOfRow(2), 1);
}

TEST(MoveTreeTest, RowsThatOneTransactionMovesChangePlacesAtOnce) {
  const SiteTable sites = ThreeSites();
  Tree tree(sites);
  const std::vector<Transaction> all = {{At(1), {{.row = 2, .parent = 1}}},
                                        {At(2), {{.row = 1, .parent = 2}, {.row = 2}}}};
  tree.Apply(all);
  EXPECT_EQ(tree.ParentOfRow(1), 2);
  EXPECT_EQ(tree.ParentOfRow(2), std::nullopt);
}

TEST(MoveTreeTest, ADeletionBeatsAConcurrentLaterMove) {
  const SiteTable sites = ThreeSites();
  Tree tree(sites);
  const std::vector<Transaction> all = {{At(3), {{.row = 1, .parent = 2}}},
                                        {At(2), {{.row = 1, .length = 2}}},
                                        {At(4), {{.row = 2, .parent = 1}}}};
  for (const Transaction& transaction : all) tree.Apply(std::span(&transaction, 1));
  EXPECT_EQ(tree.ParentOfRow(1), std::nullopt);
  EXPECT_EQ(tree.ParentOfRow(2), 1);
}

TEST(MoveTreeTest, AParentIsSeenOnlyInTheLifeInWhichItWasSet) {
  const SiteTable sites = ThreeSites();
  FactState fact;
  MergeOp(fact, {.kind = MergeKind::kTree, .value = Value::Int(7)}, At(1), sites);
  ShowParent(fact, 1);
  EXPECT_EQ(fact.value, Value::Int(7));
  ShowParent(fact, 2);
  EXPECT_TRUE(fact.retracted);
  ShowParent(fact, 3);
  EXPECT_TRUE(fact.value.is_null());
}

TEST(MoveTreeTest, AWriteOfAnotherKindLosesUnderAnyLengthAndInAnyOrder) {
  const SiteTable sites = ThreeSites();
  const FactOp move = {.kind = MergeKind::kTree, .value = Value::Int(7)};
  const FactOp other = {.causal_length = 3, .value = Value::Int(1)};
  FactState first;
  MergeOp(first, move, At(1), sites);
  MergeOp(first, other, At(2), sites);
  FactState second;
  MergeOp(second, other, At(2), sites);
  MergeOp(second, move, At(1), sites);
  EXPECT_EQ(first, second);
  EXPECT_EQ(first.kind, MergeKind::kTree);
}

// The form of a parent's key does not depend on the table.
TEST(MoveTreeTest, TheSubjectOfAParentIsTheKeyOfItsRow) {
  std::string key;
  schema::AppendKeyPart(key, {.kind = ValueKind::kText}, Value::Text("a"));
  EXPECT_EQ(SubjectOfParent(Value::Text("a")), key);
  schema::AppendKeyPart(key, {.kind = ValueKind::kInt}, Value::Int(4));
  EXPECT_EQ(SubjectOfParent(Value::Ref({Value::Text("a"), Value::Int(4)})), key);
  EXPECT_EQ(SubjectOfParent(Value()), "");
}

}  // namespace
}  // namespace trefoil::crdt
