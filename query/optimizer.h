// The passes over a plan, each in its own file under passes/ and each one switchable: any set of
// them gives the same answers (E4), only at other cost. The plan is verified after each one in the
// verify build.
#pragma once

#include "query/plan.h"
#include "schema/schema.h"

namespace trefoil::query {

class Statistics;  // estimate.h

struct PassSet {
  bool push_filters = true;    // conditions move to where their columns come from
  bool find_keys = true;       // equalities in join conditions become keys of the join
  bool drop_domains = true;    // EXISTS and IN look for columns of their select directly
  bool route_bindings = true;  // rows find the bindings that they concern
  bool choose_ranges = true;   // conditions on an index become the range of a scan
  bool drop_idle = true;       // no filters without conditions, no nodes without readers
  bool order_joins = true;     // joins begin where it costs least; needs statistics
  bool prune_columns = true;   // nobody carries what nobody reads
  bool bind_tops = true;       // a new binding reads the rows that it shows

  friend bool operator==(const PassSet&, const PassSet&) = default;
};

// `statistics` may be null: joins then stay in the order in which they were written.
void Optimize(Plan& plan, const schema::Schema& schema, const PassSet& passes,
              Statistics* statistics = nullptr);

void PushFilters(Plan& plan);
void FindKeys(Plan& plan);
void DropDomains(Plan& plan);
void RouteBindings(Plan& plan);
// Whether an optimised plan pays for the bindings that a change concerns only: none of its joins
// tries them all.
bool ReachesBindings(const Plan& plan);
void ChooseRanges(Plan& plan, const schema::Schema& schema);
void OrderJoins(Plan& plan, Statistics& statistics);
void DropIdle(Plan& plan);
void PruneColumns(Plan& plan);
void BindTops(Plan& plan, const schema::Schema& schema);

}  // namespace trefoil::query
