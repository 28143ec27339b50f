#include "db/apply_changeset.h"

#include <algorithm>
#include <iterator>
#include <memory>

#include "base/check.h"
#include "base/errors.h"
#include "crdt/move_tree.h"
#include "schema/cell.h"
#include "schema/key_codec.h"
#include "schema/keys.h"

namespace trefoil::db {

using crdt::FactState;
using crdt::FrameOp;
using schema::MergeKind;

namespace {

constexpr std::size_t kProbesPerBatch = 4096;
// As many facts of one attribute are worth a look at whether the store has any between them.
constexpr std::size_t kFactsPerLook = 64;

Error BadCell() { return Corruption("a cell does not read", "run `trefoil check`"); }

bool OfOneAttribute(const FrameOp& a, const FrameOp& b) {
  return a.type == b.type && a.attribute == b.attribute;
}

// What no replica writes, whatever it has declared.
Status CheckRowCell(const FrameOp& op) {
  if (op.attribute != schema::kRowCell) return Ok();
  if (op.op.kind == MergeKind::kRegister && op.op.value.is_null() && op.element.empty() &&
      op.op.retracted == (op.op.causal_length % 2 == 0)) {
    return Ok();
  }
  return Corruption("a transaction of another replica has a row cell that is none");
}

}  // namespace

Status FrameApplier::Apply(std::span<const crdt::Frame* const> frames,
                           const SchemaReader& read_schema) {
  if (Status gathered = Gather(frames); !gathered) return gathered;
  GroupIncoming();
  if (Status read = ReadStored(); !read) return read;
  Join();
  return Finish(read_schema);
}

Status FrameApplier::ApplyState(const crdt::StateChangeset& changeset,
                                const SchemaReader& read_schema) {
  if (Status gathered = GatherState(changeset); !gathered) return gathered;
  GroupIncoming();
  if (Status read = ReadStored(); !read) return read;
  JoinState(changeset);
  return Finish(read_schema);
}

Status FrameApplier::Finish(const SchemaReader& read_schema) {
  if (Status replayed = ReplayTrees(); !replayed) return replayed;
  FindRows();
  if (Status lengths = ReadLengths(); !lengths) return lengths;
  if (Status put = PutFacts(); !put) return put;
  if (Status followed = FollowSchema(read_schema); !followed) return followed;
  if (Status checked = CheckAgainstSchema(); !checked) return checked;
  return MoveIndexEntries();
}

// The key of the fact that `op` writes; `prefix`: that of its attribute.
Slice FrameApplier::NewKey(Slice prefix, const FrameOp& op) {
  const std::size_t size = prefix.size() + op.subject.size() + op.element.size();
  char* const key = static_cast<char*>(keys_.allocate(size, 1));
  char* to = std::ranges::copy(prefix, key).out;
  to = std::ranges::copy(op.subject, to).out;
  std::ranges::copy(op.element, to);
  return {key, size};
}

Status FrameApplier::Gather(std::span<const crdt::Frame* const> frames) {
  frame_sites_.reserve(frames.size());
  std::size_t ops = 0;
  for (const crdt::Frame* frame : frames) ops += frame->ops.size();
  incoming_.reserve(ops);
  std::vector<std::size_t> run_starts;
  std::string prefix;
  for (const crdt::Frame* frame : frames) {
    std::vector<schema::SiteOrdinal>& ordinals = frame_sites_.emplace_back();
    for (const crdt::SiteId& site : frame->sites) ordinals.push_back(sites_.Add(site));
    const schema::Stamp stamp = {.time = frame->time, .site = sites_.Add(frame->dot.site)};
    const FrameOp* before = nullptr;
    for (const FrameOp& op : frame->ops) {
      if (Status row = CheckRowCell(op); !row) return row;
      if (before == nullptr || !OfOneAttribute(*before, op)) {
        run_starts.push_back(incoming_.size());
        prefix = schema::FactPrefix(op.type, op.attribute);
      }
      before = &op;
      incoming_.push_back(
          {.key = NewKey(Slice(prefix), op), .op = &op, .stamp = stamp, .sites = &ordinals});
    }
  }
  SortIncoming(run_starts);
  return Ok();
}

// The writes of one attribute in one transaction are a run of ascending keys. Of a bulk load the
// runs mostly do not overlap, and then only they are sorted.
void FrameApplier::SortIncoming(std::span<const std::size_t> run_starts) {
  std::vector<std::span<IncomingOp>> runs;
  for (std::size_t i = 0; i < run_starts.size(); ++i) {
    const std::size_t end = i + 1 < run_starts.size() ? run_starts[i + 1] : incoming_.size();
    runs.push_back(std::span(incoming_).subspan(run_starts[i], end - run_starts[i]));
  }
  const auto first_key = [](std::span<IncomingOp> run) { return run.front().key; };
  std::ranges::sort(runs, {}, first_key);
  const auto overlap = [](std::span<IncomingOp> a, std::span<IncomingOp> b) {
    return a.back().key >= b.front().key;
  };
  if (std::ranges::adjacent_find(runs, overlap) != runs.end()) {
    // Stable: the writes of one fact stay in their causal order.
    std::ranges::stable_sort(incoming_, {}, &IncomingOp::key);
    return;
  }
  std::vector<IncomingOp> sorted;
  sorted.reserve(incoming_.size());
  for (const std::span<IncomingOp> run : runs) std::ranges::move(run, std::back_inserter(sorted));
  incoming_ = std::move(sorted);
}

void FrameApplier::GroupIncoming() {
  facts_.reserve(incoming_.size());
  const std::span<const IncomingOp> writes(incoming_);
  for (std::size_t first = 0; first < writes.size();) {
    std::size_t end = first + 1;
    while (end < writes.size() && writes[end].key == writes[first].key) ++end;
    facts_.push_back({.key = writes[first].key,
                      .op = writes[first].op,
                      .writes = writes.subspan(first, end - first)});
    first = end;
  }
}

FrameApplier::JoinedFact& FrameApplier::JoinedOf(MergedFact& fact) {
  if (fact.joined == nullptr) fact.joined = &joined_.emplace_back();
  return *fact.joined;
}

// False when the store has none of `facts`, which are of one attribute.
Result<bool> FrameApplier::MayBeStored(std::span<const MergedFact> facts) const {
  if (facts.size() < kFactsPerLook) return true;
  const std::string prefix =
      schema::FactPrefix(facts.front().op->type, facts.front().op->attribute);
  const std::unique_ptr<lsm::Iterator> stored =
      base_.view().NewIterator({.start = prefix, .limit = schema::PrefixLimit(prefix)});
  stored->Seek(facts.front().key);
  if (Status status = stored->status(); !status) return std::move(status).error();
  return stored->Valid() && stored->key() <= facts.back().key;
}

Status FrameApplier::ReadStored() {
  const std::span<MergedFact> facts(facts_);
  std::vector<MergedFact*> asked;
  for (std::size_t first = 0; first < facts.size();) {
    std::size_t end = first + 1;
    while (end < facts.size() && end - first < kProbesPerBatch &&
           OfOneAttribute(*facts[end].op, *facts[first].op)) {
      ++end;
    }
    const std::span<MergedFact> some = facts.subspan(first, end - first);
    Result<bool> stored = MayBeStored(some);
    if (!stored) return std::move(stored).error();
    for (MergedFact& fact : some) {
      if (*stored) asked.push_back(&fact);
    }
    first = end;
  }
  for (std::size_t first = 0; first < asked.size(); first += kProbesPerBatch) {
    const std::size_t count = std::min(kProbesPerBatch, asked.size() - first);
    Status read = ReadStored(std::span(asked).subspan(first, count));
    if (!read) return read;
  }
  return Ok();
}

Status FrameApplier::ReadStored(std::span<MergedFact* const> facts) {
  std::vector<Slice> keys;
  keys.reserve(facts.size());
  for (const MergedFact* fact : facts) keys.push_back(fact->key);
  Result<std::vector<std::optional<std::string>>> cells = base_.view().MultiGet(keys);
  if (!cells) return std::move(cells).error();
  for (std::size_t i = 0; i < facts.size(); ++i) {
    if (!(*cells)[i]) continue;
    JoinedFact& joined = JoinedOf(*facts[i]);
    joined.before = std::move((*cells)[i]);
    schema::Cell cell;
    if (!schema::DecodeCell(Slice(*joined.before), &cell) ||
        !crdt::FromCell(cell, sites_, &joined.old_state)) {
      return BadCell();
    }
    joined.state = joined.old_state;
  }
  return Ok();
}

void FrameApplier::Join() {
  for (MergedFact& fact : facts_) {
    const bool is_plain = fact.joined == nullptr && fact.writes.size() == 1 &&
                          fact.op->op.kind == MergeKind::kRegister;
    if (is_plain) continue;
    FactState& state = JoinedOf(fact).state;
    for (const IncomingOp& write : fact.writes) {
      crdt::FactOp op = write.op->op;
      for (schema::Stamp& stamp : op.observed) stamp.site = (*write.sites)[stamp.site];
      crdt::MergeOp(state, op, write.stamp, sites_);
    }
  }
}

// The facts of a state ascend and are each there once.
Status FrameApplier::GatherState(const crdt::StateChangeset& changeset) {
  for (const crdt::StateFact& fact : changeset.facts) {
    if (Status row = CheckRowCell(fact.op); !row) return row;
    const std::string prefix = schema::FactPrefix(fact.op.type, fact.op.attribute);
    incoming_.push_back({.key = NewKey(Slice(prefix), fact.op), .op = &fact.op});
  }
  return Ok();
}

void FrameApplier::JoinState(const crdt::StateChangeset& changeset) {
  std::vector<schema::SiteOrdinal> ordinal_of;  // by place in the vector of the changeset
  for (const auto& [site, head] : changeset.header.heads) ordinal_of.push_back(sites_.Add(site));
  const auto by_ordinal = [&](const crdt::HeadTimes& of_sites) {
    std::vector<std::uint64_t> result(sites_.size(), 0);
    for (const auto& [site, time] : of_sites) result[*sites_.Find(site)] = time;
    return result;
  };
  const crdt::AppliedTimes applied = {.here = by_ordinal(times_),
                                      .there = by_ordinal(changeset.times)};
  Check(facts_.size() == changeset.facts.size(), "each fact of a state has its own key");
  for (std::size_t i = 0; i < facts_.size(); ++i) {
    FactState other = changeset.facts[i].state;
    crdt::ForStamps(other, [&](schema::Stamp& stamp) { stamp.site = ordinal_of[stamp.site]; });
    crdt::JoinStates(JoinedOf(facts_[i]).state, other, applied, sites_);
  }
}

// Decides which moves hold, of each tree that got some.
Status FrameApplier::ReplayTrees() {
  std::vector<MergedFact> later;
  const std::span<MergedFact> facts(facts_);
  for (std::size_t first = 0; first < facts.size();) {
    std::size_t end = first + 1;
    while (end < facts.size() && OfOneAttribute(*facts[end].op, *facts[first].op)) ++end;
    Status replayed = ReplayTree(facts.subspan(first, end - first), &later);
    if (!replayed) return replayed;
    first = end;
  }
  if (later.empty()) return Ok();
  std::ranges::move(later, std::back_inserter(facts_));
  std::ranges::sort(facts_, {}, &MergedFact::key);
  return Ok();
}

// `facts` are those of one attribute.
Status FrameApplier::ReplayTree(std::span<MergedFact> facts, std::vector<MergedFact>* later) {
  std::optional<schema::Stamp> start;
  for (const MergedFact& fact : facts) {
    if (fact.joined == nullptr) continue;
    const std::vector<crdt::Move>& old_moves = fact.joined->old_state.moves;
    const std::vector<crdt::Move>& moves = fact.joined->state.moves;
    const auto [old_move, new_move] =
        std::ranges::mismatch(old_moves, moves, {}, &crdt::Move::stamp, &crdt::Move::stamp);
    if (new_move == moves.end()) continue;
    if (!start || crdt::CompareStamps(new_move->stamp, *start, sites_) < 0) start = new_move->stamp;
  }
  if (!start) return Ok();
  const std::size_t known = later->size();
  if (Status found = FindLaterMoves(facts, *start, later); !found) return found;
  std::vector<crdt::MovedRow> rows;
  for (const auto& part : {facts, std::span(*later).subspan(known)}) {
    for (MergedFact& fact : part) {
      if (fact.joined != nullptr) rows.push_back({fact.op->subject, &fact.joined->state});
    }
  }
  const FrameOp& any = *facts.front().op;
  const auto parent_of = [&](Slice subject) -> Result<Value> {
    const std::string key = schema::FactKey(any.type, any.attribute, subject);
    Result<std::optional<std::string>> cell = base_.view().Get(Slice(key));
    if (!cell) return std::move(cell).error();
    Value parent;
    if (*cell && !crdt::DecodeParent(Slice(**cell), &parent)) return BadCell();
    return parent;
  };
  return crdt::ReplayMoves(rows, *start, parent_of, sites_);
}

// Adds the stored facts beside `facts` that have a move from `start` on. Mostly what comes is newer
// than all that was applied, and there is none.
Status FrameApplier::FindLaterMoves(std::span<const MergedFact> facts, const schema::Stamp& start,
                                    std::vector<MergedFact>* later) {
  const auto is_before = [&](const auto& of_site) { return of_site.second < start.time; };
  if (std::ranges::all_of(times_, is_before)) return Ok();
  const FrameOp& any = *facts.front().op;
  const std::string prefix = schema::FactPrefix(any.type, any.attribute);
  const std::unique_ptr<lsm::Iterator> stored =
      base_.view().NewIterator({.start = prefix, .limit = schema::PrefixLimit(prefix)});
  for (stored->SeekToFirst(); stored->Valid(); stored->Next()) {
    schema::Cell cell;
    if (!schema::DecodeCell(stored->value(), &cell)) return BadCell();
    if (!crdt::HoldsMoves(cell) || crdt::CompareStamps(cell.stamp, start, sites_) < 0) continue;
    const auto merged = std::ranges::lower_bound(facts, stored->key(), {}, &MergedFact::key);
    if (merged != facts.end() && merged->key == stored->key()) continue;
    const std::string subject = stored->key().Without(prefix.size()).ToString();
    const FrameOp& op = replayed_.emplace_back(
        FrameOp{.type = any.type, .attribute = any.attribute, .subject = subject, .element = {}});
    MergedFact& fact = later->emplace_back(MergedFact{.key = NewKey(Slice(prefix), op), .op = &op});
    JoinedFact& joined = JoinedOf(fact);
    joined.before = stored->value().ToString();
    if (!crdt::FromCell(cell, sites_, &joined.old_state)) return BadCell();
    joined.state = joined.old_state;
  }
  return stored->status();
}

}  // namespace trefoil::db
