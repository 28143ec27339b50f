#include "crdt/frame_writer.h"

#include <algorithm>

#include "base/check.h"
#include "base/coding.h"
#include "base/hash.h"
#include "crdt/value_codec.h"

namespace trefoil::crdt {

namespace {

std::size_t SharedBytes(Slice a, Slice b) {
  const std::size_t limit = std::min(a.size(), b.size());
  std::size_t shared = 0;
  while (shared < limit && a[shared] == b[shared]) ++shared;
  return shared;
}

char* WriteVarint(char* to, std::uint64_t number) {
  for (; number >= 0x80; number >>= 7) *to++ = static_cast<char>(number | 0x80);
  *to++ = static_cast<char>(number);
  return to;
}

}  // namespace

void FrameWriter::Add(const WriteName& name, const FactOp& op) {
  Write& write = writes_.emplace_back();
  write.name = name;
  write.kind = op.kind;
  write.value_kind = op.value.kind();
  write.retracted = op.retracted;
  write.causal_length = op.causal_length;
  if (!op.retracted) {
    if (op.kind == MergeKind::kCounter) {
      AppendInt128(payloads_, op.total);
    } else {
      AppendPayload(payloads_, op.value);
    }
  }
  write.payload_end = payloads_.size();
  observed_.insert(observed_.end(), op.observed.begin(), op.observed.end());
  write.observed_end = observed_.size();
  CountGroup();
}

void FrameWriter::AddRegister(const WriteName& name, const schema::CellParts& cell) {
  if (!cell.retracted) AppendStoredPayload(payloads_, cell.kind, cell.value);
  writes_.push_back({.name = name,
                     .kind = MergeKind::kRegister,
                     .value_kind = cell.kind,
                     .retracted = cell.retracted,
                     .causal_length = cell.causal_length,
                     .payload_end = payloads_.size(),
                     .observed_end = observed_.size()});
  CountGroup();
}

// Of the last write.
void FrameWriter::CountGroup() {
  const std::size_t last = writes_.size() - 1;
  if (last == 0 || !SameGroup(writes_[last - 1], writes_[last])) ++groups_;
}

std::size_t FrameWriter::PayloadStart(const Write& write) const {
  return &write == writes_.data() ? 0 : (&write - 1)->payload_end;
}

std::size_t FrameWriter::ObservedStart(const Write& write) const {
  return &write == writes_.data() ? 0 : (&write - 1)->observed_end;
}

FrameWriter::Group FrameWriter::GroupAt(std::size_t first) const {
  std::size_t end = first + 1;
  while (end < writes_.size() && SameGroup(writes_[first], writes_[end])) ++end;
  return Group(writes_).subspan(first, end - first);
}

void FrameWriter::AppendGroup(std::string& out, Group group, Group before) const {
  const auto same_subject = [](const Write& a, const Write& b) {
    return a.name.subject == b.name.subject;
  };
  unsigned char flags = std::ranges::equal(group, before, same_subject) ? kSameSubjects : 0;
  ValueKind kind = ValueKind::kNull;
  bool has_kind = false;
  for (const Write& write : group) {
    if (!write.name.element.empty()) flags |= kElements;
    if (write.causal_length != 1) flags |= kLengths;
    if (write.retracted) {
      flags |= kRetractions;
      continue;
    }
    if (!has_kind) kind = write.value_kind;
    if (write.value_kind != kind) flags |= kMixedKinds;
    has_kind = true;
  }
  if (group.back().observed_end != ObservedStart(group.front())) flags |= kObserved;
  if (flags & kMixedKinds) kind = ValueKind::kNull;
  const std::size_t start = out.size();
  out.resize(start + 2 * kMaxVarintBytes + 3);
  char* end = WriteVarint(out.data() + start, ToNumber(group[0].name.type));
  end = WriteVarint(end, ToNumber(group[0].name.attribute));
  *end++ = static_cast<char>(group[0].kind);
  *end++ = static_cast<char>(flags);
  *end++ = static_cast<char>(kind);
  out.resize(static_cast<std::size_t>(end - out.data()));
  if (!(flags & kSameSubjects)) AppendSubjects(out, group);
  if (flags & kElements) {
    for (const Write& write : group) AppendLengthPrefixed(out, write.name.element);
  }
  if (flags & kLengths) {
    for (const Write& write : group) AppendVarint(out, write.causal_length);
  }
  if (flags & kRetractions) {
    std::string bits((group.size() + 7) / 8, '\0');
    for (std::size_t i = 0; i < group.size(); ++i) {
      if (group[i].retracted) bits[i / 8] = static_cast<char>(bits[i / 8] | 1 << (i % 8));
    }
    out.append(bits);
  }
  AppendValues(out, group, flags);
  if (flags & kObserved) AppendObserved(out, group);
}

void FrameWriter::AppendSubjects(std::string& out, Group group) const {
  AppendVarint(out, group.size());
  Slice last;
  for (const Write& write : group) {
    const Slice subject = write.name.subject;
    const std::size_t shared = SharedBytes(last, subject);
    AppendVarint(out, shared);
    AppendLengthPrefixed(out, subject.Without(shared));
    last = subject;
  }
}

void FrameWriter::AppendValues(std::string& out, Group group, unsigned char flags) const {
  const std::size_t start = PayloadStart(group.front());
  const std::string_view payloads = payloads_;
  if (!(flags & kMixedKinds) || group[0].kind == MergeKind::kCounter) {
    out.append(payloads.substr(start, group.back().payload_end - start));
    return;
  }
  for (const Write& write : group) {
    if (write.retracted) continue;
    const std::size_t from = PayloadStart(write);
    out.push_back(static_cast<char>(write.value_kind));
    out.append(payloads.substr(from, write.payload_end - from));
  }
}

void FrameWriter::AppendObserved(std::string& out, Group group) const {
  for (const Write& write : group) {
    const std::size_t start = ObservedStart(write);
    AppendVarint(out, write.observed_end - start);
    for (std::size_t i = start; i < write.observed_end; ++i) {
      AppendVarint(out, observed_[i].site);
      AppendFixed64(out, observed_[i].time);
    }
  }
}

std::string FrameWriter::Encode(const FrameHead& head, std::span<const SiteId> sites) const {
  Check(head.dot.sequence > 0, "sequences begin at 1");
  constexpr std::size_t kHeadBytes = 128;
  constexpr std::size_t kNameBytes = 8;  // of a write, mostly
  std::string out;
  out.reserve(kHeadBytes + payloads_.size() + kNameBytes * writes_.size());
  out.push_back(static_cast<char>(head.cut.is_cut() ? kCutFrameVersion : kFrameVersion));
  AppendSite(out, head.dot.site);
  AppendVarint(out, head.dot.sequence);
  AppendFixed64(out, head.time);
  AppendVarint(out, head.deps.size());
  for (const auto& [site, sequence] : head.deps) {
    AppendSite(out, site);
    AppendVarint(out, sequence);
  }
  if (head.cut.is_cut()) {
    AppendVarint(out, head.cut.left_out);
    AppendFixed64(out, head.cut.whole_sum);
  }
  AppendVarint(out, sites.size());
  for (const SiteId& site : sites) AppendSite(out, site);
  AppendVarint(out, 0);  // nothing to skip
  AppendVarint(out, groups_);
  Group before;
  for (std::size_t first = 0; first < writes_.size(); first += before.size()) {
    const Group group = GroupAt(first);
    AppendGroup(out, group, before);
    before = group;
  }
  AppendFixed64(out, Hash64(Slice(out)));
  return out;
}

}  // namespace trefoil::crdt
