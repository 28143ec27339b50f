// The answers of the issue tracker's queries by plain loops over all rows of a snapshot: no index,
// no plan, no state. What a demo holds live results against, beside fresh runs of the engine.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cli/demo/witness.h"
#include "trefoil/snapshot.h"

namespace trefoil::cli {

class TrackerAnswers {
 public:
  // Reads the tables once.
  static Result<TrackerAnswers> Read(const Snapshot& snapshot);

  // Q1, Q2, Q3, Q4, Q5 and Q7 of IssueTracker::Queries(); nothing for another name.
  std::optional<AnswerRows> Of(std::string_view name) const;
  // IssueTracker::UserQuery() for one user.
  AnswerRows OfUser(std::int64_t user) const;

 private:
  struct Issue {
    Value id, title, assignee, project, status, priority, created, modified, estimate;
  };

  AnswerRows UrgentOpen() const;
  AnswerRows LatestUrgentOpen() const;
  AnswerRows CountByStatusAndProject() const;
  AnswerRows LatestOfTeam() const;
  AnswerRows LabelledWithoutComment() const;
  AnswerRows TotalsByAssignee() const;

  std::vector<Issue> issues_;                            // by id
  std::unordered_map<Value, std::vector<Value>> users_;  // id to its row
  std::set<Value> labelled_;                             // issues with label 0
  std::set<Value> commented_;                            // issues with a comment
};

}  // namespace trefoil::cli
