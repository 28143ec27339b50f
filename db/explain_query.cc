#include "db/explain_query.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/str_cat.h"
#include "dataflow/explain.h"
#include "dataflow/graph.h"
#include "query/compiler.h"
#include "query/explain_plan.h"
#include "query/optimizer.h"
#include "query/planner.h"
#include "query/prepare.h"
#include "query/to_expression.h"

namespace trefoil::db {

namespace {

using query::PlanNumber;

Rows LinesOf(std::string_view text) {
  std::vector<Value> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(Value::Text(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return Rows(std::make_shared<const std::vector<std::string>>(1, "plan"), std::move(lines));
}

// Which nodes are part of the body of a recursion: those have no rows of their own.
std::vector<bool> InLoops(const query::Plan& plan) {
  std::vector<bool> in_loop(plan.nodes.size());
  for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
    const query::PlanNode& node = plan.nodes[i];
    in_loop[i] = std::holds_alternative<query::LoopNode>(node.op) ||
                 (!std::holds_alternative<query::FixpointNode>(node.op) &&
                  std::ranges::any_of(node.inputs, [&](PlanNumber n) { return in_loop[n]; }));
  }
  return in_loop;
}

// A graph with every node of a plan as a root, so that each can be read and asked what it keeps.
class Measured {
 public:
  Measured(const query::Plan& plan, const query::ColumnNames& names, const dataflow::Source& source,
           const std::atomic<bool>* stop)
      : plan_(plan), names_(names), graph_(source, query::Functions(), {.stop = stop}) {}

  Status Install() {
    const Result<query::Compiled> compiled = query::Compile(plan_);
    if (!compiled) return compiled.error();
    const std::vector<bool> in_loop = InLoops(plan_);
    std::vector<dataflow::NodeNumber> roots;
    places_.resize(plan_.nodes.size());
    for (PlanNumber i = 0; i < plan_.nodes.size(); ++i) {
      if (in_loop[i]) continue;
      places_[i] = roots.size();
      roots.push_back(compiled->nodes[i]);
    }
    Result<dataflow::Installed> installed = graph_.Install(compiled->plan, roots);
    if (!installed) return std::move(installed).error();
    installed_ = *std::move(installed);
    return Ok();
  }

  // Rows of a node, and the time it takes to make them all, with everything below.
  Result<std::string> Rows(PlanNumber number, const Clock& clock) {
    if (!places_[number]) return std::string();
    const std::uint64_t start = clock.MonotonicMicros();
    dataflow::Weight rows = 0;
    Status read = graph_.Read(NodeOf(number), [&](dataflow::RowView, dataflow::Weight weight) {
      rows += weight;
      return true;
    });
    if (!read) return std::move(read).error();
    return StrCat("; ", rows, rows == 1 ? " row" : " rows", " in ", clock.MonotonicMicros() - start,
                  " us");
  }

  // What each node keeps, and the arrangements that its look-ups needed; every piece once.
  void AddState(query::ExplainInput& input) {
    input.below.resize(plan_.nodes.size());
    const std::vector<dataflow::NodeReport> reports = graph_.Report(installed_.roots);
    const auto report_of = [&](dataflow::NodeId id) {
      return std::ranges::find(reports, id, &dataflow::NodeReport::id);
    };
    std::set<dataflow::NodeId> told;
    for (PlanNumber i = 0; i < plan_.nodes.size(); ++i) {
      if (!places_[i] || !told.insert(NodeOf(i)).second) continue;
      const auto report = report_of(NodeOf(i));
      if (report->state_bytes > 0) input.notes[i] += StrCat("; keeps ", StateText(*report));
      for (const dataflow::NodeId id : report->arrangements) {
        if (!told.insert(id).second) continue;
        const auto arrangement = report_of(id);
        input.below[i].push_back(StrCat("in memory: ", ArrangementText(*arrangement), ", ",
                                        StateText(*arrangement), "; no index serves this look-up"));
      }
    }
  }

  std::size_t state_bytes() const { return graph_.state_bytes(); }

 private:
  dataflow::NodeId NodeOf(PlanNumber number) const { return installed_.roots[*places_[number]]; }

  static std::string StateText(const dataflow::NodeReport& report) {
    return StrCat(report.state_rows, report.state_rows == 1 ? " entry, " : " entries, ",
                  dataflow::BytesText(report.state_bytes));
  }

  // "rows of scan person by boss": the description, its columns by name.
  std::string ArrangementText(const dataflow::NodeReport& report) const {
    for (PlanNumber i = 0; i < plan_.nodes.size(); ++i) {
      if (!places_[i] || report.inputs.empty() || NodeOf(i) != report.inputs[0]) continue;
      std::string text;
      for (std::size_t at = 0; at < report.description.size(); ++at) {
        if (report.description[at] != '#') {
          text += report.description[at];
          continue;
        }
        std::size_t column = 0;
        for (; at + 1 < report.description.size() && report.description[at + 1] >= '0' &&
               report.description[at + 1] <= '9';
             ++at) {
          column = column * 10 + static_cast<std::size_t>(report.description[at + 1] - '0');
        }
        text += names_.Of(plan_.nodes[i].columns.at(column).ref);
      }
      return text;
    }
    return report.description;
  }

  const query::Plan& plan_;
  const query::ColumnNames& names_;
  dataflow::Graph graph_;
  dataflow::Installed installed_;
  std::vector<std::optional<std::size_t>> places_;  // by plan number, in installed_.roots
};

std::string ChangeText(const query::ExplainInput& input) {
  std::string text;
  for (const query::ChangeCost& cost : query::CostsOfAChange(input)) {
    const auto whole = [](double number) { return std::llround(std::min(number, 1e18)); };
    text += StrCat("one changed row of ", cost.table, ": about ", whole(cost.probes), " look-ups, ",
                   whole(cost.rows), " rows handed on\n");
  }
  return text;
}

}  // namespace

Result<Rows> ExplainQuery(const query::BoundQuery& bound, std::span<const Value> parameters,
                          const schema::Schema& schema, const dataflow::Source& source,
                          const ExplainOptions& options) {
  const std::uint64_t start = options.clock.MonotonicMicros();
  Result<query::Plan> plan = query::MakePlan(bound.select, bound.source_count, parameters, schema);
  if (!plan) return std::move(plan).error();
  if (options.live) {
    if (Status can_live = query::CheckLive(*plan, schema); !can_live) {
      return std::move(can_live).error();
    }
  }
  query::Statistics statistics(source, schema);
  query::Optimize(*plan, schema, {}, &statistics);
  const query::ColumnNames names(bound.select, *plan);
  const query::Estimate estimate(*plan, statistics);
  query::ExplainInput input{.plan = *plan, .names = names, .schema = schema, .estimate = estimate};
  input.notes.resize(plan->nodes.size());
  std::string ending;
  if (options.analyze || options.live) {
    Measured measured(*plan, names, source, options.stop);
    if (Status installed = measured.Install(); !installed) return std::move(installed).error();
    for (PlanNumber i = 0; options.analyze && i < plan->nodes.size(); ++i) {
      Result<std::string> rows = measured.Rows(i, options.clock);
      if (!rows) return std::move(rows).error();
      input.notes[i] += *rows;
    }
    if (options.live) {
      measured.AddState(input);
      ending += StrCat("keeps ", dataflow::BytesText(measured.state_bytes()), " while it is live\n",
                       ChangeText(input));
    }
    if (options.analyze) {
      ending +=
          StrCat("planned and measured in ", options.clock.MonotonicMicros() - start, " us\n");
    }
  }
  return LinesOf(options.dot ? query::ExplainPicture(input) : query::ExplainTree(input) + ending);
}

}  // namespace trefoil::db
