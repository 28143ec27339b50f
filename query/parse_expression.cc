// Expressions, by precedence from loose to tight:
//   OR | AND | NOT | comparison, IS, IN, BETWEEN, LIKE | || | + - | * / % | unary - | primary
#include <charconv>
#include <cstdint>
#include <optional>

#include "base/ascii.h"
#include "base/str_cat.h"
#include "query/token_stream.h"

namespace trefoil::query {

namespace {

ExprPtr Box(Expr expr) { return std::make_unique<Expr>(std::move(expr)); }

template <typename Node>
Expr Make(const TokenStream& stream, std::uint32_t begin, Node node) {
  return {.node = std::move(node), .span = stream.Since(begin)};
}

// The number of `digits`, with a sign; DECIMAL when it has a point and fits, else FLOAT.
Value NumberOf(std::string_view digits, TokenKind kind, bool negative) {
  const std::string text = StrCat(negative ? "-" : "", digits);
  const char* const end = text.data() + text.size();
  std::int64_t integer = 0;
  if (kind == TokenKind::kInteger && std::from_chars(text.data(), end, integer).ec == std::errc()) {
    return Value::Int(integer);
  }
  if (kind == TokenKind::kDecimal) {
    const std::size_t point = text.find('.');
    const std::string unscaled = text.substr(0, point) + text.substr(point + 1);
    const std::size_t scale = text.size() - point - 1;
    const auto parsed =
        std::from_chars(unscaled.data(), unscaled.data() + unscaled.size(), integer);
    if (scale <= 18 && parsed.ec == std::errc()) {
      return Value::Decimal(integer, static_cast<int>(scale));
    }
  }
  double number = 0;
  // Out of range leaves the nearest: infinity or zero.
  if (std::from_chars(text.data(), end, number).ec == std::errc::result_out_of_range) {
    number = std::strtod(text.c_str(), nullptr);
  }
  return Value::Float(number);
}

bool AtNumber(const TokenStream& stream, std::size_t ahead = 0) {
  const TokenKind kind = stream.Peek(ahead).kind;
  return kind == TokenKind::kInteger || kind == TokenKind::kDecimal || kind == TokenKind::kFloat;
}

Expr ParseCase(TokenStream& stream) {
  TokenStream::Height height(stream);
  const std::uint32_t begin = stream.begin();
  stream.ExpectWord("case");
  Case node;
  if (!stream.AtWord("when")) node.operand = Box(ParseExpr(stream));
  do {
    stream.ExpectWord("when");
    CaseBranch branch;
    branch.when = Box(ParseExpr(stream));
    stream.ExpectWord("then");
    branch.then = Box(ParseExpr(stream));
    node.branches.push_back(std::move(branch));
  } while (stream.AtWord("when"));
  if (stream.AcceptWord("else")) node.otherwise = Box(ParseExpr(stream));
  stream.ExpectWord("end");
  height.Grow();
  return Make(stream, begin, std::move(node));
}

Expr ParseCast(TokenStream& stream) {
  TokenStream::Height height(stream);
  const std::uint32_t begin = stream.begin();
  stream.ExpectWord("cast");
  stream.ExpectSymbol("(");
  Cast node;
  node.operand = Box(ParseExpr(stream));
  stream.ExpectWord("as");
  node.type = ParseTypeName(stream);
  stream.ExpectSymbol(")");
  height.Grow();
  return Make(stream, begin, std::move(node));
}

SelectPtr ParseNestedSelect(TokenStream& stream, std::string_view close) {
  auto select = std::make_unique<Select>(ParseSelect(stream));
  stream.ExpectSymbol(close);
  return select;
}

Expr ParseCall(TokenStream& stream) {
  TokenStream::Height height(stream);
  const std::uint32_t begin = stream.begin();
  Call node;
  node.function = stream.ExpectName("a function name");
  stream.ExpectSymbol("(");
  if (stream.AcceptSymbol("*")) {
    node.star = true;
  } else if (!stream.AtSymbol(")")) {
    node.distinct = stream.AcceptWord("distinct");
    ParseList(stream, [&] { node.arguments.push_back(ParseExpr(stream)); });
  }
  stream.ExpectSymbol(")");
  if (stream.AtWord("filter") && stream.AtSymbol("(", 1)) {
    stream.Take();
    stream.Take();
    stream.ExpectWord("where");
    node.filter = Box(ParseExpr(stream));
    stream.ExpectSymbol(")");
  }
  height.Grow();
  return Make(stream, begin, std::move(node));
}

// DATE '...', TIMESTAMP '...', UUID '...', JSON '...': a CAST of the text.
Expr ParseTypedLiteral(TokenStream& stream) {
  const std::uint32_t begin = stream.begin();
  Cast node;
  node.type = ParseTypeName(stream);
  const std::uint32_t text = stream.begin();
  const Token token = stream.Take();
  node.operand = Box(Make(stream, text, Literal{Value::Text(Unquote(stream.TextOf(token)))}));
  return Make(stream, begin, std::move(node));
}

bool AtTypedLiteral(const TokenStream& stream) {
  return stream.Peek(1).kind == TokenKind::kText &&
         (stream.AtWord("date") || stream.AtWord("timestamp") || stream.AtWord("uuid") ||
          stream.AtWord("json"));
}

Expr ParseBracketed(TokenStream& stream) {
  TokenStream::Height height(stream);
  const std::uint32_t begin = stream.begin();
  if (stream.AcceptSymbol("[")) {
    if (AtSelect(stream)) {
      Subselect node{.select = ParseNestedSelect(stream, "]"), .is_list = true};
      height.Grow();
      return Make(stream, begin, std::move(node));
    }
    ListLiteral node;
    if (!stream.AtSymbol("]")) {
      ParseList(stream, [&] { node.items.push_back(ParseExpr(stream)); });
    }
    stream.ExpectSymbol("]");
    height.Grow();
    return Make(stream, begin, std::move(node));
  }
  stream.ExpectSymbol("(");
  if (AtSelect(stream)) {
    Subselect node{.select = ParseNestedSelect(stream, ")")};
    height.Grow();
    return Make(stream, begin, std::move(node));
  }
  Expr inner = ParseExpr(stream);
  stream.ExpectSymbol(")");
  inner.span = stream.Since(begin);
  return inner;
}

Expr ParseWord(TokenStream& stream) {
  const std::uint32_t begin = stream.begin();
  if (stream.AcceptWord("null")) return Make(stream, begin, Literal{});
  if (stream.AcceptWord("true")) return Make(stream, begin, Literal{Value::Bool(true)});
  if (stream.AcceptWord("false")) return Make(stream, begin, Literal{Value::Bool(false)});
  if (stream.AtWord("case")) return ParseCase(stream);
  if (stream.AtWord("cast")) return ParseCast(stream);
  if (stream.AcceptWord("exists")) {
    TokenStream::Height height(stream);
    stream.ExpectSymbol("(");
    Exists node{.select = ParseNestedSelect(stream, ")")};
    height.Grow();
    return Make(stream, begin, std::move(node));
  }
  if (AtTypedLiteral(stream)) return ParseTypedLiteral(stream);
  if (stream.AtName() && stream.AtSymbol("(", 1)) return ParseCall(stream);
  if (stream.AtName()) return Make(stream, begin, ParsePath(stream));
  stream.FailExpected("an expression");
  return {};
}

Expr ParsePrimary(TokenStream& stream) {
  const std::uint32_t begin = stream.begin();
  switch (stream.Peek().kind) {
    case TokenKind::kInteger:
    case TokenKind::kDecimal:
    case TokenKind::kFloat: {
      const Token token = stream.Take();
      return Make(stream, begin, Literal{NumberOf(stream.TextOf(token), token.kind, false)});
    }
    case TokenKind::kText: {
      const Token token = stream.Take();
      return Make(stream, begin, Literal{Value::Text(Unquote(stream.TextOf(token)))});
    }
    case TokenKind::kBytes: {
      const Token token = stream.Take();
      return Make(stream, begin, Literal{Value::Bytes(Unquote(stream.TextOf(token)))});
    }
    case TokenKind::kParameter: {
      const Token token = stream.Take();
      return Make(stream, begin, Parameter{.name = std::string(stream.TextOf(token).substr(1))});
    }
    case TokenKind::kWord:
    case TokenKind::kQuotedName:
      return ParseWord(stream);
    case TokenKind::kSymbol:
      if (stream.AcceptSymbol("?")) {
        return Make(stream, begin, Parameter{.name = {}, .ordinal = stream.TakeParameterOrdinal()});
      }
      if (stream.AtSymbol("(") || stream.AtSymbol("[")) return ParseBracketed(stream);
      break;
    default:
      break;
  }
  stream.FailExpected("an expression");
  return {};
}

Expr ParseUnary(TokenStream& stream) {
  const std::uint32_t begin = stream.begin();
  if (!stream.AtSymbol("-") && !stream.AtSymbol("+")) return ParsePrimary(stream);
  TokenStream::Nest nest(stream);
  TokenStream::Height height(stream);
  const bool minus = stream.AtSymbol("-");
  stream.Take();
  if (!minus) return ParseUnary(stream);
  if (AtNumber(stream)) {
    const Token token = stream.Take();
    return Make(stream, begin, Literal{NumberOf(stream.TextOf(token), token.kind, true)});
  }
  Unary node{.op = UnaryOperator::kMinus, .operand = Box(ParseUnary(stream))};
  height.Grow();
  return Make(stream, begin, std::move(node));
}

// One level of left-associative operators: `op_at` names the operator where the stream stands.
template <typename ParseOperand, typename OperatorAt>
Expr ParseLeftChain(TokenStream& stream, const ParseOperand& parse_operand,
                    const OperatorAt& op_at) {
  TokenStream::Height height(stream);
  const std::uint32_t begin = stream.begin();
  Expr left = parse_operand(stream);
  while (const std::optional<BinaryOperator> op = op_at(stream)) {
    stream.Take();
    Binary node{.op = *op, .left = Box(std::move(left)), .right = Box(parse_operand(stream))};
    height.Grow();
    left = Make(stream, begin, std::move(node));
  }
  return left;
}

std::optional<BinaryOperator> MultiplicativeAt(const TokenStream& stream) {
  if (stream.AtSymbol("*")) return BinaryOperator::kMultiply;
  if (stream.AtSymbol("/")) return BinaryOperator::kDivide;
  if (stream.AtSymbol("%")) return BinaryOperator::kModulo;
  return std::nullopt;
}

std::optional<BinaryOperator> AdditiveAt(const TokenStream& stream) {
  if (stream.AtSymbol("+")) return BinaryOperator::kAdd;
  if (stream.AtSymbol("-")) return BinaryOperator::kSubtract;
  return std::nullopt;
}

std::optional<BinaryOperator> ConcatAt(const TokenStream& stream) {
  if (stream.AtSymbol("||")) return BinaryOperator::kConcat;
  return std::nullopt;
}

std::optional<BinaryOperator> ComparisonAt(const TokenStream& stream) {
  if (stream.AtSymbol("=")) return BinaryOperator::kEqual;
  if (stream.AtSymbol("<>") || stream.AtSymbol("!=")) return BinaryOperator::kNotEqual;
  if (stream.AtSymbol("<")) return BinaryOperator::kLess;
  if (stream.AtSymbol("<=")) return BinaryOperator::kLessEqual;
  if (stream.AtSymbol(">")) return BinaryOperator::kGreater;
  if (stream.AtSymbol(">=")) return BinaryOperator::kGreaterEqual;
  return std::nullopt;
}

Expr ParseMultiplicative(TokenStream& stream) {
  return ParseLeftChain(stream, ParseUnary, MultiplicativeAt);
}
Expr ParseAdditive(TokenStream& stream) {
  return ParseLeftChain(stream, ParseMultiplicative, AdditiveAt);
}
Expr ParseConcat(TokenStream& stream) { return ParseLeftChain(stream, ParseAdditive, ConcatAt); }

Expr ParseIs(TokenStream& stream, std::uint32_t begin, Expr operand) {
  const bool negated = stream.AcceptWord("not");
  if (stream.AcceptWord("distinct")) {
    stream.ExpectWord("from");
    Binary node{.op = negated ? BinaryOperator::kIsNotDistinct : BinaryOperator::kIsDistinct,
                .left = Box(std::move(operand)),
                .right = Box(ParseConcat(stream))};
    return Make(stream, begin, std::move(node));
  }
  if (!stream.AcceptWord("null")) stream.FailExpected("NULL or DISTINCT FROM");
  return Make(stream, begin, IsNull{.operand = Box(std::move(operand)), .negated = negated});
}

Expr ParseIn(TokenStream& stream, std::uint32_t begin, Expr operand, bool negated) {
  In node{.operand = Box(std::move(operand)), .list = {}, .select = nullptr, .negated = negated};
  stream.ExpectSymbol("(");
  if (AtSelect(stream)) {
    node.select = ParseNestedSelect(stream, ")");
  } else {
    ParseList(stream, [&] { node.list.push_back(ParseExpr(stream)); });
    stream.ExpectSymbol(")");
  }
  return Make(stream, begin, std::move(node));
}

// Everything that begins with a word behind an operand; false when nothing does.
bool ParseWordComparison(TokenStream& stream, std::uint32_t begin, Expr& left) {
  if (stream.AcceptWord("is")) {
    left = ParseIs(stream, begin, std::move(left));
    return true;
  }
  const bool negated =
      stream.AtWord("not") && (stream.AtWord("in", 1) || stream.AtWord("between", 1) ||
                               stream.AtWord("like", 1) || stream.AtWord("ilike", 1));
  if (negated) stream.Take();
  if (stream.AcceptWord("in")) {
    left = ParseIn(stream, begin, std::move(left), negated);
  } else if (stream.AcceptWord("between")) {
    Between node{.operand = Box(std::move(left)), .low = {}, .high = {}, .negated = negated};
    node.low = Box(ParseConcat(stream));
    stream.ExpectWord("and");
    node.high = Box(ParseConcat(stream));
    left = Make(stream, begin, std::move(node));
  } else if (stream.AtWord("like") || stream.AtWord("ilike")) {
    Like node{
        .operand = Box(std::move(left)), .pattern = {}, .ignore_case = {}, .negated = negated};
    node.ignore_case = stream.AtWord("ilike");
    stream.Take();
    node.pattern = Box(ParseConcat(stream));
    left = Make(stream, begin, std::move(node));
  } else {
    return false;
  }
  return true;
}

Expr ParseComparison(TokenStream& stream) {
  TokenStream::Height height(stream);
  const std::uint32_t begin = stream.begin();
  Expr left = ParseConcat(stream);
  while (true) {
    if (const std::optional<BinaryOperator> op = ComparisonAt(stream)) {
      stream.Take();
      Binary node{.op = *op, .left = Box(std::move(left)), .right = Box(ParseConcat(stream))};
      left = Make(stream, begin, std::move(node));
    } else if (!ParseWordComparison(stream, begin, left)) {
      return left;
    }
    height.Grow();
  }
}

Expr ParseNot(TokenStream& stream) {
  if (!stream.AtWord("not")) return ParseComparison(stream);
  TokenStream::Nest nest(stream);
  TokenStream::Height height(stream);
  const std::uint32_t begin = stream.begin();
  stream.Take();
  Unary node{.op = UnaryOperator::kNot, .operand = Box(ParseNot(stream))};
  height.Grow();
  return Make(stream, begin, std::move(node));
}

template <typename ParseOperand>
Expr ParseLogical(TokenStream& stream, std::string_view word, bool is_and,
                  const ParseOperand& parse_operand) {
  TokenStream::Height height(stream);
  const std::uint32_t begin = stream.begin();
  Expr first = parse_operand(stream);
  if (!stream.AtWord(word)) return first;
  Logical node{.is_and = is_and, .operands = {}};
  node.operands.push_back(std::move(first));
  while (stream.AcceptWord(word)) node.operands.push_back(parse_operand(stream));
  height.Grow();
  return Make(stream, begin, std::move(node));
}

Expr ParseAnd(TokenStream& stream) { return ParseLogical(stream, "and", true, ParseNot); }

}  // namespace

Expr ParseExpr(TokenStream& stream) {
  TokenStream::Nest nest(stream);
  return ParseLogical(stream, "or", false, ParseAnd);
}

Path ParsePath(TokenStream& stream) {
  Path path;
  path.parts.push_back(stream.ExpectName("a name"));
  while (stream.AtSymbol(".") && !stream.AtSymbol("*", 1)) {
    stream.Take();
    path.parts.push_back(stream.ExpectName("a name after \".\""));
  }
  return path;
}

}  // namespace trefoil::query
