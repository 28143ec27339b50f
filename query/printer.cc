#include "query/printer.h"

#include <string_view>
#include <utility>

#include "base/str_cat.h"
#include "query/lexer.h"

namespace trefoil::query {

namespace {

std::string_view SymbolOf(BinaryOperator op) {
  switch (op) {
    case BinaryOperator::kAdd:
      return "+";
    case BinaryOperator::kSubtract:
      return "-";
    case BinaryOperator::kMultiply:
      return "*";
    case BinaryOperator::kDivide:
      return "/";
    case BinaryOperator::kModulo:
      return "%";
    case BinaryOperator::kConcat:
      return "||";
    case BinaryOperator::kEqual:
      return "=";
    case BinaryOperator::kNotEqual:
      return "<>";
    case BinaryOperator::kLess:
      return "<";
    case BinaryOperator::kLessEqual:
      return "<=";
    case BinaryOperator::kGreater:
      return ">";
    case BinaryOperator::kGreaterEqual:
      return ">=";
    case BinaryOperator::kIsDistinct:
      return "IS DISTINCT FROM";
    case BinaryOperator::kIsNotDistinct:
      return "IS NOT DISTINCT FROM";
  }
  return "?";
}

class Printer {
 public:
  std::string Take() { return std::move(out_); }

  void Put(const Statement& statement) {
    std::visit([&](const auto& node) { Put(node); }, statement.node);
  }

  void Put(const Select& select);
  void Put(const Expr& expr) {
    std::visit([&](const auto& node) { Put(node); }, expr.node);
  }

 private:
  template <typename... Parts>
  void Text(const Parts&... parts) {
    out_ += StrCat(parts...);
  }
  void Put(const Name& name) { out_ += QuoteName(name.text); }
  // A table name may be qualified: each part is quoted for itself.
  void PutTable(const Name& name) {
    const std::size_t dot = name.text.find('.');
    if (dot == std::string::npos || dot == 0 || dot + 1 == name.text.size()) return Put(name);
    Text(QuoteName(name.text.substr(0, dot)), ".", QuoteName(name.text.substr(dot + 1)));
  }
  template <typename T, typename PutItem>
  void List(const std::vector<T>& items, const PutItem& put_item) {
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i > 0) Text(", ");
      put_item(items[i]);
    }
  }
  template <typename T>
  void List(const std::vector<T>& items) {
    List(items, [&](const T& item) { Put(item); });
  }
  void Names(const std::vector<Name>& names) {
    Text("(");
    List(names);
    Text(")");
  }
  void Alias(const Name& alias) {
    if (alias.empty()) return;
    Text(" AS ");
    Put(alias);
  }

  // An operand: everything that is not primary gets parentheses.
  void Operand(const Expr& expr) {
    const bool primary =
        std::holds_alternative<Path>(expr.node) || std::holds_alternative<Parameter>(expr.node) ||
        std::holds_alternative<Cast>(expr.node) || std::holds_alternative<Exists>(expr.node) ||
        std::holds_alternative<Subselect>(expr.node) || std::holds_alternative<Call>(expr.node) ||
        std::holds_alternative<ListLiteral>(expr.node) || std::holds_alternative<Case>(expr.node) ||
        IsPlainLiteral(expr);
    if (!primary) Text("(");
    Put(expr);
    if (!primary) Text(")");
  }
  static bool IsPlainLiteral(const Expr& expr) {
    const auto* literal = std::get_if<Literal>(&expr.node);
    return literal != nullptr && PrintLiteral(literal->value)[0] != '-';
  }

  void Put(const std::monostate&) {}
  void Put(const Literal& node) { Text(PrintLiteral(node.value)); }
  void Put(const Path& node) {
    for (std::size_t i = 0; i < node.parts.size(); ++i) {
      if (i > 0) Text(".");
      Put(node.parts[i]);
    }
  }
  void Put(const Parameter& node) {
    if (node.name.empty()) {
      Text("?");
    } else {
      Text(":", node.name);
    }
  }
  void Put(const Unary& node) {
    Text(node.op == UnaryOperator::kNot ? "NOT " : "-");
    // A number directly behind the minus would be read as one literal.
    const bool is_number = std::holds_alternative<Literal>(node.operand->node);
    if (is_number) Text("(");
    Operand(*node.operand);
    if (is_number) Text(")");
  }
  void Put(const Binary& node) {
    Operand(*node.left);
    Text(" ", SymbolOf(node.op), " ");
    Operand(*node.right);
  }
  void Put(const Logical& node) {
    for (std::size_t i = 0; i < node.operands.size(); ++i) {
      if (i > 0) Text(node.is_and ? " AND " : " OR ");
      Operand(node.operands[i]);
    }
  }
  void Put(const IsNull& node) {
    Operand(*node.operand);
    Text(node.negated ? " IS NOT NULL" : " IS NULL");
  }
  void Put(const In& node) {
    Operand(*node.operand);
    Text(node.negated ? " NOT IN (" : " IN (");
    if (node.select) {
      Put(*node.select);
    } else {
      List(node.list);
    }
    Text(")");
  }
  void Put(const Between& node) {
    Operand(*node.operand);
    Text(node.negated ? " NOT BETWEEN " : " BETWEEN ");
    Operand(*node.low);
    Text(" AND ");
    Operand(*node.high);
  }
  void Put(const Like& node) {
    Operand(*node.operand);
    Text(node.negated ? " NOT" : "", node.ignore_case ? " ILIKE " : " LIKE ");
    Operand(*node.pattern);
  }
  void Put(const Case& node) {
    Text("CASE");
    if (node.operand) {
      Text(" ");
      Operand(*node.operand);
    }
    for (const CaseBranch& branch : node.branches) {
      Text(" WHEN ");
      Operand(*branch.when);
      Text(" THEN ");
      Operand(*branch.then);
    }
    if (node.otherwise) {
      Text(" ELSE ");
      Operand(*node.otherwise);
    }
    Text(" END");
  }
  void Put(const Cast& node) {
    Text("CAST(");
    Put(*node.operand);
    Text(" AS ");
    Put(node.type);
    Text(")");
  }
  void Put(const Exists& node) {
    Text("EXISTS (");
    Put(*node.select);
    Text(")");
  }
  void Put(const Subselect& node) {
    Text(node.is_list ? "[" : "(");
    Put(*node.select);
    Text(node.is_list ? "]" : ")");
  }
  void Put(const Call& node) {
    Put(node.function);
    Text("(", node.star ? "*" : "", node.distinct ? "DISTINCT " : "");
    List(node.arguments);
    Text(")");
    if (node.filter) {
      Text(" FILTER (WHERE ");
      Put(*node.filter);
      Text(")");
    }
  }
  void Put(const ListLiteral& node) {
    Text("[");
    List(node.items);
    Text("]");
  }
  void Put(const ShapeOf& node) {
    Put(node.shape);
    Text(" OF ");
    Put(node.path);
  }
  void Put(const Shape& shape) { PutShape(shape.entries); }

  void PutShape(const std::vector<Output>& entries) {
    Text("{ ");
    List(entries, [&](const Output& entry) {
      if (!entry.name.empty()) {
        Put(entry.name);
        Text(": ");
      }
      PutValue(entry);
    });
    Text(" }");
  }
  void PutValue(const Output& output) {
    if (!output.star) return Put(*output.value);
    if (!output.star_qualifier.empty()) {
      Put(output.star_qualifier);
      Text(".");
    }
    Text("*");
  }
  void PutOutputs(const std::vector<Output>& outputs, bool shaped) {
    if (shaped) return PutShape(outputs);
    List(outputs, [&](const Output& output) {
      PutValue(output);
      Alias(output.name);
    });
  }

  void Put(const TypeName& type);
  void Put(const TableRef& ref) {
    if (ref.select) {
      Text("(");
      Put(*ref.select);
      Text(")");
    } else {
      PutTable(ref.table);
    }
    Alias(ref.alias);
  }
  void Put(const Join& join);
  void Put(const Core& core);
  void Put(const FieldDeclaration& field);
  void Put(const TableStatement& table);
  void Put(const IndexStatement& index);
  void Put(const DropStatement& drop) {
    Text("DROP ", drop.is_index ? "INDEX " : "TABLE ");
    PutTable(drop.name);
  }
  void Put(const SelectStatement& statement) { Put(statement.select); }
  void Put(const Returning& returning) {
    if (returning.outputs.empty()) return;
    Text(" RETURNING ");
    PutOutputs(returning.outputs, returning.shaped);
  }
  void Put(const InsertStatement& insert);
  void Put(const UpdateStatement& update);
  void Put(const DeleteStatement& statement);
  void Put(const TransactionStatement& statement);
  void Put(const ExplainStatement& explain) {
    Text("EXPLAIN ", explain.analyze ? "ANALYZE " : "", explain.live ? "LIVE " : "",
         explain.dot ? "DOT " : "");
    Put(explain.select);
  }

  std::string out_;
};

void Printer::Put(const TypeName& type) {
  switch (type.merge) {
    case schema::MergeKind::kCounter:
      return Text("COUNTER");
    case schema::MergeKind::kSet:
      Text("SET ");
      break;
    case schema::MergeKind::kMv:
      Text("MV ");
      break;
    case schema::MergeKind::kMax:
      Text("MAX ");
      break;
    case schema::MergeKind::kMin:
      Text("MIN ");
      break;
    case schema::MergeKind::kRegister:
    case schema::MergeKind::kTree:
      break;
  }
  if (type.kind == ValueKind::kNull) {
    Text("ANY");
  } else if (type.kind == ValueKind::kRef) {
    Text("REF ");
    PutTable(type.target);
    if (type.merge == schema::MergeKind::kTree) Text(" ACYCLIC");
  } else if (type.kind == ValueKind::kDecimal) {
    Text("DECIMAL (", int{type.precision}, ", ", int{type.scale}, ")");
  } else {
    Text(KindName(type.kind));
  }
}

void Printer::Put(const Join& join) {
  switch (join.kind) {
    case JoinKind::kInner:
      Text(" JOIN ");
      break;
    case JoinKind::kLeft:
      Text(" LEFT JOIN ");
      break;
    case JoinKind::kRight:
      Text(" RIGHT JOIN ");
      break;
    case JoinKind::kFull:
      Text(" FULL JOIN ");
      break;
    case JoinKind::kCross:
      Text(" CROSS JOIN ");
      break;
  }
  Put(join.right);
  if (join.on) {
    Text(" ON ");
    Put(*join.on);
  }
  if (!join.using_names.empty()) {
    Text(" USING ");
    Names(join.using_names);
  }
}

void Printer::Put(const Core& core) {
  Text("SELECT ", core.distinct ? "DISTINCT " : "");
  PutOutputs(core.outputs, core.shaped);
  if (core.from) {
    Text(" FROM ");
    Put(core.from->first);
    for (const Join& join : core.from->joins) Put(join);
  }
  if (core.where) {
    Text(" WHERE ");
    Put(*core.where);
  }
  if (!core.group_by.empty()) {
    Text(" GROUP BY ");
    List(core.group_by);
  }
  if (core.having) {
    Text(" HAVING ");
    Put(*core.having);
  }
}

void Printer::Put(const Select& select) {
  if (!select.ctes.empty()) {
    Text("WITH ", select.recursive ? "RECURSIVE " : "");
    List(select.ctes, [&](const Cte& cte) {
      Put(cte.name);
      if (!cte.columns.empty()) Names(cte.columns);
      Text(" AS (");
      Put(*cte.select);
      Text(")");
    });
    Text(" ");
  }
  constexpr std::string_view kOperators[] = {" UNION ", " UNION ALL ", " INTERSECT ", " EXCEPT "};
  for (std::size_t i = 0; i < select.cores.size(); ++i) {
    if (i > 0) Text(kOperators[static_cast<int>(select.operators[i - 1])]);
    Put(select.cores[i]);
  }
  if (!select.order_by.empty()) {
    Text(" ORDER BY ");
    List(select.order_by, [&](const OrderKey& key) {
      Put(key.value);
      if (key.descending) Text(" DESC");
      if (key.nulls_first) Text(*key.nulls_first ? " NULLS FIRST" : " NULLS LAST");
    });
  }
  const auto clause = [&](std::string_view word, const ExprPtr& value) {
    if (!value) return;
    Text(word);
    Put(*value);
  };
  clause(" LIMIT ", select.limit);
  clause(" OFFSET ", select.offset);
  if (!select.after.empty()) {
    Text(" AFTER (");
    List(select.after);
    Text(")");
  }
  if (select.as_of)
    clause(select.as_of->is_version ? " AS OF VERSION " : " AS OF ", select.as_of->value);
}

void Printer::Put(const FieldDeclaration& field) {
  Put(field.name);
  Text(" ");
  Put(field.type);
  if (field.number) Text(" = ", *field.number);
  Text(field.key ? " KEY" : "", field.unique ? " UNIQUE" : "", field.index ? " INDEX" : "",
       field.not_null ? " NOT NULL" : "");
  if (field.default_value) {
    Text(" DEFAULT ");
    Operand(*field.default_value);
  }
  if (field.check) {
    Text(" CHECK (");
    Put(*field.check);
    Text(")");
  }
}

void Printer::Put(const TableStatement& table) {
  Text("TABLE ");
  PutTable(table.table);
  if (table.number) Text(" = ", *table.number);
  if (!table.was.empty()) {
    Text(" WAS ");
    Put(table.was);
  }
  if (table.strict) Text(" STRICT");
  Text(" (");
  bool first = true;
  const auto separate = [&] {
    if (!std::exchange(first, false)) Text(", ");
  };
  for (const FieldDeclaration& field : table.fields) {
    separate();
    Put(field);
  }
  if (!table.key.empty()) {
    separate();
    Text("KEY ");
    Names(table.key);
  }
  for (const std::vector<Name>& names : table.unique) {
    separate();
    Text("UNIQUE ");
    Names(names);
  }
  for (const std::uint32_t number : table.reserved) {
    separate();
    Text("RESERVED ", number);
  }
  Text(")");
}

void Printer::Put(const IndexStatement& index) {
  Text("INDEX ");
  Put(index.index);
  Text(" ON ");
  PutTable(index.table);
  Text(" (");
  List(index.columns, [&](const IndexPath& path) {
    Put(path.path);
    if (path.descending) Text(" DESC");
  });
  Text(")");
  if (!index.include.empty()) {
    Text(" INCLUDE ");
    Names(index.include);
  }
}

void Printer::Put(const InsertStatement& insert) {
  Text(insert.upsert ? "UPSERT INTO " : "INSERT INTO ");
  PutTable(insert.table);
  Text(" ");
  if (!insert.columns.empty()) {
    Names(insert.columns);
    Text(" ");
  }
  List(insert.objects, [&](const ObjectLiteral& object) {
    Text("{ ");
    List(object.entries, [&](const ObjectEntry& entry) {
      Put(entry.name);
      Text(": ");
      Put(entry.value);
    });
    Text(" }");
  });
  if (!insert.rows.empty()) {
    Text("VALUES ");
    List(insert.rows, [&](const std::vector<Expr>& row) {
      Text("(");
      List(row);
      Text(")");
    });
  }
  if (insert.select) Put(*insert.select);
  Put(insert.returning);
}

void Printer::Put(const UpdateStatement& update) {
  constexpr std::string_view kOperators[] = {" = ", " += ", " -= "};
  Text("UPDATE ");
  PutTable(update.table);
  Alias(update.alias);
  if (!update.assignments.empty()) {
    Text(" SET ");
    List(update.assignments, [&](const Assignment& assignment) {
      Put(assignment.target);
      Text(kOperators[static_cast<int>(assignment.op)]);
      Put(assignment.value);
    });
  }
  if (!update.unset.empty()) {
    Text(" UNSET ");
    List(update.unset);
  }
  if (update.where) {
    Text(" WHERE ");
    Put(*update.where);
  }
  Put(update.returning);
}

void Printer::Put(const DeleteStatement& statement) {
  Text("DELETE FROM ");
  PutTable(statement.table);
  Alias(statement.alias);
  if (statement.where) {
    Text(" WHERE ");
    Put(*statement.where);
  }
  Put(statement.returning);
}

void Printer::Put(const TransactionStatement& statement) {
  constexpr std::string_view kVerbs[] = {"BEGIN", "COMMIT", "ROLLBACK"};
  constexpr std::string_view kDurabilities[] = {"", " RELAXED", " DURABLE"};
  Text(kVerbs[static_cast<int>(statement.verb)],
       kDurabilities[static_cast<int>(statement.durability)]);
}

template <typename Tree>
std::string PrintTree(const Tree& tree) {
  Printer printer;
  printer.Put(tree);
  return printer.Take();
}

}  // namespace

std::string Print(const Statement& statement) { return PrintTree(statement); }
std::string Print(const Select& select) { return PrintTree(select); }
std::string Print(const Expr& expr) { return PrintTree(expr); }

}  // namespace trefoil::query
