// SELECT: cores, shapes, sources, order, and what surrounds them.
#include "base/str_cat.h"
#include "query/token_stream.h"

namespace trefoil::query {

namespace {

ExprPtr Box(Expr expr) { return std::make_unique<Expr>(std::move(expr)); }

// Words that are no alias unless AS stands before them, though they are not reserved.
bool AtClauseWord(const TokenStream& stream) {
  for (const std::string_view word : {"set", "unset", "values", "after", "filter"}) {
    if (stream.AtWord(word)) return true;
  }
  return false;
}

bool AtAsOf(const TokenStream& stream) { return stream.AtWord("as") && stream.AtWord("of", 1); }

// [[AS] name]
Name ParseAlias(TokenStream& stream) {
  if (AtAsOf(stream)) return {};
  if (stream.AcceptWord("as")) return stream.ExpectLabel("an alias");
  if (stream.AtName() && !AtClauseWord(stream)) return stream.ExpectName("an alias");
  return {};
}

// True at `*` and at `name.*`; takes it.
bool AcceptStar(TokenStream& stream, Output& output) {
  if (stream.AcceptSymbol("*")) {
    output.star = true;
  } else if (stream.AtName() && stream.AtSymbol(".", 1) && stream.AtSymbol("*", 2)) {
    output.star = true;
    output.star_qualifier = stream.ExpectName("an alias");
    stream.Take();
    stream.Take();
  }
  return output.star;
}

Expr ParseEntryValue(TokenStream& stream) {
  if (!stream.AtSymbol("{")) return ParseExpr(stream);
  TokenStream::Height height(stream);
  const std::uint32_t begin = stream.begin();
  ShapeOf node{.shape = ParseShape(stream), .path = {}};
  stream.ExpectWord("of");
  node.path = ParsePath(stream);
  height.Grow();
  return {.node = std::move(node), .span = stream.Since(begin)};
}

Output ParseEntry(TokenStream& stream) {
  const std::uint32_t begin = stream.begin();
  Output output;
  if (!AcceptStar(stream, output)) {
    const TokenKind first = stream.Peek().kind;
    const bool is_named =
        (first == TokenKind::kWord || first == TokenKind::kQuotedName) &&
        (stream.AtSymbol(":", 1) || (stream.Peek(1).kind == TokenKind::kParameter &&
                                     stream.Peek(1).span.begin == stream.Peek().span.end));
    if (is_named) {
      output.name = stream.ExpectLabel("a name");
      stream.AcceptColon();
      output.value = Box(ParseEntryValue(stream));
    } else {
      const std::uint32_t path_begin = stream.begin();
      Path path = ParsePath(stream);
      output.value = Box({.node = std::move(path), .span = stream.Since(path_begin)});
      if (!stream.failed() && !stream.AtSymbol(",") && !stream.AtSymbol("}")) {
        stream.FailExpected("\",\" or \"}\"; an entry that is no path is written name: expression");
      }
    }
  }
  output.span = stream.Since(begin);
  return output;
}

Output ParseItem(TokenStream& stream) {
  const std::uint32_t begin = stream.begin();
  Output output;
  if (!AcceptStar(stream, output)) {
    output.value = Box(ParseExpr(stream));
    output.name = ParseAlias(stream);
  }
  output.span = stream.Since(begin);
  return output;
}

TableRef ParseTableRef(TokenStream& stream) {
  const std::uint32_t begin = stream.begin();
  TableRef ref;
  if (stream.AcceptSymbol("(")) {
    if (!AtSelect(stream)) stream.FailExpected("SELECT");
    ref.select = std::make_unique<Select>(ParseSelect(stream));
    stream.ExpectSymbol(")");
    stream.AcceptWord("as");
    ref.alias = stream.ExpectName("an alias for the select");
  } else {
    ref.table = stream.ExpectName("a table name");
    if (stream.AcceptSymbol(".")) {
      ref.table.text += '.';
      ref.table.text += stream.ExpectName("a table name").text;
      ref.table.span = stream.Since(begin);
    }
    ref.alias = ParseAlias(stream);
  }
  ref.span = stream.Since(begin);
  return ref;
}

// Takes the words before a joined source; nothing when no join follows.
std::optional<JoinKind> AcceptJoin(TokenStream& stream) {
  if (stream.AcceptSymbol(",")) return JoinKind::kCross;
  std::optional<JoinKind> kind;
  if (stream.AcceptWord("inner")) {
    kind = JoinKind::kInner;
  } else if (stream.AcceptWord("left")) {
    kind = JoinKind::kLeft;
  } else if (stream.AcceptWord("right")) {
    kind = JoinKind::kRight;
  } else if (stream.AcceptWord("full")) {
    kind = JoinKind::kFull;
  } else if (stream.AcceptWord("cross")) {
    kind = JoinKind::kCross;
  } else if (stream.AcceptWord("join")) {
    return JoinKind::kInner;
  }
  if (!kind) return std::nullopt;
  if (*kind != JoinKind::kInner && *kind != JoinKind::kCross) stream.AcceptWord("outer");
  stream.ExpectWord("join");
  return kind;
}

From ParseFrom(TokenStream& stream) {
  From from;
  from.first = ParseTableRef(stream);
  while (const std::optional<JoinKind> kind = AcceptJoin(stream)) {
    Join join{.kind = *kind, .right = ParseTableRef(stream), .on = nullptr, .using_names = {}};
    if (*kind != JoinKind::kCross) {
      if (stream.AcceptWord("on")) {
        join.on = Box(ParseExpr(stream));
      } else if (stream.AcceptWord("using")) {
        join.using_names = ParseNames(stream);
      } else if (*kind != JoinKind::kInner) {
        stream.FailExpected("ON or USING");
      }
    }
    from.joins.push_back(std::move(join));
  }
  return from;
}

Core ParseCore(TokenStream& stream) {
  const std::uint32_t begin = stream.begin();
  Core core;
  stream.ExpectWord("select");
  core.distinct = stream.AcceptWord("distinct");
  if (!core.distinct) stream.AcceptWord("all");
  core.outputs = ParseOutputs(stream, core.shaped);
  if (stream.AcceptWord("from")) core.from = ParseFrom(stream);
  if (stream.AcceptWord("where")) core.where = Box(ParseExpr(stream));
  if (stream.AcceptWord("group")) {
    stream.ExpectWord("by");
    ParseList(stream, [&] { core.group_by.push_back(ParseExpr(stream)); });
  }
  if (stream.AcceptWord("having")) core.having = Box(ParseExpr(stream));
  core.span = stream.Since(begin);
  return core;
}

std::optional<SetOperator> AcceptSetOperator(TokenStream& stream) {
  if (stream.AcceptWord("intersect")) return SetOperator::kIntersect;
  if (stream.AcceptWord("except")) return SetOperator::kExcept;
  if (!stream.AcceptWord("union")) return std::nullopt;
  return stream.AcceptWord("all") ? SetOperator::kUnionAll : SetOperator::kUnion;
}

Cte ParseCte(TokenStream& stream) {
  Cte cte;
  cte.name = stream.ExpectName("a name for the WITH select");
  if (stream.AtSymbol("(")) cte.columns = ParseNames(stream);
  stream.ExpectWord("as");
  stream.ExpectSymbol("(");
  cte.select = std::make_unique<Select>(ParseSelect(stream));
  stream.ExpectSymbol(")");
  return cte;
}

OrderKey ParseOrderKey(TokenStream& stream) {
  OrderKey key{.value = ParseExpr(stream), .descending = false, .nulls_first = std::nullopt};
  key.descending = stream.AcceptWord("desc");
  if (!key.descending) stream.AcceptWord("asc");
  if (stream.AcceptWord("nulls")) {
    if (stream.AcceptWord("first")) {
      key.nulls_first = true;
    } else if (stream.AcceptWord("last")) {
      key.nulls_first = false;
    } else {
      stream.FailExpected("FIRST or LAST");
    }
  }
  return key;
}

void ParseLimits(TokenStream& stream, Select& select) {
  if (stream.AcceptWord("limit")) select.limit = Box(ParseExpr(stream));
  if (stream.AcceptWord("offset")) select.offset = Box(ParseExpr(stream));
  if (stream.AcceptWord("after")) {
    stream.ExpectSymbol("(");
    ParseList(stream, [&] { select.after.push_back(ParseExpr(stream)); });
    stream.ExpectSymbol(")");
    if (stream.AcceptWord("limit")) select.limit = Box(ParseExpr(stream));
  }
  if (AtAsOf(stream)) {
    stream.Take();
    stream.Take();
    AsOf as_of;
    as_of.is_version = stream.AcceptWord("version");
    as_of.value = Box(ParseExpr(stream));
    select.as_of = std::move(as_of);
  }
}

}  // namespace

bool AtSelect(const TokenStream& stream, std::size_t ahead) {
  return stream.AtWord("select", ahead) || stream.AtWord("with", ahead);
}

std::vector<Name> ParseNames(TokenStream& stream) {
  std::vector<Name> names;
  stream.ExpectSymbol("(");
  ParseList(stream, [&] { names.push_back(stream.ExpectName("a column name")); });
  stream.ExpectSymbol(")");
  return names;
}

Shape ParseShape(TokenStream& stream) {
  TokenStream::Nest nest(stream);
  Shape shape;
  stream.ExpectSymbol("{");
  do {
    if (stream.AtSymbol("}") && !shape.entries.empty()) break;  // a trailing comma
    shape.entries.push_back(ParseEntry(stream));
  } while (stream.AcceptSymbol(","));
  stream.ExpectSymbol("}");
  return shape;
}

std::vector<Output> ParseOutputs(TokenStream& stream, bool& shaped) {
  shaped = stream.AtSymbol("{");
  if (shaped) return ParseShape(stream).entries;
  std::vector<Output> outputs;
  ParseList(stream, [&] { outputs.push_back(ParseItem(stream)); });
  return outputs;
}

Select ParseSelect(TokenStream& stream) {
  TokenStream::Nest nest(stream);
  TokenStream::Height height(stream);
  const std::uint32_t begin = stream.begin();
  Select select;
  if (stream.AcceptWord("with")) {
    select.recursive = stream.AcceptWord("recursive");
    ParseList(stream, [&] { select.ctes.push_back(ParseCte(stream)); });
  }
  select.cores.push_back(ParseCore(stream));
  while (const std::optional<SetOperator> op = AcceptSetOperator(stream)) {
    select.operators.push_back(*op);
    select.cores.push_back(ParseCore(stream));
  }
  if (stream.AcceptWord("order")) {
    stream.ExpectWord("by");
    ParseList(stream, [&] { select.order_by.push_back(ParseOrderKey(stream)); });
  }
  ParseLimits(stream, select);
  height.Grow();
  select.span = stream.Since(begin);
  return select;
}

}  // namespace trefoil::query
