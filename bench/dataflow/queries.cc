#include "bench/dataflow/queries.h"

#include "bench/dataflow/tracker.h"
#include "dataflow/aggregate.h"
#include "dataflow/operators/bound_top_k.h"
#include "dataflow/operators/feed.h"
#include "dataflow/operators/filter.h"
#include "dataflow/operators/group_by.h"
#include "dataflow/operators/input.h"
#include "dataflow/operators/join.h"
#include "dataflow/operators/project.h"
#include "dataflow/operators/semi_join.h"
#include "dataflow/operators/top_k.h"

namespace trefoil::bench {

using namespace dataflow;  // the plans read as sentences without it

namespace {

Value Int(std::int64_t number) { return Value::Int(number); }

// Columns of a table by their positions; everything here is an INT but for texts.
Input Rows(TypeId type, const std::vector<std::uint32_t>& places) {
  Input input;
  input.relation.type = type;
  for (const std::uint32_t place : places) {
    input.relation.columns.push_back(AttributeId{place + 1});
    const bool is_text = (type == kIssue && place == kTitle) || (type == kComment && place == 4) ||
                         (place == 1 && (type == kUser || type == kLabel));
    input.kinds.push_back(is_text ? ValueKind::kText : ValueKind::kInt);
  }
  return input;
}

Input Limited(Input input, IndexId index, std::int64_t value) {
  input.only = Probe{.path = {index},
                     .prefix = {Int(value)},
                     .lower = {},
                     .upper = {},
                     .after = {},
                     .reverse = false};
  return input;
}

Expression AtLeast(Column column, std::int64_t value) {
  return Apply(Operation::kGreaterEqual, {ColumnOf(column), ConstantOf(Int(value))});
}

// (id, title, status, priority, modified) of open issues with priority >= 3.
NodeNumber AddUrgent(Plan& plan) {
  const NodeNumber open = plan.Add(Limited(
      Rows(kIssue, {kIssueId, kTitle, kStatus, kPriority, kModified}), kIssueByStatus, kOpen));
  return plan.Add(Filter{.predicate = AtLeast(3, 3)}, {open});
}

BuiltQuery Urgent() {
  BuiltQuery query{.name = "Q1", .plan = {}, .roots = {}};
  query.roots = {AddUrgent(query.plan)};
  return query;
}

BuiltQuery NewestUrgent() {
  BuiltQuery query{.name = "Q2", .plan = {}, .roots = {}};
  query.roots = {
      query.plan.Add(TopK{.partition = {}, .order = {{4, true}, {0, false}}, .limit = 50},
                     {AddUrgent(query.plan)})};
  return query;
}

BuiltQuery CountByStatus() {
  BuiltQuery query{.name = "Q3", .plan = {}, .roots = {}};
  const NodeNumber issues = query.plan.Add(Rows(kIssue, {kStatus, kIssueProject}));
  query.roots = {query.plan.Add(
      GroupBy{.key = {0, 1}, .aggregates = {{.function = "count", .arguments = {}}}}, {issues})};
  return query;
}

BuiltQuery NewestOfTeam() {
  BuiltQuery query{.name = "Q4", .plan = {}, .roots = {}};
  Plan& plan = query.plan;
  const NodeNumber issues = plan.Add(Rows(kIssue, {kIssueId, kTitle, kAssignee, kCreated}));
  const NodeNumber users = plan.Add(Rows(kUser, {0, 1, 2}));
  const NodeNumber team =
      plan.Add(Filter{.predicate = Equal(ColumnOf(2), ConstantOf(Int(3)))}, {users});
  const NodeNumber joined =
      plan.Add(Join{.on = {{.left = 2, .right = 4}}, .outputs = {0, 1, 3, 5}}, {issues, team});
  query.roots = {
      plan.Add(TopK{.partition = {}, .order = {{2, true}, {0, false}}, .limit = 100}, {joined})};
  return query;
}

BuiltQuery BugsWithoutComments() {
  BuiltQuery query{.name = "Q5", .plan = {}, .roots = {}};
  Plan& plan = query.plan;
  const NodeNumber issues = plan.Add(Rows(kIssue, {kIssueId, kTitle}));
  const NodeNumber bugs = plan.Add(Limited(Rows(kIssueLabel, {0, 1}), kLabelIssues, kBug));
  const NodeNumber comments = plan.Add(Rows(kComment, {1}));
  const NodeNumber labelled = plan.Add(
      SemiJoin{.kind = SemiJoinKind::kSemi, .on = {{.left = 0, .right = 2}}}, {issues, bugs});
  query.roots = {plan.Add(SemiJoin{.kind = SemiJoinKind::kAnti, .on = {{.left = 0, .right = 2}}},
                          {labelled, comments})};
  return query;
}

BuiltQuery TreeOfProject() {
  BuiltQuery query{.name = "Q6", .plan = {}, .roots = {}};
  Plan& plan = query.plan;
  const NodeNumber issues = plan.Add(Limited(
      Rows(kIssue, {kIssueId, kTitle, kCreator, kIssueProject, kModified}), kIssueByProject, 7));
  const NodeNumber newest =
      plan.Add(TopK{.partition = {}, .order = {{4, true}, {0, false}}, .limit = 20}, {issues});
  const NodeNumber users = plan.Add(Rows(kUser, {0, 1}));
  const NodeNumber roots =
      plan.Add(Join{.on = {{.left = 2, .right = 5}}, .outputs = {0, 1, 4, 6}}, {newest, users});
  const NodeNumber shown = plan.Add(Project{.columns = {0}}, {newest});
  const NodeNumber labels =
      plan.Add(Join{.on = {{.left = 0, .right = 1}, {.left = 2, .right = 3}}, .outputs = {0, 4}},
               {shown, plan.Add(Rows(kIssueLabel, {0, 1})), plan.Add(Rows(kLabel, {0, 1}))});
  const NodeNumber comments = plan.Add(Rows(kComment, {0, 1, 2, 3, 4}));
  const NodeNumber last = plan.Add(TopK{.partition = {1},
                                        .order = {{3, true}, {0, false}},
                                        .limit = 3,
                                        .windows = TopK::Windows{.partition = {0}}},
                                   {comments, shown});
  query.roots = {roots, labels, last};
  return query;
}

BuiltQuery LoadOfAssignees() {
  BuiltQuery query{.name = "Q7", .plan = {}, .roots = {}};
  Plan& plan = query.plan;
  const NodeNumber open = plan.Add(Limited(
      Rows(kIssue, {kIssueId, kAssignee, kStatus, kModified, kEstimate}), kIssueByStatus, kOpen));
  const NodeNumber sums = plan.Add(GroupBy{.key = {1},
                                           .aggregates = {{.function = "sum", .arguments = {4}},
                                                          {.function = "avg", .arguments = {4}}}},
                                   {open});
  // max(modified) is the first of an order that an index has.
  const NodeNumber newest =
      plan.Add(TopK{.partition = {1}, .order = {{3, true}, {0, false}}, .limit = 1}, {open});
  query.roots = {sums, newest};
  return query;
}

}  // namespace

std::vector<BuiltQuery> TrackerQueries() {
  return {Urgent(),        NewestUrgent(),   CountByStatus(), NewestOfTeam(), BugsWithoutComments(),
          TreeOfProject(), LoadOfAssignees()};
}

BuiltQuery NewestOfAssignee() {
  BuiltQuery query{.name = "Q9", .plan = {}, .roots = {}};
  Plan& plan = query.plan;
  const NodeNumber bindings =
      plan.Add(Feed{.name = "Q9", .kinds = {ValueKind::kInt, ValueKind::kInt}});
  const NodeNumber issues =
      plan.Add(Rows(kIssue, {kIssueId, kTitle, kAssignee, kStatus, kModified}));
  const NodeNumber open =
      plan.Add(Filter{.predicate = Equal(ColumnOf(3), ConstantOf(Int(kOpen)))}, {issues});
  const NodeNumber newest =
      plan.Add(BoundTopK{.slots = {{.test = RouteTest::kEqual, .row = 2, .binding = 1}},
                         .order = {{4, true}, {0, false}},
                         .limit = 20,
                         .outputs = {0, 2, 3, 6}},
               {bindings, open});
  query.roots = {newest, bindings};
  return query;
}

}  // namespace trefoil::bench
