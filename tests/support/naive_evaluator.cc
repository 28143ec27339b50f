#include "tests/support/naive_evaluator.h"

#include <algorithm>

#include "base/check.h"
#include "tests/support/naive_context.h"

namespace trefoil::testing {

using query::BoundCore;
using query::BoundCte;
using query::BoundJoin;
using query::BoundSelect;
using query::BoundSource;
using query::JoinKind;
using query::RefJoin;
using query::SetOperator;

namespace {

// True if the one-field or several-field key of `row` is what the REF says.
bool IsReferred(const Value& ref, const std::vector<std::size_t>& key, const NaiveRow& row) {
  if (ref.is_null()) return false;
  if (key.size() == 1) {
    return !row[key[0]].is_null() && CompareAsSql(row[key[0]], ref) == 0;
  }
  if (ref.kind() != ValueKind::kRef || ref.items().size() != key.size()) return false;
  for (std::size_t i = 0; i < key.size(); ++i) {
    if (!(row[key[i]] == ref.items()[i])) return false;
  }
  return true;
}

void KeepOnce(std::vector<NaiveRow>& rows) {
  std::vector<NaiveRow> once;
  for (NaiveRow& row : rows) {
    if (std::ranges::find(once, row) == once.end()) once.push_back(std::move(row));
  }
  rows = std::move(once);
}

std::vector<NaiveRow> Combine(SetOperator op, std::vector<NaiveRow> left,
                              const std::vector<NaiveRow>& right) {
  const auto in_right = [&](const NaiveRow& row) {
    return std::ranges::find(right, row) != right.end();
  };
  switch (op) {
    case SetOperator::kUnion:
    case SetOperator::kUnionAll:
      left.insert(left.end(), right.begin(), right.end());
      break;
    case SetOperator::kIntersect:
      std::erase_if(left, [&](const NaiveRow& row) { return !in_right(row); });
      break;
    case SetOperator::kExcept:
      std::erase_if(left, in_right);
      break;
  }
  if (op != SetOperator::kUnionAll) KeepOnce(left);
  return left;
}

}  // namespace

// ---- sources ----

std::vector<NaiveRow> NaiveContext::TableRows(TypeId type,
                                              const std::vector<query::BoundColumn>& columns) {
  const NaiveTable& table = data_.at(type);
  std::vector<NaiveRow> rows;
  for (const NaiveRow& stored : table.rows) {
    NaiveRow& row = rows.emplace_back();
    for (const query::BoundColumn& column : columns) {
      const auto place = std::ranges::find(table.columns, column.attribute);
      Check(place != table.columns.end(), "the model holds every column of its tables");
      row.push_back(stored[static_cast<std::size_t>(place - table.columns.begin())]);
    }
  }
  return rows;
}

void NaiveContext::AddRefs(const std::vector<RefJoin>& refs, Tuple& tuple) {
  for (const RefJoin& ref : refs) {
    const auto via = std::ranges::find(tuple, ref.via.source, &Tuple::value_type::first);
    Check(via != tuple.end(), "a ref join starts from a row that is there");
    const Value value = (*via->second)[ref.via.column];
    std::vector<std::size_t> key;
    for (const AttributeId attribute : data_.at(ref.target).key) {
      const auto place = std::ranges::find(ref.columns, attribute, &query::BoundColumn::attribute);
      key.push_back(static_cast<std::size_t>(place - ref.columns.begin()));
    }
    NaiveRow found(ref.columns.size());
    for (const NaiveRow& row : TableRows(ref.target, ref.columns)) {
      if (IsReferred(value, key, row)) found = row;
    }
    tuple.emplace_back(ref.id, Keep(std::move(found)));
  }
}

std::vector<Tuple> NaiveContext::SourceRows(const BoundSource& source) {
  std::vector<NaiveRow> rows;
  switch (source.kind) {
    case query::SourceKind::kTable:
      rows = TableRows(source.type, source.columns);
      break;
    case query::SourceKind::kSelect:
      rows = Select(*source.select);
      break;
    case query::SourceKind::kCte:
      rows = CteRows(source.cte);
      break;
  }
  std::vector<Tuple> tuples;
  for (NaiveRow& row : rows) {
    Tuple& tuple = tuples.emplace_back();
    tuple.emplace_back(source.id, Keep(std::move(row)));
    AddRefs(source.refs, tuple);
  }
  return tuples;
}

// Recursive names of one group start empty and grow together until nothing is new.
const std::vector<NaiveRow>& NaiveContext::CteRows(std::uint32_t number) {
  if (ctes_.at(number).rows) return *ctes_.at(number).rows;
  const BoundCte& cte = *ctes_.at(number).cte;
  if (!cte.recursive) {
    std::vector<NaiveRow> rows = Select(*cte.select);
    return ctes_.at(number).rows.emplace(std::move(rows));
  }
  const std::vector<BoundCte>& siblings = *ctes_.at(number).siblings;
  for (const BoundCte& each : siblings) {
    if (each.group == cte.group) ctes_.at(each.number).rows.emplace();
  }
  for (bool grows = true; grows;) {
    grows = false;
    for (const BoundCte& each : siblings) {
      if (each.group != cte.group) continue;
      std::vector<NaiveRow> rows = Select(*each.select);
      KeepOnce(rows);
      grows = grows || rows.size() > ctes_.at(each.number).rows->size();
      ctes_.at(each.number).rows = std::move(rows);
    }
  }
  return *ctes_.at(number).rows;
}

// `no_left` is the left side of a row of the right that matches nothing.
std::vector<Tuple> NaiveContext::Join(const std::vector<Tuple>& left, const BoundJoin& join,
                                      const Tuple& no_left) {
  const bool keeps_left = join.kind == JoinKind::kLeft || join.kind == JoinKind::kFull;
  const bool keeps_right = join.kind == JoinKind::kRight || join.kind == JoinKind::kFull;
  const std::vector<Tuple> right = SourceRows(join.source);
  const auto both = [](const Tuple& a, const Tuple& b) {
    Tuple tuple = a;
    tuple.insert(tuple.end(), b.begin(), b.end());
    return tuple;
  };
  Tuple no_right = {{join.source.id, Keep(NaiveRow(join.source.columns.size()))}};
  for (const RefJoin& ref : join.source.refs) {
    no_right.emplace_back(ref.id, Keep(NaiveRow(ref.columns.size())));
  }
  std::vector<Tuple> joined;
  std::vector<bool> right_matched(right.size());
  for (const Tuple& left_row : left) {
    bool matched = false;
    for (std::size_t i = 0; i < right.size(); ++i) {
      ++steps_;
      if (is_exhausted()) return {};
      Tuple tuple = both(left_row, right[i]);
      Stand(tuple);
      if (join.on && !IsTrue(*join.on)) continue;
      joined.push_back(std::move(tuple));
      matched = true;
      right_matched[i] = true;
    }
    if (!matched && keeps_left) joined.push_back(both(left_row, no_right));
  }
  for (std::size_t i = 0; i < right.size(); ++i) {
    if (keeps_right && !right_matched[i]) joined.push_back(both(no_left, right[i]));
  }
  return joined;
}

std::vector<Tuple> NaiveContext::From(const BoundCore& core) {
  std::vector<Tuple> rows(1);
  Tuple no_left;
  for (const BoundJoin& join : core.from) {
    rows = Join(rows, join, no_left);
    no_left.emplace_back(join.source.id, Keep(NaiveRow(join.source.columns.size())));
    for (const RefJoin& ref : join.source.refs) {
      no_left.emplace_back(ref.id, Keep(NaiveRow(ref.columns.size())));
    }
  }
  return rows;
}

// ---- one core ----

std::vector<Tuple> NaiveContext::Groups(const BoundCore& core, const std::vector<Tuple>& rows) {
  std::map<NaiveRow, std::vector<Tuple>> groups;
  if (core.group_keys.empty()) groups[{}] = {};
  for (const Tuple& row : rows) {
    Stand(row);
    NaiveRow key;
    for (const query::BoundExpr& expr : core.group_keys) key.push_back(Evaluate(expr));
    groups[std::move(key)].push_back(row);
  }
  std::vector<Tuple> tuples;
  for (const auto& [key, members] : groups) {
    NaiveRow results;
    for (const query::BoundAggregate& aggregate : core.aggregates) {
      results.push_back(Aggregate(aggregate, members));
    }
    Tuple& tuple = tuples.emplace_back();
    tuple.emplace_back(core.group, Keep(key));
    tuple.emplace_back(core.results, Keep(std::move(results)));
    AddRefs(core.group_refs, tuple);
  }
  return tuples;
}

std::vector<NaiveRow> NaiveContext::Core(const BoundCore& core) {
  std::vector<Tuple> rows = From(core);
  const auto keep_where = [&](const std::optional<query::BoundExpr>& condition) {
    std::erase_if(rows, [&](const Tuple& row) {
      Stand(row);
      return condition && !IsTrue(*condition);
    });
  };
  keep_where(core.where);
  if (core.grouped) rows = Groups(core, rows);
  keep_where(core.having);
  std::vector<NaiveRow> answer;
  for (const Tuple& row : rows) {
    Stand(row);
    NaiveRow outputs;
    for (const query::BoundExpr& expr : core.outputs) outputs.push_back(Evaluate(expr));
    answer.push_back(std::move(outputs));
  }
  if (core.distinct) KeepOnce(answer);
  return answer;
}

// ---- select ----

std::weak_ordering CompareSorted(const Value& a, const Value& b, const query::BoundOrderKey& key) {
  if (a.is_null() && b.is_null()) return std::weak_ordering::equivalent;
  if (a.is_null() || b.is_null()) {
    return a.is_null() == key.nulls_first ? std::weak_ordering::less : std::weak_ordering::greater;
  }
  return key.descending ? b <=> a : a <=> b;
}

void NaiveContext::Order(const BoundSelect& select, std::vector<NaiveRow>& rows) {
  const auto is_before = [&](const NaiveRow& a, const NaiveRow& b) {
    for (const query::BoundOrderKey& key : select.order) {
      const auto order = CompareSorted(a[key.output], b[key.output], key);
      if (order != 0) return order < 0;
    }
    return false;
  };
  std::ranges::stable_sort(rows, is_before);
  if (!select.after.empty()) {
    NaiveRow place;
    for (const query::BoundExpr& expr : select.after) place.push_back(Evaluate(expr));
    std::erase_if(rows, [&](const NaiveRow& row) {
      for (std::size_t i = 0; i < place.size(); ++i) {
        const auto order = CompareSorted(row[select.order[i].output], place[i], select.order[i]);
        if (order != 0) return order < 0;
      }
      return true;
    });
  }
  const auto count_of = [&](const std::optional<query::BoundExpr>& expr, std::size_t otherwise) {
    const Value value = expr ? Evaluate(*expr) : Value();
    return value.is_null() ? otherwise : static_cast<std::size_t>(value.AsInt());
  };
  const std::size_t offset = std::min(rows.size(), count_of(select.offset, 0));
  rows.erase(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(offset));
  rows.resize(std::min(rows.size(), count_of(select.limit, rows.size())));
}

std::vector<NaiveRow> NaiveContext::Select(const BoundSelect& select) {
  for (const BoundCte& cte : select.ctes) {
    ctes_[cte.number] = {.siblings = &select.ctes, .cte = &cte, .rows = std::nullopt};
  }
  std::vector<std::vector<NaiveRow>> parts;
  for (const BoundCore& core : select.cores) parts.push_back(Core(core));
  for (const query::SetStep& step : query::SetOperatorOrder(select.operators)) {
    parts.push_back(Combine(step.op, parts[step.left], parts[step.right]));
  }
  std::vector<NaiveRow> rows = std::move(parts.back());
  Order(select, rows);
  for (NaiveRow& row : rows) row.resize(select.columns.size());
  for (const BoundCte& cte : select.ctes) ctes_.erase(cte.number);
  return rows;
}

std::optional<std::vector<NaiveRow>> EvaluateNaively(const query::BoundSelect& select,
                                                     std::uint32_t source_count,
                                                     const NaiveData& data,
                                                     std::span<const Value> parameters) {
  NaiveContext context(source_count, data, parameters);
  std::vector<NaiveRow> rows = context.Select(select);
  if (context.is_exhausted()) return std::nullopt;
  return rows;
}

}  // namespace trefoil::testing
