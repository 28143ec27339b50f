#include "crdt/move_tree.h"

#include <algorithm>
#include <unordered_map>
#include <utility>
#include <vector>

#include "schema/key_codec.h"

namespace trefoil::crdt {

namespace {

// Rows by number, each with its parent, which is asked for once.
class Forest {
 public:
  static constexpr int kNone = -1;

  explicit Forest(ParentOf parent_of) : parent_of_(parent_of) {}

  int Add(const std::string& subject) {
    const auto [found, added] = numbers_.emplace(subject, static_cast<int>(nodes_.size()));
    if (added) nodes_.push_back({.subject = &found->first});
    return found->second;
  }
  int AddParent(const Value& parent) {
    return parent.is_null() ? kNone : Add(SubjectOfParent(parent));
  }
  void SetParent(int node, int parent) {
    nodes_[static_cast<std::size_t>(node)].parent = parent;
    nodes_[static_cast<std::size_t>(node)].is_known = true;
  }
  Result<int> Parent(int node) {
    const Node& asked = nodes_[static_cast<std::size_t>(node)];
    if (asked.is_known) return asked.parent;
    const Result<Value> parent = parent_of_(Slice(*asked.subject));
    if (!parent) return parent.error();
    SetParent(node, AddParent(*parent));
    return nodes_[static_cast<std::size_t>(node)].parent;
  }

  // Finds the nodes of the cycles that are reached from `starts`. Every node is walked over once.
  Status FindCycles(std::span<const int> starts) {
    walks_before_ = walk_;
    for (const int start : starts) {
      ++walk_;
      int node = start;
      while (node != kNone && WalkOf(node) <= walks_before_) {
        WalkOf(node) = walk_;
        Result<int> parent = Parent(node);
        if (!parent) return std::move(parent).error();
        node = *parent;
      }
      if (node == kNone || WalkOf(node) != walk_) continue;
      for (int member = node; !IsOnCycle(member);) {
        Node& on_cycle = nodes_[static_cast<std::size_t>(member)];
        on_cycle.cycle = walk_;
        member = on_cycle.parent;
      }
    }
    return Ok();
  }
  // Whether the last FindCycles found the node.
  bool IsOnCycle(int node) const {
    return nodes_[static_cast<std::size_t>(node)].cycle > walks_before_;
  }

 private:
  struct Node {
    const std::string* subject;  // the key in numbers_
    int parent = kNone;
    bool is_known = false;
    std::uint64_t walk = 0;   // the last one that came by
    std::uint64_t cycle = 0;  // the last one that found it on a cycle
  };
  std::uint64_t& WalkOf(int node) { return nodes_[static_cast<std::size_t>(node)].walk; }

  ParentOf parent_of_;
  std::unordered_map<std::string, int> numbers_;
  std::vector<Node> nodes_;
  std::uint64_t walk_ = 0;          // each has a number
  std::uint64_t walks_before_ = 0;  // the last FindCycles
};

// A move that is done again.
struct Replayed {
  Move* move = nullptr;
  int node = 0;
  int former = Forest::kNone;  // the parent before it
};

// Does the moves of one transaction.
Status MoveTogether(std::span<Replayed> moves, Forest& forest) {
  std::vector<int> moved;
  for (Replayed& replayed : moves) {
    if (replayed.move->skipped) continue;
    Result<int> former = forest.Parent(replayed.node);
    if (!former) return std::move(former).error();
    replayed.former = *former;
    forest.SetParent(replayed.node, forest.AddParent(replayed.move->parent));
    moved.push_back(replayed.node);
  }
  for (bool more = true; more;) {
    more = false;
    if (Status found = forest.FindCycles(moved); !found) return found;
    for (Replayed& replayed : moves) {
      if (replayed.move->skipped || !forest.IsOnCycle(replayed.node)) continue;
      replayed.move->skipped = true;
      forest.SetParent(replayed.node, replayed.former);
      more = true;
    }
  }
  return Ok();
}

// Enters the row as it was before `start`, and adds its moves from then on. Those that its own log
// overrules are skipped already.
void EnterRow(const MovedRow& row, const Stamp& start, const SiteTable& sites, Forest& forest,
              std::vector<Replayed>* replayed) {
  const int node = forest.Add(row.subject);
  const Value none;
  const Value* parent = &none;
  std::uint64_t length = 0;
  for (Move& move : row.fact->moves) {
    if (CompareStamps(move.stamp, start, sites) >= 0) {
      move.skipped = move.causal_length < length;
      replayed->push_back({.move = &move, .node = node});
    } else if (!move.skipped) {
      parent = &move.parent;
    }
    length = std::max(length, move.causal_length);
  }
  forest.SetParent(node, forest.AddParent(*parent));
}

}  // namespace

std::string SubjectOfParent(const Value& parent) {
  std::string subject;
  if (parent.is_null()) return subject;
  const std::span<const Value> key =
      parent.kind() == ValueKind::kRef ? parent.items() : std::span(&parent, 1);
  for (const Value& field : key) schema::AppendKeyPart(subject, {.kind = field.kind()}, field);
  return subject;
}

Status ReplayMoves(std::span<const MovedRow> rows, const Stamp& start, ParentOf parent_of,
                   const SiteTable& sites) {
  Forest forest(parent_of);
  std::vector<Replayed> replayed;
  for (const MovedRow& row : rows) EnterRow(row, start, sites, forest, &replayed);
  std::ranges::stable_sort(replayed, [&](const Replayed& a, const Replayed& b) {
    return CompareStamps(a.move->stamp, b.move->stamp, sites) < 0;
  });
  const std::span<Replayed> all(replayed);
  for (std::size_t first = 0; first < all.size();) {
    std::size_t end = first + 1;
    while (end < all.size() && all[end].move->stamp == all[first].move->stamp) ++end;
    if (Status moved = MoveTogether(all.subspan(first, end - first), forest); !moved) return moved;
    first = end;
  }
  return Ok();
}

}  // namespace trefoil::crdt
