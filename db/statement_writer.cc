#include "db/statement_writer.h"

#include <algorithm>
#include <utility>

namespace trefoil::db {

namespace {

// The keys of RETURNING are parameters too, filled row by row.
constexpr std::string_view kKeyParameter = "key:";

Result<std::vector<Value>> ParameterValues(const query::BoundStatement& statement,
                                           const Params& given, const query::RunContext& context) {
  const auto is_key = [](const query::BoundParameter& parameter) {
    return parameter.name.starts_with(kKeyParameter);
  };
  if (std::ranges::none_of(statement.parameters, is_key)) {
    return query::BindParameters(statement.parameters, given, context);
  }
  Params params = given;
  for (const query::BoundParameter& parameter : statement.parameters) {
    if (is_key(parameter)) params.Set(parameter.name, Value());
  }
  return query::BindParameters(statement.parameters, params, context);
}

Reading In(const WriteTransaction& transaction, const query::RunContext& context) {
  return {.view = transaction.view(),
          .schema = transaction.schema(),
          .engine = transaction.engine(),
          .context = context};
}

// Collects what RETURNING answers for each row.
class ReturningRows {
 public:
  ReturningRows(const query::BoundReturning& returning, ReadyStatement& statement,
                std::vector<Value> parameters, const query::RunContext& context)
      : returning_(returning),
        statement_(statement),
        parameters_(std::move(parameters)),
        context_(context) {}

  // The row with this key as it is now. Called for each row that is written, so here a statement of
  // many rows is stopped.
  Status Add(std::span<const Value> key, const WriteTransaction& transaction) {
    if (context_.stop != nullptr && context_.stop->load(std::memory_order_relaxed)) {
      return dataflow::StoppedByCaller();
    }
    if (!returning_.select) return Ok();
    std::copy(key.begin(), key.end(),
              parameters_.begin() + static_cast<std::ptrdiff_t>(returning_.first_key_parameter));
    Result<Rows> rows = statement_.ReadReturning(parameters_, In(transaction, context_));
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
  ReadyStatement& statement_;
  std::vector<Value> parameters_;
  const query::RunContext context_;
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

// Each writes what `rows` say, the answer of the statement's select, and counts.
Result<std::int64_t> Apply(const query::BoundInsert& insert, const Rows& rows,
                           ReturningRows& returning, WriteTransaction& transaction) {
  const bool from_select = insert.rows.empty();
  const std::size_t count = from_select ? rows.size() : insert.rows.size();
  std::size_t at = 0;  // of the next value, when all rows stand side by side
  for (std::size_t i = 0; i < count; ++i) {
    const std::vector<std::string>& columns = insert.columns[from_select ? 0 : i];
    std::span<const Value> row;
    if (!rows.empty()) row = from_select ? rows[i] : rows[0].subspan(at, columns.size());
    at += columns.size();
    const Result<std::vector<FieldEdit>> edits = EditsOf(transaction, insert.type, columns, row);
    if (!edits) return edits.error();
    const Result<std::vector<Value>> key = insert.upsert ? transaction.Put(insert.type, *edits)
                                                         : transaction.Insert(insert.type, *edits);
    if (!key) return key.error();
    if (Status added = returning.Add(*key, transaction); !added) return std::move(added).error();
  }
  return static_cast<std::int64_t>(count);
}

Result<std::int64_t> Apply(const query::BoundUpdate& update, const Rows& rows,
                           ReturningRows& returning, WriteTransaction& transaction) {
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
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::span<const Value> key = rows[i].first(update.key_count);
    for (std::size_t k = 0; k < update.assignments.size(); ++k) {
      edits[k].value = rows[i][update.key_count + k];
    }
    const Result<bool> updated = transaction.Update(update.type, key, edits);
    if (!updated) return updated.error();
    if (Status added = returning.Add(key, transaction); !added) return std::move(added).error();
  }
  return static_cast<std::int64_t>(rows.size());
}

Result<std::int64_t> Apply(const query::BoundDelete& statement, const Rows& rows,
                           ReturningRows& returning, WriteTransaction& transaction) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (Status added = returning.Add(rows[i], transaction); !added) {
      return std::move(added).error();
    }
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Result<bool> deleted = transaction.Delete(statement.type, rows[i]);
    if (!deleted) return deleted.error();
  }
  return static_cast<std::int64_t>(rows.size());
}

template <typename Bound>
Result<StatementResult> RunBound(const Bound& bound, ReadyStatement& statement,
                                 std::vector<Value> parameters, WriteTransaction& transaction,
                                 const query::RunContext& context) {
  const Result<Rows> rows = statement.Read(parameters, In(transaction, context));
  if (!rows) return rows.error();
  ReturningRows returning(bound.returning, statement, std::move(parameters), context);
  const Result<std::int64_t> affected = Apply(bound, *rows, returning, transaction);
  if (!affected) return affected.error();
  return returning.Take(*affected);
}

}  // namespace

Result<StatementResult> RunWrite(ReadyStatement& statement, const Params& params,
                                 WriteTransaction& transaction, const query::RunContext& context) {
  const ReadyStatement::Bound& bound = statement.bound();
  Result<std::vector<Value>> parameters = std::visit(
      [&](const query::BoundStatement& one) { return ParameterValues(one, params, context); },
      bound);
  if (!parameters) return std::move(parameters).error();
  if (const auto* insert = std::get_if<query::BoundInsert>(&bound)) {
    return RunBound(*insert, statement, *std::move(parameters), transaction, context);
  }
  if (const auto* update = std::get_if<query::BoundUpdate>(&bound)) {
    return RunBound(*update, statement, *std::move(parameters), transaction, context);
  }
  return RunBound(std::get<query::BoundDelete>(bound), statement, *std::move(parameters),
                  transaction, context);
}

}  // namespace trefoil::db
