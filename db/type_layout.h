// TypeLayout: what writing the rows of a type needs to know of its schema, worked out once for each
// schema and shared by all transactions: what the keys of facts begin with, where key fields and
// columns of indexes stand in a row, DEFAULT and CHECK expressions ready to be evaluated.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "db/row_layout.h"
#include "schema/schema.h"
#include "trefoil/result.h"
#include "trefoil/value.h"

namespace trefoil::db {

// A DEFAULT (over no row) or a CHECK, over a row in the order of the type's attributes. Any thread.
using RowExpression = std::function<Result<Value>(std::span<const Value> row)>;
// Makes one of its TreeSQL text. Given by the query layer; the schema outlives what it makes.
enum class ExpressionUse { kDefault, kCheck };
using ExpressionCompiler =
    std::function<Result<RowExpression>(const schema::Schema& schema, const schema::Type& type,
                                        const std::string& expression, ExpressionUse use)>;

struct TypeLayout {
  struct IndexPlaces {
    const schema::Index* index;
    IndexLayout layout;
    std::vector<std::size_t> columns;  // places of the columns in a row
    std::vector<std::size_t> include;
  };

  // Both outlive it. An empty compiler refuses every expression.
  TypeLayout(const schema::Schema& schema, const schema::Type& type,
             const ExpressionCompiler& compiler);

  // The place of an attribute that can be named.
  std::size_t PlaceOf(AttributeId id) const;
  std::span<const AttributeId> named_ids() const { return {ids.data(), named}; }

  const schema::Type& type;
  // Declared, then undeclared, then retired attributes; the first `named` have names.
  std::vector<const schema::Attribute*> attributes;
  std::vector<AttributeId> ids;
  std::size_t named = 0;
  std::vector<ColumnPlace> column_places;  // of each attribute
  std::vector<std::string> fact_prefixes;  // of each attribute
  std::string row_cell_prefix;
  std::vector<bool> is_key;              // of each attribute
  std::vector<std::size_t> key_places;   // of each key field
  std::vector<schema::KeyPart> subject;  // of each key field
  std::vector<IndexPlaces> indexes;
  std::vector<std::optional<Result<RowExpression>>> defaults;  // of each declared attribute
  std::vector<std::optional<Result<RowExpression>>> checks;
  bool has_checks = false;
};

// The layouts of all types of a schema. Immutable, any thread.
class Layouts {
 public:
  Layouts(schema::SchemaRef schema, const ExpressionCompiler& compiler);

  const schema::SchemaRef& schema() const { return schema_; }
  // Of a type of the schema.
  const TypeLayout& Of(const schema::Type& type) const;

 private:
  schema::SchemaRef schema_;
  std::vector<std::unique_ptr<const TypeLayout>> types_;  // by id
};

using LayoutsRef = std::shared_ptr<const Layouts>;

}  // namespace trefoil::db
