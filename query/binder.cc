// The entry points of the binder, and the statements that write.
#include "query/binder.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/str_cat.h"
#include "query/bind_context.h"
#include "query/diagnostic.h"

namespace trefoil::query {

namespace {

ExprType TypeOf(const schema::Attribute& attribute) {
  return {.kind = attribute.type.kind,
          .precision = attribute.type.precision,
          .scale = attribute.type.scale,
          .target = attribute.type.target,
          .is_set = attribute.merge == schema::MergeKind::kSet};
}

class WriteBinder : public BindContext {
 public:
  using BindContext::BindContext;

  // The column that is written: declared, or on its way to be an undeclared one of a LAX table.
  const schema::Attribute* FindColumn(const schema::Type& type, const Name& name) {
    const schema::Attribute* attribute = type.Find(name.text);
    if (attribute == nullptr && type.strict) {
      std::vector<std::string_view> names;
      for (const schema::Attribute& each : type.attributes) names.push_back(each.name);
      Fail(name.span, ErrorCode::kUnknownColumn,
           StrCat("table \"", type.name, "\" has no column \"", name.text, "\""),
           NearestNameHint(name.text, names));
    }
    return attribute;
  }

  BoundExpr FitColumn(BoundExpr value, const schema::Attribute* attribute) {
    if (attribute == nullptr) return value;
    return Fit(std::move(value), TypeOf(*attribute), StrCat("column \"", attribute->name, "\""));
  }

  std::string SpelledName(const schema::Attribute* attribute, const Name& name) {
    return attribute != nullptr ? attribute->name : name.text;
  }

  void BindObjects(const InsertStatement& insert, const schema::Type& type, BoundInsert& bound) {
    for (const ObjectLiteral& object : insert.objects) {
      std::vector<std::string>& columns = bound.columns.emplace_back();
      std::vector<BoundExpr>& row = bound.rows.emplace_back();
      for (const ObjectEntry& entry : object.entries) {
        const schema::Attribute* attribute = FindColumn(type, entry.name);
        AddColumn(columns, SpelledName(attribute, entry.name), entry.name.span);
        row.push_back(FitColumn(BindExpr(entry.value, nullptr), attribute));
      }
    }
  }

  void AddColumn(std::vector<std::string>& columns, std::string name, Span span) {
    const bool twice = std::ranges::any_of(
        columns, [&](const std::string& other) { return EqualIgnoringCase(other, name); });
    if (twice) {
      Fail(span, ErrorCode::kInvalidArgument, StrCat("column \"", name, "\" is given twice"));
    }
    columns.push_back(std::move(name));
  }

  // The columns that VALUES or a flat select fill, in order.
  std::vector<std::string> TargetColumns(const InsertStatement& insert, const schema::Type& type) {
    std::vector<std::string> columns;
    for (const Name& name : insert.columns) {
      AddColumn(columns, SpelledName(FindColumn(type, name), name), name.span);
    }
    if (!insert.columns.empty()) return columns;
    for (const schema::Attribute& attribute : type.attributes) {
      const bool is_generated = type.generated_key && type.IsKey(attribute.id);
      if (!IsUndeclared(attribute.id) && !is_generated) columns.push_back(attribute.name);
    }
    return columns;
  }

  void CheckCount(std::size_t values, std::size_t columns, Span span) {
    if (values == columns) return;
    Fail(span, ErrorCode::kInvalidArgument,
         StrCat("there are ", columns, " columns to fill, but ", values, " values"));
  }

  void BindRows(const InsertStatement& insert, const schema::Type& type, BoundInsert& bound) {
    const std::vector<std::string> columns = TargetColumns(insert, type);
    for (const std::vector<Expr>& values : insert.rows) {
      CheckCount(values.size(), columns.size(), values[0].span);
      if (failed()) return;
      std::vector<BoundExpr>& row = bound.rows.emplace_back();
      for (std::size_t i = 0; i < values.size(); ++i) {
        row.push_back(FitColumn(BindExpr(values[i], nullptr), type.Find(columns[i])));
      }
      bound.columns.push_back(columns);
    }
  }

  void BindInsertSelect(const InsertStatement& insert, const schema::Type& type,
                        BoundInsert& bound) {
    bound.select = BindSelect(*insert.select, nullptr, nullptr);
    if (failed()) return;
    std::vector<std::string> columns;
    if (insert.columns.empty() && bound.select->shaped) {
      for (const BoundColumn& column : bound.select->columns) {
        const Name name{column.name, insert.select->span};
        columns.push_back(SpelledName(FindColumn(type, name), name));
      }
    } else {
      columns = TargetColumns(insert, type);
      CheckCount(bound.select->columns.size(), columns.size(), insert.select->span);
    }
    bound.columns.push_back(std::move(columns));
  }

  // A select over the rows of `type` that `where` keeps, without outputs yet.
  BoundSelect RowsOf(const schema::Type& type, const Name& alias) {
    BoundSelect select;
    select.id = NewSource();
    BoundCore& core = select.cores.emplace_back();
    core.from.push_back({.kind = JoinKind::kCross, .source = TableSource(type, alias), .on = {}});
    return select;
  }

  void AddKeyOutputs(const schema::Type& type, BoundSelect& select) {
    const BoundSource& source = select.cores[0].from[0].source;
    for (const AttributeId key : type.key) {
      const auto column = std::ranges::find(source.columns, key, &BoundColumn::attribute);
      const auto index = static_cast<std::uint32_t>(column - source.columns.begin());
      select.cores[0].outputs.push_back(MakeColumn({source.id, index}, column->type));
      select.columns.push_back({.name = column->name, .type = column->type, .attribute = key});
    }
  }

  void BindUpdate(const UpdateStatement& update, const schema::Type& type, BoundUpdate& bound) {
    bound.type = type.id;
    bound.select = RowsOf(type, update.alias);
    bound.key_count = type.key.size();
    BoundCore& core = bound.select.cores[0];
    Scope scope{.core = &core, .merged = {}, .group_texts = {}};
    if (update.where) core.where = BindCondition(*update.where, &scope);
    AddKeyOutputs(type, bound.select);
    std::vector<std::string> columns;
    for (const Assignment& assignment : update.assignments) {
      if (failed()) return;
      BindAssignment(assignment, type, scope, bound);
      AddColumn(columns, bound.assignments.back().column, assignment.target.parts[0].span);
    }
    for (const Name& name : update.unset) {
      const schema::Attribute* attribute = FindColumn(type, name);
      bound.unset.push_back(SpelledName(attribute, name));
      AddColumn(columns, bound.unset.back(), name.span);
    }
    if (!failed()) AddKeyOrder(bound.select);
  }

  void BindAssignment(const Assignment& assignment, const schema::Type& type, Scope& scope,
                      BoundUpdate& bound) {
    const Name& name = assignment.target.parts[0];
    const schema::Attribute* attribute = FindColumn(type, name);
    if (assignment.target.parts.size() != 1) {
      Fail(assignment.target.parts[1].span, ErrorCode::kUnsupported,
           "UPDATE sets columns of its own table only", "update the table that the REF refers to");
    } else if (attribute != nullptr && type.IsKey(attribute->id)) {
      Fail(name.span, ErrorCode::kUnsupported,
           StrCat("\"", name.text, "\" is part of the key, and keys never change"),
           "delete the row and insert another");
    } else if (assignment.op == AssignOperator::kSet && attribute != nullptr &&
               attribute->merge == schema::MergeKind::kCounter) {
      Fail(name.span, ErrorCode::kUnsupported,
           StrCat("\"", name.text, "\" is a COUNTER, which is only added to"), "write += or -=");
    }
    BoundExpr value = BindExpr(assignment.value, &scope);
    AssignOperator op = assignment.op;
    const bool merges = attribute != nullptr && (attribute->merge == schema::MergeKind::kCounter ||
                                                 attribute->merge == schema::MergeKind::kSet);
    if (op != AssignOperator::kSet && !merges && !failed()) {
      // Of a plain column: the value before, plus or minus.
      const Operator sign = op == AssignOperator::kAdd ? Operator::kAdd : Operator::kSubtract;
      value = BindArithmetic(sign, BindPath(assignment.target, name.span, &scope), std::move(value),
                             name.span);
      op = AssignOperator::kSet;
    }
    const bool whole_value = op == AssignOperator::kSet && attribute != nullptr;
    if (whole_value) value = FitColumn(std::move(value), attribute);
    bound.select.columns.push_back({.name = SpelledName(attribute, name), .type = value.type});
    bound.select.cores[0].outputs.push_back(std::move(value));
    bound.assignments.push_back({.column = SpelledName(attribute, name), .op = op});
  }

  void BindDelete(const DeleteStatement& statement, const schema::Type& type, BoundDelete& bound) {
    bound.type = type.id;
    bound.select = RowsOf(type, statement.alias);
    BoundCore& core = bound.select.cores[0];
    Scope scope{.core = &core, .merged = {}, .group_texts = {}};
    if (statement.where) core.where = BindCondition(*statement.where, &scope);
    AddKeyOutputs(type, bound.select);
    if (!failed()) AddKeyOrder(bound.select);
  }
};

template <typename Bound>
Result<Bound> Finish(BindContext& context, Bound bound) {
  if (context.failed()) return context.TakeError();
  return bound;
}

}  // namespace

BoundReturning BindContext::BindReturning(const Returning& returning, const schema::Type& type,
                                          const Name& alias) {
  BoundReturning bound;
  if (returning.outputs.empty() || failed()) return bound;
  BoundSelect select;
  select.id = NewSource();
  select.shaped = returning.shaped;
  BoundCore& core = select.cores.emplace_back();
  core.from.push_back({.kind = JoinKind::kCross, .source = TableSource(type, alias), .on = {}});
  const BoundSource& source = core.from[0].source;
  bound.first_key_parameter = static_cast<std::uint32_t>(statement_.parameters.size());
  std::vector<BoundExpr> equal;
  for (const AttributeId key : type.key) {
    const auto column = std::ranges::find(source.columns, key, &BoundColumn::attribute);
    const auto index = static_cast<std::uint32_t>(column - source.columns.begin());
    const std::uint32_t number = ParameterNumber(StrCat("key:", column->name), 0);
    parameter(number).type = column->type;
    std::vector<BoundExpr> sides;
    sides.push_back(MakeColumn({source.id, index}, column->type));
    sides.push_back({.node = ParameterRef{number}, .type = column->type, .span = {}});
    equal.push_back(MakeOperation(Operator::kEqual, std::move(sides), kBoolType, {}));
  }
  core.where = equal.size() == 1 ? std::move(equal[0])
                                 : MakeOperation(Operator::kAnd, std::move(equal), kBoolType, {});
  Scope scope{.core = &core, .merged = {}, .group_texts = {}};
  BindOutputs(returning.outputs, scope, select);
  if (!failed()) AddKeyOrder(select);
  bound.select = std::move(select);
  return bound;
}

Result<BoundQuery> Bind(const BindInput& input, const Select& select) {
  BoundQuery bound;
  BindContext context(input, bound);
  bound.select = context.BindSelect(select, nullptr, nullptr);
  if (select.as_of && !context.failed()) {
    const BoundExpr point = context.BindExpr(*select.as_of->value, nullptr);
    const bool known = std::holds_alternative<Constant>(point.node) ||
                       std::holds_alternative<ParameterRef>(point.node);
    const ExprType wanted{.kind =
                              select.as_of->is_version ? ValueKind::kInt : ValueKind::kTimestamp};
    if (!known) {
      context.Fail(select.as_of->value->span, ErrorCode::kUnsupported,
                   "AS OF takes a literal or a parameter");
    } else {
      bound.as_of = BoundAsOf{
          .is_version = select.as_of->is_version,
          .value = context.Fit(context.BindExpr(*select.as_of->value, nullptr), wanted, "AS OF")};
    }
  }
  return Finish(context, std::move(bound));
}

Result<BoundInsert> Bind(const BindInput& input, const InsertStatement& insert) {
  BoundInsert bound;
  WriteBinder context(input, bound);
  const schema::Type* type = context.FindTable(insert.table);
  if (type == nullptr) return context.TakeError();
  bound.type = type->id;
  bound.upsert = insert.upsert;
  if (!insert.objects.empty()) {
    context.BindObjects(insert, *type, bound);
  } else if (insert.select) {
    context.BindInsertSelect(insert, *type, bound);
  } else {
    context.BindRows(insert, *type, bound);
  }
  bound.returning = context.BindReturning(insert.returning, *type, {});
  return Finish(context, std::move(bound));
}

Result<BoundUpdate> Bind(const BindInput& input, const UpdateStatement& update) {
  BoundUpdate bound;
  WriteBinder context(input, bound);
  const schema::Type* type = context.FindTable(update.table);
  if (type == nullptr) return context.TakeError();
  context.BindUpdate(update, *type, bound);
  bound.returning = context.BindReturning(update.returning, *type, update.alias);
  return Finish(context, std::move(bound));
}

Result<BoundDelete> Bind(const BindInput& input, const DeleteStatement& statement) {
  BoundDelete bound;
  WriteBinder context(input, bound);
  const schema::Type* type = context.FindTable(statement.table);
  if (type == nullptr) return context.TakeError();
  context.BindDelete(statement, *type, bound);
  bound.returning = context.BindReturning(statement.returning, *type, statement.alias);
  return Finish(context, std::move(bound));
}

Result<BoundExpr> BindRowExpression(const BindInput& input, const Expr& expr,
                                    const schema::Type* type) {
  BoundStatement statement;
  BindContext context(input, statement);
  BoundCore core;
  Scope scope{.core = &core, .merged = {}, .group_texts = {}};
  if (type != nullptr) {
    core.from.push_back(
        {.kind = JoinKind::kCross, .source = context.TableSource(*type, {}), .on = {}});
  }
  BoundExpr bound = context.BindExpr(expr, type != nullptr ? &scope : nullptr);
  const bool walks = !core.from.empty() && !core.from[0].source.refs.empty();
  bool selects = false;
  ForEachExpr(bound, [&](const BoundExpr& part) {
    selects = selects || std::holds_alternative<BoundSubselect>(part.node);
  });
  if (walks || selects) {
    context.Fail(expr.span, ErrorCode::kUnsupported,
                 "CHECK and DEFAULT look at the columns of their own row only");
  }
  return Finish(context, std::move(bound));
}

}  // namespace trefoil::query
