#include "db/part_text.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "base/errors.h"
#include "base/str_cat.h"
#include "db/row_layout.h"
#include "query/binder.h"
#include "query/lexer.h"
#include "query/parser.h"
#include "query/plan.h"
#include "query/printer.h"
#include "query/to_expression.h"
#include "schema/convert.h"
#include "schema/key_codec.h"

namespace trefoil::db {

using query::BoundExpr;
using query::Operator;
using query::Token;
using query::TokenKind;
using schema::Part;
using schema::SubjectRange;
using schema::Type;

namespace {

Error NoRange(const Type& type) {
  return InvalidArgument(
      StrCat("the WHERE of table \"", type.name, "\" is no range of its key"),
      "write that leading key fields = values, and perhaps that the next one is < <= > or >= some");
}

// A key field against a value of its kind.
struct Test {
  std::size_t field = 0;
  Operator op{};
  Value value;
};

bool IsConstant(const BoundExpr& expr) {
  bool constant = true;
  query::CopyExpr(expr, [&](const BoundExpr& part) -> std::optional<BoundExpr> {
    constant = constant && !std::holds_alternative<query::ColumnRef>(part.node) &&
               !std::holds_alternative<query::ParameterRef>(part.node);
    return std::nullopt;
  });
  return constant;
}

Result<Test> ReadTest(const Type& type, const BoundExpr& expr) {
  const auto* operation = std::get_if<query::Operation>(&expr.node);
  if (operation == nullptr || operation->operands.size() != 2) return NoRange(type);
  const Operator op = operation->op;
  if (op != Operator::kEqual && (op < Operator::kLess || op > Operator::kGreaterEqual)) {
    return NoRange(type);
  }
  for (const std::size_t side : {0u, 1u}) {
    const auto* column = std::get_if<query::ColumnRef>(&operation->operands[side].node);
    const BoundExpr& other = operation->operands[1 - side];
    if (column == nullptr || !IsConstant(other)) continue;
    const schema::Attribute& attribute = type.attributes[column->column];
    const auto field = std::ranges::find(type.key, attribute.id);
    if (field == type.key.end()) return NoRange(type);
    Result<Value> value = schema::Convert(type, attribute, query::Evaluate(other));
    if (!value) return std::move(value).error();
    if (value->is_null()) return NoRange(type);
    return Test{static_cast<std::size_t>(field - type.key.begin()), side == 0 ? op : Mirrored(op),
                *std::move(value)};
  }
  return NoRange(type);
}

Status ReadTests(const Type& type, const BoundExpr& expr, std::vector<Test>* tests) {
  const auto* operation = std::get_if<query::Operation>(&expr.node);
  if (operation == nullptr || operation->op != Operator::kAnd) {
    Result<Test> test = ReadTest(type, expr);
    if (!test) return std::move(test).error();
    tests->push_back(*std::move(test));
    return Ok();
  }
  for (const BoundExpr& operand : operation->operands) {
    if (Status read = ReadTests(type, operand, tests); !read) return read;
  }
  return Ok();
}

// The later of two starts, the earlier of two limits.
void Narrow(SubjectRange* range, Operator op, const std::string& from) {
  const std::string behind = schema::PrefixLimit(from);
  if (op == Operator::kGreaterEqual) range->start = std::max(range->start, from);
  if (op == Operator::kGreater) range->start = std::max(range->start, behind);
  if (op != Operator::kLess && op != Operator::kLessEqual) return;
  const std::string& limit = op == Operator::kLess ? from : behind;
  range->limit = range->limit.empty() ? limit : std::min(range->limit, limit);
}

Result<SubjectRange> RangeOf(const Type& type, const std::vector<Test>& tests) {
  const std::vector<schema::KeyPart> parts = SubjectParts(type);
  std::string prefix;
  std::size_t field = 0;
  std::size_t used = 0;
  for (; field < parts.size(); ++field) {
    const auto is_fixed = [&](const Test& t) {
      return t.field == field && t.op == Operator::kEqual;
    };
    const auto fixed = std::ranges::find_if(tests, is_fixed);
    if (fixed == tests.end()) break;
    schema::AppendKeyPart(prefix, parts[field], fixed->value);
    ++used;
  }
  SubjectRange range = {.start = prefix, .limit = schema::PrefixLimit(prefix)};
  for (const Test& test : tests) {
    if (test.field != field) continue;
    std::string from = prefix;
    schema::AppendKeyPart(from, parts[field], test.value);
    Narrow(&range, test.op, from);
    ++used;
  }
  if (used != tests.size()) return NoRange(type);
  return range;
}

Result<SubjectRange> ReadRange(const schema::Schema& schema, const Type& type,
                               std::string_view text) {
  const Result<query::Expr> parsed = query::ParseExpression(text);
  if (!parsed) return parsed.error();
  const Result<BoundExpr> bound =
      query::BindRowExpression({.text = text, .schema = schema}, *parsed, &type);
  if (!bound) return bound.error();
  std::vector<Test> tests;
  if (Status read = ReadTests(type, *bound, &tests); !read) return std::move(read).error();
  Result<SubjectRange> range = RangeOf(type, tests);
  const auto is_tree = [](const schema::Attribute& a) {
    return a.merge == schema::MergeKind::kTree;
  };
  if (range && std::ranges::any_of(type.attributes, is_tree)) {
    return InvalidArgument(StrCat("table \"", type.name,
                                  "\" has an ACYCLIC column, so a part holds all of it or none"),
                           "leave out the WHERE");
  }
  return range;
}

// The values of leading key fields that the bytes are, or nothing.
std::optional<std::vector<Value>> LeadingFields(const std::vector<schema::KeyPart>& parts,
                                                Slice bytes) {
  std::vector<Value> values;
  for (const schema::KeyPart& part : parts) {
    if (bytes.empty()) break;
    if (!schema::TakeKeyPart(bytes, part, &values.emplace_back())) return std::nullopt;
  }
  if (!bytes.empty()) return std::nullopt;
  return values;
}

std::string Condition(const Type& type, std::size_t field, const char* op, const Value& value) {
  return StrCat(query::QuoteName(type.Find(type.key[field])->name), " ", op, " ",
                query::PrintLiteral(value));
}

std::string Joined(const std::vector<std::string>& texts, const char* between) {
  std::string all;
  for (const std::string& text : texts) all += StrCat(all.empty() ? "" : between, text);
  return all;
}

// How RangeOf came to the range, or nothing.
std::optional<std::string> RangeText(const Type& type, const SubjectRange& range) {
  const std::vector<schema::KeyPart> parts = SubjectParts(type);
  const auto from = LeadingFields(parts, Slice(range.start));
  if (!from) return std::nullopt;
  // The fields that are fixed, from as many as possible to none.
  for (std::size_t fixed = from->size() + 1; fixed-- > 0;) {
    if (from->size() > fixed + 1) break;
    std::string prefix;
    std::vector<std::string> conditions;
    for (std::size_t i = 0; i < fixed; ++i) {
      schema::AppendKeyPart(prefix, parts[i], (*from)[i]);
      conditions.push_back(Condition(type, i, "=", (*from)[i]));
    }
    if (from->size() > fixed) conditions.push_back(Condition(type, fixed, ">=", from->back()));
    if (range.limit == schema::PrefixLimit(prefix)) return Joined(conditions, " AND ");
    const auto to = LeadingFields(parts, Slice(range.limit));
    if (!to || to->size() != fixed + 1 || !range.limit.starts_with(prefix)) continue;
    conditions.push_back(Condition(type, fixed, "<", to->back()));
    return Joined(conditions, " AND ");
  }
  return std::nullopt;
}

}  // namespace

Result<Part> ParsePart(std::string_view text, const schema::Schema& schema) {
  const std::vector<Token> tokens = query::Lex(text);
  const auto text_of = [&](const Token& token) {
    return text.substr(token.span.begin, token.span.end - token.span.begin);
  };
  const auto is_symbol = [](const Token& token, std::string_view symbol) {
    return token.kind == TokenKind::kSymbol && token.symbol == query::Symbol(symbol);
  };
  Part::Tables tables;
  for (std::size_t at = 0;; ++at) {
    const Token& name = tokens[at];
    if (name.kind != TokenKind::kWord && name.kind != TokenKind::kQuotedName) {
      return MakeError(ErrorCode::kSyntax, "a part begins with the name of a table, or goes on so",
                       "write TABLE [WHERE range], ...");
    }
    const std::string table = name.kind == TokenKind::kQuotedName ? query::Unquote(text_of(name))
                                                                  : std::string(text_of(name));
    const Type* type = schema.FindType(table);
    if (type == nullptr) {
      return MakeError(ErrorCode::kUnknownTable, StrCat("there is no table \"", table, "\""));
    }
    SubjectRange range;
    ++at;
    if (EqualIgnoringCase(text_of(tokens[at]), "where")) {
      const std::size_t first = ++at;
      for (int depth = 0; tokens[at].kind != TokenKind::kEnd; ++at) {
        if (depth == 0 && is_symbol(tokens[at], ",")) break;
        depth += is_symbol(tokens[at], "(") ? 1 : is_symbol(tokens[at], ")") ? -1 : 0;
      }
      const std::size_t begin = tokens[first].span.begin;
      Result<SubjectRange> read =
          ReadRange(schema, *type, text.substr(begin, tokens[at].span.begin - begin));
      if (!read) {
        Error error = std::move(read).error();
        error.line = error.column = 0;  // of the condition alone
        return error;
      }
      range = *std::move(read);
    }
    tables[type->id].push_back(std::move(range));
    if (tokens[at].kind == TokenKind::kEnd) return Part(std::move(tables));
    if (!is_symbol(tokens[at], ",")) {
      return MakeError(ErrorCode::kSyntax,
                       StrCat("\"", text_of(tokens[at]), "\" behind the table \"", table, "\""),
                       "write TABLE [WHERE range], ...");
    }
  }
}

std::string PartText(const Part& part, const schema::Schema& schema) {
  if (part.is_whole()) return "";
  std::vector<std::string> texts;
  for (const auto& [id, ranges] : *part.tables()) {
    const Type* type = schema.FindType(id);
    const std::string name =
        type == nullptr ? StrCat("table number ", ToNumber(id)) : query::QuoteName(type->name);
    for (const SubjectRange& range : ranges) {
      const bool is_all = part.HoldsAll(id);
      const std::optional<std::string> condition =
          is_all || type == nullptr ? std::nullopt : RangeText(*type, range);
      texts.push_back(condition ? StrCat(name, " WHERE ", *condition)
                      : is_all  ? name
                                : name + " (a range of its keys)");
    }
  }
  std::ranges::stable_sort(texts);
  return texts.empty() ? "nothing but the catalogue" : Joined(texts, ", ");
}

}  // namespace trefoil::db
