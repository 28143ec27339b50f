// Source: how stored data reaches the dataflow. The engine asks for rows of a base relation at one
// of two states of the same step, `old` (before the commit) and `new` (after it), or at a pinned
// version; `db` answers from the store, tests from a model in memory.
//
// A base relation is one type with the columns that somebody demands. Its rows are Values in the
// order of `columns`; a missing fact is NULL. The subject (the key fields) can be asked for like
// any other column.
//
// Threads: one at a time per Source object.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "trefoil/result.h"
#include "trefoil/value.h"
#include "trefoil/version.h"

namespace trefoil::dataflow {

enum class When : std::uint8_t { kOld, kNew };

// The demanded columns of one type.
struct BaseRelation {
  TypeId type{};
  std::vector<AttributeId> columns;

  friend bool operator==(const BaseRelation&, const BaseRelation&) = default;
};

// An order that the store keeps: the subject order of a type (no index), or a secondary index,
// whose order is its columns followed by the subject.
struct AccessPath {
  std::optional<IndexId> index;  // nothing: the subject order

  friend bool operator==(const AccessPath&, const AccessPath&) = default;
};

// An access path as the dataflow sees it when a graph is built: the columns in whose order its
// entries stand, all of them: those of the index, then all key fields of the subject. The subject
// order has the key fields only.
struct PathDescription {
  struct PathColumn {
    AttributeId attribute{};
    bool descending = false;

    friend bool operator==(const PathColumn&, const PathColumn&) = default;
  };
  AccessPath path;
  std::vector<PathColumn> columns;

  friend bool operator==(const PathDescription&, const PathDescription&) = default;
};

// One end of a range on the column that follows the equal prefix.
struct Bound {
  Value value;
  bool inclusive = true;

  friend bool operator==(const Bound&, const Bound&) = default;
};

// Which entries of an access path, and in which direction: those whose leading columns equal
// `prefix` and whose next column lies within the bounds. `after`, if not empty, holds values for
// all remaining columns of the path (the rest of the index columns, then the subject): the walk
// begins strictly behind that entry, in the direction of the walk.
struct Probe {
  AccessPath path;
  std::vector<Value> prefix;
  std::optional<Bound> lower;
  std::optional<Bound> upper;
  std::vector<Value> after;
  bool reverse = false;
  // About how many rows the visitor will take, where somebody knows: a hint, not a limit.
  std::optional<std::size_t> wanted = std::nullopt;
};

// Receives rows; returns false to end the walk. The span is valid during the call.
using RowVisitor = std::function<bool(std::span<const Value> row)>;

// Receives the rows of many probes; false: no more rows of probe number `i` are wanted.
using ManyVisitor = std::function<bool(std::size_t i, std::span<const Value> row)>;

class Source {
 public:
  virtual ~Source() = default;

  // The orders that can be read for this type at both states: the subject order first, then every
  // index that is ready. They may differ from one built graph to the next, never under a graph.
  virtual std::vector<PathDescription> Paths(TypeId type) const = 0;

  // Rows of `relation` that match the probe, in the order of its path. O(answer + log n).
  virtual Status Scan(const BaseRelation& relation, const Probe& probe, When when,
                      const RowVisitor& visit) const = 0;
  // As Scan for each of `probes`, which differ in their prefix alone, go forward from the first
  // entry on, and come in ascending order of their prefixes, none twice.
  virtual Status ScanMany(const BaseRelation& relation, std::span<const Probe> probes, When when,
                          const ManyVisitor& visit) const {
    for (std::size_t i = 0; i < probes.size(); ++i) {
      Status scanned = Scan(relation, probes[i], when,
                            [&](std::span<const Value> row) { return visit(i, row); });
      if (!scanned) return scanned;
    }
    return Ok();
  }
  // For each of `subjects` (the key field values of one row each), in order: its row, or an empty
  // span when there is none. Overlaps the look-ups.
  virtual Status Lookup(
      const BaseRelation& relation, std::span<const std::vector<Value>> subjects, When when,
      const std::function<void(std::size_t i, std::span<const Value> row)>& visit) const = 0;
  // About how many rows match the probe; cheap, for planning.
  virtual std::uint64_t ApproximateCount(TypeId type, const Probe& probe) const = 0;
};

}  // namespace trefoil::dataflow
