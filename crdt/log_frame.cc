#include "crdt/log_frame.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "base/coding.h"
#include "base/errors.h"
#include "base/hash.h"
#include "base/str_cat.h"
#include "crdt/frame_writer.h"
#include "crdt/value_codec.h"

namespace trefoil::crdt {

namespace {

constexpr std::size_t kChecksumBytes = 8;
constexpr std::size_t kOpsPerByteMax = 8;

auto PlaceOf(const FrameOp& op) { return std::tie(op.type, op.attribute, op.subject, op.element); }

// Reads a frame; remembers what it could not read.
class Decoder {
 public:
  Decoder(Slice all, Frame* frame)
      : all_(all), rest_(all.Prefix(all.size() - kChecksumBytes)), frame_(*frame) {}

  bool Head() {
    const bool is_cut = IsCutFrame(rest_);
    rest_.RemovePrefix(1);
    if (!TakeSite(rest_, &frame_.dot.site)) return Fail("no site");
    if (!Number(&frame_.dot.sequence) || frame_.dot.sequence == 0) return Fail("no sequence");
    const std::optional<std::uint64_t> time = ReadFixed64(rest_);
    if (!time) return Fail("no time");
    frame_.time = *time;
    std::uint64_t count;
    if (!Number(&count)) return Fail("no dependencies");
    for (std::uint64_t i = 0; i < count; ++i) {
      SiteId site;
      std::uint64_t head;
      if (!TakeSite(rest_, &site) || !Number(&head) || head == 0) return Fail("no dependency");
      if (!frame_.deps.empty() && site <= frame_.deps.rbegin()->first) {
        return Fail("dependencies do not ascend");
      }
      frame_.deps.emplace_hint(frame_.deps.end(), site, head);
    }
    return !is_cut || ReadCut();
  }

  bool Body() {
    std::uint64_t count;
    if (!Number(&count)) return Fail("no sites");
    for (std::uint64_t i = 0; i < count; ++i) {
      SiteId site;
      if (!TakeSite(rest_, &site)) return Fail("no site");
      if (!frame_.sites.empty() && site <= frame_.sites.back()) return Fail("sites do not ascend");
      frame_.sites.push_back(site);
    }
    if (!ReadLengthPrefixed(rest_)) return Fail("the part to skip is cut off");
    if (!Number(&count)) return Fail("no groups");
    for (std::uint64_t i = 0; i < count; ++i) {
      if (!ReadGroup()) return false;
    }
    return rest_.empty() || Fail("bytes behind the end");
  }

  Error error() const {
    return Corruption(StrCat("transaction frame: byte ",
                             all_.size() - kChecksumBytes - rest_.size(), ": ", what_),
                      "fetch the changes again");
  }

 private:
  bool Fail(const char* what) {
    what_ = what;
    return false;
  }
  bool Number(std::uint64_t* number) {
    const std::optional<std::uint64_t> read = ReadVarint(rest_);
    if (read) *number = *read;
    return read.has_value();
  }
  template <typename Id>
  bool ReadId(Id* id) {
    std::uint64_t number;
    if (!Number(&number) || number > std::numeric_limits<std::uint32_t>::max()) return false;
    *id = Id{static_cast<std::uint32_t>(number)};
    return true;
  }

  bool ReadCut() {
    if (!Number(&frame_.cut.left_out) || frame_.cut.left_out == 0) return Fail("nothing left out");
    const std::optional<std::uint64_t> sum = ReadFixed64(rest_);
    frame_.cut.whole_sum = sum.value_or(0);
    return sum.has_value() || Fail("no checksum of the whole");
  }

  bool ReadGroup() {
    TypeId type;
    AttributeId attribute;
    if (!ReadId(&type) || !ReadId(&attribute) || rest_.size() < 3) return Fail("no group");
    const unsigned char kind = rest_[0];
    flags_ = rest_[1];
    value_kind_ = static_cast<ValueKind>(rest_[2]);
    if (kind > static_cast<unsigned char>(MergeKind::kTree)) return Fail("unknown merge kind");
    if (flags_ & ~kKnownFlags) return Fail("unknown flags");
    rest_.RemovePrefix(3);
    std::uint64_t count = frame_.ops.size() - previous_;
    if (!(flags_ & kSameSubjects) && !Number(&count)) return Fail("no number of writes");
    if (count == 0) return Fail("a group without writes");
    if (count > kOpsPerByteMax * all_.size() - frame_.ops.size()) return Fail("too many writes");
    const std::size_t first = frame_.ops.size();
    if (!ReadSubjects(count)) return false;
    for (std::size_t i = first; i < frame_.ops.size(); ++i) {
      FrameOp& op = frame_.ops[i];
      op.type = type;
      op.attribute = attribute;
      op.op.kind = static_cast<MergeKind>(kind);
    }
    group_ = std::span(frame_.ops).subspan(first);
    previous_ = first;
    if (!ReadMarks() || !ReadValues() || !ReadObserved()) return false;
    return GroupAscends(first) || Fail("no ascending order");
  }

  // `first`: where the group begins, which is of one attribute.
  bool GroupAscends(std::size_t first) const {
    const std::vector<FrameOp>& ops = frame_.ops;
    if (first > 0 && !(PlaceOf(ops[first - 1]) < PlaceOf(ops[first]))) return false;
    const auto follows = [](const FrameOp& a, const FrameOp& b) {
      const int order = a.subject.compare(b.subject);
      return order > 0 || (order == 0 && a.element >= b.element);
    };
    return std::adjacent_find(ops.begin() + static_cast<std::ptrdiff_t>(first), ops.end(),
                              follows) == ops.end();
  }

  // Room for a group, so that its writes are not moved one growth after the other.
  void Reserve(std::uint64_t count) {
    const std::size_t needed = frame_.ops.size() + count;
    if (needed <= frame_.ops.capacity()) return;
    frame_.ops.reserve(std::max(needed, 2 * frame_.ops.capacity()));
  }

  bool ReadSubjects(std::uint64_t count) {
    if (!(flags_ & kSameSubjects)) {
      constexpr std::size_t kSubjectBytesMin = 2;
      if (count > rest_.size() / kSubjectBytesMin) return Fail("subjects are cut off");
      Reserve(count);
      Slice last;
      for (std::uint64_t i = 0; i < count; ++i) {
        std::uint64_t shared;
        if (!Number(&shared) || shared > last.size()) return Fail("no subject");
        const std::optional<Slice> tail = ReadLengthPrefixed(rest_);
        if (!tail) return Fail("a subject is cut off");
        // Shared bytes multiply: hold the sum to the same measure as the writes.
        subject_bytes_ += shared + tail->size();
        if (subject_bytes_ > kSubjectBytesPerByteMax * all_.size())
          return Fail("subjects too long");
        std::string& subject = frame_.ops.emplace_back().subject;
        subject.reserve(shared + tail->size());
        subject.append(last.data(), shared).append(tail->view());
        last = Slice(subject);  // stays in its place: there is room
      }
      return true;
    }
    Reserve(count);
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::string& subject = frame_.ops[previous_ + i].subject;
      subject_bytes_ += subject.size();
      if (subject_bytes_ > kSubjectBytesPerByteMax * all_.size()) return Fail("subjects too long");
      frame_.ops.emplace_back().subject = subject;
    }
    return true;
  }

  bool ReadMarks() {
    if (flags_ & kElements) {
      for (FrameOp& op : group_) {
        const std::optional<Slice> element = ReadLengthPrefixed(rest_);
        if (!element) return Fail("an element is cut off");
        op.element = element->ToString();
      }
    }
    if (flags_ & kLengths) {
      for (FrameOp& op : group_) {
        if (!Number(&op.op.causal_length) || op.op.causal_length == 0) {
          return Fail("no causal length");
        }
      }
    }
    if (flags_ & kRetractions) {
      const std::optional<Slice> bits = ReadBytes(rest_, (group_.size() + 7) / 8);
      if (!bits) return Fail("retractions are cut off");
      for (std::size_t i = 0; i < group_.size(); ++i) {
        group_[i].op.retracted = ((*bits)[i / 8] >> (i % 8) & 1) != 0;
      }
    }
    return true;
  }

  bool ReadValues() {
    for (FrameOp& op : group_) {
      if (op.op.retracted) continue;
      if (op.op.kind == MergeKind::kCounter) {
        if (!TakeInt128(rest_, &op.op.total)) return Fail("no total");
        continue;
      }
      ValueKind kind = value_kind_;
      if (flags_ & kMixedKinds) {
        if (rest_.empty()) return Fail("no kind of value");
        kind = static_cast<ValueKind>(rest_[0]);
        rest_.RemovePrefix(1);
      }
      if (!TakePayload(rest_, kind, &op.op.value)) return Fail("no value");
    }
    return true;
  }

  bool ReadObserved() {
    if (!(flags_ & kObserved)) return true;
    for (FrameOp& op : group_) {
      std::uint64_t count;
      if (!Number(&count) || count > rest_.size()) return Fail("no observed stamps");
      for (std::uint64_t i = 0; i < count; ++i) {
        std::uint64_t place;
        if (!Number(&place) || place >= frame_.sites.size()) return Fail("no observed site");
        const std::optional<std::uint64_t> time = ReadFixed64(rest_);
        if (!time) return Fail("no observed time");
        op.op.observed.push_back({.time = *time, .site = static_cast<SiteOrdinal>(place)});
      }
    }
    return true;
  }

  static constexpr std::size_t kSubjectBytesPerByteMax = 256;

  Slice all_;
  Slice rest_;
  Frame& frame_;
  const char* what_ = "";
  unsigned char flags_ = 0;
  ValueKind value_kind_ = ValueKind::kNull;
  std::span<FrameOp> group_;
  std::size_t previous_ = 0;  // where the group before begins
  std::size_t subject_bytes_ = 0;
};

Status CheckFrame(Slice bytes) {
  if (bytes.size() < 1 + SiteId::kBytes + kChecksumBytes) {
    return Corruption(StrCat("transaction frame: ", bytes.size(), " bytes are none"),
                      "fetch the changes again");
  }
  if (bytes[0] != kFrameVersion && !IsCutFrame(bytes)) {
    return MakeError(ErrorCode::kNewerFormat,
                     StrCat("transaction frame: format ", int{bytes[0]}, ", this release reads ",
                            int{kFrameVersion}, " and ", int{kCutFrameVersion}),
                     "update this replica");
  }
  return Ok();
}

}  // namespace

std::string EncodeFrame(const Frame& frame) {
  FrameWriter writer(frame.ops.size());
  for (const FrameOp& op : frame.ops) {
    writer.Add({.type = op.type,
                .attribute = op.attribute,
                .subject = Slice(op.subject),
                .element = Slice(op.element)},
               op.op);
  }
  return writer.Encode({.dot = frame.dot, .time = frame.time, .deps = frame.deps, .cut = frame.cut},
                       frame.sites);
}

Result<Frame> DecodeFrame(Slice bytes) {
  if (Status whole = CheckFrame(bytes); !whole) return std::move(whole).error();
  const std::size_t body = bytes.size() - kChecksumBytes;
  if (Hash64(bytes.Prefix(body)) != ChecksumOf(bytes)) {
    return Corruption("transaction frame: checksum mismatch", "fetch the changes again");
  }
  Frame frame;
  Decoder decoder(bytes, &frame);
  if (!decoder.Head() || !decoder.Body()) return decoder.error();
  return frame;
}

Result<FrameHead> DecodeFrameHead(Slice bytes) {
  if (Status whole = CheckFrame(bytes); !whole) return std::move(whole).error();
  Frame frame;
  Decoder decoder(bytes, &frame);
  if (!decoder.Head()) return decoder.error();
  return FrameHead{
      .dot = frame.dot, .time = frame.time, .deps = std::move(frame.deps), .cut = frame.cut};
}

bool IsCutFrame(Slice bytes) { return !bytes.empty() && bytes[0] == kCutFrameVersion; }

std::uint64_t ChecksumOf(Slice frame) {
  return LoadFixed64(frame.data() + frame.size() - kChecksumBytes);
}

}  // namespace trefoil::crdt
