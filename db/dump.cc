// Dumping the state of an engine as text, and loading it into an empty one.
#include <algorithm>
#include <utility>

#include "base/errors.h"
#include "base/str_cat.h"
#include "db/apply_changeset.h"
#include "db/engine.h"
#include "db/fact_walk.h"
#include "db/public_state.h"
#include "db/text_dump.h"
#include "schema/cell.h"
#include "schema/ids.h"
#include "schema/keys.h"

namespace trefoil {

namespace db {

Result<std::string> Engine::DumpText() const {
  crdt::SiteTable sites;
  crdt::Heads heads;
  crdt::HeadTimes times;
  PinnedRef pinned;
  {
    const std::lock_guard lock(commit_mutex_);
    sites = log_->sites();
    heads = log_->heads();
    times = log_->times();
    pinned = Pin();
  }
  DumpWriter writer({.heads = heads, .part = part_}, times, sites);
  Status walked = ForFacts(pinned->view(), sites, [&](Slice key, const crdt::FactState& state) {
    writer.Add(key, state);
  });
  if (!walked) return std::move(walked).error();
  return writer.Finish();
}

Status Engine::PutDumped(WriteTransaction& transaction, const DumpedState& dumped) {
  std::vector<schema::SiteOrdinal> ordinals;
  for (std::size_t i = 0; i < dumped.sites.size(); ++i) {
    ordinals.push_back(log_->sites().Add(dumped.sites.Of(static_cast<schema::SiteOrdinal>(i))));
  }
  std::vector<TouchedRow> rows;
  for (const DumpedFact& fact : dumped.facts) {
    crdt::FactState state = fact.state;
    hybrid_clock_->Observe(state.stamp.time);
    crdt::ForStamps(state, [&](crdt::Stamp& stamp) { stamp.site = ordinals[stamp.site]; });
    transaction.view_.Put(fact.key, schema::EncodeCell(crdt::ToCell(state)));
    schema::FactName name;
    schema::ParseFactKey(Slice(fact.key), &name);
    if (name.attribute == schema::kRowCell && !state.retracted) {
      rows.push_back({.type = name.type, .subject = name.subject.ToString()});
    }
  }
  Result<schema::SchemaRef> schema = SchemaAt(transaction.view_);
  if (!schema) return std::move(schema).error();
  transaction.schema_ = *std::move(schema);
  transaction.merged_ = std::move(rows);
  for (const schema::Index& index : transaction.schema_->indexes()) {
    if (Status built = PutAllIndexEntries(transaction.view_, *transaction.schema_, index); !built) {
      return built;
    }
  }
  log_->PutFloors(transaction.view_.writes(), dumped.heads, dumped.times);
  return Ok();
}

Status Engine::LoadText(std::string_view text) {
  if (read_only()) {
    return MakeError(ErrorCode::kReadOnly, "the database is open for reading only");
  }
  Result<DumpedState> dumped = ParseDump(text);
  if (!dumped) return std::move(dumped).error();
  if (dumped->part != part_) {
    return MakeError(ErrorCode::kOutsidePart,
                     "the dump is of another part than the one that this database holds",
                     "make the database with Options::part as Part::OfDump gives it");
  }
  Version version;
  {
    const std::lock_guard lock(commit_mutex_);
    if (!log_->heads().empty()) {
      return MakeError(ErrorCode::kAlreadyExists, "a dump is loaded into an empty database only",
                       "load it into a new database and merge its changes");
    }
    const std::unique_ptr<WriteTransaction> transaction = Begin();
    if (Status put = PutDumped(*transaction, *dumped); !put) return put;
    if (!transaction->changed()) return Ok();
    const lsm::WriteBatch& batch = MakeBatch(*transaction, hybrid_clock_->Next());
    Result<Version> published = Publish(*transaction, batch);
    if (!published) return std::move(published).error();
    log_->NoteState(dumped->heads, dumped->times);
    version = *published;
  }
  Deliver(version);
  return Ok();
}

}  // namespace db

Result<Part> Part::OfDump(std::string_view dump) {
  const std::size_t first_line = std::min(dump.find('\n'), dump.size() - 1);
  const Result<db::DumpedState> dumped =
      db::ParseDump(dump.substr(0, dump.find('\n', first_line + 1)));
  if (!dumped) return dumped.error();
  return Parse(schema::EncodePart(dumped->part));
}

Result<std::string> Database::DumpText() const { return state_->engine->DumpText(); }
Status Database::LoadText(std::string_view text) { return state_->engine->LoadText(text); }

}  // namespace trefoil
