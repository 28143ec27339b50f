#include "db/type_layout.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/errors.h"
#include "base/str_cat.h"
#include "schema/keys.h"

namespace trefoil::db {

using schema::Attribute;

namespace {

std::optional<Result<RowExpression>> Compiled(const schema::Schema& schema,
                                              const schema::Type& type, const Attribute& attribute,
                                              ExpressionUse use,
                                              const ExpressionCompiler& compiler) {
  const bool is_check = use == ExpressionUse::kCheck;
  const std::string& text = is_check ? attribute.check_expression : attribute.default_expression;
  if (text.empty()) return std::nullopt;
  if (!compiler) {
    return Result<RowExpression>(
        Unsupported(StrCat("column \"", type.name, ".", attribute.name, "\" has a ",
                           is_check ? "CHECK" : "DEFAULT", ", which only TreeSQL evaluates")));
  }
  return compiler(schema, type, text, use);
}

}  // namespace

TypeLayout::TypeLayout(const schema::Schema& schema, const schema::Type& of,
                       const ExpressionCompiler& compiler)
    : type(of), row_cell_prefix(schema::FactPrefix(of.id, schema::kRowCell)) {
  for (const std::vector<Attribute>* list : {&of.attributes, &of.undeclared, &of.retired}) {
    for (const Attribute& attribute : *list) {
      attributes.push_back(&attribute);
      ids.push_back(attribute.id);
      fact_prefixes.push_back(schema::FactPrefix(of.id, attribute.id));
      is_key.push_back(of.IsKey(attribute.id));
    }
  }
  column_places = PlacesOf(of, ids);
  named = attributes.size() - of.retired.size();
  for (const AttributeId field : of.key) key_places.push_back(PlaceOf(field));
  subject = SubjectParts(of);
  for (const schema::Index* index : schema.IndexesOf(of.id)) {
    IndexPlaces& places = indexes.emplace_back(IndexPlaces{index, IndexLayout(of, *index), {}, {}});
    for (const AttributeId id : places.layout.attributes) places.columns.push_back(PlaceOf(id));
    for (const AttributeId id : index->include) places.include.push_back(PlaceOf(id));
  }
  for (const Attribute& attribute : of.attributes) {
    defaults.push_back(Compiled(schema, of, attribute, ExpressionUse::kDefault, compiler));
    checks.push_back(Compiled(schema, of, attribute, ExpressionUse::kCheck, compiler));
    has_checks = has_checks || checks.back().has_value();
  }
}

std::size_t TypeLayout::PlaceOf(AttributeId id) const {
  const auto found = std::ranges::find(named_ids(), id);
  Check(found != named_ids().end(), "an attribute of the type is named");
  return static_cast<std::size_t>(found - named_ids().begin());
}

Layouts::Layouts(schema::SchemaRef schema, const ExpressionCompiler& compiler)
    : schema_(std::move(schema)) {
  types_.reserve(schema_->types().size());
  for (const schema::Type& type : schema_->types()) {
    types_.push_back(std::make_unique<const TypeLayout>(*schema_, type, compiler));
  }
}

const TypeLayout& Layouts::Of(const schema::Type& type) const {
  const auto found = std::ranges::lower_bound(types_, type.id, {},
                                              [](const auto& layout) { return layout->type.id; });
  Check(found != types_.end() && (*found)->type.id == type.id, "a type of the schema is written");
  return **found;
}

}  // namespace trefoil::db
