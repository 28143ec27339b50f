#include "db/declared_constraints.h"

#include <cstddef>
#include <vector>

#include "base/errors.h"
#include "base/str_cat.h"
#include "db/row_layout.h"
#include "db/triple_store.h"
#include "schema/convert.h"
#include "schema/ids.h"

namespace trefoil::db {

using schema::Attribute;
using schema::Type;

namespace {

// Places of attributes in the declaration of a type.
struct NewConstraints {
  std::vector<std::size_t> not_null;
  std::vector<std::size_t> checks;

  bool empty() const { return not_null.empty() && checks.empty(); }
};

// `before` is null when the type was not declared; rows of an earlier declaration may be there.
NewConstraints Added(const Type* before, const TypeLayout& layout) {
  NewConstraints added;
  for (std::size_t i = 0; i < layout.type.attributes.size(); ++i) {
    const Attribute& attribute = layout.type.attributes[i];
    const Attribute* old = before == nullptr ? nullptr : before->Find(attribute.id);
    const bool was_not_null = layout.is_key[i] || (old != nullptr && old->not_null);
    if (attribute.not_null && !was_not_null) added.not_null.push_back(i);
    const bool same = old != nullptr && old->check_expression == attribute.check_expression;
    if (!attribute.check_expression.empty() && !same) added.checks.push_back(i);
  }
  return added;
}

// `row` holds the declared attributes.
Status CheckRow(const TypeLayout& layout, const NewConstraints& added, Slice subject,
                std::span<const Value> row) {
  const Type& type = layout.type;
  const auto row_name = [&] {
    const Result<std::vector<Value>> key = DecodeSubject(type, subject);
    return StrCat("table \"", type.name, "\": the row with key ",
                  key ? DescribeKey(*key) : "that does not read");
  };
  for (const std::size_t i : added.not_null) {
    if (!row[i].is_null()) continue;
    return MakeError(ErrorCode::kNotNullViolation,
                     StrCat(row_name(), " has no \"", type.attributes[i].name,
                            "\", so the column cannot become NOT NULL"),
                     "give every row a value first, then declare the column NOT NULL");
  }
  for (const std::size_t i : added.checks) {
    const Result<RowExpression>& check = *layout.checks[i];
    if (!check) return Status(Error(check.error()));
    const Result<Value> holds = (*check)(row);
    if (!holds) return Status(Error(holds.error()));
    if (holds->kind() != ValueKind::kBool || holds->AsBool()) continue;  // NULL passes
    return MakeError(
        ErrorCode::kCheckViolation,
        StrCat(row_name(), " has ", schema::Shortened(row[i]), " in \"", type.attributes[i].name,
               "\", which fails the new CHECK (", type.attributes[i].check_expression, ")"),
        "change the row first, then declare the CHECK");
  }
  return Ok();
}

}  // namespace

Status CheckDeclaredConstraints(const ReadView& view, const schema::Schema& before,
                                const Layouts& after) {
  for (const Type& type : after.schema()->types()) {
    if (schema::IsSystemType(type.id)) continue;
    const TypeLayout& layout = after.Of(type);
    const NewConstraints added = Added(before.FindType(type.id), layout);
    if (added.empty()) continue;
    Status broken;
    Status scanned =
        TripleStore(view).ScanSubjects(type, std::span(layout.ids).first(type.attributes.size()),
                                       {}, [&](Slice subject, std::span<const Value> row) {
                                         broken = CheckRow(layout, added, subject, row);
                                         return broken.has_value();
                                       });
    if (!scanned) return scanned;
    if (!broken) return broken;
  }
  return Ok();
}

}  // namespace trefoil::db
