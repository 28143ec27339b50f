// Random writes and frames of few sites and facts, for tests of codecs and merges.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <tuple>

#include "crdt/log_frame.h"
#include "tests/support/random_value.h"

namespace trefoil::testing {

inline crdt::SiteId SiteNumber(unsigned char number) {
  crdt::SiteId site;
  site.uuid[0] = number;
  return site;
}

inline crdt::FactOp RandomOp(RandomEngine& random, schema::MergeKind kind) {
  crdt::FactOp op = {.kind = kind, .causal_length = Below(random, 4) == 0 ? 3u : 1u};
  op.retracted = kind != schema::MergeKind::kCounter && Below(random, 4) == 0;
  if (kind == schema::MergeKind::kCounter) {
    op.total = static_cast<crdt::Int128>(static_cast<std::int64_t>(random()) >> Below(random, 64));
  } else if (!op.retracted && kind != schema::MergeKind::kSet) {
    op.value = RandomValue(random, ValueKind::kNull);
  }
  return op;
}

inline crdt::Frame RandomFrame(RandomEngine& random) {
  crdt::Frame frame;
  frame.dot = {SiteNumber(1), 1 + Below(random, 1000)};
  frame.time = random();
  for (unsigned char i = 2; i < 5; ++i) {
    if (Below(random, 2) == 0) frame.deps[SiteNumber(i)] = 1 + Below(random, 300);
    if (Below(random, 2) == 0) frame.sites.push_back(SiteNumber(i));
  }
  using Place = std::tuple<unsigned, unsigned, std::string, std::string>;
  std::map<Place, crdt::FrameOp> ops;
  const std::uint64_t count = Below(random, 40);
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto type = static_cast<unsigned>(1 + Below(random, 2));
    const auto attribute = static_cast<unsigned>(Below(random, 8));
    const auto kind = attribute == 0 ? schema::MergeKind::kRegister
                                     : static_cast<schema::MergeKind>(attribute - 1);
    crdt::FrameOp op = {TypeId{type},
                        AttributeId{attribute},
                        std::string(Below(random, 3), 's'),
                        {},
                        RandomOp(random, kind)};
    op.subject += static_cast<char>('a' + Below(random, 5));
    if (kind == schema::MergeKind::kSet) op.element = std::string(1 + Below(random, 3), 'e');
    const bool observes = kind == schema::MergeKind::kSet || kind == schema::MergeKind::kMv;
    for (std::uint32_t site = 0; observes && site < frame.sites.size(); ++site) {
      if (Below(random, 2) == 0) op.op.observed.push_back({.time = random(), .site = site});
    }
    const Place place(type, attribute, op.subject, op.element);
    ops.insert_or_assign(place, std::move(op));
  }
  for (auto& [place, op] : ops) frame.ops.push_back(std::move(op));
  return frame;
}

}  // namespace trefoil::testing
