// The passes over a plan, each in its own file under passes/ and each one switchable: any set of
// them gives the same answers (E4), only at other cost. The plan is verified after each one in the
// verify build.
#pragma once

#include "query/plan.h"
#include "schema/schema.h"

namespace trefoil::query {

struct PassSet {
  bool push_filters = true;   // conditions move to where their columns come from
  bool find_keys = true;      // equalities in join conditions become keys of the join
  bool choose_ranges = true;  // conditions on an index become the range of a scan
  bool prune_columns = true;  // nobody carries what nobody reads
};

void Optimize(Plan& plan, const schema::Schema& schema, const PassSet& passes);

void PushFilters(Plan& plan);
void FindKeys(Plan& plan);
void ChooseRanges(Plan& plan, const schema::Schema& schema);
void PruneColumns(Plan& plan);

}  // namespace trefoil::query
