#include "tests/simulation/replay_model.h"

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "schema/key_codec.h"
#include "schema/keys.h"
#include "tests/support/replica.h"

namespace trefoil::testing {

using crdt::Frame;
using crdt::FrameOp;
using schema::MergeKind;

namespace {

using OpStamp = std::pair<std::uint64_t, crdt::SiteId>;

// One write with the transaction that did it.
struct Write {
  const FrameOp* op = nullptr;
  const Frame* frame = nullptr;

  OpStamp stamp() const { return {frame->time, frame->dot.site}; }
};

Value DecodeInt(const std::string& bytes) {
  Slice rest(bytes);
  Value value;
  schema::TakeKeyPart(rest, {.kind = ValueKind::kInt}, &value);
  return value;
}

// The writes that none of the others has observed and that retract nothing.
std::vector<Write> Standing(const std::vector<Write>& writes) {
  std::set<OpStamp> observed;
  for (const Write& write : writes) {
    for (const schema::Stamp& stamp : write.op->op.observed) {
      observed.emplace(stamp.time, write.frame->sites[stamp.site]);
    }
  }
  std::vector<Write> standing;
  for (const Write& write : writes) {
    if (!write.op->op.retracted && !observed.contains(write.stamp())) standing.push_back(write);
  }
  return standing;
}

// The value of a column from all its writes, in the order of their stamps.
Value ValueOf(const std::vector<Write>& writes, const Increments& increments) {
  const MergeKind kind = writes.front().op->op.kind;
  switch (kind) {
    case MergeKind::kRegister:
      return writes.back().op->op.value;
    case MergeKind::kMv: {
      const std::vector<Write> standing = Standing(writes);
      return standing.empty() ? Value() : standing.back().op->op.value;
    }
    case MergeKind::kCounter: {
      std::int64_t sum = 0;
      for (const Write& write : writes) sum += increments.at(write.frame->dot);
      return Value::Int(sum);
    }
    case MergeKind::kMax:
    case MergeKind::kMin: {
      std::vector<Value> values;
      for (const Write& write : writes) {
        if (!write.op->op.retracted) values.push_back(write.op->op.value);
      }
      if (values.empty()) return Value();
      return kind == MergeKind::kMax ? std::ranges::max(values) : std::ranges::min(values);
    }
    case MergeKind::kSet:
    case MergeKind::kTree:
      break;
  }
  std::map<std::string, std::vector<Write>> elements;
  for (const Write& write : writes) elements[write.op->element].push_back(write);
  std::vector<Value> present;
  for (const auto& [element, of_element] : elements) {
    if (!Standing(of_element).empty()) present.push_back(DecodeInt(element));
  }
  return present.empty() ? Value() : Value::List(std::move(present));
}

// Where a row lies in its tree, and under which causal length it came there.
struct Place {
  Value parent = {};
  std::uint64_t length = 0;
};
using Places = std::map<std::string, Place>;

bool LiesBelowItself(const Places& places, const std::string& row) {
  std::string up = row;
  for (std::size_t steps = 0; steps <= places.size(); ++steps) {
    const auto place = places.find(up);
    if (place == places.end() || place->second.parent.is_null()) return false;
    up.clear();
    schema::AppendKeyPart(up, {.kind = ValueKind::kInt}, place->second.parent);
    if (up == row) return true;
  }
  return false;
}

// `frames` in the order of their stamps.
Places ReplayTree(const std::vector<const Frame*>& frames, TypeId type) {
  Places places;
  std::map<std::string, std::uint64_t> lengths;
  for (const Frame* frame : frames) {
    const Places before = places;
    std::set<std::string> moved;
    for (const FrameOp& op : frame->ops) {
      if (op.type != type || op.op.kind != MergeKind::kTree) continue;
      std::uint64_t& length = lengths[op.subject];
      if (op.op.causal_length >= length) {
        places[op.subject] = {op.op.value, op.op.causal_length};
        moved.insert(op.subject);
      }
      length = std::max(length, op.op.causal_length);
    }
    for (std::set<std::string> back = moved; !back.empty();) {
      back.clear();
      for (const std::string& row : moved) {
        if (LiesBelowItself(places, row)) back.insert(row);
      }
      for (const std::string& row : back) {
        const auto place = before.find(row);
        places[row] = place == before.end() ? Place() : place->second;
        moved.erase(row);
      }
    }
  }
  return places;
}

}  // namespace

ModelRows Replay(const Frames& frames, const Increments& increments, const crdt::Heads& heads,
                 TypeId type, std::size_t columns) {
  std::vector<const Frame*> applied;
  for (const auto& [dot, frame] : frames) {
    if (dot.sequence <= crdt::HeadOf(heads, dot.site)) applied.push_back(&frame);
  }
  std::ranges::sort(applied, {},
                    [](const Frame* frame) { return std::tie(frame->time, frame->dot.site); });
  std::map<std::string, std::uint64_t> lengths;
  for (const Frame* frame : applied) {
    for (const FrameOp& op : frame->ops) {
      if (op.type != type || op.attribute != schema::kRowCell) continue;
      std::uint64_t& length = lengths[op.subject];
      length = std::max(length, op.op.causal_length);
    }
  }
  std::map<std::pair<std::string, std::uint32_t>, std::vector<Write>> writes;
  for (const Frame* frame : applied) {
    for (const FrameOp& op : frame->ops) {
      if (op.type != type || op.attribute == schema::kRowCell) continue;
      if (op.op.kind == MergeKind::kTree || op.op.causal_length != lengths[op.subject]) continue;
      writes[{op.subject, ToNumber(op.attribute)}].push_back({&op, frame});
    }
  }
  const Places places = ReplayTree(applied, type);
  ModelRows rows;
  for (const auto& [subject, length] : lengths) {
    if (length % 2 == 0) continue;
    std::vector<Value>& row = rows[DecodeInt(subject).AsInt()];
    for (std::uint32_t column = 2; column <= columns; ++column) {
      if (column == kUp) {
        const auto place = places.find(subject);
        const bool shows = place != places.end() && place->second.length == length;
        row.push_back(shows ? place->second.parent : Value());
        continue;
      }
      const auto found = writes.find({subject, column});
      row.push_back(found == writes.end() ? Value() : ValueOf(found->second, increments));
    }
  }
  return rows;
}

}  // namespace trefoil::testing
