// TripleSource: stored rows as the dataflow asks for them. It answers at two states: the one before
// a commit and the one after it, two pinned versions; or at one state for both, which may be a
// transaction's.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dataflow/source.h"
#include "db/index_reader.h"
#include "db/pinned.h"
#include "db/read_view.h"
#include "db/row_reader.h"
#include "db/triple_store.h"
#include "schema/schema.h"

namespace trefoil::db {

class Engine;

// The columns of an access path and how they are encoded.
struct PathParts {
  const schema::Type* type = nullptr;
  const schema::Index* index = nullptr;  // null: the subject order
  std::vector<const schema::Attribute*> attributes = {};
  std::vector<schema::KeyPart> parts = {};
};

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
  Status ScanMany(const dataflow::BaseRelation& relation, std::span<const dataflow::Probe> probes,
                  dataflow::When when, const dataflow::ManyVisitor& visit) const override;
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

  // Look-ups of one relation, with their memory.
  struct Reader {
    Reader(const schema::Type& type_in, std::span<const AttributeId> columns_in)
        : type(&type_in), columns(columns_in.begin(), columns_in.end()), rows(type_in, columns) {}

    const schema::Type* type;
    std::vector<AttributeId> columns;
    RowReader rows;
    std::vector<std::string> subjects;
    std::vector<std::size_t> places;  // of the subjects, among those that were asked for
  };

  // Walks along one index that show one relation.
  struct IndexWalker {
    IndexWalker(const schema::Type& type, const schema::Index& index_in,
                std::span<const AttributeId> columns_in)
        : index(&index_in),
          columns(columns_in.begin(), columns_in.end()),
          rows(type, index_in, columns) {}

    const schema::Index* index;
    std::vector<AttributeId> columns;
    IndexReader rows;
  };
  Status ScanIndex(const State& state, const schema::Index& index,
                   std::span<const AttributeId> columns, std::span<const Walk> walks,
                   ManyRowSink sink) const;

  const State& At(dataflow::When when) const { return when == dataflow::When::kOld ? old_ : new_; }
  Status ScanSystem(const State& state, const schema::Type& type,
                    const dataflow::BaseRelation& relation, const dataflow::Probe& probe,
                    const dataflow::RowVisitor& visit) const;

  // Valid until the schema changes. Errors: kUnknownIndex; kInvalidArgument for a probe with more
  // columns than its path.
  Result<const PathParts*> PathOf(const schema::Schema& schema, const schema::Type& type,
                                  const dataflow::Probe& probe) const;

  const Engine* engine_;
  mutable std::vector<std::unique_ptr<const PathParts>> paths_;
  // Those that nobody uses at the moment: the visitor of one may begin another.
  mutable std::vector<std::unique_ptr<Reader>> readers_;
  mutable std::vector<std::unique_ptr<IndexWalker>> walkers_;
  State old_;
  State new_;
};

}  // namespace trefoil::db
