// A site is one replica that writes: 16 random bytes and an incarnation, which is raised when a
// sequence number might otherwise be given out twice. Its place in every order is that of its
// bytes, the same on all replicas; inside a replica a small ordinal stands for it.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/coding.h"
#include "schema/cell.h"
#include "trefoil/slice.h"

namespace trefoil::crdt {

using schema::SiteOrdinal;

struct SiteId {
  static constexpr std::size_t kBytes = 18;

  std::array<unsigned char, 16> uuid{};
  std::uint16_t incarnation = 0;

  friend auto operator<=>(const SiteId&, const SiteId&) = default;
};

// 16 bytes, then the incarnation big-endian: byte order is the order of sites.
inline void AppendSite(std::string& out, const SiteId& site) {
  out.append(reinterpret_cast<const char*>(site.uuid.data()), site.uuid.size());
  out.push_back(static_cast<char>(site.incarnation >> 8));
  out.push_back(static_cast<char>(site.incarnation & 0xFF));
}
inline bool TakeSite(Slice& bytes, SiteId* site) {
  if (bytes.size() < SiteId::kBytes) return false;
  std::memcpy(site->uuid.data(), bytes.data(), site->uuid.size());
  site->incarnation = static_cast<std::uint16_t>(bytes[16] << 8 | bytes[17]);
  bytes.RemovePrefix(SiteId::kBytes);
  return true;
}

// Identity of a transaction.
struct Dot {
  SiteId site;
  std::uint64_t sequence = 0;  // dense from 1

  friend auto operator<=>(const Dot&, const Dot&) = default;
};

// Orders conflicting writes, the same on all replicas.
struct SiteStamp {
  std::uint64_t time = 0;
  SiteId site;

  friend auto operator<=>(const SiteStamp&, const SiteStamp&) = default;
};

// Ordinals of sites on this replica, dense from 0, and back.
class SiteTable {
 public:
  const SiteId& Of(SiteOrdinal ordinal) const {
    Check(ordinal < sites_.size(), "a stored ordinal names a known site");
    return sites_[ordinal];
  }
  std::optional<SiteOrdinal> Find(const SiteId& site) const {
    const auto found = ordinals_.find(site);
    if (found == ordinals_.end()) return std::nullopt;
    return found->second;
  }
  // The ordinal of the site, a new one if it has none.
  SiteOrdinal Add(const SiteId& site) {
    const auto [found, added] = ordinals_.emplace(site, static_cast<SiteOrdinal>(sites_.size()));
    if (added) sites_.push_back(site);
    return found->second;
  }
  std::size_t size() const { return sites_.size(); }

 private:
  std::vector<SiteId> sites_;
  std::map<SiteId, SiteOrdinal> ordinals_;
};

}  // namespace trefoil::crdt
