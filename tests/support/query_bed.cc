#include "tests/support/query_bed.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <variant>

#include "base/check.h"
#include "base/errors.h"
#include "query/binder.h"
#include "query/ddl.h"
#include "query/parser.h"
#include "query/to_expression.h"
#include "schema/migration.h"

namespace trefoil::testing {

namespace {

schema::Schema Declared(std::string_view text) {
  const query::ParsedScript script = query::Parse(text);
  Check(script.diagnostics.empty(), "the declarations of a test parse");
  std::vector<schema::Declaration> declarations;
  for (const query::Statement& statement : script.statements) {
    Result<schema::Declaration> declared =
        std::holds_alternative<query::TableStatement>(statement.node)
            ? query::Declare(text, std::get<query::TableStatement>(statement.node))
            : query::Declare(text, std::get<query::IndexStatement>(statement.node));
    Check(declared.has_value(), "the declarations of a test are right");
    declarations.push_back(*std::move(declared));
  }
  Result<schema::Migration> migration = schema::Migrate(schema::Schema(), declarations);
  Check(migration.has_value(), "the declarations of a test fit together");
  schema::Schema schema = migration->schema;
  for (const IndexId index : migration->build) schema = schema::WithIndexReady(schema, index);
  return schema;
}

}  // namespace

QueryBed::QueryBed(std::string_view declarations)
    : schema_(std::make_shared<const schema::Schema>(Declared(declarations))) {
  for (const schema::Type& type : schema_->types()) {
    std::vector<AttributeId> columns;
    for (const schema::Attribute& attribute : type.attributes) columns.push_back(attribute.id);
    source_.AddTable(type.id, columns, type.key);
    for (const schema::Index* index : schema_->IndexesOf(type.id)) {
      std::vector<dataflow::PathDescription::PathColumn> path;
      for (const schema::IndexColumn& column : index->columns) {
        path.push_back({column.attribute, column.descending});
      }
      source_.AddIndex(type.id, index->id, std::move(path));
    }
  }
}

void QueryBed::Put(std::string_view table, dataflow::Row row) {
  source_.Put(schema_->FindType(table)->id, std::move(row));
}

std::string QueryBed::Insert(std::string_view text) {
  const query::ParsedScript script = query::Parse(text);
  if (!script.diagnostics.empty()) return ToString(script.diagnostics[0]);
  for (const query::Statement& statement : script.statements) {
    const auto& insert = std::get<query::InsertStatement>(statement.node);
    Result<query::BoundInsert> bound = query::Bind({text, *schema_}, insert);
    if (!bound) return ToString(bound.error());
    const schema::Type& type = *schema_->FindType(bound->type);
    for (std::size_t i = 0; i < bound->rows.size(); ++i) {
      dataflow::Row row;
      for (const schema::Attribute& attribute : type.attributes) {
        const std::vector<std::string>& columns = bound->columns[i];
        const auto given = std::ranges::find(columns, attribute.name);
        const auto place = static_cast<std::size_t>(given - columns.begin());
        if (given != columns.end()) {
          row.push_back(query::Evaluate(bound->rows[i][place]));
        } else if (attribute.default_expression.empty()) {
          row.emplace_back();
        } else {
          Result<query::Expr> parsed = query::ParseExpression(attribute.default_expression);
          Check(parsed.has_value(), "a stored DEFAULT parses");
          Result<query::BoundExpr> value =
              query::BindRowExpression({attribute.default_expression, *schema_}, *parsed, nullptr);
          Check(value.has_value(), "a stored DEFAULT binds");
          row.push_back(query::Evaluate(*value));
        }
      }
      source_.Put(type.id, std::move(row));
    }
  }
  return "";
}

void QueryBed::Erase(std::string_view table, const dataflow::Row& key) {
  source_.Erase(schema_->FindType(table)->id, key);
}

std::string QueryBed::Run(std::string_view text, const Params& params,
                          const query::PassSet& passes) {
  Result<std::shared_ptr<const Query::Plan>> prepared = query::Prepare(text, schema_);
  if (!prepared) return ToString(prepared.error());
  Result<Rows> rows = query::Run(**prepared, source_, params, {.now_micros = 0, .passes = passes});
  return rows ? rows->ToJson() : ToString(rows.error());
}

}  // namespace trefoil::testing
