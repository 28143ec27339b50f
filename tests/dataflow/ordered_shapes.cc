// The shapes whose operators keep orders, routes or recursions.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "dataflow/operators/fixpoint.h"
#include "dataflow/operators/forest.h"
#include "dataflow/operators/group_by.h"
#include "dataflow/operators/join.h"
#include "dataflow/operators/project.h"
#include "dataflow/operators/route.h"
#include "dataflow/operators/top_k.h"
#include "tests/dataflow/relational_shapes.h"

namespace trefoil::dataflow {
namespace {

using testing::ZSet;

// The first two payloads of each key.
Shape TopKShape() {
  return {"top-k", 1,
          [](Plan& plan, const std::vector<NodeNumber>& in) {
            return plan.Add(TopK{.partition = {0}, .order = {{.column = 1}}, .limit = 2}, {in[0]});
          },
          [](const std::vector<ZSet>& in) {
            std::map<Value, Weight> shown;
            ZSet out;
            for (const auto& [row, weight] : in[0]) {  // in the order of the rows
              const Weight room = 2 - shown[row[0]];
              if (room <= 0) continue;
              out[row] = std::min(room, weight);
              shown[row[0]] += out[row];
            }
            return out;
          }};
}

Shape LeastAndMostShape() {
  return {"min and max", 1,
          [](Plan& plan, const std::vector<NodeNumber>& in) {
            return plan.Add(GroupBy{.key = {0},
                                    .aggregates = {{.function = "min", .arguments = {1}},
                                                   {.function = "max", .arguments = {1}}}},
                            {in[0]});
          },
          [](const std::vector<ZSet>& in) {
            std::map<Value, std::pair<Value, Value>> bounds;
            for (const auto& [row, weight] : in[0]) {  // in the order of the rows
              const auto [place, is_new] = bounds.try_emplace(row[0], row[1], row[1]);
              place->second.second = row[1];
            }
            ZSet out;
            for (const auto& [key, pair] : bounds) out[{key, pair.first, pair.second}] = 1;
            return out;
          }};
}

// A binding for each payload: its least key. Without the row in the output, several rows show as
// one.
Shape RouteShape(bool with_row) {
  return {with_row ? "route" : "route without the row", 2,
          [=](Plan& plan, const std::vector<NodeNumber>& in) {
            const NodeNumber bindings =
                plan.Add(GroupBy{.key = {1}, .aggregates = {{.function = "min", .arguments = {0}}}},
                         {in[0]});
            const std::vector<Column> outputs =
                with_row ? std::vector<Column>{2, 0, 3} : std::vector<Column>{2, 0};
            return plan.Add(
                Route{.alternatives = {{{.test = RouteTest::kEqual, .row = 0, .binding = 1}}},
                      .outputs = outputs},
                {bindings, in[1]});
          },
          [=](const std::vector<ZSet>& in) {
            std::map<Value, Value> bindings;
            for (const auto& [row, weight] : in[0]) {  // in the order of the rows
              if (!row[0].is_null()) bindings.try_emplace(row[1], row[0]);
            }
            ZSet out;
            for (const auto& [payload, key] : bindings) {
              for (const auto& [row, weight] : in[1]) {
                if (row[0] != key) continue;
                Row shown = {key, payload};
                if (with_row) shown.push_back(row[1]);
                out[shown] += weight;
              }
            }
            return out;
          }};
}

// path(x, y) = edge(x, y) or path(x, z), path(z, y); cycles and all.
Shape ClosureShape() {
  return {"transitive closure", 1,
          [](Plan& plan, const std::vector<NodeNumber>& in) {
            Fixpoint paths{.relations = {{.name = "path",
                                          .kinds = {ValueKind::kInt, ValueKind::kInt},
                                          .bases = {0},
                                          .bodies = {2}}},
                           .inputs = 1};
            paths.body.push_back(
                {Spec(Join{.on = {{.left = 1, .right = 3}}, .outputs = {0, 4, 2, 5}}), {1, 1}});
            return plan.Add(paths, {in[0]});
          },
          [](const std::vector<ZSet>& in) {
            ZSet paths;
            for (const auto& [edge, weight] : in[0]) paths[edge] = 1;
            for (bool changed = true; changed;) {
              changed = false;
              const ZSet known = paths;
              for (const auto& [a, weight_a] : known) {
                for (const auto& [b, weight_b] : known) {
                  if (a[1] == b[0]) changed = paths.try_emplace({a[0], b[1]}, 1).second || changed;
                }
              }
            }
            return paths;
          }};
}

// Below the payloads of the second input, in the tree of each key's least payload.
Shape ForestShape(ForestDirection direction) {
  return {direction == ForestDirection::kDescendants ? "forest below" : "forest above", 2,
          [=](Plan& plan, const std::vector<NodeNumber>& in) {
            const NodeNumber tree =
                plan.Add(GroupBy{.key = {0}, .aggregates = {{.function = "min", .arguments = {1}}}},
                         {in[0]});
            return plan.Add(Forest{.direction = direction},
                            {tree, plan.Add(Project{.columns = {1}}, {in[1]})});
          },
          [=](const std::vector<ZSet>& in) {
            std::map<Value, Value> parents;
            std::set<Value> nodes;
            for (const auto& [row, weight] : in[0]) {  // in the order of the rows
              if (!row[0].is_null()) nodes.insert(parents.try_emplace(row[0], row[1]).first->first);
            }
            for (const auto& [row, weight] : in[1]) nodes.insert(row[1]);
            ZSet out;
            for (const Value& low : nodes) {
              std::set<Value> way;
              Value at = low;
              while (way.insert(at).second && parents.contains(at)) at = parents[at];
              for (const Value& high : way) {
                const bool down = direction == ForestDirection::kDescendants;
                const Row row = down ? Row{high, low} : Row{low, high};
                const bool is_start = std::ranges::any_of(
                    in[1], [&](const auto& start) { return start.first[1] == row[0]; });
                if (is_start) out[row] = 1;
              }
            }
            return out;
          }};
}

}  // namespace

std::vector<Shape> OrderedAndRecursiveShapes() {
  return {TopKShape(),
          LeastAndMostShape(),
          RouteShape(true),
          RouteShape(false),
          ClosureShape(),
          ForestShape(ForestDirection::kDescendants),
          ForestShape(ForestDirection::kAncestors)};
}

}  // namespace trefoil::dataflow
