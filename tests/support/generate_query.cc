// Random queries. A QueryWriter writes text from the outside in; what names mean where is kept in
// Scopes, so that every query binds. Kinds are chosen first and expressions of that kind after
// them.
#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/str_cat.h"
#include "tests/support/query_generator.h"

namespace trefoil::testing {

namespace {

using enum ValueKind;
using Kinds = std::vector<ValueKind>;

struct VisibleColumn {
  std::string text;  // how an expression names it
  ValueKind kind{};
};

struct Scope {
  std::vector<VisibleColumn> columns;
  const Scope* outer = nullptr;
  const Scope* grouped = nullptr;  // the rows that aggregates are about; null: no aggregates
};

// A name of WITH or an alias, and its columns c0, c1, ...
struct Relation {
  std::string name;
  Kinds kinds;
};

class QueryWriter {
 public:
  QueryWriter(Choices& choices, const std::vector<GeneratedTable>& tables,
              const GeneratorOptions& options)
      : choices_(choices),
        tables_(tables),
        plain_(options.plain_sql),
        with_literals_(options.with_literals) {}

  std::string Query() {
    std::string text;
    if (choices_.OneIn(6)) text = With();
    if (!plain_ && choices_.OneIn(2)) return text + Shaped(nullptr, 3);
    return text + Select(nullptr, SomeKinds(), 3);
  }

 private:
  std::uint32_t Pick(std::uint32_t limit) { return choices_.Pick(limit); }
  bool OneIn(std::uint32_t many) { return choices_.OneIn(many); }
  template <typename T>
  const T& Among(const std::vector<T>& list) {
    return list[Pick(static_cast<std::uint32_t>(list.size()))];
  }

  ValueKind SomeKind() {
    static const Kinds kKinds = {kInt, kText, kInt, kFloat, kBool, kDate, kDecimal};
    return kKinds[Pick(plain_ ? 5 : 7)];
  }
  Kinds SomeKinds() {
    Kinds kinds(1 + Pick(3));
    for (ValueKind& kind : kinds) kind = SomeKind();
    return kinds;
  }
  std::string Alias() { return StrCat("x", alias_count_++); }

  // ---- expressions ----

  std::string Literal(ValueKind kind) {
    static const std::vector<std::string> kTexts = {"'a'", "'b'", "''", "'ab'", "'k1'", "'B'"};
    switch (kind) {
      case kInt:
        return StrCat(Pick(6));
      case kFloat:
        return StrCat(Pick(4), OneIn(2) ? ".5e0" : "e0");
      case kBool:
        return OneIn(2) ? "TRUE" : "FALSE";
      case kDate:
        return StrCat("CAST('2022-01-0", 7 + Pick(3), "' AS DATE)");
      case kDecimal:
        return StrCat(Pick(3), OneIn(2) ? ".50" : ".00");
      default:
        return Among(kTexts);
    }
  }

  std::string Leaf(ValueKind kind, const Scope& scope) {
    const Scope* from = &scope;
    while (from->outer != nullptr && OneIn(3)) from = from->outer;
    std::vector<std::string> found;
    for (const VisibleColumn& column : from->columns) {
      if (column.kind == kind) found.push_back(column.text);
    }
    if (from->grouped != nullptr && (found.empty() || OneIn(2))) return AggregateOf(kind, *from);
    if (found.empty() || OneIn(6)) return OneIn(8) ? NullOf(kind) : Literal(kind);
    return Among(found);
  }

  std::string NullOf(ValueKind kind) {
    return kind == kInt ? "NULL" : StrCat("nullif(", Literal(kind), ", ", Literal(kind), ")");
  }

  std::string AggregateOf(ValueKind kind, const Scope& scope) {
    // SQLite takes an aggregate over columns from outside alone as one of the select outside.
    Scope rows = *scope.grouped;
    if (plain_) rows.outer = nullptr;
    const std::string filter =
        OneIn(4) ? StrCat(" FILTER (WHERE ", Condition(rows, 0), ")") : std::string();
    const std::string distinct = OneIn(4) ? "DISTINCT " : "";
    switch (kind) {
      case kInt:
        switch (Pick(4)) {
          case 0:
            return "count(*)" + filter;
          case 1:
            return StrCat("count(", distinct, Expression(SomeKind(), rows, 0), ")", filter);
          default:
            return StrCat(OneIn(3) ? "min(" : "sum(", distinct, Expression(kInt, rows, 1), ")",
                          filter);
        }
      case kFloat:
        return StrCat(OneIn(2) ? "avg(" : "sum(", distinct, Expression(kFloat, rows, 0), ")",
                      filter);
      case kBool:
        if (plain_) return Literal(kBool);
        return StrCat(OneIn(2) ? "bool_and(" : "bool_or(", Expression(kBool, rows, 0), ")", filter);
      case kText:
        if (!plain_ && OneIn(3)) {
          return StrCat("string_agg(", distinct, Expression(kText, rows, 0), ", '-')", filter);
        }
        [[fallthrough]];
      default:
        return StrCat(OneIn(2) ? "max(" : "min(", Expression(kind, rows, 0), ")", filter);
    }
  }

  std::string Arithmetic(ValueKind kind, const Scope& scope, int depth) {
    static const std::vector<std::string> kOperators = {" + ", " - ", " * ", " / "};
    return StrCat("(", Expression(kind, scope, depth - 1), Among(kOperators),
                  Expression(kind, scope, depth - 1), ")");
  }

  std::string Expression(ValueKind kind, const Scope& scope, int depth) {
    if (depth <= 0 || !OneIn(3)) return Leaf(kind, scope);
    switch (Pick(4)) {
      case 0:
        return StrCat("CASE WHEN ", Condition(scope, depth - 1), " THEN ",
                      Expression(kind, scope, depth - 1), " ELSE ",
                      Expression(kind, scope, depth - 1), " END");
      case 1:
        return StrCat("coalesce(", Leaf(kind, scope), ", ", Expression(kind, scope, depth - 1),
                      ")");
      case 2:
        if (scope.grouped == nullptr) return StrCat("(", SingleRow(kind, &scope, depth - 1), ")");
        break;
      default:
        break;
    }
    switch (kind) {
      case kInt:
        if (OneIn(4)) return StrCat("length(", Expression(kText, scope, depth - 1), ")");
        if (OneIn(4)) return StrCat("- ", Leaf(kInt, scope));
        return Arithmetic(kInt, scope, depth);
      case kFloat:
        return Arithmetic(kFloat, scope, depth);
      case kText:
        if (OneIn(3)) return StrCat("upper(", Expression(kText, scope, depth - 1), ")");
        return StrCat("(", Expression(kText, scope, depth - 1), " || ", Leaf(kText, scope), ")");
      case kBool:
        return Condition(scope, depth - 1);
      default:
        return Leaf(kind, scope);
    }
  }

  std::string Comparison(const Scope& scope, int depth) {
    static const std::vector<std::string> kOperators = {" = ",
                                                        " < ",
                                                        " >= ",
                                                        " <> ",
                                                        " > ",
                                                        " <= ",
                                                        " IS DISTINCT FROM ",
                                                        " IS NOT DISTINCT FROM "};
    const ValueKind kind = SomeKind();
    return StrCat(Expression(kind, scope, depth), Among(kOperators), Leaf(kind, scope));
  }

  std::string Condition(const Scope& scope, int depth) {
    const std::uint32_t form = Pick(depth > 0 ? 12 : 7);
    const ValueKind kind = SomeKind();
    switch (form) {
      case 0:
      case 1:
      case 2:
        return StrCat("(", Comparison(scope, std::max(0, depth - 1)), ")");
      case 3:
        return StrCat("(", Leaf(kind, scope), OneIn(2) ? " IS NOT NULL)" : " IS NULL)");
      case 4:
        return StrCat("(", Leaf(kind, scope), OneIn(2) ? " NOT IN (" : " IN (", Leaf(kind, scope),
                      ", ", Literal(kind), OneIn(6) ? ", NULL))" : "))");
      case 5:
        return StrCat("(", Leaf(kText, scope), OneIn(3) ? " NOT LIKE " : " LIKE ",
                      OneIn(2) ? "'a%'" : "'%b_'", ")");
      case 6:
        return StrCat("(", Leaf(kind, scope), OneIn(3) ? " NOT BETWEEN " : " BETWEEN ",
                      Leaf(kind, scope), " AND ", Literal(kind), ")");
      case 7:
      case 8:
        if (scope.grouped != nullptr) return StrCat("(", Comparison(scope, 0), ")");
        return StrCat("(", OneIn(2) ? "NOT " : "", "EXISTS (",
                      Select(&scope, {SomeKind()}, depth - 1), "))");
      case 9:
        if (scope.grouped != nullptr) return StrCat("(", Comparison(scope, 0), ")");
        return StrCat("(", Leaf(kind, scope), OneIn(2) ? " NOT IN (" : " IN (",
                      Select(&scope, {kind}, depth - 1), "))");
      case 10:
        return StrCat("(NOT ", Condition(scope, depth - 1), ")");
      default:
        return StrCat("(", Condition(scope, depth - 1), OneIn(2) ? " OR " : " AND ",
                      Condition(scope, depth - 1), ")");
    }
  }

  // ---- FROM ----

  // Adds the columns of a table under `alias`, and what its REFs lead to.
  void AddColumns(const GeneratedTable& table, const std::string& prefix, int ref_depth,
                  Scope& scope) {
    for (const GeneratedColumn& column : table.columns) {
      scope.columns.push_back({StrCat(prefix, ".", column.name), column.kind});
      if (column.target && ref_depth > 0 && !plain_ && OneIn(2)) {
        AddColumns(tables_[*column.target], StrCat(prefix, ".", column.name), ref_depth - 1, scope);
      }
    }
  }

  std::string Source(const Scope* outer, Scope& scope, int depth) {
    const std::string alias = Alias();
    if (depth > 0 && OneIn(6)) {
      const Kinds kinds = SomeKinds();
      const std::string text = Select(outer, kinds, depth - 1);
      AddRelation({alias, kinds}, scope);
      return StrCat("(", text, ") AS ", alias);
    }
    if (!ctes_.empty() && OneIn(2)) {
      const Relation& cte = Among(ctes_);
      AddRelation({alias, cte.kinds}, scope);
      return StrCat(cte.name, " AS ", alias);
    }
    const GeneratedTable& table = Among(tables_);
    AddColumns(table, alias, 2, scope);
    return StrCat(table.name, " AS ", alias);
  }

  static void AddRelation(const Relation& relation, Scope& scope) {
    for (std::size_t i = 0; i < relation.kinds.size(); ++i) {
      scope.columns.push_back({StrCat(relation.name, ".c", i), relation.kinds[i]});
    }
  }

  std::string From(const Scope* outer, Scope& scope, int depth) {
    static const std::vector<std::string> kJoins = {" JOIN ", " LEFT JOIN ", " CROSS JOIN ",
                                                    " FULL JOIN ", " RIGHT JOIN "};
    std::string text = " FROM " + Source(plain_ ? nullptr : outer, scope, depth);
    // SQLite 3.40 has right and full joins wrong, and no select in FROM may look out of it there.
    for (std::uint32_t joins = OneIn(3) ? 1 + Pick(2) : 0; joins > 0; --joins) {
      const std::string& join = kJoins[Pick(plain_ ? 3 : 5)];
      const std::size_t left_count = scope.columns.size();
      text += join + Source(plain_ ? nullptr : outer, scope, depth - 1);
      if (join == " CROSS JOIN ") continue;
      text += " ON " + JoinCondition(scope, left_count);
    }
    return text;
  }

  std::string JoinCondition(const Scope& scope, std::size_t left_count) {
    if (OneIn(4)) {
      const Scope joined{.columns = scope.columns};
      return Condition(joined, 0);
    }
    std::vector<std::string> pairs;
    for (std::size_t i = 0; i < left_count; ++i) {
      for (std::size_t j = left_count; j < scope.columns.size(); ++j) {
        if (scope.columns[i].kind != scope.columns[j].kind) continue;
        pairs.push_back(StrCat(scope.columns[i].text, " = ", scope.columns[j].text));
      }
    }
    return pairs.empty() ? "TRUE" : Among(pairs);
  }

  // ---- select ----

  std::string Outputs(const Kinds& kinds, const Scope& scope, int depth) {
    std::string text;
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      text += StrCat(i == 0 ? "" : ", ", Expression(kinds[i], scope, depth), " AS c", i);
    }
    return text;
  }

  struct Core {
    std::string text;
    Scope scope;  // of ORDER BY
    bool simple = true;
  };

  std::string Where(const Scope& rows, int depth) {
    const std::string any = OneIn(2) ? Condition(rows, depth) : std::string();
    if (!with_literals_ || (rows.outer != nullptr && OneIn(2))) {
      return any.empty() ? any : " WHERE " + any;
    }
    std::string where = any.empty() ? " WHERE " : StrCat(" WHERE ", any, " AND ");
    for (std::uint32_t more = Pick(3) + 1; more > 0; --more) {
      where += StrCat(WithLiteral(rows), more > 1 ? " AND " : "");
    }
    return where;
  }

  // A column compared with a literal.
  std::string WithLiteral(const Scope& rows) {
    const VisibleColumn& column = Among(rows.columns);
    static const std::vector<std::string> kOperators = {" = ",  " = ", " = ", " < ",
                                                        " <= ", " > ", " >= "};
    switch (Pick(8)) {
      case 6:
        return StrCat(column.text, " IN (", Literal(column.kind), ", ", Literal(column.kind), ")");
      case 7: {
        const VisibleColumn& other = Among(rows.columns);
        return StrCat("(", column.text, " = ", Literal(column.kind), " OR ", other.text,
                      Among(kOperators), Literal(other.kind), ")");
      }
      default:
        return StrCat(column.text, Among(kOperators), Literal(column.kind));
    }
  }

  // `entries` writes what stands behind SELECT, given what the names mean.
  Core MakeCore(const Scope* outer, int depth, bool may_group,
                const std::function<std::string(const Scope&)>& entries) {
    rows_.push_back(std::make_unique<Scope>(Scope{.columns = {}, .outer = outer}));
    Scope& rows = *rows_.back();
    const std::string from = From(outer, rows, depth);
    const std::string where = Where(rows, depth);
    if (may_group && OneIn(3)) {
      Scope groups{.columns = {}, .outer = outer, .grouped = &rows};
      std::string keys;
      for (std::uint32_t count = Pick(3); count > 0; --count) {
        const VisibleColumn& key = Among(rows.columns);
        groups.columns.push_back(key);
        keys += StrCat(keys.empty() ? " GROUP BY " : ", ", key.text);
      }
      const std::string shown = entries(groups);
      const std::string having =
          !keys.empty() && OneIn(4) ? " HAVING " + Comparison(groups, 0) : std::string();
      return {StrCat(shown, from, where, keys, having), std::move(groups), !keys.empty()};
    }
    const std::string shown = entries(rows);
    return {StrCat(shown, from, where), rows, true};
  }

  // A flat select with columns c0, c1, ... of these kinds.
  std::string Select(const Scope* outer, const Kinds& kinds, int depth) {
    if (plain_ || outer == nullptr || depth <= 0 || !OneIn(10)) return Body(outer, kinds, depth);
    // A name of WITH that sees the rows around, for the readers within.
    const Kinds cte_kinds = SomeKinds();
    const std::string cte = Body(outer, cte_kinds, depth - 1);
    ctes_.push_back({StrCat("v", alias_count_++), cte_kinds});
    const std::string name = ctes_.back().name;
    const std::string body = Body(outer, kinds, depth);
    std::erase_if(ctes_, [&](const Relation& known) { return known.name == name; });
    return StrCat("WITH ", name, " AS (", cte, ") ", body);
  }

  // Without WITH.
  std::string Body(const Scope* outer, const Kinds& kinds, int depth) {
    const bool is_set = OneIn(7);
    const bool distinct = !is_set && OneIn(5);
    const auto make_core = [&](bool may_group) {
      return MakeCore(outer, depth, may_group, [&](const Scope& scope) {
        const bool all_aggregates = scope.grouped != nullptr && scope.columns.empty();
        return StrCat(distinct ? "DISTINCT " : "",
                      all_aggregates ? Aggregates(kinds, scope) : Outputs(kinds, scope, depth));
      });
    };
    Core core = make_core(true);
    std::string text = "SELECT " + core.text;
    if (is_set) {
      static const std::vector<std::string> kSets = {" UNION ", " UNION ALL ", " EXCEPT ",
                                                     " INTERSECT "};
      const std::uint32_t more = plain_ ? 1 : 1 + Pick(2);
      for (std::uint32_t i = 0; i < more; ++i) {
        text += StrCat(Among(kSets), "SELECT ", make_core(false).text);
      }
    }
    return text + Order(core.scope, kinds, !is_set && !distinct && core.simple);
  }

  // One group of all rows: nothing but aggregates may be shown.
  std::string Aggregates(const Kinds& kinds, const Scope& scope) {
    std::string text;
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      const std::string value =
          i == 0 && kinds[i] == kBool ? "count(*) > 0" : AggregateOf(kinds[i], scope);
      text += StrCat(i == 0 ? "" : ", ", value, " AS c", i);
    }
    return text;
  }

  std::string Order(const Scope& scope, const Kinds& kinds, bool by_expression) {
    static const std::vector<std::string> kEnds = {"", " DESC", " NULLS LAST", " DESC NULLS FIRST"};
    if (!OneIn(3)) return {};
    std::string text;
    if (plain_) {
      // All columns, so that ties are equal rows.
      for (std::size_t i = 1; i <= kinds.size(); ++i) {
        text += StrCat(i == 1 ? " ORDER BY " : ", ", i, Among(kEnds));
      }
    } else if (by_expression && OneIn(2)) {
      // Inside a call, for a bare number would mean a column.
      text =
          StrCat(" ORDER BY coalesce(", Expression(SomeKind(), scope, 1), ", NULL)", Among(kEnds));
    } else {
      const std::uint32_t column = Pick(static_cast<std::uint32_t>(kinds.size()));
      text = StrCat(" ORDER BY ", column + 1, Among(kEnds));
      if (OneIn(6)) return StrCat(text, " AFTER (", Literal(kinds[column]), ")", Limit(false));
    }
    // SQLite 3.40 forgets DISTINCT below EXISTS, which an offset would show.
    return text + Limit(!plain_ || scope.outer == nullptr);
  }

  std::string Limit(bool may_skip) {
    if (!OneIn(2)) return {};
    const std::string limit = StrCat(" LIMIT ", 1 + Pick(4));
    return may_skip && OneIn(3) ? StrCat(limit, " OFFSET ", 1 + Pick(2)) : limit;
  }

  // At most one row with one column.
  std::string SingleRow(ValueKind kind, const Scope* outer, int depth) {
    if (OneIn(2)) {
      const Core core = MakeCore(outer, depth - 1, false, [&](const Scope& scope) {
        return StrCat(Leaf(kind, scope), " AS c0");
      });
      return StrCat("SELECT ", core.text, " ORDER BY 1", OneIn(2) ? " DESC" : "", " LIMIT 1");
    }
    const Core core = MakeCore(outer, depth - 1, false, [&](const Scope& scope) {
      const Scope all{.columns = {}, .outer = outer, .grouped = &scope};
      return StrCat(kind == kBool ? "count(*) > 1" : AggregateOf(kind, all), " AS c0");
    });
    return "SELECT " + core.text;
  }

  // SELECT { ... } with lists and objects inside.
  std::string Shaped(const Scope* outer, int depth) {
    const Core core = MakeCore(outer, depth, false, [&](const Scope& scope) {
      std::string text = "{ ";
      const std::uint32_t count = 1 + Pick(4);
      for (std::uint32_t i = 0; i < count; ++i) {
        text += StrCat(i == 0 ? "" : ", ", "c", i, ": ", Entry(scope, depth));
      }
      return text + " }";
    });
    std::string text = "SELECT " + core.text;
    if (!OneIn(2)) return text;
    std::vector<std::string> columns;
    for (const VisibleColumn& column : core.scope.columns) columns.push_back(column.text);
    return StrCat(text, " ORDER BY ", Among(columns), OneIn(2) ? " DESC" : "", Limit(true));
  }

  std::string Entry(const Scope& scope, int depth) {
    const std::uint32_t form = depth > 0 ? Pick(5) : 0;
    if (form == 2) return StrCat("[", Select(&scope, {SomeKind()}, depth - 1), "]");
    if (form == 3) return StrCat("[", Shaped(&scope, depth - 1), "]");
    if (form == 4) {
      const Core core = MakeCore(&scope, depth - 1, false, [&](const Scope& inner) {
        return StrCat("{ c0: ", Entry(inner, depth - 2), ", c1: ", Leaf(SomeKind(), inner), " }");
      });
      return StrCat("(SELECT ", core.text, " LIMIT 1)");
    }
    return Expression(SomeKind(), scope, depth);
  }

  // ---- WITH ----

  std::string With() {
    if (OneIn(2)) {
      const Kinds kinds = SomeKinds();
      const std::string select = Select(nullptr, kinds, 1);
      ctes_.push_back({"w0", kinds});
      return StrCat("WITH w0 AS (", select, ") ");
    }
    // Pairs that grow along the rows of a table, or of two.
    const GeneratedTable& table = Among(tables_);
    std::vector<std::string> names;
    for (const GeneratedColumn& column : table.columns) {
      if (column.kind == kInt) names.push_back(column.name);
    }
    if (names.empty()) return {};
    Scope base;
    AddColumns(table, "b", 0, base);
    Scope step;
    AddColumns(table, "s", 0, step);
    AddRelation({"w", {kInt, kInt}}, step);
    const std::string first =
        StrCat("SELECT b.", Among(names), " AS c0, b.", Among(names), " AS c1 FROM ", table.name,
               " AS b", OneIn(2) ? " WHERE " + Condition(base, 0) : std::string());
    const std::string next =
        StrCat("SELECT ", OneIn(2) ? "w.c0" : "w.c1", ", s.", Among(names), " FROM w0 AS w JOIN ",
               table.name, " AS s ON s.", Among(names), OneIn(4) ? " > w.c1" : " = w.c1",
               OneIn(3) ? " WHERE " + Condition(step, 0) : std::string());
    ctes_.push_back({"w0", {kInt, kInt}});
    if (plain_ || !OneIn(3)) {
      return StrCat("WITH RECURSIVE w0(c0, c1) AS (", first, " UNION ", next, ") ");
    }
    // Two names that read each other.
    Scope other;
    AddRelation({"w", {kInt, kInt}}, other);
    const std::string turned =
        StrCat("SELECT w.c1, ", OneIn(3) ? "w.c0 % 4" : "w.c0", " FROM ", OneIn(4) ? "w1" : "w0",
               " AS w", OneIn(2) ? " WHERE " + Condition(other, 0) : std::string());
    ctes_.push_back({"w1", {kInt, kInt}});
    return StrCat("WITH RECURSIVE w0(c0, c1) AS (", first, " UNION ", next,
                  " UNION SELECT w.c0, w.c1 FROM w1 AS w), w1(c0, c1) AS (", turned,
                  " UNION SELECT w.c0, w.c0 FROM w0 AS w) ");
  }

  Choices& choices_;
  const std::vector<GeneratedTable>& tables_;
  const bool plain_;
  const bool with_literals_;
  int alias_count_ = 0;
  std::vector<Relation> ctes_;
  std::vector<std::unique_ptr<Scope>> rows_;  // that grouped scopes point to
};

}  // namespace

std::string GenerateQuery(Choices& choices, const std::vector<GeneratedTable>& tables,
                          const GeneratorOptions& options) {
  return QueryWriter(choices, tables, options).Query();
}

}  // namespace trefoil::testing
