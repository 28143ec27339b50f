#include "crdt/cut.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "base/check.h"
#include "schema/keys.h"

namespace trefoil::crdt {

namespace {

bool Holds(const Part& part, TypeId type, Slice subject, MergeKind kind) {
  return kind == MergeKind::kTree ? part.HoldsAll(type) : part.Holds(type, subject);
}

// Drops the sites that no stamp names any more.
void DropSites(Frame* frame) {
  std::vector<bool> is_named(frame->sites.size());
  for (const FrameOp& op : frame->ops) {
    for (const Stamp& stamp : op.op.observed) is_named[stamp.site] = true;
  }
  std::vector<SiteId> named;
  std::vector<SiteOrdinal> place_of(frame->sites.size());
  for (std::size_t i = 0; i < is_named.size(); ++i) {
    place_of[i] = static_cast<SiteOrdinal>(named.size());
    if (is_named[i]) named.push_back(frame->sites[i]);
  }
  frame->sites = std::move(named);
  for (FrameOp& op : frame->ops) {
    for (Stamp& stamp : op.op.observed) stamp.site = place_of[stamp.site];
  }
}

}  // namespace

bool HoldsFact(const Part& part, Slice key, MergeKind kind) {
  schema::FactName name;
  const bool reads = schema::ParseFactKey(key, &name);
  Check(reads, "facts are stored under keys of facts");
  return Holds(part, name.type, name.subject, kind);
}

void CutFrame(const Part& part, Frame* frame, std::string* bytes) {
  if (part.is_whole()) return;
  const std::size_t left_out = std::erase_if(frame->ops, [&](const FrameOp& op) {
    return !Holds(part, op.type, Slice(op.subject), op.op.kind);
  });
  if (left_out == 0) return;
  if (!frame->cut.is_cut()) frame->cut.whole_sum = ChecksumOf(Slice(*bytes));
  // Whoever declares a huge number must not come round to a frame that says it is whole.
  const std::uint64_t room = std::numeric_limits<std::uint64_t>::max() - frame->cut.left_out;
  frame->cut.left_out += std::min<std::uint64_t>(left_out, room);
  DropSites(frame);
  *bytes = EncodeFrame(*frame);
}

Result<std::string> CutFrame(const Part& part, Slice bytes) {
  Result<Frame> frame = DecodeFrame(bytes);
  if (!frame) return std::move(frame).error();
  std::string cut = bytes.ToString();
  CutFrame(part, &*frame, &cut);
  return cut;
}

void CutState(const Part& part, StateChangeset* changeset) {
  std::erase_if(changeset->facts, [&](const StateFact& fact) {
    return !Holds(part, fact.op.type, Slice(fact.op.subject), fact.state.kind);
  });
}

bool AreOneTransaction(Slice a, Slice b) {
  if (a == b) return true;
  const auto sum_of = [](Slice bytes) {
    const Result<FrameHead> head = DecodeFrameHead(bytes);
    Check(head.has_value(), "both frames decode");
    return head->cut.is_cut() ? head->cut.whole_sum : ChecksumOf(bytes);
  };
  const bool is_any_cut = IsCutFrame(a) || IsCutFrame(b);
  return is_any_cut && sum_of(a) == sum_of(b);
}

}  // namespace trefoil::crdt
