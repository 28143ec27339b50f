#include "cli/demo/issue_tracker.h"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

namespace trefoil::cli {

namespace {

constexpr std::int64_t kFirstMicros = 1'700'000'000'000'000;
constexpr int kLargeRows = 1'000;

constexpr std::array<std::string_view, 5> kStatuses = {"open", "todo", "doing", "done", "closed"};

constexpr std::string_view kSchema =
    "TABLE user (id INT KEY, name TEXT, team INT INDEX);"
    "TABLE project (id INT KEY, name TEXT);"
    "TABLE label (id INT KEY, name TEXT);"
    "TABLE issue (id INT KEY, title TEXT, creator REF user, assignee REF user, "
    "project REF project, status TEXT, priority INT, created TIMESTAMP, modified TIMESTAMP, "
    "estimate INT);"
    "TABLE issue_label (issue REF issue, label REF label, KEY (issue, label));"
    "TABLE comment (id INT KEY, issue REF issue, author REF user, created TIMESTAMP, body TEXT);"
    "INDEX issue_open ON issue (status, modified DESC);"
    "INDEX issue_project ON issue (project, modified DESC);"
    "INDEX issue_assignee ON issue (assignee, status, modified DESC);"
    "INDEX label_issue ON issue_label (label, issue);"
    "INDEX comment_issue ON comment (issue, created DESC);";

const std::vector<NamedQuery> kQueries = {
    {"Q1", "SELECT id, title, priority FROM issue WHERE status = 'open' AND priority >= 3"},
    {"Q2",
     "SELECT id, title, modified FROM issue WHERE status = 'open' AND priority >= 3 "
     "ORDER BY modified DESC LIMIT 50"},
    {"Q3", "SELECT status, project, count(*) AS issues FROM issue GROUP BY status, project"},
    {"Q4",
     "SELECT i.id, i.title, u.name FROM issue AS i JOIN user AS u ON u.id = i.assignee "
     "WHERE u.team = 3 ORDER BY i.created DESC LIMIT 100"},
    {"Q5",
     "SELECT id, title FROM issue AS i "
     "WHERE EXISTS (SELECT 1 FROM issue_label AS l WHERE l.issue = i.id AND l.label = 0) "
     "AND NOT EXISTS (SELECT 1 FROM comment AS c WHERE c.issue = i.id)"},
    {"Q6",
     "SELECT { id, title, creator: creator.name, "
     "labels: [SELECT l.label FROM issue_label AS l WHERE l.issue = i.id ORDER BY l.label], "
     "latest: [SELECT { author: c.author, body: c.body } FROM comment AS c "
     "WHERE c.issue = i.id ORDER BY c.created DESC LIMIT 3] } "
     "FROM issue AS i WHERE project = :project ORDER BY modified DESC LIMIT 20"},
    {"Q7",
     "SELECT assignee, sum(estimate) AS total, avg(estimate) AS average, max(modified) AS latest "
     "FROM issue WHERE status = 'open' GROUP BY assignee"},
};

constexpr std::string_view kUserQuery =
    "SELECT id, title FROM issue WHERE assignee = :user AND status = 'open' "
    "ORDER BY modified DESC LIMIT 20";

// Adds `count` rows in batches; `add` adds row number i.
Status AddInBatches(Database& database, std::int64_t count, std::int64_t batch_rows,
                    const std::function<Status(Transaction&, std::int64_t i)>& add) {
  for (std::int64_t begin = 0; begin < count; begin += batch_rows) {
    Transaction transaction = database.Begin();
    for (std::int64_t i = begin; i < std::min(begin + batch_rows, count); ++i) {
      if (Status added = add(transaction, i); !added) return added;
    }
    const Result<CommitInfo> commit = transaction.Commit();
    if (!commit) return commit.error();
  }
  return Ok();
}

Status Discard(Result<std::vector<Value>> added) {
  return added ? Ok() : Status(std::move(added).error());
}

}  // namespace

IssueTracker::IssueTracker(std::int64_t issues, std::uint64_t seed, std::int64_t first_id)
    : issues_(issues),
      users_(std::max<std::int64_t>(1000, issues / 100)),
      state_(seed * 2 + 1),
      next_issue_(issues + first_id),
      next_comment_(3 * issues + first_id),
      clock_micros_(kFirstMicros + first_id) {}

std::string_view IssueTracker::Schema() { return kSchema; }
const std::vector<NamedQuery>& IssueTracker::Queries() { return kQueries; }
std::string_view IssueTracker::UserQuery() { return kUserQuery; }

// splitmix64 (Steele, Lea, Flood 2014).
std::uint64_t IssueTracker::Random(std::uint64_t below) {
  state_ += 0x9e3779b97f4a7c15;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return (z ^ (z >> 31)) % below;
}

Value IssueTracker::NextTime() { return Value::Timestamp(clock_micros_ += 1'000'000); }

Fields IssueTracker::RandomIssue(std::int64_t id) {
  const auto user = [&] {
    return Value::Int(static_cast<std::int64_t>(Random(static_cast<std::uint64_t>(users_))));
  };
  const Value created = NextTime();
  return {{"id", Value::Int(id)},
          {"title", Value::Text("Issue " + std::to_string(id))},
          {"creator", user()},
          {"assignee", user()},
          {"project", Value::Int(static_cast<std::int64_t>(Random(kProjects)))},
          {"status", Value::Text(kStatuses[Random(kStatuses.size())])},
          {"priority", Value::Int(static_cast<std::int64_t>(Random(5)))},
          {"created", created},
          {"modified", created},
          {"estimate", Value::Int(static_cast<std::int64_t>(1 + Random(40)))}};
}

Status IssueTracker::Load(Database& database, std::int64_t batch_rows) {
  const Result<ExecuteSummary> declared = database.Execute(kSchema);
  if (!declared) return declared.error();
  const auto named = [](const char* table, std::int64_t count) {
    return [table, count](Transaction& transaction) -> Status {
      for (std::int64_t i = 0; i < count; ++i) {
        const Fields fields = {{"id", Value::Int(i)},
                               {"name", Value::Text(std::string(table) + " " + std::to_string(i))}};
        if (Status added = Discard(transaction.Insert(table, fields)); !added) return added;
      }
      return Ok();
    };
  };
  for (const auto& [table, count] : {std::pair{"project", kProjects}, {"label", kLabels}}) {
    const Result<CommitInfo> commit = database.Write(named(table, count));
    if (!commit) return commit.error();
  }
  Status done = AddInBatches(database, users_, batch_rows, [](Transaction& t, std::int64_t i) {
    return Discard(t.Insert("user", {{"id", Value::Int(i)},
                                     {"name", Value::Text("User " + std::to_string(i))},
                                     {"team", Value::Int(i % kTeams)}}));
  });
  if (!done) return done;
  done = AddInBatches(database, issues_, batch_rows, [&](Transaction& t, std::int64_t i) -> Status {
    if (Status added = Discard(t.Insert("issue", RandomIssue(i))); !added) return added;
    const std::uint64_t label = Random(kLabels);
    for (const std::uint64_t one : {label, (label + 1 + Random(kLabels - 1)) % kLabels}) {
      Status added =
          Discard(t.Insert("issue_label", {{"issue", Value::Int(i)},
                                           {"label", Value::Int(static_cast<std::int64_t>(one))}}));
      if (!added) return added;
    }
    return Ok();
  });
  if (!done) return done;
  next_comment_ -= 3 * issues_;
  done = AddInBatches(database, 3 * issues_, batch_rows,
                      [&](Transaction& t, std::int64_t) { return AddComment(t, RandomIssueId()); });
  return done;
}

Status IssueTracker::RunOne(Transaction& transaction) {
  const std::uint64_t dice = Random(100);
  if (dice < 70) return TouchIssue(transaction);
  if (dice < 85) {
    const std::int64_t issue = RandomIssueId();
    const Value key = Value::Int(issue);
    const auto found = transaction.Get("issue", {&key, 1});
    if (!found) return found.error();
    return found->has_value() ? AddComment(transaction, issue) : Ok();
  }
  return dice < 95 ? AddIssue(transaction) : DeleteIssue(transaction);
}

Status IssueTracker::RunLarge(Transaction& transaction) {
  for (int i = 0; i < kLargeRows; ++i) {
    if (Status done = TouchIssue(transaction); !done) return done;
  }
  return Ok();
}

Status IssueTracker::TouchIssue(Transaction& transaction) {
  const Value key = Value::Int(RandomIssueId());
  const Fields fields = {{"status", Value::Text(kStatuses[Random(kStatuses.size())])},
                         {"modified", NextTime()}};
  Status updated = transaction.Update("issue", {&key, 1}, fields);
  if (!updated && updated.error().code == ErrorCode::kNotFound) return Ok();
  return updated;
}

Status IssueTracker::AddComment(Transaction& transaction, std::int64_t issue) {
  const std::int64_t id = next_comment_++;
  const auto author = static_cast<std::int64_t>(Random(static_cast<std::uint64_t>(users_)));
  return Discard(
      transaction.Insert("comment", {{"id", Value::Int(id)},
                                     {"issue", Value::Int(issue)},
                                     {"author", Value::Int(author)},
                                     {"created", NextTime()},
                                     {"body", Value::Text("Comment " + std::to_string(id))}}));
}

Status IssueTracker::AddIssue(Transaction& transaction) {
  const std::int64_t id = next_issue_++;
  if (Status added = Discard(transaction.Insert("issue", RandomIssue(id))); !added) return added;
  const std::uint64_t label = Random(kLabels);
  for (const std::uint64_t one : {label, (label + 1) % kLabels}) {
    Status added = Discard(transaction.Insert(
        "issue_label",
        {{"issue", Value::Int(id)}, {"label", Value::Int(static_cast<std::int64_t>(one))}}));
    if (!added) return added;
  }
  return Ok();
}

Status IssueTracker::DeleteIssue(Transaction& transaction) {
  Params issue;
  const Value key = Value::Int(RandomIssueId());
  issue.Set("issue", key);
  const Result<ExecuteSummary> children = transaction.Execute(
      "DELETE FROM comment WHERE issue = :issue;"
      "DELETE FROM issue_label WHERE issue = :issue;",
      issue);
  if (!children) return children.error();
  const Result<bool> deleted = transaction.Delete("issue", {&key, 1});
  return deleted ? Ok() : Status(deleted.error());
}

}  // namespace trefoil::cli
