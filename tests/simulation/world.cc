#include "tests/simulation/world.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "base/str_cat.h"
#include "crdt/changeset.h"
#include "crdt/version_vector.h"
#include "schema/part.h"

namespace trefoil::testing {

namespace {

constexpr std::int64_t kRows = 3;
constexpr int kSteps = 12;
constexpr std::size_t kMessagesMax = 16;  // more are dropped by the network
constexpr std::size_t kWide = kUp;
constexpr std::size_t kNarrow = kCount;  // columns of a table that was declared before the others

std::vector<db::FieldEdit> Pair(std::int64_t v) {
  return {{.attribute = AttributeId{kA}, .value = Value::Int(v)},
          {.attribute = AttributeId{kB}, .value = Value::Int(-v)}};
}

VersionVector ToVector(const crdt::Heads& heads) {
  return *VersionVector::Parse(crdt::EncodeHeads(heads));
}

ModelRows RowsOf(Replica& replica) {
  ModelRows rows;
  const Status scanned = replica.database().snapshot().Scan("t", [&](std::span<const Value> row) {
    rows[row.front().AsInt()].assign(row.begin() + 1, row.end());
    return true;
  });
  EXPECT_TRUE(scanned);
  return rows;
}

std::string Describe(const ModelRows& rows) {
  std::string text;
  for (const auto& [id, values] : rows) {
    text += StrCat(" ", id, ":");
    for (const Value& value : values) text += StrCat(" ", ToJson(value));
    text += ";";
  }
  return text;
}

}  // namespace

World::World(std::uint64_t seed) : random_(seed), may_crash_(random_.OneIn(2)) {
  if (random_.OneIn(2)) {
    const std::int64_t from = random_.Between(2, kRows);
    part_ = random_.OneIn(4) ? AllOfT() : random_.OneIn(2) ? RowsFrom(1, from) : RowsFrom(from);
  }
  const std::size_t count = has_parts() ? kReplicasMax : kReplicasMax - 1;
  for (std::size_t i = 0; i < count; ++i) {
    const Part part = has_parts() && i >= kWholeReplicas ? part_ : Part();
    replicas_.push_back(std::make_unique<Replica>(random_.Next(), part));
  }
  replicas_.front()->Watch();
  replicas_.back()->Watch();
  replicas_[0]->DeclareTable();
  if (random_.OneIn(2)) return;  // the others receive it
  for (std::size_t i = 1; i < count; ++i) {
    replicas_[i]->DeclareTable(random_.OneIn(3) ? kNarrow : kWide);
  }
  // Databases that have never met and have each been copied are different ones: let these meet.
  for (std::size_t i = 1; i < count; ++i) Sync(*replicas_[0], *replicas_[i]);
}

void World::Fail(const char* oracle, const std::string& what) {
  if (failure_.empty()) failure_ = StrCat("oracle ", oracle, ": ", what);
}

void World::RunEpisode() {
  for (int step = 0; step < kSteps && failure_.empty(); ++step) Step();
  if (failure_.empty()) Converge();
}

void World::Step() {
  const std::uint64_t dice = random_.Uniform(100);
  if (dice < 50) {
    Write(AnyReplica());
  } else if (dice < 70) {
    Send();
  } else if (dice < 92) {
    Receive();
  } else {
    Disturb();
  }
}

void World::Write(std::size_t at) {
  Replica& replica = *replicas_[at];
  const std::int64_t id = random_.Between(1, kRows);
  if (replica.columns() == 0 || !replica.Holds(id)) return;
  if (!replica.Row(id)) {
    replica.Insert(id, Pair(random_.Between(0, 3)));
  } else {
    WriteRow(replica, id);
  }
}

void World::WriteRow(Replica& replica, std::int64_t id) {
  const std::int64_t value = random_.Between(0, 3);
  switch (random_.Uniform(replica.columns() > kNarrow ? 11 : 6)) {
    case 0:
      replica.Delete(id);
      if (random_.OneIn(2)) replica.Insert(id, Pair(value));
      break;
    case 1:
      replica.Update(id, {{.attribute = AttributeId{kName}}});  // NULL
      break;
    case 2:
      replica.Set(id, replica.columns() == kExtra && random_.OneIn(2) ? kExtra : kName, value);
      break;
    case 3:
      replica.Set(id, kMany, value);
      break;
    case 4:
      WriteCount(replica, id, random_.OneIn(2) ? value : -value);
      break;
    case 6:
      random_.OneIn(3) ? replica.Remove(id, kTags, value) : replica.Add(id, kTags, value);
      break;
    case 7:
      replica.Set(id, random_.OneIn(2) ? kHigh : kLow, value);
      break;
    case 8:
      MoveRow(replica, id);
      break;
    case 9:
      if (replica.HoldsTree()) replica.Update(id, {{.attribute = AttributeId{kUp}}});  // below none
      break;
    default:
      replica.Update(id, Pair(value));
  }
}

// Perhaps with other columns of the row, perhaps below itself or a row below it, which is refused.
void World::MoveRow(Replica& replica, std::int64_t id) {
  const std::int64_t parent = random_.Between(1, kRows);
  if (!replica.Row(parent) || !replica.HoldsTree()) return;
  std::vector<db::FieldEdit> edits = random_.OneIn(2) ? Pair(parent) : std::vector<db::FieldEdit>();
  edits.push_back({.attribute = AttributeId{kUp}, .value = Value::Int(parent)});
  replica.Update(id, edits);
}

// The dot is noted before it is given, because a crash may keep what it reported as failed.
void World::WriteCount(Replica& replica, std::int64_t id, std::int64_t by) {
  crdt::Dot dot = replica.LastDot();
  ++dot.sequence;
  increments_[dot] = by;
  by < 0 ? replica.Remove(id, kCount, -by) : replica.Add(id, kCount, by);
}

void World::Send() {
  const std::size_t from = AnyReplica();
  const std::size_t to = AnyBut(from);
  Replica& sender = *replicas_[from];
  const bool all = random_.OneIn(8);
  const VersionVector known = all ? VersionVector() : replicas_[to]->database().version_vector();
  Harvest(from);
  if (random_.OneIn(3)) {
    const Result<ChangesPart> part = sender.database().Changes(known, random_.Between(1, 200));
    ASSERT_TRUE(part);
    messages_.push_back({from, to, part->bytes});
  } else {
    messages_.push_back({from, to, sender.Changes(known)});
  }
  if (messages_.size() > kMessagesMax) messages_.pop_front();
}

// Takes any message; it may come again, come damaged, or come to somebody else.
void World::Receive() {
  if (messages_.empty()) return;
  const std::size_t place = random_.Uniform(messages_.size());
  Message message = messages_[place];
  if (random_.OneIn(4)) message.to = AnyReplica();
  if (cut_[message.from][message.to]) return;
  if (!random_.OneIn(3)) messages_.erase(messages_.begin() + static_cast<std::ptrdiff_t>(place));
  Deliver(message);
}

void World::Deliver(const Message& message) {
  Replica& to = *replicas_[message.to];
  if (!random_.OneIn(8)) {
    const Result<MergeSummary> merged = to.database().Merge(message.bytes);
    // A state is stamped too far ahead as a whole; its transactions would be held one by one.
    if (!merged && merged.error().code == ErrorCode::kConflict) return;
    // A state of a part is nothing for who holds more.
    if (!merged && merged.error().code == ErrorCode::kOutsidePart) return;
    if (!merged) return Fail("dot", ToString(merged.error()));
    to.Merge(message.bytes);
    return CompareDigest(message.to);
  }
  std::string damaged = message.bytes;
  char& byte = damaged[random_.Uniform(damaged.size())];
  byte = static_cast<char>(byte ^ 1 << random_.Uniform(8));
  const std::string before = to.Hex();
  if (to.database().Merge(damaged)) Fail("damage", "a damaged changeset was taken");
  if (to.Hex() != before) Fail("damage", "a damaged changeset changed the state");
}

void World::Disturb() {
  const std::size_t at = AnyReplica();
  switch (random_.Uniform(8)) {
    case 0:
      return replicas_[AnyReplica()]->clock().Advance(random_.Uniform(400'000'000));
    case 1:
      return replicas_[at]->Reopen();
    case 2:
      return Widen(at);
    case 3:
      cut_[at][AnyReplica()] ^= true;
      return;
    case 4:
    case 5:
      return Collect(at);
    default:
      may_crash_ ? Crash(at) : Copy(at);
  }
}

// The replica forgets transactions that all others have applied, or that only a replica lacks which
// is no member any more. Whoever asks for them gets the state.
void World::Collect(std::size_t at) {
  Harvest(at);
  const bool forgets_others = random_.OneIn(2);
  if (forgets_others) replicas_[at]->clock().Advance(1000);
  const std::chrono::microseconds lease =
      forgets_others ? std::chrono::microseconds(0) : db::Engine::kLease;
  const Status collected = replicas_[at]->engine().CollectLog(lease);
  if (!collected) Fail("sound", ToString(collected.error()));
  CompareDigest(at);
  if (forgets_others) JoinState(at, AnyBut(at));
}

// A replica takes the state of another one just after it has taken away or replaced values that the
// state may still hold.
void World::JoinState(std::size_t from, std::size_t to) {
  Replica& replica = *replicas_[to];
  for (std::int64_t id = 1; id <= kRows && replica.columns() >= kTags; ++id) {
    if (!replica.Row(id)) continue;
    replica.Remove(id, kTags, random_.Between(0, 3));
    replica.Set(id, kMany, random_.Between(0, 3));
  }
  if (cut_[from][to]) return;
  const VersionVector none(replica.database().part());
  Deliver({from, to, replicas_[from]->Changes(none)});
}

void World::Crash(std::size_t at) {
  Replica& replica = *replicas_[at];
  // What only a cut of is left elsewhere does not come back.
  if (!has_parts() && !std::exchange(lied_[at], true)) return CrashOnALyingDisk(at);
  Harvest(at);
  const crdt::Heads told = replica.engine().heads();
  if (random_.OneIn(2)) replica.PowerOffAfter(random_.Between(1, 12));
  for (std::uint64_t writes = random_.Uniform(3); writes > 0; --writes) Write(at);
  replica.Crash(random_.Next());
  if (!crdt::Covers(replica.engine().heads(), told)) {
    Fail("dot", "a crash took back what others had been told");
  }
  CompareDigest(at);
}

// The disk says that it wrote, and did not: what the replica told is lost to itself, and comes back
// from others. The numbers of these transactions are not given again. (A disk that lies twice in a
// row takes back what the replica noted of the first crash, too; nothing can be promised then.)
void World::CrashOnALyingDisk(std::size_t at) {
  Replica& replica = *replicas_[at];
  Harvest(at);
  replica.LoseSyncs();
  Write(at);
  Harvest(at);
  messages_.push_back({at, (at + 1) % replicas_.size(), replica.Changes()});
  replica.Crash(2 * random_.Uniform(1 << 20));
  Write(at);
  CompareDigest(at);
}

// A replica becomes a clone of another one, or what an old backup holds of itself. What only this
// one holds whole goes to a whole one first, if there are others that may hold a cut of it, or know
// it by a state of their part.
void World::Copy(std::size_t at) {
  const std::string path = StrCat("copy-", copies_++);
  const Part part = replicas_[at]->database().part();
  if (has_parts()) {
    Harvest(at);  // the other one may get a state
    Replica& other = *replicas_[at == 0 ? 1 : 0];
    const std::string changes = replicas_[at]->Changes(other.database().version_vector());
    if (!other.database().Merge(changes)) return;  // ahead of its clock
  }
  if (random_.OneIn(2)) {
    Harvest(at);
    const std::size_t next = (at + 1) % replicas_.size();
    const bool holds_all = replicas_[next]->database().part().Covers(part);
    const Replica& beside = *replicas_[holds_all ? next : 0];
    const Status cloned = replicas_[holds_all ? next : 0]->database().Clone(path, part);
    // A part is cloned as a state, which may be ahead of the clock.
    if (!cloned && cloned.error().code == ErrorCode::kConflict) return;
    ASSERT_TRUE(cloned) << ToString(cloned.error());
    replicas_[at] = std::make_unique<Replica>(beside, path);
    backups_[at].reset();
  } else if (!backups_[at]) {
    const Status backed_up = replicas_[at]->database().Backup(path);
    ASSERT_TRUE(backed_up);
    backups_[at] = path;
    return;
  } else {
    Harvest(at);
    replicas_[at] = std::make_unique<Replica>(*replicas_[at], *std::exchange(backups_[at], {}));
  }
  replicas_[at]->Watch();
  CompareDigest(at);
}

// The table gets its other columns, or one that nobody else has.
void World::Widen(std::size_t at) {
  const std::size_t columns = replicas_[at]->columns();
  if (columns == 0 || columns == kExtra) return;
  replicas_[at]->DeclareTable(columns < kWide ? kWide : kWide + 1);
}

void World::CompareDigest(std::size_t at) {
  const Part part = replicas_[at]->database().part();
  CompareDigest(at, part);
  if (part != part_) CompareDigest(at, part_);
}

void World::CompareDigest(std::size_t at, const Part& part) {
  const crdt::Known known = {.heads = replicas_[at]->engine().heads(),
                             .part = *schema::DecodePart(Slice(part.bytes()))};
  const Result<Digest> digest = replicas_[at]->database().StateDigest(part);
  ASSERT_TRUE(digest);
  const auto [first, added] = digests_.emplace(crdt::EncodeKnown(known), digest->ToHex());
  if (!added && first->second != digest->ToHex()) {
    Fail("digest", "two states of one version vector");
  }
}

// Takes what the replica can tell and has not told before.
void World::Harvest(std::size_t at) {
  crdt::Heads known;
  for (const auto& [dot, frame] : frames_) {
    std::uint64_t& head = known[dot.site];
    head = std::max(head, dot.sequence);
  }
  const std::string changes = replicas_[at]->Changes(ToVector(known));
  const Result<crdt::Changeset> changeset = crdt::DecodeChangeset(Slice(changes));
  ASSERT_TRUE(changeset);
  for (const std::string& bytes : changeset->frames) {
    Result<crdt::Frame> frame = crdt::DecodeFrame(Slice(bytes));
    ASSERT_TRUE(frame);
    const crdt::Dot dot = frame->dot;
    if (!bytes_.emplace(dot, bytes).second && bytes_[dot] != bytes) {
      Fail("dot", "one dot names two transactions");
    }
    frames_.emplace(dot, *std::move(frame));
  }
}

// What the replica is to show.
ModelRows World::ModelOf(std::size_t at) {
  Replica& replica = *replicas_[at];
  ModelRows rows = Replay(frames_, increments_, replica.engine().heads(),
                          replica.engine().schema()->FindType("t")->id, replica.columns());
  std::erase_if(rows, [&](const auto& row) { return !replica.Holds(row.first); });
  if (replica.columns() < kUp || replica.HoldsTree()) return rows;
  for (auto& [id, values] : rows) values[kUp - 2] = Value();
  return rows;
}

void World::CheckReplica(std::size_t at) {
  Replica& replica = *replicas_[at];
  Harvest(at);
  CompareDigest(at);
  if (const std::string wrong = replica.Compare(); !wrong.empty()) Fail("delta", wrong);
  if (replica.columns() == 0) return;
  const ModelRows rows = RowsOf(replica);
  for (const auto& [id, values] : rows) {
    const Value& a = values[kA - 2];
    const Value& b = values[kB - 2];
    if (a.is_null() || b.is_null() ? a.is_null() != b.is_null() : a.AsInt() != -b.AsInt()) {
      Fail("pair", StrCat("row ", id, " shows parts of two transactions:", Describe(rows)));
    }
  }
  const ModelRows model = ModelOf(at);
  if (rows != model) Fail("replay", StrCat("shows", Describe(rows), " wants", Describe(model)));
}

void World::Converge() {
  for (const Message& message : messages_) {
    if (random_.OneIn(2) && failure_.empty()) Deliver(message);
  }
  messages_.clear();
  for (auto& from : cut_) std::ranges::fill(from, false);
  for (std::size_t i = 0; i < replicas_.size() && failure_.empty(); ++i) CheckReplica(i);
  std::int64_t latest = 0;
  for (const auto& replica : replicas_) latest = std::max(latest, replica->clock().NowMicros());
  for (const auto& replica : replicas_) {
    replica->clock().Advance(static_cast<std::uint64_t>(latest - replica->clock().NowMicros()));
  }
  for (std::size_t round = 0; round < 2 && failure_.empty(); ++round) {
    for (std::size_t i = 0; i < replicas_.size(); ++i) {
      const std::size_t to = (i + 1) % replicas_.size();
      Deliver({i, to, replicas_[i]->Changes(replicas_[to]->database().version_vector())});
    }
  }
  for (std::size_t i = 0; i + 1 < replicas_.size() && failure_.empty(); ++i)
    Sync(*replicas_[i + 1], *replicas_[0]);
  for (std::size_t i = 1; i < replicas_.size() && failure_.empty(); ++i)
    Sync(*replicas_[0], *replicas_[i]);
  for (std::size_t i = 0; i < replicas_.size() && failure_.empty(); ++i) {
    CheckReplica(i);
    // The rest of a transaction that came in pieces may have been lost with a disk that lied.
    if (replicas_[i]->engine().heads() != replicas_[0]->engine().heads()) {
      Fail("converge", "a replica lacks transactions after everything was delivered");
    }
  }
  if (!failure_.empty()) return;
  const std::size_t at = AnyReplica();
  const std::size_t other = at == 0 ? 1 : 0;
  const std::string all = replicas_[other]->Changes();
  const Version version = replicas_[at]->database().version();
  const MergeSummary again = replicas_[at]->Merge(all);
  if (again.transactions_applied != 0 || again.facts_changed != 0 ||
      replicas_[at]->database().version() != version) {
    Fail("idle", "merging what is known did something");
  }
  if (random_.OneIn(8)) {
    const Result<CheckReport> report = replicas_[at]->database().Check();
    if (!report || !report->problems.empty()) Fail("sound", "the store does not check sound");
  }
  if (random_.OneIn(16)) {
    Replica fresh(random_.Next());
    fresh.clock().Advance(static_cast<std::uint64_t>(latest - fresh.clock().NowMicros()));
    fresh.Merge(all);
    if (fresh.Hex() != replicas_[other]->Hex()) Fail("converge", "a new replica differs");
  }
}

}  // namespace trefoil::testing
