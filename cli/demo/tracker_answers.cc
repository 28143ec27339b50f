#include "cli/demo/tracker_answers.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace trefoil::cli {

namespace {

constexpr std::int64_t kUrgent = 3;
constexpr std::int64_t kTeam = 3;
constexpr std::int64_t kLabel = 0;

const Value& Open() {
  static const Value open = Value::Text("open");
  return open;
}

// Newest first; equal times by id.
template <typename T>
void SortNewestFirst(std::vector<const T*>& rows, Value T::* time) {
  std::ranges::sort(rows, [time](const T* a, const T* b) {
    return std::tie(b->*time, a->id) < std::tie(a->*time, b->id);
  });
}

}  // namespace

Result<TrackerAnswers> TrackerAnswers::Read(const Snapshot& snapshot) {
  TrackerAnswers read;
  using Row = std::span<const Value>;
  const auto scan = [&](const char* table, const auto& add) {
    return snapshot.Scan(table, [&](Row row) {
      add(row);
      return true;
    });
  };
  Status done = scan("issue", [&](Row row) {
    read.issues_.push_back({.id = row[0],
                            .title = row[1],
                            .assignee = row[3],
                            .project = row[4],
                            .status = row[5],
                            .priority = row[6],
                            .created = row[7],
                            .modified = row[8],
                            .estimate = row[9]});
  });
  if (!done) return done.error();
  done = scan("user", [&](Row row) { read.users_[row[0]].assign(row.begin(), row.end()); });
  if (!done) return done.error();
  done = scan("issue_label", [&](Row row) {
    if (row[1] == Value::Int(kLabel)) read.labelled_.insert(row[0]);
  });
  if (!done) return done.error();
  done = scan("comment", [&](Row row) { read.commented_.insert(row[1]); });
  if (!done) return done.error();
  return read;
}

std::optional<AnswerRows> TrackerAnswers::Of(std::string_view name) const {
  if (name == "Q1") return UrgentOpen();
  if (name == "Q2") return LatestUrgentOpen();
  if (name == "Q3") return CountByStatusAndProject();
  if (name == "Q4") return LatestOfTeam();
  if (name == "Q5") return LabelledWithoutComment();
  if (name == "Q7") return TotalsByAssignee();
  return std::nullopt;
}

AnswerRows TrackerAnswers::OfUser(std::int64_t user) const {
  std::vector<const Issue*> found;
  for (const Issue& issue : issues_) {
    if (issue.assignee == Value::Int(user) && issue.status == Open()) found.push_back(&issue);
  }
  SortNewestFirst(found, &Issue::modified);
  found.resize(std::min<std::size_t>(found.size(), 20));
  AnswerRows rows;
  for (const Issue* issue : found) rows.push_back({issue->id, issue->title});
  return rows;
}

AnswerRows TrackerAnswers::UrgentOpen() const {
  AnswerRows rows;
  for (const Issue& issue : issues_) {
    if (issue.status == Open() && issue.priority.AsInt() >= kUrgent) {
      rows.push_back({issue.id, issue.title, issue.priority});
    }
  }
  return rows;
}

AnswerRows TrackerAnswers::LatestUrgentOpen() const {
  std::vector<const Issue*> found;
  for (const Issue& issue : issues_) {
    if (issue.status == Open() && issue.priority.AsInt() >= kUrgent) found.push_back(&issue);
  }
  SortNewestFirst(found, &Issue::modified);
  found.resize(std::min<std::size_t>(found.size(), 50));
  AnswerRows rows;
  for (const Issue* issue : found) rows.push_back({issue->id, issue->title, issue->modified});
  return rows;
}

AnswerRows TrackerAnswers::CountByStatusAndProject() const {
  std::map<std::pair<Value, Value>, std::int64_t> counts;
  for (const Issue& issue : issues_) ++counts[{issue.status, issue.project}];
  AnswerRows rows;
  for (const auto& [group, count] : counts) {
    rows.push_back({group.first, group.second, Value::Int(count)});
  }
  return rows;
}

AnswerRows TrackerAnswers::LatestOfTeam() const {
  std::vector<const Issue*> found;
  for (const Issue& issue : issues_) {
    const auto user = users_.find(issue.assignee);
    if (user != users_.end() && user->second[2] == Value::Int(kTeam)) found.push_back(&issue);
  }
  SortNewestFirst(found, &Issue::created);
  found.resize(std::min<std::size_t>(found.size(), 100));
  AnswerRows rows;
  for (const Issue* issue : found) {
    rows.push_back({issue->id, issue->title, users_.at(issue->assignee)[1]});
  }
  return rows;
}

AnswerRows TrackerAnswers::LabelledWithoutComment() const {
  AnswerRows rows;
  for (const Issue& issue : issues_) {
    if (labelled_.contains(issue.id) && !commented_.contains(issue.id)) {
      rows.push_back({issue.id, issue.title});
    }
  }
  return rows;
}

AnswerRows TrackerAnswers::TotalsByAssignee() const {
  struct Totals {
    std::int64_t sum = 0;
    std::int64_t count = 0;
    Value latest;
  };
  std::map<Value, Totals> groups;
  for (const Issue& issue : issues_) {
    if (issue.status != Open()) continue;
    Totals& totals = groups[issue.assignee];
    totals.sum += issue.estimate.AsInt();
    ++totals.count;
    totals.latest = std::max(totals.latest, issue.modified);
  }
  AnswerRows rows;
  for (const auto& [assignee, totals] : groups) {
    const double average = static_cast<double>(totals.sum) / static_cast<double>(totals.count);
    rows.push_back({assignee, Value::Int(totals.sum), Value::Float(average), totals.latest});
  }
  return rows;
}

}  // namespace trefoil::cli
