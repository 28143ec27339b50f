#include "crdt/state_changeset.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/coding.h"
#include "base/errors.h"
#include "base/str_cat.h"
#include "crdt/cut.h"
#include "schema/cell.h"
#include "schema/keys.h"

namespace trefoil::crdt {

namespace {

// What readers see follows from the rest of the state.
bool ShowsWhatItHolds(const FactState& state) {
  switch (state.kind) {
    case MergeKind::kCounter:
      return !state.retracted && !state.shards.empty() && state.value == Value::Int(CountOf(state));
    case MergeKind::kMv:
    case MergeKind::kSet:
      if (state.alternatives.empty()) return state.retracted && state.value.is_null();
      return !state.retracted && state.value == state.alternatives.back().value;
    case MergeKind::kMax:
    case MergeKind::kMin:
      return !state.retracted;
    case MergeKind::kTree:
      return !state.moves.empty() && state.stamp == state.moves.back().stamp;
    case MergeKind::kRegister:
      break;
  }
  return !state.retracted || state.value.is_null();
}

// Takes the facts of one body apart.
class FactReader {
 public:
  FactReader(const ChangesetHeader& header, const HeadTimes& times) {
    for (const auto& [site, head] : header.heads) {
      sites_.Add(site);
      times_.push_back(times.at(site));
    }
  }

  // False when the fact breaks a rule of the format.
  bool Read(Slice key, Slice cell_bytes, StateFact* fact) {
    if (!last_key_.empty() && !(Slice(last_key_) < key)) return false;
    last_key_ = key.ToString();
    schema::FactName name;
    schema::Cell cell;
    if (!schema::ParseFactKey(key, &name) || !schema::DecodeCell(cell_bytes, &cell)) return false;
    if (cell.causal_length == 0 || !FromCell(cell, sites_, &fact->state)) return false;
    fact->op = {.type = name.type, .attribute = name.attribute, .subject = {}, .element = {}};
    fact->op.op = {.kind = fact->state.kind,
                   .causal_length = fact->state.causal_length,
                   .retracted = fact->state.retracted,
                   .value = fact->state.value};
    return TakeSubject(name, &fact->op) && HasSoundState(fact->state);
  }

 private:
  bool TakeSubject(const schema::FactName& name, FrameOp* op) {
    if (rows_type_ != name.type) rows_.clear();
    rows_type_ = name.type;
    if (name.attribute == schema::kRowCell) {
      op->subject = name.subject.ToString();
      rows_.push_back(op->subject);
      return true;
    }
    const auto behind = std::ranges::upper_bound(rows_, name.subject.view());
    if (behind == rows_.begin()) return false;
    const std::string& subject = *std::prev(behind);
    if (!name.subject.StartsWith(Slice(subject))) return false;
    op->subject = subject;
    op->element = name.subject.Without(subject.size()).ToString();
    return op->element.empty() == (op->op.kind != MergeKind::kSet);
  }

  bool IsKnown(const Stamp& stamp) const {
    return stamp.site < times_.size() && stamp.time <= times_[stamp.site];
  }

  bool HasSoundState(const FactState& state) const {
    if (!IsKnown(state.stamp) || !ShowsWhatItHolds(state)) return false;
    for (std::size_t i = 0; i < state.shards.size(); ++i) {
      if (!IsKnown(state.shards[i].stamp)) return false;
      // By place is by site, since places ascend with the sites.
      if (i > 0 && state.shards[i].stamp.site <= state.shards[i - 1].stamp.site) return false;
    }
    for (std::size_t i = 0; i < state.alternatives.size(); ++i) {
      const Stamp& stamp = state.alternatives[i].stamp;
      if (!IsKnown(stamp)) return false;
      if (i > 0 && CompareStamps(state.alternatives[i - 1].stamp, stamp, sites_) >= 0) return false;
    }
    for (std::size_t i = 0; i < state.moves.size(); ++i) {
      const Stamp& stamp = state.moves[i].stamp;
      if (!IsKnown(stamp)) return false;
      if (i > 0 && CompareStamps(state.moves[i - 1].stamp, stamp, sites_) >= 0) return false;
    }
    return true;
  }

  SiteTable sites_;
  std::vector<std::uint64_t> times_;  // by place
  std::string last_key_;
  TypeId rows_type_{};
  std::vector<std::string> rows_;  // subjects of the type that is being read
};

}  // namespace

StateWriter::StateWriter(ChangesetHeader header, const HeadTimes& times, const SiteTable& sites)
    : header_(std::move(header)) {
  SiteTable places;
  for (const auto& [site, head] : header_.heads) {
    places.Add(site);
    AppendFixed64(body_, times.at(site));
  }
  for (std::size_t i = 0; i < sites.size(); ++i) {
    place_of_.push_back(places.Find(sites.Of(static_cast<SiteOrdinal>(i))).value_or(0));
  }
}

void StateWriter::Add(Slice key, FactState state) {
  if (!header_.body.is_whole() && !HoldsFact(header_.body, key, state.kind)) return;
  ForStamps(state, [&](Stamp& stamp) { stamp.site = place_of_[stamp.site]; });
  AppendLengthPrefixed(body_, key);
  const std::string cell = schema::EncodeCell(ToCell(state));
  AppendLengthPrefixed(body_, Slice(cell));
  ++count_;
}

Result<std::string> StateWriter::Finish() {
  if (body_.size() > kChangesetBytesMax) {
    return LimitError(StrCat("the state has ", body_.size(), " bytes, at most ", kChangesetBytesMax,
                             " are sent at once"),
                      "copy the database with Clone");
  }
  return SealEnvelope(BodyKind::kState, header_, count_, Slice(body_));
}

Result<StateChangeset> DecodeStateChangeset(Slice bytes) {
  Result<Envelope> envelope = OpenEnvelope(bytes);
  if (!envelope) return std::move(envelope).error();
  if (envelope->kind != BodyKind::kState) {
    return BadChangeset(0, "transactions, where a state is expected");
  }
  const Result<std::string> body = OpenBody(*envelope);
  if (!body) return body.error();
  StateChangeset changeset = {.header = std::move(envelope->header)};
  Slice rest(*body);
  const auto position = [&] { return body->size() - rest.size(); };
  for (const auto& [site, head] : changeset.header.heads) {
    const std::optional<std::uint64_t> time = ReadFixed64(rest);
    if (!time) return BadChangeset(position(), "the time of a site is cut off");
    changeset.times[site] = *time;
  }
  FactReader reader(changeset.header, changeset.times);
  for (std::uint64_t i = 0; i < envelope->count; ++i) {
    const std::size_t at = position();
    const std::optional<Slice> key = ReadLengthPrefixed(rest);
    const std::optional<Slice> cell = key ? ReadLengthPrefixed(rest) : std::nullopt;
    if (!cell) return BadChangeset(at, "a fact is cut off");
    if (!reader.Read(*key, *cell, &changeset.facts.emplace_back())) {
      return BadChangeset(at, "a fact that does not read");
    }
  }
  if (!rest.empty()) return BadChangeset(position(), "bytes behind the last fact");
  return changeset;
}

}  // namespace trefoil::crdt
