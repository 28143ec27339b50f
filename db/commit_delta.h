// CommitDelta: what a commit did, for those who keep results up to date: the rows it touched and
// the states before and after. Rows that the writer had in hand come with it; of the others values
// are read when somebody asks for columns, so an attribute that nobody demands is never read.
#pragma once

#include <boost/container/small_vector.hpp>
#include <span>
#include <string>
#include <vector>

#include "dataflow/batch.h"
#include "db/pinned.h"
#include "db/row_images.h"
#include "trefoil/result.h"
#include "trefoil/slice.h"
#include "trefoil/version.h"

namespace trefoil::db {

// A row with at least one changed fact.
struct TouchedRow {
  TypeId type{};
  std::string subject;
  // The attributes with changed facts, ascending, the row cell among them if the row came or went.
  // Empty: nobody knows.
  boost::container::small_vector<AttributeId, 6> attributes = {};

  friend bool operator==(const TouchedRow&, const TouchedRow&) = default;
};

struct CommitDelta {
  PinnedRef before;
  PinnedRef after;
  bool merged = false;              // changes of other replicas
  std::vector<TouchedRow> touched;  // by type, then subject, each once
  RowImages images;                 // of some of them; settled

  Version version() const { return after->version(); }
  bool schema_changed() const { return before->schema() != after->schema(); }
};

// The rows that a commit's facts belong to. `facts` lie under several attributes, and a SET's under
// elements; the subjects are without those. Borrows until the return.
struct TouchedFact {
  TypeId type{};
  Slice subject;
  AttributeId attribute{};
};
std::vector<TouchedRow> RowsOf(std::vector<TouchedFact> facts);

// Adds to `batch`, which has the width of `columns`: -1 for each touched row of `type` as it was,
// +1 as it is, over the demanded `columns`; rows that did not change in them cancel.
Status AppendRowChanges(const CommitDelta& delta, TypeId type, std::span<const AttributeId> columns,
                        dataflow::Batch& batch);

// Types with touched rows, ascending.
std::vector<TypeId> TouchedTypes(const CommitDelta& delta);

// Is told of every commit in version order, one at a time, after it is published. The call runs on
// the committing thread without any lock of the engine, so it may read and write; the commits that
// it makes are delivered after it returns.
class CommitObserver {
 public:
  virtual ~CommitObserver() = default;
  virtual void OnCommit(const CommitDelta& delta) = 0;
};

}  // namespace trefoil::db
