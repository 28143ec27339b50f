#include "bench/dataflow/tracker.h"

#include <algorithm>

#include "base/str_cat.h"

namespace trefoil::bench {

using dataflow::Row;

namespace {

Value Int(std::int64_t number) { return Value::Int(number); }

}  // namespace

Tracker::Tracker(std::int64_t issues, std::uint64_t seed)
    : random_(seed), users_(std::max<std::int64_t>(1000, issues / 100)) {
  Declare();
  for (std::int64_t id = 0; id < users_; ++id) {
    source_.Put(kUser, {Int(id), Value::Text(StrCat("user ", id)), Int(id % kTeams)});
  }
  for (std::int64_t id = 0; id < kProjects; ++id) {
    source_.Put(kProject, {Int(id), Value::Text(StrCat("project ", id))});
  }
  for (std::int64_t id = 0; id < kLabels; ++id) {
    source_.Put(kLabel, {Int(id), Value::Text(StrCat("label ", id))});
  }
  for (std::int64_t i = 0; i < issues; ++i) {
    AddIssue();
    for (int k = 0; k < 3; ++k) PutComment(Below(next_issue_));
    // A state to keep costs a path of every tree.
    if (i % 1000 == 999 || i + 1 == issues) source_.Advance();
  }
}

void Tracker::Declare() {
  source_.AddTable(kUser, 3, {0});
  source_.AddTable(kProject, 2, {0});
  source_.AddTable(kLabel, 2, {0});
  source_.AddTable(kIssue, kIssueWidth, {kIssueId});
  source_.AddIndex(kIssue, kIssueByStatus, {{kStatus}, {kModified, true}});
  source_.AddIndex(kIssue, kIssueByProject, {{kIssueProject}, {kModified, true}});
  source_.AddIndex(kIssue, kIssueByCreated, {{kCreated, true}});
  source_.AddIndex(kIssue, kIssueByAssignee, {{kAssignee}, {kModified, true}});
  source_.AddTable(kIssueLabel, 2, {0, 1});
  source_.AddIndex(kIssueLabel, kLabelIssues, {{1}, {0}});
  source_.AddTable(kComment, 5, {0});
  source_.AddIndex(kComment, kIssueComments, {{1}, {3, true}});
}

void Tracker::PutIssue(std::int64_t id) {
  Row row(kIssueWidth);
  row[kIssueId] = Int(id);
  row[kTitle] = Value::Text(StrCat("what is wrong with number ", id));
  row[kCreator] = Int(Below(users_));
  row[kAssignee] = Int(Below(users_));
  row[kIssueProject] = Int(Below(kProjects));
  row[kStatus] = Int(Below(5));
  row[kPriority] = Int(Below(5));
  row[kCreated] = Int(++clock_);
  row[kModified] = Int(clock_);
  row[kEstimate] = Int(Below(100));
  source_.Put(kIssue, row);
}

void Tracker::PutComment(std::int64_t issue) {
  source_.Put(kComment, {Int(next_comment_++), Int(issue), Int(Below(users_)), Int(++clock_),
                         Value::Text("this happens to me too")});
}

void Tracker::AddIssue() {
  const std::int64_t id = next_issue_++;
  PutIssue(id);
  const std::int64_t label = Below(kLabels);
  source_.Put(kIssueLabel, {Int(id), Int(label)});
  source_.Put(kIssueLabel, {Int(id), Int((label + 1 + Below(kLabels - 1)) % kLabels)});
  issues_.push_back(id);
}

void Tracker::ChangeIssue() {
  const std::int64_t id = issues_[static_cast<std::size_t>(Below(std::ssize(issues_)))];
  Row row = *source_.Find(kIssue, {Int(id)});
  row[kStatus] = Int(Below(5));
  row[kModified] = Int(++clock_);
  source_.Put(kIssue, row);
}

void Tracker::AddComment() {
  PutComment(issues_[static_cast<std::size_t>(Below(std::ssize(issues_)))]);
}

void Tracker::DeleteIssue() {
  std::int64_t& place = issues_[static_cast<std::size_t>(Below(std::ssize(issues_)))];
  const Value id = Int(place);
  place = issues_.back();
  issues_.pop_back();
  std::vector<Row> labels;
  std::vector<Row> comments;
  const auto collect = [](std::vector<Row>& rows) {
    return [&rows](std::span<const Value> row) {
      rows.emplace_back(row.begin(), row.end());
      return true;
    };
  };
  dataflow::Probe probe;
  probe.prefix = {id};
  const Status labels_read = source_.Scan({kIssueLabel, {AttributeId{1}, AttributeId{2}}}, probe,
                                          dataflow::When::kNew, collect(labels));
  probe.path = {kIssueComments};
  const Status comments_read =
      source_.Scan({kComment, {AttributeId{1}}}, probe, dataflow::When::kNew, collect(comments));
  Check(labels_read.has_value() && comments_read.has_value(), "memory can be read");
  for (const Row& row : labels) source_.Erase(kIssueLabel, row);
  for (const Row& row : comments) source_.Erase(kComment, row);
  source_.Erase(kIssue, {id});
}

void Tracker::ChangeIssues(int count) {
  for (int i = 0; i < count; ++i) ChangeIssue();
}

void Tracker::PrepareTransaction() {
  const std::int64_t kind = Below(100);
  if (kind < 70) return ChangeIssue();
  if (kind < 85) return AddComment();
  if (kind < 95) return AddIssue();
  DeleteIssue();
}

}  // namespace trefoil::bench
