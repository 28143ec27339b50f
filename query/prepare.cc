#include "query/prepare.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/errors.h"
#include "base/str_cat.h"
#include "dataflow/graph.h"
#include "dataflow/scalar.h"
#include "query/binder.h"
#include "query/diagnostic.h"
#include "query/estimate.h"
#include "query/parser.h"
#include "query/planner.h"
#include "query/runner.h"
#include "query/to_expression.h"
#include "schema/catalogue.h"

namespace trefoil {

const std::string& Query::text() const { return plan_->text; }
const std::vector<std::string>& Query::names() const { return plan_->names; }
const std::vector<ValueKind>& Query::kinds() const { return plan_->kinds; }

namespace query {

namespace {

std::string ShownName(const BoundParameter& parameter) {
  return parameter.name.empty() ? StrCat("? number ", parameter.ordinal)
                                : StrCat(":", parameter.name);
}

// `value` as the kind that its place wants, when it means the same there.
Result<Value> FitParameter(const BoundParameter& parameter, const Value& value) {
  const ExprType& type = parameter.type;
  if (value.is_null() || type.is_any() || value.kind() == type.kind || type.is_set) return value;
  if (value.kind() == ValueKind::kText) {
    if (std::optional<Value> read = ValueFromText(value.AsText(), type)) return *std::move(read);
  }
  if (value.is_number() && type.kind == ValueKind::kFloat) {
    if (std::optional<Value> number = dataflow::Cast(value, {.kind = ValueKind::kFloat})) {
      return *std::move(number);
    }
  }
  if (dataflow::AreComparable(value.kind(), type.kind)) return value;
  return MakeError(ErrorCode::kTypeMismatch,
                   StrCat("parameter ", ShownName(parameter), " is ", TypeText(type),
                          " here, but the value given is ", KindName(value.kind())));
}

Result<Rows> ReadOnce(const Compiled& compiled, const dataflow::Source& source,
                      const RunContext& context) {
  dataflow::Graph graph(source, Functions(), {.once = true, .stop = context.stop});
  Result<dataflow::Installed> installed = graph.Install(compiled.plan, compiled.levels);
  if (!installed) return std::move(installed).error();
  return ReadAnswer(graph, *installed, compiled);
}

Result<BoundQuery> BindText(std::string_view text, const ParsedScript& script,
                            const schema::Schema& schema) {
  if (!script.diagnostics.empty()) return script.diagnostics[0];
  const auto* statement = script.statements.size() == 1
                              ? std::get_if<SelectStatement>(&script.statements[0].node)
                              : nullptr;
  if (statement == nullptr) {
    return ErrorAt(text, script.statements.empty() ? Span() : script.statements[0].span,
                   ErrorCode::kUnsupported, "a prepared query is exactly one SELECT",
                   "other statements are run with Execute");
  }
  return Bind({text, schema}, statement->select);
}

}  // namespace

Result<std::shared_ptr<const Query::Plan>> Prepare(std::string_view text,
                                                   schema::SchemaRef schema) {
  return Prepare(text, Parse(text), std::move(schema));
}

Result<std::shared_ptr<const Query::Plan>> Prepare(std::string_view text,
                                                   const ParsedScript& parsed,
                                                   schema::SchemaRef schema) {
  Result<BoundQuery> bound = BindText(text, parsed, *schema);
  if (!bound) return std::move(bound).error();
  auto prepared = std::make_shared<Query::Plan>();
  prepared->text = text;
  prepared->schema = std::move(schema);
  prepared->bound = *std::move(bound);
  for (const BoundColumn& column : prepared->bound.select.columns) {
    prepared->names.push_back(column.name);
    prepared->kinds.push_back(KindOfType(column.type));
  }
  prepared->lifted = Lift(prepared->bound, text);
  // What no plan exists for is refused here, not when it runs.
  const std::vector<Value> nulls(prepared->bound.parameters.size());
  Result<Plan> plan =
      MakePlan(prepared->bound.select, prepared->bound.source_count, nulls, *prepared->schema);
  if (!plan) return std::move(plan).error();
  return std::shared_ptr<const Query::Plan>(std::move(prepared));
}

Result<std::vector<Value>> BindParameters(const std::vector<BoundParameter>& parameters,
                                          const Params& params, const RunContext& context) {
  std::vector<Value> values;
  for (const BoundParameter& parameter : parameters) {
    if (parameter.name == kNowParameter) {
      values.push_back(Value::Timestamp(context.now_micros));
      continue;
    }
    const Value* value = parameter.name.empty()
                             ? params.Find(static_cast<std::size_t>(parameter.ordinal - 1))
                             : params.Find(parameter.name);
    if (value == nullptr) {
      return MakeError(ErrorCode::kUnknownParameter,
                       StrCat("parameter ", ShownName(parameter), " has no value"),
                       "give every parameter of the statement a value");
    }
    Result<Value> fitted = FitParameter(parameter, *value);
    if (!fitted) return std::move(fitted).error();
    values.push_back(*std::move(fitted));
  }
  return values;
}

Result<Compiled> CompileSelect(const SelectInput& input, const PassSet& passes,
                               const dataflow::Source* source) {
  Result<Plan> plan = MakePlan(input.select, input.source_count, input.parameters, input.schema);
  if (!plan) return std::move(plan).error();
  std::optional<Statistics> statistics;
  if (source != nullptr) statistics.emplace(*source, input.schema);
  Optimize(*plan, input.schema, passes, statistics ? &*statistics : nullptr);
  return Compile(*plan);
}

Result<Rows> RunSelect(const SelectInput& input, const dataflow::Source& source,
                       const RunContext& context) {
  Result<Compiled> compiled = CompileSelect(input, context.passes, &source);
  if (!compiled) return std::move(compiled).error();
  return ReadOnce(*compiled, source, context);
}

StandingSelect::StandingSelect() = default;
StandingSelect::~StandingSelect() = default;

Result<Rows> StandingSelect::Run(const SelectInput& input, const dataflow::Source& source,
                                 const RunContext& context) {
  if (context.passes != PassSet()) return RunSelect(input, source, context);
  std::unique_ptr<Runner> runner = runner_.Take();
  if (runner == nullptr || !runner->Fits(input.parameters, source)) {
    ++plans_made_;
    Result<std::unique_ptr<Runner>> made = Runner::Make(input, source);
    if (!made) return std::move(made).error();
    runner = *std::move(made);
  }
  Result<Rows> rows = runner->Run(input.parameters, source, context.stop);
  if (rows) runner_.Give(std::move(runner));
  return rows;
}

namespace {

SelectInput InputOf(const Query::Plan& query, std::span<const Value> parameters) {
  return {.select = query.bound.select,
          .source_count = query.bound.source_count,
          .parameters = parameters,
          .schema = *query.schema};
}

}  // namespace

Result<Rows> Run(const Query::Plan& query, const dataflow::Source& source, const Params& params,
                 const RunContext& context) {
  Result<std::vector<Value>> values = BindParameters(query.bound.parameters, params, context);
  if (!values) return std::move(values).error();
  return query.standing.Run(InputOf(query, *values), source, context);
}

Result<std::vector<Value>> BindLive(const Query::Plan& query, const Params& params) {
  if (query.bound.as_of) {
    return Unsupported("a query with AS OF never changes, so it cannot be live", "run it once");
  }
  for (const BoundParameter& parameter : query.bound.parameters) {
    if (parameter.name == kNowParameter) {
      return Unsupported("a query with now() changes without a commit, so it cannot be live",
                         "pass the time as a parameter");
    }
  }
  return BindParameters(query.bound.parameters, params, {});
}

Status CheckLive(const Plan& plan, const schema::Schema& schema) {
  for (const PlanNode& node : plan.nodes) {
    const auto* scan = std::get_if<ScanNode>(&node.op);
    if (scan == nullptr || schema::FollowsCommits(scan->type)) continue;
    return Unsupported(StrCat("\"", schema.FindType(scan->type)->name,
                              "\" does not change by commits alone, so it cannot be live"),
                       "run the query again when you want to know");
  }
  return Ok();
}

Result<Compiled> CompileLive(const Query::Plan& query, std::span<const Value> parameters) {
  const SelectInput input = InputOf(query, parameters);
  Result<Plan> plan = MakePlan(input.select, input.source_count, input.parameters, input.schema);
  if (!plan) return std::move(plan).error();
  if (Status can_live = CheckLive(*plan, input.schema); !can_live) {
    return std::move(can_live).error();
  }
  Optimize(*plan, input.schema, {});
  return Compile(*plan);
}

Result<Compiled> CompileShared(const Query::Plan& query, std::span<const Value> parameters,
                               std::string name, const PassSet& passes) {
  if (query.lifted.slots.empty()) return Unsupported("the query has no slots to bind");
  // A tree of its own, in which slots can be replaced.
  Result<BoundQuery> bound = BindText(query.text, Parse(query.text), *query.schema);
  if (!bound) return std::move(bound).error();
  PlanBindings bindings{
      .name = std::move(name), .source = SourceId{bound->source_count++}, .kinds = {}};
  for (const Slot& slot : query.lifted.slots) bindings.kinds.push_back(KindOfType(slot.type));
  ReplaceSlots(*bound, bindings.source);
  Result<Plan> plan =
      MakePlan(bound->select, bound->source_count, parameters, *query.schema, &bindings);
  if (!plan) return std::move(plan).error();
  Optimize(*plan, *query.schema, passes);
  if (!ReachesBindings(*plan)) {
    return Unsupported("each change would have to be tried with every binding");
  }
  return Compile(*plan);
}

}  // namespace query
}  // namespace trefoil
