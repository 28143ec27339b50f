#include "query/optimizer.h"

#include "base/check.h"

namespace trefoil::query {

void Optimize(Plan& plan, const schema::Schema& schema, const PassSet& passes,
              Statistics* statistics) {
  const auto verify = [&] {
    if constexpr (kVerifyBuild) VerifyPlan(plan);
  };
  verify();
  if (passes.push_filters) PushFilters(plan);
  verify();
  if (passes.find_keys) FindKeys(plan);
  verify();
  if (passes.drop_domains) DropDomains(plan);
  verify();
  if (passes.route_bindings) RouteBindings(plan);
  verify();
  if (passes.choose_ranges) ChooseRanges(plan, schema);
  verify();
  if (passes.drop_idle) DropIdle(plan);
  verify();
  if (passes.order_joins && statistics != nullptr) OrderJoins(plan, *statistics);
  verify();
  if (passes.prune_columns) PruneColumns(plan);
  verify();
  if (passes.bind_tops) BindTops(plan, schema);
  verify();
}

}  // namespace trefoil::query
