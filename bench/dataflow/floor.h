// The floor under the dataflow suite: Q1 to Q7 written by hand for exactly these queries, with
// plain hash maps and ordered sets, no generality and no store. It says what the machine allows.
//
// Each query counts the rows that enter or leave its answer, as a subscriber would receive them.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "dataflow/operator.h"

namespace trefoil::bench {

// The first `limit` of an ordered set; tells how many rows a change moves in or out.
class FloorWindow {
 public:
  using Key = std::pair<std::int64_t, std::int64_t>;  // minus the sort column, id

  explicit FloorWindow(std::size_t limit) : limit_(limit) {}
  std::uint64_t Insert(const Key& key);
  std::uint64_t Erase(const Key& key);

 private:
  std::size_t limit_;
  std::set<Key> keys_;
  std::set<Key>::iterator last_;  // of the window, if size_ > 0
  std::size_t size_ = 0;          // of the window
};

class Floor {
 public:
  // One commit. Returns how many rows of answers changed.
  std::uint64_t Apply(std::span<const dataflow::TypeChange> changes);

 private:
  struct Load {
    std::int64_t count = 0;
    std::int64_t sum = 0;
    std::set<std::pair<std::int64_t, std::int64_t>> modified;
  };
  struct IssueState {
    bool is_there = false;
    bool is_bug = false;
    std::int64_t comments = 0;
    FloorWindow newest_comments{3};
  };

  std::uint64_t ApplyIssue(dataflow::RowView row, bool enters);
  std::uint64_t ApplyLabel(dataflow::RowView row, bool enters);
  std::uint64_t ApplyComment(dataflow::RowView row, bool enters);
  std::uint64_t Move(FloorWindow& window, const FloorWindow::Key& key, bool enters) {
    return enters ? window.Insert(key) : window.Erase(key);
  }
  // Q5 before or after a change.
  static bool IsSilentBug(const IssueState& issue) {
    return issue.is_there && issue.is_bug && issue.comments == 0;
  }

  std::vector<std::int64_t> team_of_user_;
  std::unordered_map<std::int64_t, std::int64_t> urgent_;  // Q1: id -> modified
  FloorWindow newest_urgent_{50};                          // Q2
  std::int64_t counts_[5][64] = {};                        // Q3
  FloorWindow newest_of_team_{100};                        // Q4
  std::unordered_map<std::int64_t, IssueState> issues_;    // Q5, Q6
  FloorWindow newest_of_project_{20};                      // Q6
  std::unordered_map<std::int64_t, Load> loads_;           // Q7
};

}  // namespace trefoil::bench
