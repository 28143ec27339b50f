// SiteLog: which sites this replica knows, how far it has applied each, and the log of their
// transactions. A head follows from the last frame in the log, so a commit moves it by putting its
// frame: frame and head are there together or not at all.
//
//   S ordinal            -> site 18 | floor varint: frames up to this one are not kept
//                           [| time 8 of the transaction with that number, if there is a floor]
//   L ordinal, sequence  -> frame
#pragma once

#include <cstdint>
#include <string>

#include "crdt/log_frame.h"
#include "crdt/site.h"
#include "crdt/state_changeset.h"
#include "crdt/version_vector.h"
#include "db/overlay_view.h"
#include "db/read_view.h"
#include "trefoil/result.h"

namespace trefoil::db {

// One thread at a time (guarded by the engine's commit lock).
class SiteLog {
 public:
  // What `view` holds. `own`: the site under which this replica writes.
  static Result<SiteLog> Read(const ReadView& view, const crdt::SiteId& own);

  // The sites alone, as `view` holds them.
  static Result<crdt::SiteTable> ReadSites(const ReadView& view);

  crdt::SiteTable& sites() { return sites_; }
  const crdt::SiteTable& sites() const { return sites_; }
  crdt::SiteOrdinal own() const { return own_; }
  const crdt::Heads& heads() const { return heads_; }
  const crdt::Heads& floors() const { return floors_; }
  // Of the newest transaction of each site that has a head.
  const crdt::HeadTimes& times() const { return times_; }

  // The dot of the next own transaction, and what of other sites it is the first to follow.
  crdt::Dot NextDot() const;
  const crdt::Heads& new_deps() const { return new_deps_; }

  // Puts the frame into the log, and the sites that have no entry yet.
  void Put(WriteSet& writes, const crdt::Dot& dot, Slice frame);
  // Transactions up to `floors`, the newest of which have these times, are not kept from this
  // commit on. The frames themselves are for the caller to delete.
  void PutFloors(WriteSet& writes, const crdt::Heads& floors, const crdt::HeadTimes& times);

  // The commit that holds the frame is published: an own one, one of another site, or a state that
  // contains everything up to these heads.
  void NoteOwn(const crdt::Dot& dot, std::uint64_t time);
  void NoteRemote(const crdt::Dot& dot, std::uint64_t time);
  void NoteState(const crdt::Heads& heads, const crdt::HeadTimes& times);
  // The commit that puts these floors is published.
  void NoteFloors(const crdt::Heads& floors) { crdt::JoinHeads(floors_, floors); }

 private:
  void PutNewSites(WriteSet& writes);

  crdt::SiteTable sites_;
  std::size_t saved_sites_ = 0;  // those with an entry in the store
  crdt::SiteOrdinal own_ = 0;
  crdt::Heads heads_;
  crdt::Heads floors_;
  crdt::HeadTimes times_;
  crdt::Heads new_deps_;
};

}  // namespace trefoil::db
