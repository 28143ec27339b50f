// Selects: WITH, FROM, groups, outputs, order.
#include <algorithm>

#include "base/ascii.h"
#include "base/str_cat.h"
#include "query/bind_context.h"
#include "query/diagnostic.h"
#include "query/printer.h"

namespace trefoil::query {

namespace {

constexpr std::size_t kSourcesMax = 64;  // in one FROM

// The position that an integer literal names in ORDER BY 2 or GROUP BY 2.
std::optional<std::int64_t> OrdinalOf(const Expr& expr) {
  const auto* literal = std::get_if<Literal>(&expr.node);
  if (literal == nullptr || literal->value.kind() != ValueKind::kInt) return std::nullopt;
  return literal->value.AsInt();
}

// The name when the expression is just one.
const Name* SingleName(const Expr& expr) {
  const auto* path = std::get_if<Path>(&expr.node);
  return path != nullptr && path->parts.size() == 1 ? &path->parts[0] : nullptr;
}

void RenameColumns(const std::vector<Name>& names, std::vector<BoundColumn>& columns) {
  for (std::size_t i = 0; i < names.size() && i < columns.size(); ++i) {
    columns[i].name = names[i].text;
  }
}

std::string UniqueName(std::string name, const std::vector<BoundColumn>& taken) {
  const auto is_taken = [&](std::string_view candidate) {
    return std::ranges::find(taken, candidate, &BoundColumn::name) != taken.end();
  };
  if (!is_taken(name)) return name;
  for (int i = 2;; ++i) {
    const std::string candidate = StrCat(name, "_", i);
    if (!is_taken(candidate)) return candidate;
  }
}

}  // namespace

// ---- WITH ----

// Names and types that recursive references may rely on: those of the first core by itself.
void BindContext::GuessColumns(const Cte& cte, Scope* outer, const CteScope* ctes,
                               BoundCte& bound) {
  BoundSelect first;
  first.id = NewSource();
  BoundCore& core = first.cores.emplace_back();
  Scope scope{.outer = outer, .ctes = ctes, .core = &core, .merged = {}, .group_texts = {}};
  const std::optional<Error> error = std::exchange(error_, std::nullopt);
  BindCore(cte.select->cores[0], scope, first);
  if (error_ && cte.columns.empty()) return;  // that error is the best one to show
  if (error_) {
    for (const Name& name : cte.columns) bound.columns.push_back({.name = name.text, .type = {}});
  } else {
    bound.columns = first.columns;
    RenameColumns(cte.columns, bound.columns);
  }
  error_ = error;
}

std::vector<BoundCte> BindContext::BindCtes(const Select& select, Scope* outer,
                                            const CteScope* ctes) {
  std::vector<BoundCte> bound(select.ctes.size());
  CteScope names{.outer = ctes, .ctes = &bound, .visible = 0};
  for (std::size_t i = 0; i < bound.size(); ++i) {
    bound[i].number = cte_count_++;
    bound[i].name = select.ctes[i].name.text;
    for (std::size_t j = 0; j < i; ++j) {
      if (!EqualIgnoringCase(bound[i].name, bound[j].name)) continue;
      Fail(select.ctes[i].name.span, ErrorCode::kAmbiguousName,
           StrCat("WITH defines \"", bound[i].name, "\" twice"));
    }
    if (select.recursive && !failed()) GuessColumns(select.ctes[i], outer, &names, bound[i]);
    if (select.recursive) names.visible = i + 1;
  }
  if (select.recursive) names.visible = bound.size();
  for (std::size_t i = 0; i < bound.size() && !failed(); ++i) {
    const Cte& cte = select.ctes[i];
    open_ctes_.push_back(bound[i].number);
    bound[i].select = std::make_unique<BoundSelect>(BindSelect(*cte.select, outer, &names));
    open_ctes_.pop_back();
    if (failed()) break;
    const std::vector<BoundColumn>& columns = bound[i].select->columns;
    if (!cte.columns.empty() && cte.columns.size() != columns.size()) {
      Fail(cte.name.span, ErrorCode::kInvalidArgument,
           StrCat("\"", cte.name.text, "\" names ", cte.columns.size(), " columns, its select has ",
                  columns.size()));
    }
    if (bound[i].columns.empty()) {
      bound[i].columns = columns;
      RenameColumns(cte.columns, bound[i].columns);
    }
    if (!select.recursive) names.visible = i + 1;
  }
  if (select.recursive) MarkRecursion(bound);
  return bound;
}

// Names that reach each other through cte_reads_ are one recursion group.
void BindContext::MarkRecursion(std::vector<BoundCte>& ctes) {
  const std::size_t count = ctes.size();
  std::vector<std::vector<bool>> reaches(count, std::vector<bool>(count));
  const auto index_of = [&](std::uint32_t number) {
    return static_cast<std::size_t>(std::ranges::find(ctes, number, &BoundCte::number) -
                                    ctes.begin());
  };
  for (const auto& [reader, read] : cte_reads_) {
    const std::size_t from = index_of(reader);
    const std::size_t to = index_of(read);
    if (from < count && to < count) reaches[from][to] = true;
  }
  for (std::size_t k = 0; k < count; ++k) {
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t j = 0; j < count; ++j) {
        if (reaches[i][k] && reaches[k][j]) reaches[i][j] = true;
      }
    }
  }
  for (std::size_t i = 0; i < count; ++i) {
    ctes[i].recursive = reaches[i][i];
    ctes[i].group = cte_groups_++;
    for (std::size_t j = 0; j < i; ++j) {
      if (reaches[i][j] && reaches[j][i]) ctes[i].group = ctes[j].group;
    }
  }
}

// ---- FROM ----

BoundSource BindContext::BindTableRef(const TableRef& ref, Scope& scope) {
  BoundSource source;
  if (ref.select) {
    source.kind = SourceKind::kSelect;
    source.name = ref.alias.text;
    source.select = std::make_unique<BoundSelect>(BindSelect(*ref.select, scope.outer, scope.ctes));
    source.id = source.select->id;
    source.columns = source.select->columns;
    return source;
  }
  for (const CteScope* names = scope.ctes; names != nullptr; names = names->outer) {
    for (std::size_t i = 0; i < names->visible; ++i) {
      const BoundCte& cte = (*names->ctes)[i];
      if (!EqualIgnoringCase(cte.name, ref.table.text)) continue;
      source.id = NewSource();
      source.kind = SourceKind::kCte;
      source.cte = cte.number;
      source.name = ref.alias.empty() ? cte.name : ref.alias.text;
      source.columns = cte.columns;
      for (const std::uint32_t reader : open_ctes_) cte_reads_.emplace_back(reader, cte.number);
      return source;
    }
  }
  const schema::Type* type = FindTable(ref.table);
  if (type == nullptr) return source;
  return TableSource(*type, ref.alias);
}

void BindContext::BindUsing(const Join& join, Scope& scope) {
  BoundJoin& bound = scope.core->from.back();
  const std::size_t count = scope.core->from.size();
  std::vector<BoundExpr> conditions;
  for (const Name& name : join.using_names) {
    Path path;
    path.parts.push_back(name);
    std::size_t next = 0;
    scope.sources_visible = count - 1;
    std::optional<PathPlace> left = FindInScope(path, scope, Columns::kDeclared, next);
    if (!left) left = FindInScope(path, scope, Columns::kAll, next);
    scope.sources_visible = SIZE_MAX;
    const auto right = std::ranges::find_if(bound.source.columns, [&](const BoundColumn& column) {
      return EqualIgnoringCase(column.name, name.text);
    });
    if (!left || right == bound.source.columns.end()) {
      Fail(name.span, ErrorCode::kUnknownColumn,
           StrCat("USING needs a column \"", name.text, "\" on both sides of the join"));
      return;
    }
    const ColumnRef right_ref{bound.source.id,
                              static_cast<std::uint32_t>(right - bound.source.columns.begin())};
    conditions.push_back(Compare(Operator::kEqual, MakeColumn(left->ref, left->type, name.span),
                                 MakeColumn(right_ref, right->type, name.span), name.span));
    std::erase_if(scope.merged, [&](const MergedColumn& merged) {
      return EqualIgnoringCase(merged.name, name.text);
    });
    MergedColumn merged{.name = right->name, .parts = {left->ref}, .type = left->type};
    if (join.kind == JoinKind::kRight) merged.parts = {right_ref};
    if (join.kind == JoinKind::kFull) merged.parts.push_back(right_ref);
    scope.merged.push_back(std::move(merged));
  }
  bound.on = conditions.size() == 1
                 ? std::move(conditions[0])
                 : MakeOperation(Operator::kAnd, std::move(conditions), kBoolType, {});
}

void BindContext::BindFrom(const From& from, Scope& scope) {
  std::vector<BoundJoin>& bound = scope.core->from;
  const auto add = [&](const TableRef& ref, JoinKind kind) {
    BoundJoin join{.kind = kind, .source = BindTableRef(ref, scope), .on = {}};
    for (const BoundJoin& other : bound) {
      if (!EqualIgnoringCase(other.source.name, join.source.name)) continue;
      Fail(ref.span, ErrorCode::kAmbiguousName,
           StrCat("FROM has two sources named \"", join.source.name, "\""),
           "give one of them an alias");
    }
    bound.push_back(std::move(join));
  };
  if (from.joins.size() >= kSourcesMax) {
    Fail(from.joins.back().right.span, ErrorCode::kLimit,
         StrCat("one FROM joins at most ", kSourcesMax, " sources (limit: joined sources)"));
    return;
  }
  bound.reserve(from.joins.size() + 1);
  add(from.first, JoinKind::kCross);
  for (const Join& join : from.joins) {
    if (failed()) return;
    add(join.right, join.kind);
    if (join.on && !failed()) bound.back().on = BindCondition(*join.on, &scope);
    if (!join.using_names.empty() && !failed()) BindUsing(join, scope);
    if (bound.back().kind == JoinKind::kInner && !bound.back().on) {
      bound.back().kind = JoinKind::kCross;
    }
  }
}

// ---- one core ----

void BindContext::BindGroupBy(const Core& core, Scope& scope) {
  BoundCore& bound = *scope.core;
  bound.grouped = true;
  bound.group = NewSource();
  bound.results = NewSource();
  for (const Expr& key : core.group_by) {
    const Expr* meant = &key;
    if (const auto ordinal = OrdinalOf(key)) {
      if (*ordinal < 1 || *ordinal > std::ssize(core.outputs) ||
          core.outputs[static_cast<std::size_t>(*ordinal - 1)].star) {
        Fail(key.span, ErrorCode::kInvalidArgument,
             StrCat("GROUP BY ", *ordinal, " names no output column"));
        return;
      }
      meant = core.outputs[static_cast<std::size_t>(*ordinal - 1)].value.get();
    } else if (const Name* name = SingleName(key)) {
      std::size_t next = 0;
      Path path;
      path.parts.push_back(*name);
      if (!FindInScope(path, scope, Columns::kDeclared, next) && !failed()) {
        for (const Output& output : core.outputs) {
          if (EqualIgnoringCase(output.name.text, name->text)) meant = output.value.get();
        }
      }
    }
    if (meant == nullptr || HasAggregate(*meant)) {
      Fail(key.span, ErrorCode::kInvalidArgument, "GROUP BY cannot hold an aggregate");
      return;
    }
    bound.group_keys.push_back(BindExpr(*meant, &scope));
    scope.group_texts.push_back(Print(*meant));
  }
}

void BindContext::BindOutputs(const std::vector<Output>& outputs, Scope& scope,
                              BoundSelect& select) {
  const bool names_columns = select.columns.empty();  // the first core does
  std::size_t position = 0;
  const auto add = [&](std::string name, BoundExpr value) {
    if (names_columns) {
      select.columns.push_back(
          {.name = UniqueName(std::move(name), select.columns), .type = value.type});
    }
    scope.core->outputs.push_back(std::move(value));
    ++position;
  };
  for (const Output& output : outputs) {
    if (failed()) return;
    if (output.star) {
      for (auto& [name, value] : ExpandStar(output, &scope)) add(name, std::move(value));
      continue;
    }
    std::string name = output.name.text;
    if (name.empty()) {
      const auto* path = std::get_if<Path>(&output.value->node);
      name = path != nullptr ? path->parts.back().text : std::string(TextOf(output.value->span));
    }
    add(std::move(name), BindExpr(*output.value, &scope));
  }
}

void BindContext::BindCore(const Core& core, Scope& scope, BoundSelect& select) {
  BoundCore& bound = *scope.core;
  if (core.from) BindFrom(*core.from, scope);
  if (failed()) return;
  if (core.where) bound.where = BindCondition(*core.where, &scope);
  const auto has_aggregate = [](const Output& output) {
    return output.value != nullptr && HasAggregate(*output.value);
  };
  if (!core.group_by.empty() || core.having || bound.grouped ||
      std::ranges::any_of(core.outputs, has_aggregate)) {
    BindGroupBy(core, scope);
    scope.behind_group = true;
    scope.allows_aggregate = true;
  }
  if (failed()) return;
  if (core.having) bound.having = BindCondition(*core.having, &scope);
  BindOutputs(core.outputs, scope, select);
  bound.distinct = core.distinct;
}

void BindContext::UnifyCores(BoundSelect& select, Span span) {
  for (const BoundCore& core : select.cores) {
    if (core.outputs.size() != select.columns.size()) {
      Fail(span, ErrorCode::kInvalidArgument,
           StrCat("set operations need selects of equally many columns, here ",
                  select.columns.size(), " and ", core.outputs.size()));
      return;
    }
  }
  for (std::size_t i = 0; i < select.columns.size(); ++i) {
    ExprType type = select.columns[i].type;
    for (const BoundCore& core : select.cores) {
      type = Unify(type, core.outputs[i].type, core.outputs[i].span);
    }
    for (BoundCore& core : select.cores) {
      BoundExpr& output = core.outputs[i];
      if (type.is_any() || output.type.is_any() || output.type.kind == type.kind) continue;
      const Span at = output.span;
      output = {.node = BoundCast{std::make_unique<BoundExpr>(std::move(output))},
                .type = type,
                .span = at};
    }
    select.columns[i].type = type;
  }
}

// ---- order ----

std::uint32_t BindContext::BindOrderKey(const OrderKey& key, Scope* scope, BoundSelect& select) {
  std::vector<BoundExpr>& outputs = select.cores[0].outputs;
  if (const auto ordinal = OrdinalOf(key.value)) {
    if (*ordinal >= 1 && *ordinal <= std::ssize(select.columns)) {
      return static_cast<std::uint32_t>(*ordinal - 1);
    }
    Fail(key.value.span, ErrorCode::kInvalidArgument,
         StrCat("ORDER BY ", *ordinal, " names no output column, there are ",
                select.columns.size()));
    return 0;
  }
  if (const Name* name = SingleName(key.value)) {
    for (std::uint32_t i = 0; i < select.columns.size(); ++i) {
      if (EqualIgnoringCase(select.columns[i].name, name->text)) return i;
    }
  }
  const auto refuse = [&] {
    std::vector<std::string_view> names;
    for (const BoundColumn& column : select.columns) names.push_back(column.name);
    const Name* name = SingleName(key.value);
    Fail(key.value.span, ErrorCode::kInvalidArgument,
         "behind DISTINCT and set operations ORDER BY names an output column",
         name != nullptr ? NearestNameHint(name->text, names) : std::string());
    return std::uint32_t{0};
  };
  if (scope == nullptr) return refuse();
  BoundExpr value = BindExpr(key.value, scope);
  const auto same = std::ranges::find_if(
      outputs, [&](const BoundExpr& output) { return SameExpr(output, value); });
  if (same != outputs.end()) return static_cast<std::uint32_t>(same - outputs.begin());
  if (select.cores[0].distinct && !failed()) return refuse();
  outputs.push_back(std::move(value));
  return static_cast<std::uint32_t>(outputs.size() - 1);
}

void BindContext::AddKeyOrder(BoundSelect& select) {
  const auto add = [&](std::uint32_t output) {
    select.key.push_back(output);
    if (std::ranges::find(select.order, output, &BoundOrderKey::output) == select.order.end()) {
      select.order.push_back({.output = output});
    }
  };
  if (select.cores.size() > 1 || select.cores[0].distinct) {
    for (std::uint32_t i = 0; i < select.columns.size(); ++i) add(i);
    return;
  }
  BoundCore& core = select.cores[0];
  const auto add_column = [&](ColumnRef ref, const ExprType& type) {
    BoundExpr column = MakeColumn(ref, type);
    const auto same = std::ranges::find_if(
        core.outputs, [&](const BoundExpr& output) { return SameExpr(output, column); });
    const auto index = static_cast<std::uint32_t>(same - core.outputs.begin());
    if (same == core.outputs.end()) core.outputs.push_back(std::move(column));
    add(index);
  };
  if (core.grouped) {
    for (std::uint32_t i = 0; i < core.group_keys.size(); ++i) {
      add_column({core.group, i}, core.group_keys[i].type);
    }
    return;
  }
  for (const BoundJoin& join : core.from) {
    const BoundSource& source = join.source;
    const schema::Type* type =
        source.kind == SourceKind::kTable ? schema_.FindType(source.type) : nullptr;
    for (std::uint32_t i = 0; i < source.columns.size(); ++i) {
      if (type == nullptr || type->IsKey(source.columns[i].attribute)) {
        add_column({source.id, i}, source.columns[i].type);
      }
    }
  }
}

void BindContext::BindOrder(const Select& ast, Scope* scope, BoundSelect& select) {
  for (const OrderKey& key : ast.order_by) {
    if (failed()) return;
    const std::uint32_t output = BindOrderKey(key, scope, select);
    const auto known = std::ranges::find(select.order, output, &BoundOrderKey::output);
    if (known != select.order.end()) continue;  // ties are settled already
    select.order.push_back({.output = output,
                            .descending = key.descending,
                            .nulls_first = key.nulls_first.value_or(!key.descending)});
  }
  select.order_by_count = select.order.size();
  if (!failed()) AddKeyOrder(select);
}

void BindContext::BindLimits(const Select& ast, const CteScope*, BoundSelect& select) {
  const auto bind_count = [&](const ExprPtr& expr, std::string_view what) {
    std::optional<BoundExpr> bound;
    if (expr) {
      bound = Fit(BindExpr(*expr, nullptr), kIntType, what);
      const auto* constant = std::get_if<Constant>(&bound->node);
      if (constant != nullptr && constant->value.kind() == ValueKind::kInt &&
          constant->value.AsInt() < 0) {
        Fail(expr->span, ErrorCode::kInvalidArgument, StrCat(what, " cannot be negative"));
      }
    }
    return bound;
  };
  select.limit = bind_count(ast.limit, "LIMIT");
  select.offset = bind_count(ast.offset, "OFFSET");
  if (ast.after.size() > select.order.size()) {
    Fail(ast.after.back().span, ErrorCode::kInvalidArgument,
         StrCat("AFTER has ", ast.after.size(), " values, the order has ", select.order.size(),
                " keys"),
         "give one value for each ORDER BY key, then the key of the row");
    return;
  }
  for (std::size_t i = 0; i < ast.after.size(); ++i) {
    const BoundExpr& output = select.cores[0].outputs[select.order[i].output];
    select.after.push_back(Fit(BindExpr(ast.after[i], nullptr), output.type, "this sort key"));
  }
}

BoundSelect BindContext::BindSelect(const Select& ast, Scope* outer, const CteScope* ctes) {
  BoundSelect select;
  select.id = NewSource();
  select.ctes = BindCtes(ast, outer, ctes);
  const CteScope names{.outer = ctes, .ctes = &select.ctes, .visible = select.ctes.size()};
  if (ast.as_of && outer != nullptr) {
    Fail(ast.span, ErrorCode::kUnsupported, "AS OF belongs to the outermost select");
  }
  select.shaped = ast.cores[0].shaped;
  const std::vector<Output>& outputs = ast.cores[0].outputs;
  select.scalar =
      !select.shaped && outputs.size() == 1 && !outputs[0].star && outputs[0].name.empty();
  select.operators = ast.operators;
  select.cores.reserve(ast.cores.size());
  const bool is_single = ast.cores.size() == 1;
  const bool orders_aggregate = std::ranges::any_of(
      ast.order_by, [](const OrderKey& key) { return HasAggregate(key.value); });
  for (const Core& core : ast.cores) {
    if (failed()) return select;
    BoundCore& bound = select.cores.emplace_back();
    bound.grouped = is_single && orders_aggregate;
    Scope scope{.outer = outer, .ctes = &names, .core = &bound, .merged = {}, .group_texts = {}};
    BindCore(core, scope, select);
    if (is_single && !failed()) BindOrder(ast, &scope, select);
  }
  if (failed()) return select;
  if (select.cores.size() > 1) UnifyCores(select, ast.span);
  if (!is_single && !failed()) BindOrder(ast, nullptr, select);
  if (!failed()) BindLimits(ast, &names, select);
  return select;
}

}  // namespace trefoil::query
