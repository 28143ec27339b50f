// Queries from text to answer. A prepared query is bound against one schema and never changes; it
// runs against any Source of a database with that schema.
//
//   Result<std::shared_ptr<const Query::Plan>> query = Prepare(text, schema);
//   Result<Rows> rows = Run(**query, source, params, {});
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dataflow/source.h"
#include "query/bound.h"
#include "query/compiler.h"
#include "query/lift.h"
#include "query/optimizer.h"
#include "query/parser.h"
#include "query/spare.h"
#include "schema/schema.h"
#include "trefoil/query.h"
#include "trefoil/result.h"

namespace trefoil {

namespace query {

class Runner;  // runner.h

// What a run knows beside the data.
struct RunContext {
  std::int64_t now_micros = 0;  // the value of now()
  PassSet passes = {};
  const std::atomic<bool>* stop = nullptr;  // of RunOptions
};

// A bound select and the values of its parameters.
struct SelectInput {
  const BoundSelect& select;
  std::uint32_t source_count = 0;
  std::span<const Value> parameters;
  const schema::Schema& schema;
};

// A select that stands ready for its next run: the plan of the last one, which holds no rows. Any
// thread, without waiting; the second one of two at the same time makes a plan of its own.
class StandingSelect {
 public:
  StandingSelect();
  ~StandingSelect();

  // As RunSelect below. Always the same select and schema; the plan follows the values of the
  // parameters and the size of the tables.
  Result<Rows> Run(const SelectInput& input, const dataflow::Source& source,
                   const RunContext& context);
  // How often a run found no plan that fits.
  std::uint64_t plans_made() const { return plans_made_; }

 private:
  Spare<Runner> runner_;
  std::atomic<std::uint64_t> plans_made_ = 0;
};

}  // namespace query

// What a Query holds. Immutable but for what makes the next run cheaper.
class Query::Plan {
 public:
  std::string text;
  schema::SchemaRef schema;
  query::BoundQuery bound;
  query::LiftedQuery lifted;
  std::vector<std::string> names;
  std::vector<ValueKind> kinds;

  mutable query::StandingSelect standing;
  // The same text under a schema that came later; the schema of a run decides.
  mutable query::Spare<std::shared_ptr<const Plan>> renewed;
};

namespace query {

// Exactly one SELECT. Errors: those of parser and binder; kUnsupported for what no plan exists for.
Result<std::shared_ptr<const Query::Plan>> Prepare(std::string_view text, schema::SchemaRef schema);
// The same for a text that is parsed already.
Result<std::shared_ptr<const Query::Plan>> Prepare(std::string_view text,
                                                   const ParsedScript& parsed,
                                                   schema::SchemaRef schema);

// The values of `parameters` in `params`, of the kinds that the query wants.
// Errors: kUnknownParameter when one is missing, kTypeMismatch.
Result<std::vector<Value>> BindParameters(const std::vector<BoundParameter>& parameters,
                                          const Params& params, const RunContext& context);

// The graph that answers `input`. The order of joins is chosen by what `source` holds; null: it
// stays as written.
Result<Compiled> CompileSelect(const SelectInput& input, const PassSet& passes,
                               const dataflow::Source* source = nullptr);

// One-shot: installs the graph over `source`, reads it, drops it.
Result<Rows> RunSelect(const SelectInput& input, const dataflow::Source& source,
                       const RunContext& context);
Result<Rows> Run(const Query::Plan& query, const dataflow::Source& source, const Params& params,
                 const RunContext& context);

// The values of the parameters of a live query. Errors: those of BindParameters; kUnsupported: the
// query asks for the time or for a past version.
Result<std::vector<Value>> BindLive(const Query::Plan& query, const Params& params);

// Error: kUnsupported for a plan that reads what changes without a commit.
Status CheckLive(const Plan& plan, const schema::Schema& schema);

// The graph of a live query with parameters from BindLive. Errors: those of MakePlan, CheckLive and
// Compile.
Result<Compiled> CompileLive(const Query::Plan& query, std::span<const Value> parameters);

// One graph for all live queries with the PlanKey of this one. Its outermost list has a bucket for
// each binding, whose rows the caller feeds: a number, then the SlotValues. Two plans in a graph
// have different names. Error kUnsupported: bindings would not make it cheaper, or there is no
// plan for them; a graph for these parameters alone does it.
Result<Compiled> CompileShared(const Query::Plan& query, std::span<const Value> parameters,
                               std::string name, const PassSet& passes = {});

}  // namespace query
}  // namespace trefoil
