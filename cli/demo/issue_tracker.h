// The issue-tracker workload: one definition for the demo and the benchmarks. S issues with users,
// projects, labels and comments; seven queries; four kinds of small transactions and one large.
// Everything is a function of the scale and the seed.
//
//   user(id, name, team)  project(id, name)  label(id, name)
//   issue(id, title, creator, assignee, project, status, priority, created, modified, estimate)
//   issue_label(issue, label)  comment(id, issue, author, created, body)
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "trefoil/database.h"

namespace trefoil::cli {

struct NamedQuery {
  std::string_view name;
  std::string_view treesql;
};

class IssueTracker {
 public:
  static constexpr int kProjects = 50;
  static constexpr int kLabels = 20;
  static constexpr int kTeams = 10;

  // `first_id` keeps the rows that replicas add apart.
  IssueTracker(std::int64_t issues, std::uint64_t seed, std::int64_t first_id = 0);

  static std::string_view Schema();
  // Q1 to Q7; Q6 takes :project.
  static const std::vector<NamedQuery>& Queries();
  // The issues of one user, :user, that are open: the query of which there are many instances.
  static std::string_view UserQuery();

  std::int64_t users() const { return users_; }
  std::int64_t issues() const { return issues_; }

  // Declares the tables and adds all rows, `batch_rows` per commit.
  Status Load(Database& database, std::int64_t batch_rows = 50'000);

  // One transaction of the mix: 70 % U1 (status and modified of a random issue), 15 % U2 (add a
  // comment), 10 % U3 (add an issue with two labels), 5 % U4 (delete an issue with its labels and
  // comments). An issue that is gone makes it a smaller transaction, never an error.
  Status RunOne(Transaction& transaction);
  // U5: status and modified of 1,000 random issues.
  Status RunLarge(Transaction& transaction);

 private:
  std::uint64_t Random(std::uint64_t below);
  Fields RandomIssue(std::int64_t id);
  std::int64_t RandomIssueId() { return static_cast<std::int64_t>(Random(NumberOfIds())); }
  std::uint64_t NumberOfIds() const { return static_cast<std::uint64_t>(issues_); }
  Value NextTime();

  Status TouchIssue(Transaction& transaction);
  Status AddComment(Transaction& transaction, std::int64_t issue);
  Status AddIssue(Transaction& transaction);
  Status DeleteIssue(Transaction& transaction);

  std::int64_t issues_;
  std::int64_t users_;
  std::uint64_t state_;
  std::int64_t next_issue_;
  std::int64_t next_comment_;
  std::int64_t clock_micros_;
};

}  // namespace trefoil::cli
