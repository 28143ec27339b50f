// The issue-tracker workload: tables, indexes, seeded rows, and transactions. The same seed gives
// the same history for whoever runs it.
#pragma once

#include <cstdint>
#include <random>
#include <string_view>
#include <vector>

#include "bench/dataflow/memory_source.h"

namespace trefoil::bench {

constexpr TypeId kUser{1};
constexpr TypeId kProject{2};
constexpr TypeId kLabel{3};
constexpr TypeId kIssue{4};
constexpr TypeId kIssueLabel{5};
constexpr TypeId kComment{6};

constexpr IndexId kIssueByStatus{1};    // status, modified desc
constexpr IndexId kIssueByProject{2};   // project, modified desc
constexpr IndexId kIssueByCreated{3};   // created desc
constexpr IndexId kIssueByAssignee{4};  // assignee, modified desc
constexpr IndexId kLabelIssues{5};      // label, issue
constexpr IndexId kIssueComments{6};    // issue, created desc

// Positions of the columns; attribute number = position + 1.
enum IssueColumn : std::uint32_t {
  kIssueId,
  kTitle,
  kCreator,
  kAssignee,
  kIssueProject,
  kStatus,
  kPriority,
  kCreated,
  kModified,
  kEstimate,
  kIssueWidth,
};

constexpr std::int64_t kProjects = 50;
constexpr std::int64_t kLabels = 20;
constexpr std::int64_t kBug = 0;  // a label
constexpr std::int64_t kTeams = 10;
// status 0 is open, one in five.
constexpr std::int64_t kOpen = 0;

class Tracker {
 public:
  Tracker(std::int64_t issues, std::uint64_t seed);

  MemorySource& source() { return source_; }
  std::int64_t users() const { return users_; }

  // Each prepares one commit in the source: 70 % U1, 15 % U2, 10 % U3, 5 % U4.
  void PrepareTransaction();
  void ChangeIssue();            // U1
  void AddComment();             // U2
  void AddIssue();               // U3
  void DeleteIssue();            // U4
  void ChangeIssues(int count);  // U5: 1,000 rows in one transaction

 private:
  std::int64_t Below(std::int64_t limit) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(limit));
  }
  void Declare();
  void PutIssue(std::int64_t id);
  void PutComment(std::int64_t issue);

  std::mt19937_64 random_;
  std::int64_t users_;
  MemorySource source_;
  std::vector<std::int64_t> issues_;  // that are there
  std::int64_t next_issue_ = 0;
  std::int64_t next_comment_ = 0;
  std::int64_t clock_ = 0;
};

}  // namespace trefoil::bench
