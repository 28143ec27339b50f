#include "tests/dataflow/relational_shapes.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "dataflow/operators/constant.h"
#include "dataflow/operators/filter.h"
#include "dataflow/operators/flat_map.h"
#include "dataflow/operators/group_by.h"
#include "dataflow/operators/join.h"
#include "dataflow/operators/left_join.h"
#include "dataflow/operators/map.h"
#include "dataflow/operators/project.h"
#include "dataflow/operators/semi_join.h"
#include "dataflow/operators/set_operation.h"
#include "dataflow/operators/union_all.h"

namespace trefoil::dataflow {
namespace {

using testing::Subject;
using testing::ZSet;

Value Int(std::int64_t number) { return Value::Int(number); }
const Value kNullValue;

void AddTo(ZSet& rows, const Row& row, Weight weight) {
  Weight& stored = rows[row];
  stored += weight;
  if (stored == 0) rows.erase(row);
}

Row Concat(const Row& a, const Row& b) {
  Row both = a;
  both.insert(both.end(), b.begin(), b.end());
  return both;
}

// Two columns: a key with NULL, and a payload that tells rows of one key apart.
const std::vector<ValueKind> kPair = {ValueKind::kInt, ValueKind::kInt};
std::vector<Row> SmallPairs() { return {{Int(0), Int(1)}, {Int(0), Int(2)}, {kNullValue, Int(1)}}; }
// ---- one input

Shape FilterShape() {
  return {"filter", 1,
          [](Plan& plan, const std::vector<NodeNumber>& in) {
            return plan.Add(
                Filter{.predicate = Apply(Operation::kLess, {ColumnOf(0), ColumnOf(1)})}, {in[0]});
          },
          [](const std::vector<ZSet>& in) {
            ZSet out;
            for (const auto& [row, weight] : in[0]) {
              if (!row[0].is_null() && row[0] < row[1]) out[row] = weight;
            }
            return out;
          }};
}

Shape MapShape() {
  return {"map", 1,
          [](Plan& plan, const std::vector<NodeNumber>& in) {
            return plan.Add(Map{.outputs = {ColumnOf(0), Apply(Operation::kMultiply,
                                                               {ColumnOf(0), ConstantOf(Int(2))})}},
                            {in[0]});
          },
          [](const std::vector<ZSet>& in) {
            ZSet out;
            for (const auto& [row, weight] : in[0]) {
              AddTo(out, {row[0], row[0].is_null() ? kNullValue : Int(row[0].AsInt() * 2)}, weight);
            }
            return out;
          }};
}

Shape ProjectShape() {
  return {"project", 1,
          [](Plan& plan, const std::vector<NodeNumber>& in) {
            return plan.Add(Project{.columns = {1, 1}}, {in[0]});
          },
          [](const std::vector<ZSet>& in) {
            ZSet out;
            for (const auto& [row, weight] : in[0]) AddTo(out, {row[1], row[1]}, weight);
            return out;
          }};
}

Shape FlatMapShape() {
  return {"flat map", 1,
          [](Plan& plan, const std::vector<NodeNumber>& in) {
            return plan.Add(FlatMap{.list = Apply(Operation::kList,
                                                  {ColumnOf(0), ColumnOf(1), ConstantOf(Int(1))})},
                            {in[0]});
          },
          [](const std::vector<ZSet>& in) {
            ZSet out;
            for (const auto& [row, weight] : in[0]) {
              for (const Value& item : {row[0], row[1], Int(1)}) {
                AddTo(out, {row[0], row[1], item}, weight);
              }
            }
            return out;
          }};
}

Shape GroupByShape() {
  return {"group by", 1,
          [](Plan& plan, const std::vector<NodeNumber>& in) {
            const NodeNumber marked = plan.Add(
                Map{.outputs = {ColumnOf(0), ColumnOf(1),
                                Apply(Operation::kGreater, {ColumnOf(1), ConstantOf(Int(1))})}},
                {in[0]});
            return plan.Add(
                GroupBy{.key = {0},
                        .aggregates = {{.function = "count", .arguments = {}},
                                       {.function = "sum", .arguments = {1}},
                                       {.function = "avg", .arguments = {1}},
                                       {.function = "count", .arguments = {}, .filter = 2},
                                       {.function = "bool_and", .arguments = {2}},
                                       {.function = "bool_or", .arguments = {2}},
                                       {.function = "count_if", .arguments = {2}}}},
                {marked});
          },
          [](const std::vector<ZSet>& in) {
            struct Group {
              Weight rows = 0, sum = 0, greater = 0;
            };
            std::map<Value, Group> groups;
            for (const auto& [row, weight] : in[0]) {
              Group& group = groups[row[0]];
              group.rows += weight;
              group.sum += row[1].AsInt() * weight;
              if (row[1].AsInt() > 1) group.greater += weight;
            }
            ZSet out;
            for (const auto& [key, g] : groups) {
              out[{key, Int(g.rows), Int(g.sum),
                   Value::Float(static_cast<double>(g.sum) / static_cast<double>(g.rows)),
                   Int(g.greater), Value::Bool(g.greater == g.rows), Value::Bool(g.greater > 0),
                   Int(g.greater)}] = 1;
            }
            return out;
          }};
}

Shape GlobalGroupShape() {
  return {"aggregates of everything", 1,
          [](Plan& plan, const std::vector<NodeNumber>& in) {
            return plan.Add(
                GroupBy{.key = {},
                        .aggregates = {{.function = "count", .arguments = {0}},
                                       {.function = "sum", .arguments = {0}},
                                       {.function = "total", .arguments = {0}},
                                       {.function = "sum", .arguments = {1}, .distinct = true}}},
                {in[0]});
          },
          [](const std::vector<ZSet>& in) {
            Weight count = 0, sum = 0;
            std::map<std::int64_t, Weight> seconds;
            for (const auto& [row, weight] : in[0]) {
              seconds[row[1].AsInt()] += weight;
              if (row[0].is_null()) continue;
              count += weight;
              sum += row[0].AsInt() * weight;
            }
            std::int64_t distinct = 0;
            for (const auto& [second, weight] : seconds) distinct += second;
            return ZSet{{{Int(count), count == 0 ? kNullValue : Int(sum), Int(sum),
                          in[0].empty() ? kNullValue : Int(distinct)},
                         1}};
          }};
}

// ---- two inputs

Shape JoinShape(bool nulls_equal) {
  return {nulls_equal ? "join with equal NULLs" : "join", 2,
          [=](Plan& plan, const std::vector<NodeNumber>& in) {
            return plan.Add(Join{.on = {{.left = 0, .right = 2, .nulls_equal = nulls_equal}},
                                 .outputs = {0, 1, 3}},
                            {in[0], in[1]});
          },
          [=](const std::vector<ZSet>& in) {
            ZSet out;
            for (const auto& [a, wa] : in[0]) {
              for (const auto& [b, wb] : in[1]) {
                if (a[0] != b[0] || (a[0].is_null() && !nulls_equal)) continue;
                AddTo(out, {a[0], a[1], b[1]}, wa * wb);
              }
            }
            return out;
          }};
}

Shape SelfJoinShape() {
  return {"join of an input with itself", 1,
          [](Plan& plan, const std::vector<NodeNumber>& in) {
            return plan.Add(Join{.on = {{.left = 0, .right = 2}},
                                 .condition = Apply(Operation::kLess, {ColumnOf(1), ColumnOf(3)}),
                                 .outputs = {1, 3}},
                            {in[0], in[0]});
          },
          [](const std::vector<ZSet>& in) {
            ZSet out;
            for (const auto& [a, wa] : in[0]) {
              for (const auto& [b, wb] : in[0]) {
                if (a[0].is_null() || a[0] != b[0] || !(a[1] < b[1])) continue;
                AddTo(out, {a[1], b[1]}, wa * wb);
              }
            }
            return out;
          }};
}

Shape CrossJoinShape() {
  return {"cross join", 2,
          [](Plan& plan, const std::vector<NodeNumber>& in) {
            return plan.Add(Join{.on = {}, .outputs = {1, 2}}, {in[0], in[1]});
          },
          [](const std::vector<ZSet>& in) {
            ZSet out;
            for (const auto& [a, wa] : in[0]) {
              for (const auto& [b, wb] : in[1]) AddTo(out, {a[1], b[0]}, wa * wb);
            }
            return out;
          }};
}

// A chain and a triangle in one: a.0 = b.0, b.1 = c.1, c.0 = a.1.
Shape TriangleShape() {
  return {
      "join of three", 3,
      [](Plan& plan, const std::vector<NodeNumber>& in) {
        return plan.Add(
            Join{.on = {{.left = 0, .right = 2}, {.left = 3, .right = 5}, {.left = 4, .right = 1}},
                 .outputs = {0, 1, 3}},
            {in[0], in[1], in[2]});
      },
      [](const std::vector<ZSet>& in) {
        ZSet out;
        const auto same = [](const Value& x, const Value& y) { return !x.is_null() && x == y; };
        for (const auto& [a, wa] : in[0]) {
          for (const auto& [b, wb] : in[1]) {
            for (const auto& [c, wc] : in[2]) {
              if (same(a[0], b[0]) && same(b[1], c[1]) && same(c[0], a[1])) {
                AddTo(out, {a[0], a[1], b[1]}, wa * wb * wc);
              }
            }
          }
        }
        return out;
      }};
}

enum class Matching {
  kKey,
  kKeyAndLess,
  kAny,
  kOneToBoth,  // one left column equals both right ones
  kBothToOne,  // both left columns equal one right one
};

bool Matches(Matching matching, const Row& a, const Row& b) {
  if (matching == Matching::kAny) return true;
  if (a[0].is_null() || a[0] != b[0]) return false;
  switch (matching) {
    case Matching::kKeyAndLess:
      return a[1] < b[1];
    case Matching::kOneToBoth:
      return a[0] == b[1];
    case Matching::kBothToOne:
      return a[1] == b[0];
    default:
      return true;
  }
}

std::vector<Join::Equality> OnOf(Matching matching) {
  std::vector<Join::Equality> on;
  if (matching != Matching::kAny) on.push_back({.left = 0, .right = 2});
  if (matching == Matching::kOneToBoth) on.push_back({.left = 0, .right = 3});
  if (matching == Matching::kBothToOne) on.push_back({.left = 1, .right = 2});
  return on;
}

std::optional<Expression> ConditionOf(Matching matching) {
  if (matching != Matching::kKeyAndLess) return std::nullopt;
  return Apply(Operation::kLess, {ColumnOf(1), ColumnOf(3)});
}

Shape SemiShape(SemiJoinKind kind, Matching matching) {
  return {"semi join of kind " + std::to_string(static_cast<int>(kind)), 2,
          [=](Plan& plan, const std::vector<NodeNumber>& in) {
            return plan.Add(
                SemiJoin{.kind = kind, .on = OnOf(matching), .condition = ConditionOf(matching)},
                {in[0], in[1]});
          },
          [=](const std::vector<ZSet>& in) {
            ZSet out;
            for (const auto& [a, wa] : in[0]) {
              const bool has = std::ranges::any_of(
                  in[1], [&](const auto& b) { return Matches(matching, a, b.first); });
              if (kind == SemiJoinKind::kMark) {
                out[Concat(a, {Value::Bool(has)})] = wa;
              } else if (has == (kind == SemiJoinKind::kSemi)) {
                out[a] = wa;
              }
            }
            return out;
          }};
}

ZSet LeftJoined(Matching matching, const ZSet& left, const ZSet& right) {
  ZSet out;
  for (const auto& [a, wa] : left) {
    bool has = false;
    for (const auto& [b, wb] : right) {
      if (!Matches(matching, a, b)) continue;
      has = true;
      AddTo(out, {a[0], a[1], b[1]}, wa * wb);
    }
    if (!has) AddTo(out, {a[0], a[1], kNullValue}, wa);
  }
  return out;
}

Shape LeftShape(Matching matching) {
  return {"left join", 2,
          [=](Plan& plan, const std::vector<NodeNumber>& in) {
            return plan.Add(
                LeftJoin{
                    .on = OnOf(matching), .condition = ConditionOf(matching), .outputs = {0, 1, 3}},
                {in[0], in[1]});
          },
          [=](const std::vector<ZSet>& in) { return LeftJoined(matching, in[0], in[1]); }};
}

Shape FullShape() {
  return {"full join", 2,
          [](Plan& plan, const std::vector<NodeNumber>& in) {
            const NodeNumber left = plan.Add(
                LeftJoin{.on = {{.left = 0, .right = 2}}, .outputs = {0, 1, 3}}, {in[0], in[1]});
            const NodeNumber alone =
                plan.Add(SemiJoin{.kind = SemiJoinKind::kAnti, .on = {{.left = 0, .right = 2}}},
                         {in[1], in[0]});
            const NodeNumber padded =
                plan.Add(Map{.outputs = {ConstantOf({}), ConstantOf({}), ColumnOf(1)}}, {alone});
            return plan.Add(UnionAll{}, {left, padded});
          },
          [](const std::vector<ZSet>& in) {
            ZSet out = LeftJoined(Matching::kKey, in[0], in[1]);
            for (const auto& [b, wb] : in[1]) {
              const bool has = std::ranges::any_of(
                  in[0], [&](const auto& a) { return Matches(Matching::kKey, a.first, b); });
              if (!has) AddTo(out, {kNullValue, kNullValue, b[1]}, wb);
            }
            return out;
          }};
}

// x NOT IN (select): three marks and a filter, as semi_join.h says.
Shape NotInShape() {
  return {"not in", 2,
          [](Plan& plan, const std::vector<NodeNumber>& in) {
            const NodeNumber found = plan.Add(Project{.columns = {0}}, {in[1]});
            const NodeNumber nulls =
                plan.Add(Filter{.predicate = Apply(Operation::kIsNull, {ColumnOf(0)})}, {found});
            NodeNumber marked =
                plan.Add(SemiJoin{.kind = SemiJoinKind::kMark, .on = {}}, {in[0], found});
            marked =
                plan.Add(SemiJoin{.kind = SemiJoinKind::kMark, .on = {{.left = 0, .right = 3}}},
                         {marked, found});
            marked = plan.Add(SemiJoin{.kind = SemiJoinKind::kMark, .on = {}}, {marked, nulls});
            const NodeNumber passed = plan.Add(
                Filter{.predicate =
                           Or({Not(ColumnOf(2)), And({Not(Apply(Operation::kIsNull, {ColumnOf(0)})),
                                                      Not(ColumnOf(3)), Not(ColumnOf(4))})})},
                {marked});
            return plan.Add(Project{.columns = {0, 1}}, {passed});
          },
          [](const std::vector<ZSet>& in) {
            ZSet out;
            for (const auto& [a, wa] : in[0]) {
              bool is_true = true;
              for (const auto& [b, wb] : in[1]) {
                if (a[0].is_null() || b[0].is_null() || a[0] == b[0]) is_true = false;
              }
              if (is_true) out[a] = wa;
            }
            return out;
          }};
}

Shape SetShape(SetOperationKind kind) {
  return {"set operation " + std::to_string(static_cast<int>(kind)),
          kind == SetOperationKind::kDistinct ? 1U : 2U,
          [=](Plan& plan, const std::vector<NodeNumber>& in) {
            // Projected, so that weights above 1 occur.
            std::vector<NodeNumber> projected;
            for (const NodeNumber input : in) {
              projected.push_back(plan.Add(Project{.columns = {0}}, {input}));
            }
            return plan.Add(SetOperation{.kind = kind}, projected);
          },
          [=](const std::vector<ZSet>& in) {
            std::map<Row, std::pair<Weight, Weight>> weights;
            for (const auto& [row, weight] : in[0]) weights[{row[0]}].first += weight;
            if (in.size() > 1) {
              for (const auto& [row, weight] : in[1]) weights[{row[0]}].second += weight;
            }
            ZSet out;
            for (const auto& [row, pair] : weights) {
              const auto [a, b] = pair;
              Weight shown = 0;
              if (kind == SetOperationKind::kDistinct) shown = a > 0 ? 1 : 0;
              if (kind == SetOperationKind::kIntersect) shown = a > 0 && b > 0 ? 1 : 0;
              if (kind == SetOperationKind::kIntersectAll) shown = std::min(a, b);
              if (kind == SetOperationKind::kExcept) shown = a > 0 && b == 0 ? 1 : 0;
              if (kind == SetOperationKind::kExceptAll) shown = std::max<Weight>(a - b, 0);
              if (shown != 0) out[row] = shown;
            }
            return out;
          }};
}

Shape NegateShape() {
  return {"union all with a negated input", 2,
          [](Plan& plan, const std::vector<NodeNumber>& in) {
            return plan.Add(UnionAll{}, {in[0], plan.Add(NegateRows{}, {in[1]})});
          },
          [](const std::vector<ZSet>& in) { return testing::Minus(in[0], in[1]); }};
}

Shape ConstantShape() {
  return {
      "join with constant rows", 1,
      [](Plan& plan, const std::vector<NodeNumber>& in) {
        const NodeNumber rows =
            plan.Add(Constant{.kinds = {ValueKind::kInt}, .rows = {{Int(0)}, {Int(0)}, {Int(1)}}});
        return plan.Add(Join{.on = {{.left = 0, .right = 2}}, .outputs = {1, 2}}, {in[0], rows});
      },
      [](const std::vector<ZSet>& in) {
        ZSet out;
        for (const auto& [row, weight] : in[0]) {
          if (row[0] == Int(0)) AddTo(out, {row[1], Int(0)}, 2 * weight);
          if (row[0] == Int(1)) AddTo(out, {row[1], Int(1)}, weight);
        }
        return out;
      }};
}

// State on state: groups joined with a distinct, and with their own input.
Shape StackedShape() {
  return {
      "operators on operators", 2,
      [](Plan& plan, const std::vector<NodeNumber>& in) {
        const NodeNumber groups = plan.Add(
            GroupBy{.key = {0}, .aggregates = {{.function = "sum", .arguments = {1}}}}, {in[0]});
        const NodeNumber keys = plan.Add(SetOperation{.kind = SetOperationKind::kDistinct},
                                         {plan.Add(Project{.columns = {0}}, {in[1]})});
        return plan.Add(
            Join{.on = {{.left = 0, .right = 2}, {.left = 2, .right = 3}}, .outputs = {0, 1, 4}},
            {groups, keys, in[1]});
      },
      [](const std::vector<ZSet>& in) {
        std::map<Value, std::int64_t> sums;
        for (const auto& [row, weight] : in[0]) sums[row[0]] += row[1].AsInt() * weight;
        ZSet out;
        for (const auto& [key, sum] : sums) {
          for (const auto& [row, weight] : in[1]) {
            if (!key.is_null() && row[0] == key) AddTo(out, {key, Int(sum), row[1]}, weight);
          }
        }
        return out;
      }};
}

}  // namespace

std::vector<Shape> AllShapes() {
  std::vector<Shape> shapes = {
      FilterShape(),   MapShape(),         ProjectShape(),   FlatMapShape(),
      GroupByShape(),  GlobalGroupShape(), JoinShape(false), JoinShape(true),
      SelfJoinShape(), CrossJoinShape(),   TriangleShape(),  FullShape(),
      NotInShape(),    NegateShape(),      ConstantShape(),  StackedShape()};
  for (const Matching matching : {Matching::kKey, Matching::kKeyAndLess, Matching::kAny,
                                  Matching::kOneToBoth, Matching::kBothToOne}) {
    shapes.push_back(LeftShape(matching));
    for (const SemiJoinKind kind :
         {SemiJoinKind::kSemi, SemiJoinKind::kAnti, SemiJoinKind::kMark}) {
      shapes.push_back(SemiShape(kind, matching));
    }
  }
  for (const SetOperationKind kind :
       {SetOperationKind::kDistinct, SetOperationKind::kIntersect, SetOperationKind::kIntersectAll,
        SetOperationKind::kExcept, SetOperationKind::kExceptAll}) {
    shapes.push_back(SetShape(kind));
  }
  std::ranges::move(OrderedAndRecursiveShapes(), std::back_inserter(shapes));
  // What is no pair of a key and a payload, or not in the first two columns.
  const std::map<std::string, std::vector<Column>> pairs = {{"map", {}},
                                                            {"union all with a negated input", {}},
                                                            {"full join", {}},
                                                            {"aggregates of everything", {3, 0}},
                                                            {"cross join", {1, 0}},
                                                            {"join of three", {0, 2}}};
  for (Shape& shape : shapes) {
    if (const auto pair = pairs.find(shape.name); pair != pairs.end()) shape.pair = pair->second;
    if (shape.name.starts_with("set operation")) shape.pair = {};
  }
  return shapes;
}

std::vector<Row> LargePairs(int keys, int payloads) {
  std::vector<Row> rows;
  for (int key = 0; key < keys; ++key) {
    for (int payload = 0; payload < payloads; ++payload) {
      rows.push_back({key == 0 ? kNullValue : Int(key), Int(payload)});
    }
  }
  return rows;
}

Subject SmallSubject(const Shape& shape) {
  return {.name = shape.name,
          .input_kinds = std::vector(shape.inputs, kPair),
          .domains = std::vector(shape.inputs, SmallPairs()),
          .build = shape.build,
          .reference = shape.reference};
}

Subject LargeSubject(const Shape& shape) {
  Subject subject = SmallSubject(shape);
  subject.domains.assign(shape.inputs, LargePairs(8, 6));
  return subject;
}

}  // namespace trefoil::dataflow
