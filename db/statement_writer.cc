#include "db/statement_writer.h"

#include <optional>
#include <utility>

#include "base/str_cat.h"
#include "db/triple_source.h"
#include "query/binder.h"
#include "query/prepare.h"

namespace trefoil::db {

namespace {

using query::BindInput;

Result<Rows> RunSelect(const query::BoundSelect& select, const query::BoundStatement& statement,
                       std::span<const Value> parameters, const WriteTransaction& transaction,
                       const RunOptions& options) {
  const TripleSource source(transaction.view(), transaction.schema(), &transaction.engine());
  return query::RunSelect({.select = select,
                           .source_count = statement.source_count,
                           .parameters = parameters,
                           .schema = *transaction.schema()},
                          source, {.stop = options.stop});
}

// The keys of RETURNING are parameters too, filled row by row.
constexpr std::string_view kKeyParameter = "key:";

Result<std::vector<Value>> ParameterValues(const query::BoundStatement& statement,
                                           const Params& given, const Clock& clock) {
  Params params = given;
  for (const query::BoundParameter& parameter : statement.parameters) {
    if (parameter.name.starts_with(kKeyParameter)) params.Set(parameter.name, Value());
  }
  return query::BindParameters(statement.parameters, params, {.now_micros = clock.NowMicros()});
}

// Collects what RETURNING answers for each row.
class ReturningRows {
 public:
  ReturningRows(const query::BoundReturning& returning, const query::BoundStatement& statement,
                std::span<const Value> parameters, const RunOptions& options)
      : returning_(returning),
        statement_(statement),
        parameters_(parameters.begin(), parameters.end()),
        options_(options) {}

  // The row with this key as it is now. Called for each row that is written, so here a statement of
  // many rows is stopped.
  Status Add(std::span<const Value> key, const WriteTransaction& transaction) {
    if (options_.stop != nullptr && options_.stop->load(std::memory_order_relaxed)) {
      return dataflow::StoppedByCaller();
    }
    if (!returning_.select) return Ok();
    std::copy(key.begin(), key.end(),
              parameters_.begin() + static_cast<std::ptrdiff_t>(returning_.first_key_parameter));
    Result<Rows> rows =
        RunSelect(*returning_.select, statement_, parameters_, transaction, options_);
    if (!rows) return std::move(rows).error();
    names_ = rows->shared_names();
    for (std::size_t i = 0; i < rows->size(); ++i) {
      const std::span<const Value> row = (*rows)[i];
      cells_.insert(cells_.end(), row.begin(), row.end());
    }
    return Ok();
  }

  StatementResult Take(std::int64_t affected) {
    StatementResult result{.affected = affected};
    if (!returning_.select) return result;
    if (names_ == nullptr) {
      std::vector<std::string> names;
      for (const query::BoundColumn& column : returning_.select->columns) {
        names.push_back(column.name);
      }
      names_ = std::make_shared<const std::vector<std::string>>(std::move(names));
    }
    result.rows = Rows(names_, std::move(cells_));
    return result;
  }

 private:
  const query::BoundReturning& returning_;
  const query::BoundStatement& statement_;
  std::vector<Value> parameters_;
  const RunOptions options_;
  ObjectNames names_;  // null until the first row
  std::vector<Value> cells_;
};

Result<std::vector<FieldEdit>> EditsOf(WriteTransaction& transaction, TypeId type,
                                       const std::vector<std::string>& columns,
                                       std::span<const Value> values) {
  std::vector<FieldEdit> edits;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const Result<AttributeId> attribute = transaction.AttributeNamed(type, columns[i]);
    if (!attribute) return attribute.error();
    edits.push_back({.attribute = *attribute, .value = values[i]});
  }
  return edits;
}

EditKind KindOf(query::AssignOperator op) {
  switch (op) {
    case query::AssignOperator::kSet:
      return EditKind::kAssign;
    case query::AssignOperator::kAdd:
      return EditKind::kAdd;
    case query::AssignOperator::kRemove:
      return EditKind::kRemove;
  }
  return EditKind::kAssign;
}

// The rows of VALUES as a select without sources, so that they are computed like everything else:
// one row with the expressions of all rows side by side.
query::BoundSelect SelectOf(std::vector<std::vector<query::BoundExpr>> rows, query::SourceId id) {
  query::BoundSelect select;
  select.id = id;
  query::BoundCore& core = select.cores.emplace_back();
  for (std::vector<query::BoundExpr>& row : rows) {
    for (query::BoundExpr& expr : row) {
      select.columns.push_back(
          {.name = StrCat("v", select.columns.size()), .type = expr.type, .attribute = {}});
      core.outputs.push_back(std::move(expr));
    }
  }
  return select;
}

}  // namespace

Result<StatementResult> StatementWriter::Run(const query::Statement& statement,
                                             WriteTransaction& transaction) {
  const schema::SchemaRef schema = transaction.schema();
  const BindInput input{.text = text_, .schema = *schema};
  if (const auto* insert = std::get_if<query::InsertStatement>(&statement.node)) {
    Result<query::BoundInsert> bound = query::Bind(input, *insert);
    if (!bound) return std::move(bound).error();
    return Insert(*std::move(bound), transaction);
  }
  if (const auto* update = std::get_if<query::UpdateStatement>(&statement.node)) {
    const Result<query::BoundUpdate> bound = query::Bind(input, *update);
    if (!bound) return bound.error();
    return Update(*bound, transaction);
  }
  const Result<query::BoundDelete> bound =
      query::Bind(input, std::get<query::DeleteStatement>(statement.node));
  if (!bound) return bound.error();
  return Delete(*bound, transaction);
}

Result<StatementResult> StatementWriter::Insert(query::BoundInsert insert,
                                                WriteTransaction& transaction) {
  const Result<std::vector<Value>> parameters = ParameterValues(insert, params_, clock_);
  if (!parameters) return parameters.error();
  const bool from_select = insert.select.has_value();
  const query::BoundSelect source =
      from_select ? *std::move(insert.select)
                  : SelectOf(std::move(insert.rows), query::SourceId{insert.source_count++});
  const Result<Rows> values = RunSelect(source, insert, *parameters, transaction, options_);
  if (!values) return values.error();
  ReturningRows returning(insert.returning, insert, *parameters, options_);
  const std::size_t count = from_select ? values->size() : insert.columns.size();
  std::size_t at = 0;  // of the next value, when all rows stand side by side
  for (std::size_t i = 0; i < count; ++i) {
    const std::vector<std::string>& columns = insert.columns[from_select ? 0 : i];
    const std::span<const Value> row =
        from_select ? (*values)[i]
                    : (values->empty() ? std::span<const Value>()
                                       : (*values)[0].subspan(at, columns.size()));
    at += columns.size();
    const Result<std::vector<FieldEdit>> edits = EditsOf(transaction, insert.type, columns, row);
    if (!edits) return edits.error();
    const Result<std::vector<Value>> key = insert.upsert ? transaction.Put(insert.type, *edits)
                                                         : transaction.Insert(insert.type, *edits);
    if (!key) return key.error();
    if (Status added = returning.Add(*key, transaction); !added) return std::move(added).error();
  }
  return returning.Take(static_cast<std::int64_t>(count));
}

Result<StatementResult> StatementWriter::Update(const query::BoundUpdate& update,
                                                WriteTransaction& transaction) {
  const Result<std::vector<Value>> parameters = ParameterValues(update, params_, clock_);
  if (!parameters) return parameters.error();
  const Result<Rows> rows = RunSelect(update.select, update, *parameters, transaction, options_);
  if (!rows) return rows.error();
  std::vector<FieldEdit> edits;
  for (const query::BoundAssignment& assignment : update.assignments) {
    const Result<AttributeId> attribute =
        transaction.AttributeNamed(update.type, assignment.column);
    if (!attribute) return attribute.error();
    edits.push_back({.attribute = *attribute, .kind = KindOf(assignment.op)});
  }
  for (const std::string& column : update.unset) {
    const Result<AttributeId> attribute = transaction.AttributeNamed(update.type, column);
    if (!attribute) return attribute.error();
    edits.push_back({.attribute = *attribute});
  }
  ReturningRows returning(update.returning, update, *parameters, options_);
  for (std::size_t i = 0; i < rows->size(); ++i) {
    const std::span<const Value> key = (*rows)[i].first(update.key_count);
    for (std::size_t k = 0; k < update.assignments.size(); ++k) {
      edits[k].value = (*rows)[i][update.key_count + k];
    }
    const Result<bool> updated = transaction.Update(update.type, key, edits);
    if (!updated) return updated.error();
    if (Status added = returning.Add(key, transaction); !added) return std::move(added).error();
  }
  return returning.Take(static_cast<std::int64_t>(rows->size()));
}

Result<StatementResult> StatementWriter::Delete(const query::BoundDelete& statement,
                                                WriteTransaction& transaction) {
  const Result<std::vector<Value>> parameters = ParameterValues(statement, params_, clock_);
  if (!parameters) return parameters.error();
  const Result<Rows> rows =
      RunSelect(statement.select, statement, *parameters, transaction, options_);
  if (!rows) return rows.error();
  ReturningRows returning(statement.returning, statement, *parameters, options_);
  for (std::size_t i = 0; i < rows->size(); ++i) {
    if (Status added = returning.Add((*rows)[i], transaction); !added) {
      return std::move(added).error();
    }
  }
  for (std::size_t i = 0; i < rows->size(); ++i) {
    const Result<bool> deleted = transaction.Delete(statement.type, (*rows)[i]);
    if (!deleted) return deleted.error();
  }
  return returning.Take(static_cast<std::int64_t>(rows->size()));
}

}  // namespace trefoil::db
