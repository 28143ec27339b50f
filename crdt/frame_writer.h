// FrameWriter gathers the writes of one transaction and encodes them as a log frame (log_frame.h).
// It holds what the bytes need and no more: names that it borrows, values as they will stand in the
// frame.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "crdt/log_frame.h"
#include "crdt/merge.h"
#include "crdt/site.h"
#include "trefoil/slice.h"

namespace trefoil::crdt {

// Which fact a write is of. Borrows the bytes until the frame is encoded.
struct WriteName {
  TypeId type{};
  AttributeId attribute{};
  Slice subject;
  Slice element = {};  // encoded element of a SET; else empty
};

class FrameWriter {
 public:
  // For so many writes.
  explicit FrameWriter(std::size_t writes) {
    constexpr std::size_t kPayloadBytes = 8;  // of a write, mostly
    writes_.reserve(writes);
    payloads_.reserve(kPayloadBytes * writes);
  }

  // In ascending order of the names.
  void Add(const WriteName& name, const FactOp& op);
  // The same, of a register, from its cell.
  void AddRegister(const WriteName& name, const schema::CellParts& cell);

  bool empty() const { return writes_.empty(); }
  // The stamps that the writes added so far have observed. Their sites must be places in the
  // frame's sites before the frame is encoded.
  std::span<Stamp> observed() { return observed_; }

  std::string Encode(const FrameHead& head, std::span<const SiteId> sites) const;

 private:
  struct Write {
    WriteName name;
    MergeKind kind = MergeKind::kRegister;
    ValueKind value_kind = ValueKind::kNull;
    bool retracted = false;
    std::uint64_t causal_length = 1;
    std::size_t payload_end = 0;   // in payloads_; begins where that of the write before ends
    std::size_t observed_end = 0;  // in observed_, likewise
  };
  using Group = std::span<const Write>;

  static bool SameGroup(const Write& a, const Write& b) {
    return a.name.attribute == b.name.attribute && a.name.type == b.name.type && a.kind == b.kind;
  }
  void CountWrite();
  Group GroupAt(std::size_t first) const;
  // No more than this is written for all groups together.
  std::size_t GroupBytesMax() const;
  // Each writes at `to` and returns the end.
  char* WriteGroup(char* to, Group group, Group before) const;
  char* WriteSubjects(char* to, Group group) const;
  char* WriteValues(char* to, Group group, unsigned char flags) const;
  char* WriteObserved(char* to, Group group) const;
  std::size_t PayloadStart(const Write& write) const;
  std::size_t ObservedStart(const Write& write) const;

  std::vector<Write> writes_;
  std::size_t groups_ = 0;
  std::size_t name_bytes_ = 0;  // of subjects and elements
  std::string payloads_;
  std::vector<Stamp> observed_;
};

}  // namespace trefoil::crdt
