#include "tests/support/naive_database.h"

#include <algorithm>
#include <cstdio>

#include "base/check.h"
#include "base/errors.h"
#include "query/binder.h"
#include "query/ddl.h"
#include "query/parser.h"
#include "schema/migration.h"

namespace trefoil::testing {

namespace {

schema::Schema SchemaOf(const std::vector<GeneratedTable>& tables) {
  std::vector<schema::Declaration> declarations;
  for (const GeneratedTable& table : tables) {
    for (const std::string& text : table.declarations) {
      const query::ParsedScript script = query::Parse(text);
      Check(script.diagnostics.empty(), "a generated declaration parses");
      const auto& node = script.statements.at(0).node;
      if (const auto* type = std::get_if<query::TableStatement>(&node)) {
        declarations.push_back(*query::Declare(text, *type));
      } else {
        declarations.push_back(*query::Declare(text, std::get<query::IndexStatement>(node)));
      }
    }
  }
  return schema::Migrate(schema::Schema(), declarations)->schema;
}

}  // namespace

NaiveDatabase::NaiveDatabase(const std::vector<GeneratedTable>& tables)
    : tables_(tables), schema_(SchemaOf(tables)) {
  for (const GeneratedTable& table : tables) {
    const schema::Type* type = schema_.FindType(table.name);
    NaiveTable& model = data_[type->id];
    for (const GeneratedColumn& column : table.columns) {
      model.columns.push_back(type->Find(column.name)->id);
    }
    model.key = type->key;
  }
}

void NaiveDatabase::Apply(const GeneratedWrite& write) {
  std::vector<NaiveRow>& rows = data_.at(schema_.FindType(tables_[write.table].name)->id).rows;
  std::erase_if(rows, [&](const NaiveRow& row) {
    return std::equal(write.key.begin(), write.key.end(), row.begin());
  });
  if (write.row) rows.push_back(*write.row);
}

Result<Rows> NaiveDatabase::Run(std::string_view query) const {
  const query::ParsedScript script = query::Parse(query);
  if (!script.diagnostics.empty()) return script.diagnostics[0];
  const auto& select = std::get<query::SelectStatement>(script.statements.at(0).node).select;
  Result<query::BoundQuery> bound = query::Bind({query, schema_}, select);
  if (!bound) return std::move(bound).error();
  std::vector<std::string> names;
  for (const query::BoundColumn& column : bound->select.columns) names.push_back(column.name);
  auto rows = EvaluateNaively(bound->select, bound->source_count, data_, {});
  if (!rows) return LimitError("too many steps for the naive evaluator");
  std::vector<Value> cells;
  for (NaiveRow& row : *rows) {
    for (Value& value : row) cells.push_back(std::move(value));
  }
  return Rows(std::make_shared<const std::vector<std::string>>(std::move(names)), std::move(cells));
}

}  // namespace trefoil::testing
