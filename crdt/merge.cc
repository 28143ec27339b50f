#include "crdt/merge.h"

#include <algorithm>
#include <limits>

#include "base/check.h"
#include "base/coding.h"
#include "schema/key_codec.h"

namespace trefoil::crdt {

namespace {

bool MergeRegister(FactState& state, const FactOp& op) {
  state.retracted = op.retracted;
  state.value = op.value;
  return true;
}

bool MergeCounter(FactState& state, const FactOp& op, const Stamp& stamp, const SiteTable& sites) {
  const SiteId& site = sites.Of(stamp.site);
  auto place = std::ranges::lower_bound(
      state.shards, site, {}, [&](const Shard& shard) { return sites.Of(shard.stamp.site); });
  if (place == state.shards.end() || place->stamp.site != stamp.site) {
    state.shards.insert(place, {.stamp = stamp, .total = op.total});
  } else if (place->stamp.time < stamp.time) {
    *place = {.stamp = stamp, .total = op.total};
  } else {
    return false;
  }
  state.value = Value::Int(CountOf(state));
  return true;
}

bool MergeAlternatives(FactState& state, const FactOp& op, const Stamp& stamp,
                       const SiteTable& sites) {
  std::erase_if(state.alternatives, [&](const Alternative& alternative) {
    return std::ranges::find(op.observed, alternative.stamp) != op.observed.end();
  });
  if (!op.retracted) {
    const auto before = [&](const Alternative& a, const Stamp& b) {
      return CompareStamps(a.stamp, b, sites) < 0;
    };
    const auto place =
        std::lower_bound(state.alternatives.begin(), state.alternatives.end(), stamp, before);
    if (place == state.alternatives.end() || !(place->stamp == stamp)) {
      state.alternatives.insert(place, {.stamp = stamp, .value = op.value});
    }
  }
  state.retracted = state.alternatives.empty();
  state.value = state.retracted ? Value() : state.alternatives.back().value;
  return true;
}

// Whether `op` beats the value that is there.
bool BeatsExtreme(const FactState& state, const FactOp& op) {
  if (state.retracted) return true;
  return op.kind == MergeKind::kMax ? op.value > state.value : op.value < state.value;
}

void JoinShards(FactState& state, const FactState& other, const SiteTable& sites) {
  const auto site_of = [&](const Shard& shard) -> const SiteId& {
    return sites.Of(shard.stamp.site);
  };
  for (const Shard& shard : other.shards) {
    const auto place = std::ranges::lower_bound(state.shards, site_of(shard), {}, site_of);
    if (place == state.shards.end() || place->stamp.site != shard.stamp.site) {
      state.shards.insert(place, shard);
    } else if (place->stamp.time < shard.stamp.time) {
      *place = shard;
    }
  }
  state.value = Value::Int(CountOf(state));
}

bool Has(const FactState& state, const Alternative& alternative) {
  return std::ranges::find(state.alternatives, alternative.stamp, &Alternative::stamp) !=
         state.alternatives.end();
}

void JoinAlternatives(FactState& state, const FactState& other, const AppliedTimes& applied,
                      const SiteTable& sites) {
  std::vector<Alternative> joined;
  for (const Alternative& a : state.alternatives) {
    if (Has(other, a) || a.stamp.time > applied.there[a.stamp.site]) joined.push_back(a);
  }
  for (const Alternative& a : other.alternatives) {
    if (!Has(state, a) && a.stamp.time > applied.here[a.stamp.site]) joined.push_back(a);
  }
  std::ranges::sort(joined, [&](const Alternative& a, const Alternative& b) {
    return CompareStamps(a.stamp, b.stamp, sites) < 0;
  });
  state.alternatives = std::move(joined);
  state.retracted = state.alternatives.empty();
  state.value = state.retracted ? Value() : state.alternatives.back().value;
}

// Where a move with this stamp is or would stand.
std::vector<Move>::iterator PlaceOf(std::vector<Move>& moves, const Stamp& stamp,
                                    const SiteTable& sites) {
  return std::ranges::partition_point(
      moves, [&](const Move& move) { return CompareStamps(move.stamp, stamp, sites) < 0; });
}

bool AddMove(FactState& state, const Move& move, const SiteTable& sites) {
  if (state.kind != MergeKind::kTree) state = {.kind = MergeKind::kTree, .retracted = true};
  const auto place = PlaceOf(state.moves, move.stamp, sites);
  if (place != state.moves.end() && place->stamp == move.stamp) return false;
  state.moves.insert(place, move);
  state.causal_length = std::max(state.causal_length, move.causal_length);
  state.stamp = state.moves.back().stamp;
  return true;
}

bool JoinMoves(FactState& state, const FactState& other, const SiteTable& sites) {
  bool changed = false;
  for (Move move : other.moves) {
    move.skipped = false;
    changed = AddMove(state, move, sites) || changed;
  }
  return changed;
}

bool TakeStamp(Slice& bytes, std::size_t sites, Stamp* stamp) {
  const std::optional<std::uint64_t> ordinal = ReadVarint(bytes);
  if (!ordinal || *ordinal >= sites) return false;
  const std::optional<std::uint64_t> time = ReadFixed64(bytes);
  if (!time) return false;
  *stamp = {.time = *time, .site = static_cast<SiteOrdinal>(*ordinal)};
  return true;
}

void AppendStamp(std::string& out, const Stamp& stamp) {
  AppendVarint(out, stamp.site);
  AppendFixed64(out, stamp.time);
}

bool TakeAlternative(Slice& bytes, MergeKind kind, std::size_t sites, FactState* state) {
  Alternative& alternative = state->alternatives.emplace_back();
  if (!TakeStamp(bytes, sites, &alternative.stamp)) return false;
  if (kind == MergeKind::kSet) return true;
  std::optional<Slice> value = ReadLengthPrefixed(bytes);
  return value && schema::TakeKeyPart(*value, {}, &alternative.value) && value->empty();
}

bool TakeMove(Slice& bytes, std::size_t sites, FactState* state) {
  Move& move = state->moves.emplace_back();
  if (!TakeStamp(bytes, sites, &move.stamp)) return false;
  const std::optional<std::uint64_t> marks = ReadVarint(bytes);
  if (!marks || *marks < 2) return false;
  move.causal_length = *marks / 2;
  move.skipped = *marks % 2 == 1;
  std::optional<Slice> parent = ReadLengthPrefixed(bytes);
  return parent && schema::TakeKeyPart(*parent, {}, &move.parent) && parent->empty();
}

bool IsPlain(const FactState& state) {
  if (state.moves.size() == 1) {
    return state.moves[0] == Move{.stamp = state.stamp,
                                  .causal_length = state.causal_length,
                                  .skipped = false,
                                  .parent = state.value};
  }
  return state.alternatives.size() == 1 && state.alternatives[0].stamp == state.stamp &&
         state.alternatives[0].value == state.value;
}

// As FromCell; `sites`: how many ordinals are known.
bool ReadState(const schema::Cell& cell, std::size_t sites, FactState* state) {
  *state = {.causal_length = cell.causal_length,
            .stamp = cell.stamp,
            .retracted = cell.retracted,
            .value = cell.value};
  Slice bytes(cell.state);
  if (bytes.empty()) return true;
  const unsigned char kind = bytes[0];
  if (kind == 0 || kind > static_cast<unsigned char>(MergeKind::kTree)) return false;
  state->kind = static_cast<MergeKind>(kind);
  bytes.RemovePrefix(1);
  const bool has_alternatives = state->kind == MergeKind::kMv || state->kind == MergeKind::kSet;
  if (has_alternatives && bytes.empty() && !state->retracted) {
    state->alternatives = {{.stamp = state->stamp, .value = state->value}};
  }
  if (state->kind == MergeKind::kTree && bytes.empty()) {
    state->moves = {{.stamp = state->stamp,
                     .causal_length = state->causal_length,
                     .skipped = false,
                     .parent = state->value}};
  }
  while (!bytes.empty()) {
    if (state->kind == MergeKind::kTree) {
      if (!TakeMove(bytes, sites, state)) return false;
    } else if (has_alternatives) {
      if (!TakeAlternative(bytes, state->kind, sites, state)) return false;
    } else if (state->kind == MergeKind::kCounter) {
      Shard& shard = state->shards.emplace_back();
      if (!TakeStamp(bytes, sites, &shard.stamp)) return false;
      if (!TakeInt128(bytes, &shard.total)) return false;
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace

std::strong_ordering CompareStamps(const Stamp& a, const Stamp& b, const SiteTable& sites) {
  if (a.time != b.time || a.site == b.site) return a.time <=> b.time;
  return sites.Of(a.site) <=> sites.Of(b.site);
}

bool MergeOp(FactState& state, const FactOp& op, const Stamp& stamp, const SiteTable& sites) {
  if (op.kind == MergeKind::kTree) {
    const Move move = {
        .stamp = stamp, .causal_length = op.causal_length, .skipped = false, .parent = op.value};
    return AddMove(state, move, sites);
  }
  if (state.kind == MergeKind::kTree) return false;
  const bool extreme = op.kind == MergeKind::kMax || op.kind == MergeKind::kMin;
  if (extreme && op.retracted) return false;  // no value is no bound
  if (op.causal_length < state.causal_length) return false;
  const bool anew = op.causal_length > state.causal_length || op.kind > state.kind;
  if (!anew && op.kind < state.kind) return false;
  if (anew) state = {.kind = op.kind, .causal_length = op.causal_length, .retracted = true};
  const bool newer = anew || CompareStamps(stamp, state.stamp, sites) > 0;
  bool changed = false;
  switch (op.kind) {
    case MergeKind::kRegister:
      changed = newer && MergeRegister(state, op);
      break;
    case MergeKind::kCounter:
      state.retracted = false;
      changed = MergeCounter(state, op, stamp, sites);
      break;
    case MergeKind::kMv:
    case MergeKind::kSet:
      changed = MergeAlternatives(state, op, stamp, sites);
      break;
    case MergeKind::kMax:
    case MergeKind::kMin:
      changed = BeatsExtreme(state, op) || (op.value == state.value && newer);
      if (!changed) return false;
      state.retracted = false;
      state.value = op.value;
      state.stamp = stamp;
      return true;
    case MergeKind::kTree:
      break;
  }
  if (changed && newer) state.stamp = stamp;
  return changed;
}

bool JoinStates(FactState& state, const FactState& other, const AppliedTimes& applied,
                const SiteTable& sites) {
  if (other.kind == MergeKind::kTree) return JoinMoves(state, other, sites);
  if (state.kind == MergeKind::kTree) return false;
  if (other.causal_length < state.causal_length) return false;
  // A state without any write yet is joined to, as an alternative may have been removed from it.
  if (other.causal_length > state.causal_length) {
    state = {.kind = other.kind, .causal_length = other.causal_length, .retracted = true};
  } else if (other.kind != state.kind) {
    if (other.kind < state.kind) return false;
    state = {.kind = other.kind, .causal_length = other.causal_length, .retracted = true};
  }
  const FactState before = state;
  const bool newer = CompareStamps(other.stamp, state.stamp, sites) > 0;
  switch (other.kind) {
    case MergeKind::kRegister:
      if (newer) state = other;
      break;
    case MergeKind::kCounter:
      state.retracted = false;
      JoinShards(state, other, sites);
      break;
    case MergeKind::kMv:
    case MergeKind::kSet:
      JoinAlternatives(state, other, applied, sites);
      break;
    case MergeKind::kMax:
    case MergeKind::kMin: {
      const FactOp op = {.kind = other.kind, .value = other.value};
      if (BeatsExtreme(state, op) || (other.value == state.value && newer)) state = other;
      break;
    }
    case MergeKind::kTree:
      break;
  }
  if (newer && other.kind != MergeKind::kMax && other.kind != MergeKind::kMin) {
    state.stamp = other.stamp;
  }
  return !(state == before);
}

const Move* LastMove(const FactState& state) {
  for (auto move = state.moves.rbegin(); move != state.moves.rend(); ++move) {
    if (!move->skipped) return &*move;
  }
  return nullptr;
}

void ShowParent(FactState& state, std::uint64_t row_length) {
  const Move* last = LastMove(state);
  const bool is_of_this_life =
      last != nullptr && last->causal_length == row_length && row_length % 2 == 1;
  state.value = is_of_this_life ? last->parent : Value();
  state.retracted = state.value.is_null();
}

std::int64_t CountOf(const FactState& state) {
  Int128 sum = 0;
  for (const Shard& shard : state.shards) sum += shard.total;
  sum = std::clamp<Int128>(sum, std::numeric_limits<std::int64_t>::min(),
                           std::numeric_limits<std::int64_t>::max());
  return static_cast<std::int64_t>(sum);
}

void AppendInt128(std::string& out, Int128 number) {
  // The high half counts as one less for negative numbers whose low half reads as positive.
  const auto low = static_cast<std::int64_t>(static_cast<std::uint64_t>(number));
  const auto high = static_cast<std::int64_t>((number - low) >> 64);
  AppendVarint(out, ZigZag(low));
  AppendVarint(out, ZigZag(high));
}

bool TakeInt128(Slice& bytes, Int128* number) {
  const std::optional<std::uint64_t> low = ReadVarint(bytes);
  if (!low) return false;
  const std::optional<std::uint64_t> high = ReadVarint(bytes);
  // Totals stay within 96 bits, so that the sum of any number of sites cannot overflow.
  if (!high || *high > (std::uint64_t{1} << 32)) return false;
  *number = static_cast<Int128>(UnZigZag(*high)) * (static_cast<Int128>(1) << 64) + UnZigZag(*low);
  return true;
}

schema::Cell ToCell(const FactState& state) {
  schema::Cell cell = {.stamp = state.stamp,
                       .retracted = state.retracted,
                       .causal_length = state.causal_length,
                       .value = state.value};
  if (state.kind == MergeKind::kRegister) return cell;
  cell.state.push_back(static_cast<char>(state.kind));
  for (const Shard& shard : state.shards) {
    AppendStamp(cell.state, shard.stamp);
    AppendInt128(cell.state, shard.total);
  }
  if (IsPlain(state)) return cell;
  for (const Move& move : state.moves) {
    AppendStamp(cell.state, move.stamp);
    AppendVarint(cell.state, move.causal_length * 2 + (move.skipped ? 1 : 0));
    std::string parent;
    schema::AppendKeyPart(parent, {}, move.parent);
    AppendLengthPrefixed(cell.state, Slice(parent));
  }
  for (const Alternative& alternative : state.alternatives) {
    AppendStamp(cell.state, alternative.stamp);
    if (state.kind == MergeKind::kSet) continue;
    std::string value;
    schema::AppendKeyPart(value, {}, alternative.value);
    AppendLengthPrefixed(cell.state, Slice(value));
  }
  return cell;
}

bool FromCell(const schema::Cell& cell, const SiteTable& sites, FactState* state) {
  return ReadState(cell, sites.size(), state);
}

bool DecodeConflicts(Slice cell_bytes, Value* value) {
  schema::Cell cell;
  FactState state;
  if (!schema::DecodeCell(cell_bytes, &cell)) return false;
  if (!ReadState(cell, std::numeric_limits<SiteOrdinal>::max(), &state)) return false;
  std::vector<Value> values;
  for (const Alternative& alternative : state.alternatives) values.push_back(alternative.value);
  if (values.empty() && !state.retracted && !cell.value.is_null()) values.push_back(cell.value);
  *value = values.empty() ? Value() : Value::List(std::move(values));
  return true;
}

bool HoldsMoves(const schema::Cell& cell) {
  return !cell.state.empty() && cell.state[0] == static_cast<char>(MergeKind::kTree);
}

bool DecodeParent(Slice cell_bytes, Value* parent) {
  schema::Cell cell;
  FactState state;
  if (!schema::DecodeCell(cell_bytes, &cell)) return false;
  if (!ReadState(cell, std::numeric_limits<SiteOrdinal>::max(), &state)) return false;
  const Move* last = LastMove(state);
  *parent = state.kind != MergeKind::kTree ? state.value : last == nullptr ? Value() : last->parent;
  return true;
}

}  // namespace trefoil::crdt
