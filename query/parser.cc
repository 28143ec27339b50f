// Statements and the loop over them.
#include "query/parser.h"

#include <charconv>

#include "base/str_cat.h"
#include "query/diagnostic.h"
#include "query/token_stream.h"

namespace trefoil::query {

namespace {

ExprPtr Box(Expr expr) { return std::make_unique<Expr>(std::move(expr)); }

std::uint32_t ParseNumber(TokenStream& stream, std::string_view what) {
  if (stream.Peek().kind != TokenKind::kInteger) {
    stream.FailExpected(what);
    return 0;
  }
  const Token token = stream.Take();
  const std::string_view digits = stream.TextOf(token);
  std::uint32_t number = 0;
  if (std::from_chars(digits.data(), digits.data() + digits.size(), number).ec != std::errc()) {
    stream.Fail(token.span, ErrorCode::kSyntax, StrCat(what, " is at most 4294967295"));
  }
  return number;
}

Name ParseTableName(TokenStream& stream) {
  const std::uint32_t begin = stream.begin();
  Name name = stream.ExpectName("a table name");
  if (stream.AcceptSymbol(".")) {
    name.text += '.';
    name.text += stream.ExpectName("a table name").text;
    name.span = stream.Since(begin);
  }
  return name;
}

// ---- TABLE, INDEX, DROP ----

void ParseFieldOptions(TokenStream& stream, FieldDeclaration& field) {
  while (true) {
    if (stream.AcceptWord("key")) {
      field.key = true;
    } else if (stream.AcceptWord("unique")) {
      field.unique = true;
    } else if (stream.AcceptWord("index")) {
      field.index = true;
    } else if (stream.AcceptWord("not")) {
      stream.ExpectWord("null");
      field.not_null = true;
    } else if (stream.AcceptWord("default")) {
      field.default_value = Box(ParseExpr(stream));
    } else if (stream.AcceptWord("check")) {
      stream.ExpectSymbol("(");
      field.check = Box(ParseExpr(stream));
      stream.ExpectSymbol(")");
    } else {
      return;
    }
  }
}

void ParseField(TokenStream& stream, TableStatement& table) {
  const std::uint32_t begin = stream.begin();
  if (stream.AtWord("reserved") && stream.Peek(1).kind == TokenKind::kInteger) {
    stream.Take();
    do {
      table.reserved.push_back(ParseNumber(stream, "a field number"));
    } while (stream.AtSymbol(",") && stream.Peek(1).kind == TokenKind::kInteger &&
             stream.AcceptSymbol(","));
    return;
  }
  if (stream.AtWord("key") && stream.AtSymbol("(", 1)) {
    stream.Take();
    if (!table.key.empty()) {
      stream.Fail(stream.Since(begin), ErrorCode::kSyntax, "a table has one KEY (...)");
    }
    table.key = ParseNames(stream);
    return;
  }
  if (stream.AtWord("unique") && stream.AtSymbol("(", 1)) {
    stream.Take();
    table.unique.push_back(ParseNames(stream));
    return;
  }
  FieldDeclaration field;
  field.name = stream.ExpectName("a field name");
  field.type = ParseTypeName(stream);
  if (stream.AcceptSymbol("=")) field.number = ParseNumber(stream, "a field number");
  ParseFieldOptions(stream, field);
  field.span = stream.Since(begin);
  table.fields.push_back(std::move(field));
}

TableStatement ParseTable(TokenStream& stream) {
  TableStatement table;
  table.table = ParseTableName(stream);
  if (stream.AcceptSymbol("=")) table.number = ParseNumber(stream, "a table number");
  if (stream.AcceptWord("was")) table.was = stream.ExpectName("the former name");
  table.strict = stream.AcceptWord("strict");
  if (!table.strict) stream.AcceptWord("lax");
  stream.ExpectSymbol("(");
  do {
    if (stream.AtSymbol(")") && !table.fields.empty()) break;  // a trailing comma
    ParseField(stream, table);
  } while (stream.AcceptSymbol(","));
  stream.ExpectSymbol(")");
  return table;
}

IndexStatement ParseIndex(TokenStream& stream) {
  IndexStatement index;
  index.index = stream.ExpectName("an index name");
  stream.ExpectWord("on");
  index.table = ParseTableName(stream);
  stream.ExpectSymbol("(");
  ParseList(stream, [&] {
    IndexPath path{.path = ParsePath(stream)};
    path.descending = stream.AcceptWord("desc");
    if (!path.descending) stream.AcceptWord("asc");
    index.columns.push_back(std::move(path));
  });
  stream.ExpectSymbol(")");
  if (stream.AcceptWord("include")) index.include = ParseNames(stream);
  return index;
}

DropStatement ParseDrop(TokenStream& stream) {
  DropStatement drop;
  drop.is_index = stream.AcceptWord("index");
  if (!drop.is_index) stream.ExpectWord("table");
  drop.name = ParseTableName(stream);
  return drop;
}

// ---- INSERT, UPDATE, DELETE ----

Returning ParseReturning(TokenStream& stream) {
  Returning returning;
  if (stream.AcceptWord("returning")) {
    returning.outputs = ParseOutputs(stream, returning.shaped);
  }
  return returning;
}

ObjectLiteral ParseObject(TokenStream& stream) {
  ObjectLiteral object;
  stream.ExpectSymbol("{");
  while (!stream.AtSymbol("}")) {
    Name name = stream.ExpectLabel("a column name");
    if (!stream.AcceptColon()) stream.FailExpected("\":\"");
    object.entries.push_back({.name = std::move(name), .value = ParseExpr(stream)});
    if (!stream.AcceptSymbol(",")) break;
  }
  stream.ExpectSymbol("}");
  return object;
}

InsertStatement ParseInsert(TokenStream& stream, bool upsert) {
  InsertStatement insert;
  insert.upsert = upsert;
  stream.ExpectWord("into");
  insert.table = ParseTableName(stream);
  if (stream.AtSymbol("{")) {
    ParseList(stream, [&] { insert.objects.push_back(ParseObject(stream)); });
  } else {
    if (stream.AtSymbol("(")) insert.columns = ParseNames(stream);
    if (stream.AcceptWord("values")) {
      ParseList(stream, [&] {
        stream.ExpectSymbol("(");
        std::vector<Expr>& row = insert.rows.emplace_back();
        ParseList(stream, [&] { row.push_back(ParseExpr(stream)); });
        stream.ExpectSymbol(")");
      });
    } else if (AtSelect(stream)) {
      insert.select = std::make_unique<Select>(ParseSelect(stream));
    } else {
      stream.FailExpected("{ name: value, ... }, VALUES or SELECT");
    }
  }
  insert.returning = ParseReturning(stream);
  return insert;
}

Name ParseTargetAlias(TokenStream& stream) {
  if (stream.AcceptWord("as")) return stream.ExpectName("an alias");
  if (stream.AtName() && !stream.AtWord("set") && !stream.AtWord("unset")) {
    return stream.ExpectName("an alias");
  }
  return {};
}

UpdateStatement ParseUpdate(TokenStream& stream) {
  UpdateStatement update;
  update.table = ParseTableName(stream);
  update.alias = ParseTargetAlias(stream);
  if (stream.AcceptWord("set")) {
    ParseList(stream, [&] {
      Assignment assignment{.target = ParsePath(stream), .op = AssignOperator::kSet, .value = {}};
      if (stream.AcceptSymbol("+=")) {
        assignment.op = AssignOperator::kAdd;
      } else if (stream.AcceptSymbol("-=")) {
        assignment.op = AssignOperator::kRemove;
      } else {
        stream.ExpectSymbol("=");
      }
      assignment.value = ParseExpr(stream);
      update.assignments.push_back(std::move(assignment));
    });
  }
  if (stream.AcceptWord("unset")) {
    ParseList(stream, [&] { update.unset.push_back(stream.ExpectName("a column name")); });
  }
  if (update.assignments.empty() && update.unset.empty()) stream.FailExpected("SET or UNSET");
  if (stream.AcceptWord("where")) update.where = Box(ParseExpr(stream));
  update.returning = ParseReturning(stream);
  return update;
}

DeleteStatement ParseDelete(TokenStream& stream) {
  DeleteStatement statement;
  stream.ExpectWord("from");
  statement.table = ParseTableName(stream);
  statement.alias = ParseTargetAlias(stream);
  if (stream.AcceptWord("where")) statement.where = Box(ParseExpr(stream));
  statement.returning = ParseReturning(stream);
  return statement;
}

// ---- the rest ----

TransactionStatement ParseCommit(TokenStream& stream) {
  TransactionStatement commit{.verb = TransactionVerb::kCommit};
  if (stream.AcceptWord("relaxed")) commit.durability = CommitDurability::kRelaxed;
  if (stream.AcceptWord("durable")) commit.durability = CommitDurability::kDurable;
  return commit;
}

ExplainStatement ParseExplain(TokenStream& stream) {
  ExplainStatement explain;
  explain.analyze = stream.AcceptWord("analyze");
  explain.live = stream.AcceptWord("live");
  explain.dot = stream.AcceptWord("dot");
  if (!AtSelect(stream)) stream.FailExpected("SELECT");
  explain.select = ParseSelect(stream);
  return explain;
}

void FailUnknownStatement(TokenStream& stream) {
  if (stream.AtWord("create") || stream.AtWord("alter")) {
    stream.Fail(stream.Peek().span, ErrorCode::kSyntax,
                "a table is declared without CREATE or ALTER",
                "write TABLE name (...) with the wanted fields; the difference is applied");
    return;
  }
  stream.FailExpected("a statement (SELECT, INSERT, UPSERT, UPDATE, DELETE, TABLE, INDEX, ...)");
}

void ParseNode(TokenStream& stream, Statement& statement) {
  if (AtSelect(stream)) {
    statement.node = SelectStatement{ParseSelect(stream)};
  } else if (stream.AcceptWord("table")) {
    statement.node = ParseTable(stream);
  } else if (stream.AcceptWord("index")) {
    statement.node = ParseIndex(stream);
  } else if (stream.AcceptWord("drop")) {
    statement.node = ParseDrop(stream);
  } else if (stream.AcceptWord("insert")) {
    statement.node = ParseInsert(stream, false);
  } else if (stream.AcceptWord("upsert")) {
    statement.node = ParseInsert(stream, true);
  } else if (stream.AcceptWord("update")) {
    statement.node = ParseUpdate(stream);
  } else if (stream.AcceptWord("delete")) {
    statement.node = ParseDelete(stream);
  } else if (stream.AcceptWord("begin")) {
    statement.node = TransactionStatement{.verb = TransactionVerb::kBegin};
  } else if (stream.AcceptWord("commit")) {
    statement.node = ParseCommit(stream);
  } else if (stream.AcceptWord("rollback")) {
    statement.node = TransactionStatement{.verb = TransactionVerb::kRollback};
  } else if (stream.AcceptWord("explain")) {
    statement.node = ParseExplain(stream);
  } else {
    FailUnknownStatement(stream);
  }
}

Statement ParseStatement(TokenStream& stream) {
  stream.BeginStatement();
  const std::uint32_t begin = stream.begin();
  Statement statement;
  ParseNode(stream, statement);
  if (!stream.AtEnd() && !stream.AtSymbol(";")) stream.FailExpected("\";\" or the end");
  if (stream.failed()) statement.node = std::monostate{};
  statement.span = stream.Since(begin);
  statement.parameter_count = stream.parameter_count();
  return statement;
}

Error TextTooLong() {
  return {.code = ErrorCode::kLimit,
          .message = StrCat("a script has at most ", kTextBytesMax, " bytes (limit: script size)"),
          .hint = "split it into several scripts",
          .line = 1,
          .column = 1};
}

struct TypeWord {
  std::string_view word;
  ValueKind kind;
};
constexpr TypeWord kTypeWords[] = {
    {"bool", ValueKind::kBool},           {"int", ValueKind::kInt},
    {"float", ValueKind::kFloat},         {"text", ValueKind::kText},
    {"bytes", ValueKind::kBytes},         {"date", ValueKind::kDate},
    {"timestamp", ValueKind::kTimestamp}, {"uuid", ValueKind::kUuid},
    {"json", ValueKind::kJson},           {"any", ValueKind::kNull},
};

void ParseDecimalDigits(TokenStream& stream, TypeName& type) {
  stream.ExpectSymbol("(");
  const Token& token = stream.Peek();
  const Span span = token.span;
  const std::uint32_t precision = ParseNumber(stream, "the number of digits");
  std::uint32_t scale = 0;
  if (stream.AcceptSymbol(",")) scale = ParseNumber(stream, "the digits after the point");
  stream.ExpectSymbol(")");
  if (!stream.failed() && (precision < 1 || precision > 18 || scale > precision)) {
    stream.Fail(span, ErrorCode::kSyntax,
                "DECIMAL (p, s) has p from 1 to 18 digits, s of them after the point");
  }
  type.precision = static_cast<std::uint8_t>(precision);
  type.scale = static_cast<std::uint8_t>(scale);
}

}  // namespace

TypeName ParseTypeName(TokenStream& stream) {
  const std::uint32_t begin = stream.begin();
  TypeName type;
  constexpr std::pair<std::string_view, schema::MergeKind> kMerges[] = {
      {"set", schema::MergeKind::kSet},
      {"mv", schema::MergeKind::kMv},
      {"max", schema::MergeKind::kMax},
      {"min", schema::MergeKind::kMin}};
  if (stream.AcceptWord("counter")) {
    type.kind = ValueKind::kInt;
    type.merge = schema::MergeKind::kCounter;
    type.span = stream.Since(begin);
    return type;
  }
  for (const auto& [word, merge] : kMerges) {
    if (stream.AcceptWord(word)) {
      type.merge = merge;
      break;
    }
  }
  bool known = false;
  for (const TypeWord& word : kTypeWords) {
    if (!stream.AcceptWord(word.word)) continue;
    type.kind = word.kind;
    known = true;
    break;
  }
  if (!known && stream.AcceptWord("decimal")) {
    type.kind = ValueKind::kDecimal;
    ParseDecimalDigits(stream, type);
  } else if (!known && stream.AcceptWord("ref")) {
    type.kind = ValueKind::kRef;
    type.target = ParseTableName(stream);
    if (type.merge == schema::MergeKind::kRegister && stream.AcceptWord("acyclic")) {
      type.merge = schema::MergeKind::kTree;
    }
  } else if (!known) {
    stream.FailExpected("a type (BOOL, INT, FLOAT, DECIMAL, TEXT, BYTES, DATE, TIMESTAMP, ...)");
  }
  type.span = stream.Since(begin);
  return type;
}

ParsedScript Parse(std::string_view text) {
  ParsedScript script;
  if (text.size() > kTextBytesMax) {
    script.diagnostics.push_back(TextTooLong());
    return script;
  }
  TokenStream stream(text);
  while (!stream.AtEnd()) {
    if (stream.AcceptSymbol(";")) continue;
    script.statements.push_back(ParseStatement(stream));
    stream.Recover();
  }
  script.diagnostics = stream.TakeDiagnostics();
  return script;
}

Result<Expr> ParseExpression(std::string_view text) {
  if (text.size() > kTextBytesMax) return TextTooLong();
  TokenStream stream(text);
  Expr expr = ParseExpr(stream);
  if (!stream.AtEnd()) stream.FailExpected("the end of the expression");
  if (stream.failed()) return stream.TakeDiagnostics().front();
  return expr;
}

}  // namespace trefoil::query
