// Applies transactions of other replicas to a pinned state, as entries of one commit: the winner of
// each fact, rows that come and go, and the index entries that follow. What loses changes nothing.
//
//   ops of all frames, by key -> joined to the stored state -> lives of rows -> schema -> indexes
//
// A state (crdt/state_changeset.h) takes the same way: its facts are joined instead of ops.
//
// Nothing is decided here: crdt/merge.h says who wins. I1: a stored fact has the causal length of
// its row, which is odd, unless it holds moves (crdt/move_tree.h); so what is stored follows from
// the set of transactions applied alone.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory_resource>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "crdt/log_frame.h"
#include "crdt/merge.h"
#include "crdt/site.h"
#include "crdt/state_changeset.h"
#include "db/commit_delta.h"
#include "db/overlay_view.h"
#include "db/pinned.h"
#include "schema/schema.h"
#include "trefoil/result.h"

namespace trefoil::db {

// Reads the schema out of a state (Engine::SchemaAt).
using SchemaReader = std::function<Result<schema::SchemaRef>(const ReadView&)>;

// Puts the entry of every row into an index that has none.
Status PutAllIndexEntries(OverlayView& view, const schema::Schema& schema,
                          const schema::Index& index);

class FrameApplier {
 public:
  // `view` lies over `base`, which has applied `times`, and takes the entries; `sites` gets the
  // sites that are new. All outlive the applier.
  FrameApplier(const Pinned& base, const crdt::HeadTimes& times, OverlayView& view,
               crdt::SiteTable& sites)
      : base_(base), times_(times), view_(view), sites_(sites), schema_(base.schema()) {}

  // `frames` are ready: each follows what it depends on. Errors: kCorruption; kSchemaConflict when
  // the replicas declare one column in two ways. Then `view` is to be thrown away.
  Status Apply(std::span<const crdt::Frame* const> frames, const SchemaReader& read_schema);

  // Joins the state of another replica. Errors: as Apply.
  Status ApplyState(const crdt::StateChangeset& changeset, const SchemaReader& read_schema);

  const schema::SchemaRef& schema() const { return schema_; }
  // Rows with a visible difference, by type and subject.
  std::vector<TouchedRow> TakeTouched();
  std::uint64_t facts_changed() const { return facts_changed_; }
  // Entries of indexes that are gone or were built anew.
  const std::vector<lsm::KeyRange>& dropped_ranges() const { return dropped_ranges_; }

 private:
  struct IncomingOp {
    Slice key;  // in keys_
    const crdt::FrameOp* op = nullptr;
    schema::Stamp stamp = {};
    const std::vector<schema::SiteOrdinal>* sites = nullptr;  // of the frame
  };
  // A fact that the merge rules decide.
  struct JoinedFact {
    std::optional<std::string> before = {};
    crdt::FactState old_state = {};
    crdt::FactState state = {};
  };
  struct MergedFact {
    Slice key;
    const crdt::FrameOp* op = nullptr;        // names type, attribute, subject
    std::span<const IncomingOp> writes = {};  // in their causal order
    std::size_t row = 0;                      // place in rows_
    // In joined_; null: the store has no such fact, and `op`, of a register, alone writes it.
    JoinedFact* joined = nullptr;
  };
  // A row with facts in the batch.
  struct MergedRow {
    TypeId type{};
    const std::string* subject = nullptr;
    std::uint64_t length = 0;  // causal length, 0 = never there
    bool is_written = false;   // its row cell is in the batch
    bool is_touched = false;   // looks different, or claims differently
  };

  Status Finish(const SchemaReader& read_schema);
  Status Gather(std::span<const crdt::Frame* const> frames);
  void SortIncoming(std::span<const std::size_t> run_starts);
  Status GatherState(const crdt::StateChangeset& changeset);
  Slice NewKey(Slice prefix, const crdt::FrameOp& op);
  void GroupIncoming();
  JoinedFact& JoinedOf(MergedFact& fact);
  Status ReadStored();
  Result<bool> MayBeStored(std::span<const MergedFact> facts) const;
  Status ReadStored(std::span<MergedFact* const> facts);
  void Join();
  void JoinState(const crdt::StateChangeset& changeset);
  Status ReplayTrees();
  Status ReplayTree(std::span<MergedFact> facts, std::vector<MergedFact>* later);
  Status FindLaterMoves(std::span<const MergedFact> facts, const schema::Stamp& start,
                        std::vector<MergedFact>* later);
  Status PutFormerFacts(const MergedRow& row);
  void FindRows();
  void FindRowsOf(std::span<MergedFact> facts);
  Status ReadLengths();
  Status PutFacts();
  void PutNew(const MergedFact& fact, bool is_claim);
  Status PutJoined(MergedFact& fact, bool is_claim);
  bool IsClaim(TypeId type, AttributeId attribute) const;
  Status CheckAgainstSchema() const;
  Status FollowSchema(const SchemaReader& read_schema);
  Status MoveIndexEntries();

  const Pinned& base_;
  const crdt::HeadTimes& times_;
  OverlayView& view_;
  crdt::SiteTable& sites_;
  schema::SchemaRef schema_;
  std::vector<std::vector<schema::SiteOrdinal>> frame_sites_;
  std::pmr::monotonic_buffer_resource keys_;
  std::vector<IncomingOp> incoming_;    // by key
  std::deque<crdt::FrameOp> replayed_;  // name facts that no transaction of the batch writes
  std::deque<JoinedFact> joined_;
  std::vector<MergedFact> facts_;  // by key
  std::vector<MergedRow> rows_;    // by type and subject
  std::vector<lsm::KeyRange> dropped_ranges_;
  std::string cell_;  // memory for the cell at hand
  std::uint64_t facts_changed_ = 0;
};

}  // namespace trefoil::db
