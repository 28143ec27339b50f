#include "db/statement_cache.h"

#include <cstdint>
#include <type_traits>
#include <utility>

#include "base/str_cat.h"
#include "db/triple_source.h"
#include "query/binder.h"

namespace trefoil::db {

namespace {

// Estimates of what a text keeps: trees, plans and operators of a short statement, and what a
// longer one has besides.
constexpr std::size_t kBytesOfScript = 4 << 10;
constexpr std::size_t kBytesOfTextByte = 256;

void PutSideBySide(query::BoundInsert& insert) {
  query::BoundSelect& select = insert.select.emplace();
  select.id = query::SourceId{insert.source_count++};
  query::BoundCore& core = select.cores.emplace_back();
  for (std::vector<query::BoundExpr>& row : insert.rows) {
    for (query::BoundExpr& expr : row) {
      select.columns.push_back(
          {.name = StrCat("v", select.columns.size()), .type = expr.type, .attribute = {}});
      core.outputs.push_back(std::move(expr));
    }
    row.clear();
  }
}

template <typename Statement>
Result<ReadyStatement::Bound> BindOne(const query::BindInput& input, const Statement& statement) {
  auto bound = query::Bind(input, statement);
  if (!bound) return std::move(bound).error();
  if constexpr (std::is_same_v<Statement, query::InsertStatement>) {
    if (!bound->select) PutSideBySide(*bound);
  }
  return ReadyStatement::Bound(*std::move(bound));
}

Result<ReadyStatement::Bound> BindAny(const query::BindInput& input,
                                      const query::Statement& statement) {
  if (const auto* select = std::get_if<query::SelectStatement>(&statement.node)) {
    return BindOne(input, select->select);
  }
  if (const auto* insert = std::get_if<query::InsertStatement>(&statement.node)) {
    return BindOne(input, *insert);
  }
  if (const auto* update = std::get_if<query::UpdateStatement>(&statement.node)) {
    return BindOne(input, *update);
  }
  return BindOne(input, std::get<query::DeleteStatement>(statement.node));
}

const query::BoundSelect& SelectOf(const query::BoundInsert& insert) { return *insert.select; }
const query::BoundSelect& SelectOf(const auto& statement) { return statement.select; }

const query::BoundSelect& ReturningOf(const query::BoundQuery& query) { return query.select; }
const query::BoundSelect& ReturningOf(const auto& statement) { return *statement.returning.select; }

}  // namespace

Result<std::unique_ptr<ReadyStatement>> ReadyStatement::Make(std::string_view text,
                                                             const query::Statement& statement,
                                                             schema::SchemaRef schema) {
  Result<Bound> bound = BindAny({.text = text, .schema = *schema}, statement);
  if (!bound) return std::move(bound).error();
  return std::unique_ptr<ReadyStatement>(new ReadyStatement(std::move(schema), *std::move(bound)));
}

Result<Rows> ReadyStatement::Read(std::span<const Value> parameters, const Reading& reading) {
  const query::BoundSelect& select = std::visit(
      [](const auto& one) -> const query::BoundSelect& { return SelectOf(one); }, bound_);
  return Run(select, parameters, reading, rows_);
}

Result<Rows> ReadyStatement::ReadReturning(std::span<const Value> parameters,
                                           const Reading& reading) {
  const query::BoundSelect& select = std::visit(
      [](const auto& one) -> const query::BoundSelect& { return ReturningOf(one); }, bound_);
  return Run(select, parameters, reading, returning_);
}

Result<Rows> ReadyStatement::Run(const query::BoundSelect& select,
                                 std::span<const Value> parameters, const Reading& reading,
                                 query::StandingSelect& standing) const {
  const TripleSource source(reading.view, reading.schema, &reading.engine);
  const std::uint32_t source_count =
      std::visit([](const query::BoundStatement& one) { return one.source_count; }, bound_);
  const query::SelectInput input{.select = select,
                                 .source_count = source_count,
                                 .parameters = parameters,
                                 .schema = *reading.schema};
  // The state has another schema with AS OF, and behind a write that has added a column.
  return reading.schema == schema_ ? standing.Run(input, source, reading.context)
                                   : query::RunSelect(input, source, reading.context);
}

Result<std::unique_ptr<ReadyStatement>> CachedScript::Take(std::size_t i,
                                                           const schema::SchemaRef& schema) const {
  std::unique_ptr<ReadyStatement> ready = ready_[i].Take();
  if (ready != nullptr && ready->schema() == schema) return ready;
  return ReadyStatement::Make(text_, parsed_.statements[i], schema);
}

Result<std::shared_ptr<const Query::Plan>> CachedScript::Prepare(
    const schema::SchemaRef& schema) const {
  using PlanRef = std::shared_ptr<const Query::Plan>;
  std::unique_ptr<PlanRef> prepared = prepared_.Take();
  if (prepared == nullptr || (*prepared)->schema != schema) {
    Result<PlanRef> made = query::Prepare(text_, parsed_, schema);
    if (!made) return std::move(made).error();
    prepared = std::make_unique<PlanRef>(*std::move(made));
  }
  PlanRef plan = *prepared;
  prepared_.Give(std::move(prepared));
  return plan;
}

StatementCache::ScriptRef StatementCache::Find(std::string_view text) {
  if (text.size() > kTextBytesMax) return std::make_shared<const CachedScript>(text);
  const std::string key(text);
  if (ScriptRef found = scripts_.Find(key)) return found;
  auto script = std::make_shared<const CachedScript>(text);
  if (!script->parsed().diagnostics.empty()) return script;
  return scripts_.Insert(key, std::move(script), kBytesOfScript + kBytesOfTextByte * key.size());
}

}  // namespace trefoil::db
