#include "bench/dataflow/floor.h"

#include "bench/dataflow/tracker.h"

namespace trefoil::bench {

std::uint64_t FloorWindow::Insert(const Key& key) {
  const auto place = keys_.insert(key).first;
  if (size_ < limit_) {
    if (size_ == 0 || *last_ < key) last_ = place;
    ++size_;
    return 1;
  }
  if (*last_ < key) return 0;
  --last_;
  return 2;
}

std::uint64_t FloorWindow::Erase(const Key& key) {
  const auto place = keys_.find(key);
  if (size_ == 0 || *last_ < key) {
    keys_.erase(place);
    return 0;
  }
  const auto behind = std::next(last_);
  if (behind != keys_.end()) {
    last_ = behind;
    keys_.erase(place);
    return 2;
  }
  if (place == last_ && size_ > 1) --last_;
  --size_;
  keys_.erase(place);
  return 1;
}

std::uint64_t Floor::Apply(std::span<const dataflow::TypeChange> changes) {
  std::uint64_t changed = 0;
  for (const dataflow::TypeChange& change : changes) {
    for (std::size_t i = 0; i < change.rows->size(); ++i) {
      const dataflow::RowView row = change.rows->row(i);
      const bool enters = change.rows->weight(i) > 0;
      if (change.type == kIssue) changed += ApplyIssue(row, enters);
      if (change.type == kIssueLabel) changed += ApplyLabel(row, enters);
      if (change.type == kComment) changed += ApplyComment(row, enters);
      if (change.type == kUser) {
        const auto id = static_cast<std::size_t>(row[0].AsInt());
        if (team_of_user_.size() <= id) team_of_user_.resize(id + 1);
        team_of_user_[id] = row[2].AsInt();
      }
    }
  }
  return changed;
}

std::uint64_t Floor::ApplyIssue(dataflow::RowView row, bool enters) {
  const std::int64_t id = row[kIssueId].AsInt();
  const std::int64_t status = row[kStatus].AsInt();
  const std::int64_t project = row[kIssueProject].AsInt();
  const FloorWindow::Key by_modified = {-row[kModified].AsInt(), id};
  std::uint64_t changed = 1;  // Q3: one group
  counts_[status][project] += enters ? 1 : -1;
  if (status == kOpen && row[kPriority].AsInt() >= 3) {
    if (enters) {
      urgent_[id] = row[kModified].AsInt();
    } else {
      urgent_.erase(id);
    }
    changed += 1 + Move(newest_urgent_, by_modified, enters);
  }
  const auto assignee = static_cast<std::size_t>(row[kAssignee].AsInt());
  if (team_of_user_[assignee] == 3) {
    changed += Move(newest_of_team_, {-row[kCreated].AsInt(), id}, enters);
  }
  IssueState& issue = issues_[id];
  const bool was_silent = IsSilentBug(issue);
  issue.is_there = enters;
  if (IsSilentBug(issue) != was_silent) ++changed;
  if (project == 7) changed += Move(newest_of_project_, by_modified, enters);
  if (status == kOpen) {
    Load& load = loads_[row[kAssignee].AsInt()];
    load.count += enters ? 1 : -1;
    load.sum += enters ? row[kEstimate].AsInt() : -row[kEstimate].AsInt();
    if (enters) {
      load.modified.insert(by_modified);
    } else {
      load.modified.erase(by_modified);
    }
    ++changed;
  }
  return changed;
}

std::uint64_t Floor::ApplyLabel(dataflow::RowView row, bool enters) {
  if (row[1].AsInt() != kBug) return 0;
  IssueState& issue = issues_[row[0].AsInt()];
  const bool was_silent = IsSilentBug(issue);
  issue.is_bug = enters;
  return IsSilentBug(issue) != was_silent ? 1 : 0;
}

std::uint64_t Floor::ApplyComment(dataflow::RowView row, bool enters) {
  IssueState& issue = issues_[row[1].AsInt()];
  const bool was_silent = IsSilentBug(issue);
  issue.comments += enters ? 1 : -1;
  const std::uint64_t moved =
      Move(issue.newest_comments, {-row[3].AsInt(), row[0].AsInt()}, enters);
  return (IsSilentBug(issue) != was_silent ? 1 : 0) + moved;
}

}  // namespace trefoil::bench
