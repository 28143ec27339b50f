// Names: from a path to a column, by scopes from the inside out, then along REFs.
#include <algorithm>

#include "base/ascii.h"
#include "base/str_cat.h"
#include "query/bind_context.h"
#include "query/diagnostic.h"
#include "schema/ids.h"

namespace trefoil::query {

namespace {

// Declared columns stand before the others, and are found first.
std::optional<std::uint32_t> IndexOfColumn(const std::vector<BoundColumn>& columns,
                                           std::string_view name, Columns which = Columns::kAll) {
  const auto found = std::ranges::find_if(columns, [&](const BoundColumn& column) {
    return EqualIgnoringCase(column.name, name) &&
           (which == Columns::kAll || !IsUndeclared(column.attribute));
  });
  if (found == columns.end()) return std::nullopt;
  return static_cast<std::uint32_t>(found - columns.begin());
}

std::vector<std::string_view> NamesOf(const std::vector<BoundColumn>& columns) {
  std::vector<std::string_view> names;
  for (const BoundColumn& column : columns) names.push_back(column.name);
  return names;
}

std::vector<BoundColumn> ColumnsOf(const schema::Type& type) {
  std::vector<BoundColumn> columns;
  for (const auto* attributes : {&type.attributes, &type.undeclared}) {
    if (type.strict && attributes == &type.undeclared) continue;
    for (const schema::Attribute& attribute : *attributes) {
      columns.push_back({.name = attribute.name,
                         .type = {.kind = attribute.type.kind,
                                  .precision = attribute.type.precision,
                                  .scale = attribute.type.scale,
                                  .target = attribute.type.target,
                                  .is_set = attribute.merge == schema::MergeKind::kSet},
                         .attribute = attribute.id});
    }
  }
  return columns;
}

// The visible sources of a scope.
std::span<BoundJoin> SourcesOf(Scope& scope) {
  std::vector<BoundJoin>& from = scope.core->from;
  return std::span(from).first(std::min(scope.sources_visible, from.size()));
}

BoundSource* SourceNamed(Scope& scope, std::string_view name) {
  for (BoundJoin& join : SourcesOf(scope)) {
    if (EqualIgnoringCase(join.source.name, name)) return &join.source;
  }
  return nullptr;
}

}  // namespace

const schema::Type* BindContext::FindTable(const Name& name) {
  const schema::Type* type = schema_.FindType(name.text);
  if (type == nullptr) {
    std::vector<std::string_view> names;
    for (const schema::Type& each : schema_.types()) names.push_back(each.name);
    Fail(name.span, ErrorCode::kUnknownTable, StrCat("there is no table \"", name.text, "\""),
         NearestNameHint(name.text, names));
    return nullptr;
  }
  return CheckTableHeld(*type, name.span) ? type : nullptr;
}

bool BindContext::CheckTableHeld(const schema::Type& type, Span span) {
  const Status held = schema::CheckHeld(schema_, type);
  if (!held) Fail(span, held.error().code, held.error().message, held.error().hint);
  return held.has_value();
}

BoundSource BindContext::TableSource(const schema::Type& type, const Name& alias) {
  BoundSource source;
  source.id = NewSource();
  source.kind = SourceKind::kTable;
  source.type = type.id;
  source.name = alias.text;
  if (alias.empty()) source.name = type.name.substr(type.name.find('.') + 1);  // sys.type is type
  source.columns = ColumnsOf(type);
  return source;
}

std::optional<PathPlace> BindContext::FindInScope(const Path& path, Scope& scope, Columns which,
                                                  std::size_t& next) {
  const std::string_view first = path.parts[0].text;
  if (path.parts.size() > 1) {
    if (const BoundSource* source = SourceNamed(scope, first)) {
      if (const auto column = IndexOfColumn(source->columns, path.parts[1].text, which)) {
        next = 2;
        return PathPlace{{source->id, *column}, source->columns[*column].type};
      }
    }
  }
  next = 1;
  for (const MergedColumn& merged : scope.merged) {
    if (EqualIgnoringCase(merged.name, first)) {
      return PathPlace{merged.parts[0], merged.type};
    }
  }
  std::optional<PathPlace> found;
  std::string_view found_in;
  for (const BoundJoin& join : SourcesOf(scope)) {
    const auto column = IndexOfColumn(join.source.columns, first, which);
    if (!column) continue;
    if (found) {
      Fail(path.parts[0].span, ErrorCode::kAmbiguousName,
           StrCat("more than one table has a column \"", first, "\""),
           StrCat("write ", found_in, ".", first, " or the like"));
      return found;
    }
    found = PathPlace{{join.source.id, *column}, join.source.columns[*column].type};
    found_in = join.source.name;
  }
  return found;
}

std::optional<PathPlace> BindContext::FindStart(const Path& path, Scope*& scope,
                                                std::size_t& next) {
  Scope* const innermost = scope;
  for (const Columns which : {Columns::kDeclared, Columns::kAll}) {
    for (scope = innermost; scope != nullptr; scope = scope->outer) {
      if (scope->core == nullptr) continue;
      if (const auto place = FindInScope(path, *scope, which, next)) return place;
    }
  }
  return std::nullopt;
}

void BindContext::FailUnknownColumn(const Path& path, Scope* scope) {
  const Name& first = path.parts[0];
  std::vector<std::string_view> names;
  for (Scope* s = scope; s != nullptr; s = s->outer) {
    if (s->core == nullptr) continue;
    if (BoundSource* source = SourceNamed(*s, first.text)) {
      if (path.parts.size() == 1) {
        Fail(first.span, ErrorCode::kUnknownColumn,
             StrCat("\"", first.text, "\" is a table here, not a column"),
             StrCat("name a column, as in ", first.text, ".",
                    source->columns.empty() ? std::string("x") : source->columns[0].name));
        return;
      }
      Fail(path.parts[1].span, ErrorCode::kUnknownColumn,
           StrCat("table \"", source->name, "\" has no column \"", path.parts[1].text, "\""),
           NearestNameHint(path.parts[1].text, NamesOf(source->columns)));
      return;
    }
    for (BoundJoin& join : SourcesOf(*s)) {
      for (const BoundColumn& column : join.source.columns) names.push_back(column.name);
      if (path.parts.size() > 1) names.push_back(join.source.name);
    }
  }
  std::string message = StrCat("there is no column \"", first.text, "\" here");
  const bool one_table = scope != nullptr && scope->outer == nullptr && scope->core != nullptr &&
                         SourcesOf(*scope).size() == 1;
  if (one_table) {
    message = StrCat("table \"", SourcesOf(*scope)[0].source.name, "\" has no column \"",
                     first.text, "\"");
  }
  Fail(first.span, ErrorCode::kUnknownColumn, std::move(message),
       NearestNameHint(first.text, names));
}

// ---- along REFs ----

RefJoin& BindContext::RefJoinFor(Scope& scope, const PathPlace& via) {
  BoundCore& core = *scope.core;
  std::vector<RefJoin>* refs = nullptr;
  const auto owns = [&](SourceId id, const std::vector<RefJoin>& joins) {
    return via.ref.source == id || std::ranges::any_of(joins, [&](const RefJoin& join) {
             return join.id == via.ref.source;
           });
  };
  for (BoundJoin& join : core.from) {
    if (owns(join.source.id, join.source.refs)) refs = &join.source.refs;
  }
  if (refs == nullptr) refs = &core.group_refs;
  const auto found = std::ranges::find(*refs, via.ref, &RefJoin::via);
  if (found != refs->end()) return *found;
  const schema::Type* target = schema_.FindType(*via.type.target);
  RefJoin join{.id = NewSource(), .target = *via.type.target, .via = via.ref, .columns = {}};
  if (target != nullptr) join.columns = ColumnsOf(*target);
  return refs->emplace_back(std::move(join));
}

PathPlace BindContext::Step(Scope& scope, const PathPlace& from, const Name& part,
                            std::string_view shown) {
  if (!from.type.target || from.type.is_set) {
    Fail(part.span, ErrorCode::kTypeMismatch,
         StrCat("\"", shown, "\" is ", TypeText(from.type), ", not a REF, so it has no \"",
                part.text, "\""),
         "a path leads through columns of type REF");
    return from;
  }
  const schema::Type* target = schema_.FindType(*from.type.target);
  if (target == nullptr) {
    Fail(part.span, ErrorCode::kUnknownTable,
         StrCat("the table that \"", shown, "\" refers to is not declared"));
    return from;
  }
  if (!CheckTableHeld(*target, part.span)) return from;
  RefJoin& join = RefJoinFor(scope, from);
  const auto column = IndexOfColumn(join.columns, part.text);
  if (!column) {
    Fail(part.span, ErrorCode::kUnknownColumn,
         StrCat("table \"", target->name, "\" has no column \"", part.text, "\""),
         NearestNameHint(part.text, NamesOf(join.columns)));
    return from;
  }
  return {{join.id, *column}, join.columns[*column].type};
}

std::optional<PathPlace> BindContext::InGroup(const Scope& scope, const PathPlace& place) {
  const std::vector<BoundExpr>& keys = scope.core->group_keys;
  for (std::uint32_t i = 0; i < keys.size(); ++i) {
    const auto* ref = std::get_if<ColumnRef>(&keys[i].node);
    if (ref != nullptr && *ref == place.ref) return PathPlace{{scope.core->group, i}, place.type};
  }
  return std::nullopt;
}

// A column that the group keys determine, because they hold the whole key of its table: it has one
// value in the group, so its minimum is it.
PathPlace BindContext::ColumnOfWholeKey(Scope& scope, const PathPlace& place, Span span) {
  for (const BoundJoin& join : scope.core->from) {
    const BoundSource& source = join.source;
    if (source.id != place.ref.source || source.kind != SourceKind::kTable) continue;
    const schema::Type* type = schema_.FindType(source.type);
    const bool determined = std::ranges::all_of(type->key, [&](AttributeId id) {
      const auto column = std::ranges::find(source.columns, id, &BoundColumn::attribute);
      const auto index = static_cast<std::uint32_t>(column - source.columns.begin());
      return InGroup(scope, {{source.id, index}, {}}).has_value();
    });
    if (!determined) break;
    BoundAggregate any{.function = Aggregate::kMin,
                       .argument = MakeColumn(place.ref, place.type, span),
                       .type = place.type};
    scope.core->aggregates.push_back(std::move(any));
    const auto index = static_cast<std::uint32_t>(scope.core->aggregates.size() - 1);
    return {{scope.core->results, index}, place.type};
  }
  Fail(span, ErrorCode::kInvalidArgument,
       StrCat("\"", TextOf(span), "\" is neither in GROUP BY nor inside an aggregate"),
       "add it to GROUP BY, or aggregate it, as in min(...)");
  return place;
}

PathPlace BindContext::Settle(Scope& scope, const PathPlace& place, Span span) {
  if (!scope.behind_group) return place;
  const BoundCore& core = *scope.core;
  const auto is_group_source = [&](SourceId id) {
    return id == core.group || id == core.results ||
           std::ranges::any_of(core.group_refs, [&](const RefJoin& join) { return join.id == id; });
  };
  if (is_group_source(place.ref.source)) return place;
  if (const auto mapped = InGroup(scope, place)) return *mapped;
  return ColumnOfWholeKey(scope, place, span);
}

std::optional<PathPlace> BindContext::FollowPath(const Path& path, Scope*& home, bool settles) {
  Scope* const scope = home;
  std::size_t next = 0;
  const std::optional<PathPlace> start = FindStart(path, home, next);
  if (!start) {
    FailUnknownColumn(path, scope);
    return std::nullopt;
  }
  PathPlace place = *start;
  std::string shown = path.parts[next - 1].text;
  for (; next < path.parts.size() && !failed(); ++next) {
    if (settles && home->behind_group) {
      if (const auto mapped = InGroup(*home, place)) place = *mapped;
    }
    place = Step(*home, place, path.parts[next], shown);
    shown = path.parts[next].text;
  }
  if (failed()) return std::nullopt;
  return place;
}

BoundExpr BindContext::BindPath(const Path& path, Span span, Scope* scope) {
  Scope* home = scope;
  const std::optional<PathPlace> found = FollowPath(path, home, true);
  if (!found) return MakeConstant(Value(), span);
  // A merged column of an outer join is whichever side is there.
  if (path.parts.size() == 1) {
    for (const MergedColumn& merged : home->merged) {
      if (merged.parts.size() < 2 || !EqualIgnoringCase(merged.name, path.parts[0].text)) continue;
      std::vector<BoundExpr> branches;
      for (const ColumnRef& part : merged.parts) {
        const PathPlace place = Settle(*home, {part, merged.type}, span);
        std::vector<BoundExpr> tested;
        tested.push_back(MakeColumn(place.ref, place.type, span));
        std::vector<BoundExpr> negated;
        negated.push_back(MakeOperation(Operator::kIsNull, std::move(tested), kBoolType, span));
        branches.push_back(MakeOperation(Operator::kNot, std::move(negated), kBoolType, span));
        branches.push_back(MakeColumn(place.ref, place.type, span));
      }
      branches.push_back(MakeConstant(Value(), span));
      return MakeOperation(Operator::kCase, std::move(branches), merged.type, span);
    }
  }
  const PathPlace place = Settle(*home, *found, span);
  return MakeColumn(place.ref, place.type, span);
}

// conflicts(column): a column of its own beside the MV column, hidden from *.
BoundExpr BindContext::BindConflicts(const Call& call, Span span, Scope* scope) {
  const Path* path =
      call.arguments.size() == 1 ? std::get_if<Path>(&call.arguments[0].node) : nullptr;
  if (path == nullptr) {
    Fail(span, ErrorCode::kInvalidArgument, "conflicts(...) takes the name of an MV column");
    return MakeConstant(Value(), span);
  }
  Scope* home = scope;
  const std::optional<PathPlace> found = FollowPath(*path, home, false);
  if (!found) return MakeConstant(Value(), span);
  TypeId type{};
  std::vector<BoundColumn>* columns = nullptr;
  for (BoundJoin& join : home->core->from) {
    if (join.source.id == found->ref.source && join.source.kind == SourceKind::kTable) {
      type = join.source.type;
      columns = &join.source.columns;
    }
    for (RefJoin& ref : join.source.refs) {
      if (ref.id != found->ref.source) continue;
      type = ref.target;
      columns = &ref.columns;
    }
  }
  const schema::Type* table = columns == nullptr ? nullptr : schema_.FindType(type);
  const schema::Attribute* attribute =
      table == nullptr ? nullptr : table->Find((*columns)[found->ref.column].attribute);
  if (attribute == nullptr || attribute->merge != schema::MergeKind::kMv) {
    Fail(call.arguments[0].span, ErrorCode::kTypeMismatch,
         StrCat("\"", TextOf(call.arguments[0].span),
                "\" is no MV column of a table, so it has no conflicts"),
         "declare the column as MV");
    return MakeConstant(Value(), span);
  }
  const AttributeId id = schema::ConflictsOf(attribute->id);
  const ExprType list{.kind = ValueKind::kList};
  auto column = std::ranges::find(*columns, id, &BoundColumn::attribute);
  if (column == columns->end()) {
    column = columns->insert(
        column,
        {.name = StrCat("conflicts(", attribute->name, ")"), .type = list, .attribute = id});
  }
  const auto index = static_cast<std::uint32_t>(column - columns->begin());
  const PathPlace place = Settle(*home, {{found->ref.source, index}, list}, span);
  return MakeColumn(place.ref, list, span);
}

BoundExpr BindContext::BindShapeOf(const Path& to, const std::vector<Output>& entries, Span span,
                                   Scope* scope) {
  Scope* home = scope;
  const std::optional<PathPlace> found = FollowPath(to, home, false);
  if (!found) return MakeConstant(Value(), span);
  PathPlace place = *found;
  if (home->behind_group) {
    if (const auto mapped = InGroup(*home, place)) place = *mapped;
  }
  if (!failed() && (!place.type.target || place.type.is_set)) {
    Fail(to.parts.back().span, ErrorCode::kTypeMismatch,
         StrCat("\"", to.parts.back().text, "\" is ", TypeText(place.type), ", not a REF"),
         "{ ... } OF shapes the row that a REF refers to");
  }
  if (failed()) return MakeConstant(Value(), span);
  // Names inside the braces are columns of the row referred to: the path, then the name.
  ObjectOf object;
  for (const Output& entry : entries) {
    if (entry.star) {
      const RefJoin join = RefJoinFor(*home, place);
      for (std::uint32_t i = 0; i < join.columns.size(); ++i) {
        if (IsUndeclared(join.columns[i].attribute)) continue;
        const PathPlace column = Settle(*home, {{join.id, i}, join.columns[i].type}, entry.span);
        object.names.push_back(join.columns[i].name);
        object.items.push_back(MakeColumn(column.ref, column.type, entry.span));
      }
      continue;
    }
    Path path = to;
    const Path* inner = std::get_if<Path>(&entry.value->node);
    const auto* inner_shape = std::get_if<ShapeOf>(&entry.value->node);
    if (inner == nullptr && inner_shape != nullptr) inner = &inner_shape->path;
    if (inner == nullptr) {
      Fail(entry.value->span, ErrorCode::kUnsupported,
           "an entry of { ... } OF is a path of the row referred to",
           "write other expressions beside it, in the shape around it");
      return MakeConstant(Value(), span);
    }
    path.parts.insert(path.parts.end(), inner->parts.begin(), inner->parts.end());
    object.names.push_back(entry.name.empty() ? inner->parts.back().text : entry.name.text);
    object.items.push_back(inner_shape == nullptr ? BindPath(path, entry.value->span, scope)
                                                  : BindShapeOf(path, inner_shape->shape.entries,
                                                                entry.value->span, scope));
  }
  const RefJoin join = RefJoinFor(*home, place);
  const schema::Type* target = schema_.FindType(join.target);
  const auto key = std::ranges::find(join.columns, target->key.at(0), &BoundColumn::attribute);
  const auto key_index = static_cast<std::uint32_t>(key - join.columns.begin());
  const PathPlace presence = Settle(*home, {{join.id, key_index}, key->type}, span);
  object.presence = std::make_unique<BoundExpr>(MakeColumn(presence.ref, presence.type, span));
  return {.node = std::move(object), .type = {.kind = ValueKind::kObject}, .span = span};
}

std::vector<std::pair<std::string, BoundExpr>> BindContext::ExpandStar(const Output& output,
                                                                       Scope* scope) {
  std::vector<std::pair<std::string, BoundExpr>> columns;
  const std::string_view qualifier = output.star_qualifier.text;
  if (!qualifier.empty() && SourceNamed(*scope, qualifier) == nullptr) {
    std::vector<std::string_view> names;
    for (BoundJoin& join : SourcesOf(*scope)) names.push_back(join.source.name);
    Fail(output.star_qualifier.span, ErrorCode::kUnknownTable,
         StrCat("there is no table \"", qualifier, "\" in FROM"),
         NearestNameHint(qualifier, names));
    return columns;
  }
  if (SourcesOf(*scope).empty()) {
    Fail(output.span, ErrorCode::kInvalidArgument, "* needs a FROM");
    return columns;
  }
  if (qualifier.empty()) {
    for (const MergedColumn& merged : scope->merged) {
      Path path;
      path.parts.push_back({merged.name, output.span});
      columns.emplace_back(merged.name, BindPath(path, output.span, scope));
    }
  }
  // Binding may add ref joins, but no sources.
  for (std::size_t s = 0; s < SourcesOf(*scope).size(); ++s) {
    const BoundSource& source = scope->core->from[s].source;
    if (!qualifier.empty() && !EqualIgnoringCase(source.name, qualifier)) continue;
    for (std::uint32_t i = 0; i < source.columns.size(); ++i) {
      const BoundColumn& column = source.columns[i];
      const bool is_merged =
          qualifier.empty() && std::ranges::any_of(scope->merged, [&](const MergedColumn& merged) {
            return EqualIgnoringCase(merged.name, column.name);
          });
      const bool hidden = source.kind == SourceKind::kTable && IsUndeclared(column.attribute);
      if (is_merged || hidden) continue;
      const PathPlace place = Settle(*scope, {{source.id, i}, column.type}, output.span);
      columns.emplace_back(column.name, MakeColumn(place.ref, place.type, output.span));
    }
  }
  return columns;
}

}  // namespace trefoil::query
