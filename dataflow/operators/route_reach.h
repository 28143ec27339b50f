// RouteReach: how the rows that a binding selects are read through a port: which of its slots are
// the key of the pull, which bound its range, and which are left to be tested on the rows. Shared
// by Route and BoundTopK.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dataflow/operator.h"
#include "dataflow/router.h"

namespace trefoil::dataflow {

struct RouteReach {
  Port port;
  std::vector<RouteSlot> key;       // equal columns of the ask, in order
  std::optional<RouteSlot> in;      // part of the key too: one pull per item
  std::size_t in_place = 0;         // where in the key
  std::optional<RouteSlot> prefix;  // the bounds come from a prefix
  std::optional<RouteSlot> lower;
  std::optional<RouteSlot> upper;

  void DropRange();
};

// What could be asked for at best; the port is still to be found. The bounds of a walk are in the
// total order of Value, which is SQL's only within one kind: others are left to be tested.
RouteReach ReachOf(const RouteAlternative& alternative, const Operator& bindings,
                   const Operator& rows);

Ask AskOf(const RouteReach& reach, const std::vector<SortColumn>& order);

// What a pull takes from one binding.
struct ReachBounds {
  std::optional<std::size_t> wanted = std::nullopt;  // as Probe::wanted; for the caller to set
  Row key;
  std::optional<Bound> lower;
  std::optional<Bound> upper;
};

// Fills `bounds` but for the item of a list. False: the binding selects nothing.
bool SetBounds(const RouteReach& reach, RowView binding, ReachBounds& bounds);

// Reads the rows of the key and range through reach.port at kNew, behind `after` if that is given.
// Rows that fail slots which are neither are read too. Returns false if the sink ended it.
bool ReadReach(const RouteReach& reach, const ReachBounds& bounds, std::span<const Value> after,
               Context& context, RowSink sink);

// Slots that hash need values that can be the same; ranges in the total order of an index need
// values of one kind. Errors: kInvalidArgument for columns that do not exist; kTypeMismatch.
Status CheckSlot(const RouteSlot& slot, const Operator& bindings, const Operator& rows);
// "#0 = $1"
std::string DescribeSlot(const RouteSlot& slot);

}  // namespace trefoil::dataflow
