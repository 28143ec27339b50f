// Inside of the naive evaluator: which source stands at which row, and the parts that call each
// other, each in its own file.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "tests/support/naive_evaluator.h"

namespace trefoil::testing {

// Sources and the rows that they stand at. The rows lie in NaiveContext::kept_.
using Tuple = std::vector<std::pair<query::SourceId, const NaiveRow*>>;

class NaiveContext {
 public:
  NaiveContext(std::uint32_t source_count, const NaiveData& data, std::span<const Value> parameters)
      : data_(data), parameters_(parameters), at_(source_count, nullptr) {}

  // ---- naive_evaluator.cc: the rows of a select ----

  // Visible columns, in order.
  std::vector<NaiveRow> Select(const query::BoundSelect& select);

  // ---- naive_expression.cc ----

  Value Evaluate(const query::BoundExpr& expr);
  // TRUE and nothing else.
  bool IsTrue(const query::BoundExpr& condition);

  // ---- naive_aggregate.cc ----

  // Over the rows of one group.
  Value Aggregate(const query::BoundAggregate& aggregate, const std::vector<Tuple>& rows);

  // Too many steps: what was computed is no answer.
  bool is_exhausted() const { return steps_ > kNaiveStepsMax; }

  void Stand(const Tuple& tuple) {
    for (const auto& [source, row] : tuple) at_[query::ToNumber(source)] = row;
  }

 private:
  const NaiveRow* Keep(NaiveRow row) { return &kept_.emplace_back(std::move(row)); }
  std::vector<NaiveRow> Core(const query::BoundCore& core);
  std::vector<Tuple> From(const query::BoundCore& core);
  std::vector<Tuple> SourceRows(const query::BoundSource& source);
  std::vector<Tuple> Join(const std::vector<Tuple>& left, const query::BoundJoin& join,
                          const Tuple& no_left);
  void AddRefs(const std::vector<query::RefJoin>& refs, Tuple& tuple);
  std::vector<Tuple> Groups(const query::BoundCore& core, const std::vector<Tuple>& rows);
  const std::vector<NaiveRow>& CteRows(std::uint32_t number);
  void Order(const query::BoundSelect& select, std::vector<NaiveRow>& rows);
  std::vector<NaiveRow> TableRows(TypeId type, const std::vector<query::BoundColumn>& columns);

  Value Operate(const query::Operation& operation);
  Value Connect(const query::Operation& operation);
  Value InList(const query::Operation& operation);
  Value Subselect(const query::BoundSubselect& subselect);

  struct Cte {
    const std::vector<query::BoundCte>* siblings = nullptr;
    const query::BoundCte* cte = nullptr;
    std::optional<std::vector<NaiveRow>> rows;  // nothing: not computed yet
  };

  const NaiveData& data_;
  std::span<const Value> parameters_;
  std::vector<const NaiveRow*> at_;  // by SourceId
  std::map<std::uint32_t, Cte> ctes_;
  std::deque<NaiveRow> kept_;
  std::size_t steps_ = 0;
};

// As ORDER BY: NULLs at one end, then the values.
std::weak_ordering CompareSorted(const Value& a, const Value& b, const query::BoundOrderKey& key);

}  // namespace trefoil::testing
