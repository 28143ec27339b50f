// TripleSource: stored rows as the dataflow asks for them. It answers at two states: the one before
// a commit and the one after it, two pinned versions; or at one state for both, which may be a
// transaction's.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "dataflow/source.h"
#include "db/pinned.h"
#include "db/read_view.h"
#include "db/triple_store.h"
#include "schema/schema.h"

namespace trefoil::db {

class Engine;

class TripleSource final : public dataflow::Source {
 public:
  // `engine` is needed for the tables that show the process (system_tables.h), and outlives the
  // source.
  explicit TripleSource(const PinnedRef& now, const Engine* engine = nullptr) : engine_(engine) {
    Move(now, now);
  }
  // Over a state that outlives the source, such as a transaction's view.
  TripleSource(const ReadView& view, schema::SchemaRef schema, const Engine* engine = nullptr)
      : engine_(engine),
        old_{.view = &view, .schema = schema},
        new_{.view = &view, .schema = std::move(schema)} {}

  // What kOld and kNew mean from now on.
  void Move(PinnedRef before, PinnedRef after);

  std::vector<dataflow::PathDescription> Paths(TypeId type) const override;
  // An unknown type has no rows. Errors: kUnknownIndex, kCorruption, those of the store.
  Status Scan(const dataflow::BaseRelation& relation, const dataflow::Probe& probe,
              dataflow::When when, const dataflow::RowVisitor& visit) const override;
  Status Lookup(
      const dataflow::BaseRelation& relation, std::span<const std::vector<Value>> subjects,
      dataflow::When when,
      const std::function<void(std::size_t i, std::span<const Value> row)>& visit) const override;
  std::uint64_t ApproximateCount(TypeId type, const dataflow::Probe& probe) const override;

 private:
  struct State {
    PinnedRef pinned = {};  // null: the view is somebody else's
    const ReadView* view = nullptr;
    schema::SchemaRef schema = {};
  };

  const State& At(dataflow::When when) const { return when == dataflow::When::kOld ? old_ : new_; }
  Status ScanSystem(const State& state, const schema::Type& type,
                    const dataflow::BaseRelation& relation, const dataflow::Probe& probe,
                    const dataflow::RowVisitor& visit) const;

  const Engine* engine_;
  State old_;
  State new_;
};

}  // namespace trefoil::db
