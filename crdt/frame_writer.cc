#include "crdt/frame_writer.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "base/check.h"
#include "base/coding.h"
#include "base/hash.h"
#include "crdt/value_codec.h"

namespace trefoil::crdt {

namespace {

constexpr std::size_t kSumBytes = 8;

std::size_t SharedBytes(Slice a, Slice b) {
  const std::size_t limit = std::min(a.size(), b.size());
  std::size_t shared = 0;
  while (shared < limit && a[shared] == b[shared]) ++shared;
  return shared;
}

// Each writes at a place with room for it and returns the end.
char* WriteByte(char* to, unsigned char byte) {
  *to = static_cast<char>(byte);
  return to + 1;
}

char* WriteVarint(char* to, std::uint64_t number) {
  for (; number >= 0x80; number >>= 7) *to++ = static_cast<char>(number | 0x80);
  *to++ = static_cast<char>(number);
  return to;
}

char* WriteFixed64(char* to, std::uint64_t number) {
  StoreFixed64(to, number);
  return to + 8;
}

char* WriteBytes(char* to, std::string_view bytes) {
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  return to + bytes.size();
}

char* WriteLengthPrefixed(char* to, Slice bytes) {
  return WriteBytes(WriteVarint(to, bytes.size()), bytes.view());
}

char* WriteSite(char* to, const SiteId& site) {
  std::memcpy(to, site.uuid.data(), site.uuid.size());
  to = WriteByte(to + site.uuid.size(), static_cast<unsigned char>(site.incarnation >> 8));
  return WriteByte(to, static_cast<unsigned char>(site.incarnation & 0xFF));
}

// What stands before the groups.
char* WriteHead(char* to, const FrameHead& head, std::span<const SiteId> sites) {
  to = WriteByte(to, head.cut.is_cut() ? kCutFrameVersion : kFrameVersion);
  to = WriteSite(to, head.dot.site);
  to = WriteVarint(to, head.dot.sequence);
  to = WriteFixed64(to, head.time);
  to = WriteVarint(to, head.deps.size());
  for (const auto& [site, sequence] : head.deps) {
    to = WriteVarint(WriteSite(to, site), sequence);
  }
  if (head.cut.is_cut()) {
    to = WriteFixed64(WriteVarint(to, head.cut.left_out), head.cut.whole_sum);
  }
  to = WriteVarint(to, sites.size());
  for (const SiteId& site : sites) to = WriteSite(to, site);
  return WriteVarint(to, 0);  // nothing to skip
}

std::size_t HeadBytesMax(const FrameHead& head, std::span<const SiteId> sites) {
  constexpr std::size_t kFixedBytes = 2 + 2 * 8 + 6 * kMaxVarintBytes;
  return kFixedBytes + SiteId::kBytes * (1 + sites.size()) +
         head.deps.size() * (SiteId::kBytes + kMaxVarintBytes);
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
  CountWrite();
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
  CountWrite();
}

// The last one.
void FrameWriter::CountWrite() {
  const std::size_t last = writes_.size() - 1;
  if (last == 0 || !SameGroup(writes_[last - 1], writes_[last])) ++groups_;
  name_bytes_ += writes_[last].name.subject.size() + writes_[last].name.element.size();
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

std::size_t FrameWriter::GroupBytesMax() const {
  constexpr std::size_t kGroupBytes = 3 + 3 * kMaxVarintBytes;
  // Shared and own length of the subject, length of the element, causal length, observed stamps;
  // a bit that it retracts, a kind of value.
  constexpr std::size_t kWriteBytes = 5 * kMaxVarintBytes + 2;
  return groups_ * kGroupBytes + writes_.size() * kWriteBytes + name_bytes_ + payloads_.size() +
         observed_.size() * (kMaxVarintBytes + 8);
}

char* FrameWriter::WriteGroup(char* to, Group group, Group before) const {
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
  to = WriteVarint(to, ToNumber(group[0].name.type));
  to = WriteVarint(to, ToNumber(group[0].name.attribute));
  to = WriteByte(to, static_cast<unsigned char>(group[0].kind));
  to = WriteByte(to, flags);
  to = WriteByte(to, static_cast<unsigned char>(kind));
  if (!(flags & kSameSubjects)) to = WriteSubjects(to, group);
  if (flags & kElements) {
    for (const Write& write : group) to = WriteLengthPrefixed(to, write.name.element);
  }
  if (flags & kLengths) {
    for (const Write& write : group) to = WriteVarint(to, write.causal_length);
  }
  if (flags & kRetractions) {
    const std::size_t bytes = (group.size() + 7) / 8;
    std::memset(to, 0, bytes);
    for (std::size_t i = 0; i < group.size(); ++i) {
      if (group[i].retracted) to[i / 8] = static_cast<char>(to[i / 8] | 1 << (i % 8));
    }
    to += bytes;
  }
  to = WriteValues(to, group, flags);
  return flags & kObserved ? WriteObserved(to, group) : to;
}

char* FrameWriter::WriteSubjects(char* to, Group group) const {
  to = WriteVarint(to, group.size());
  Slice last;
  for (const Write& write : group) {
    const Slice subject = write.name.subject;
    const std::size_t shared = SharedBytes(last, subject);
    to = WriteLengthPrefixed(WriteVarint(to, shared), subject.Without(shared));
    last = subject;
  }
  return to;
}

char* FrameWriter::WriteValues(char* to, Group group, unsigned char flags) const {
  const std::string_view payloads = payloads_;
  if (!(flags & kMixedKinds) || group[0].kind == MergeKind::kCounter) {
    const std::size_t start = PayloadStart(group.front());
    return WriteBytes(to, payloads.substr(start, group.back().payload_end - start));
  }
  for (const Write& write : group) {
    if (write.retracted) continue;
    const std::size_t from = PayloadStart(write);
    to = WriteByte(to, static_cast<unsigned char>(write.value_kind));
    to = WriteBytes(to, payloads.substr(from, write.payload_end - from));
  }
  return to;
}

char* FrameWriter::WriteObserved(char* to, Group group) const {
  for (const Write& write : group) {
    const std::size_t start = ObservedStart(write);
    to = WriteVarint(to, write.observed_end - start);
    for (std::size_t i = start; i < write.observed_end; ++i) {
      to = WriteFixed64(WriteVarint(to, observed_[i].site), observed_[i].time);
    }
  }
  return to;
}

std::string FrameWriter::Encode(const FrameHead& head, std::span<const SiteId> sites) const {
  Check(head.dot.sequence > 0, "sequences begin at 1");
  const std::size_t bytes_max = HeadBytesMax(head, sites) + GroupBytesMax() + kSumBytes;
  const auto buffer = std::make_unique_for_overwrite<char[]>(bytes_max);
  char* end = WriteVarint(WriteHead(buffer.get(), head, sites), groups_);
  Group before;
  for (std::size_t first = 0; first < writes_.size(); first += before.size()) {
    const Group group = GroupAt(first);
    end = WriteGroup(end, group, before);
    before = group;
  }
  end =
      WriteFixed64(end, Hash64(Slice(buffer.get(), static_cast<std::size_t>(end - buffer.get()))));
  const auto size_bytes = static_cast<std::size_t>(end - buffer.get());
  Check(size_bytes <= bytes_max, "a frame has the room that was counted for it");
  return {buffer.get(), size_bytes};
}

}  // namespace trefoil::crdt
