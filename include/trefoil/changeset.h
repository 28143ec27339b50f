// Replication by bytes: what a replica has, what another lacks, and what merging did.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "trefoil/result.h"
#include "trefoil/version.h"

namespace trefoil {

// What a replica has applied of each site, and how much it has of transactions that come in pieces,
// as canonical bytes: equal vectors have equal bytes. A value.
class VersionVector {
 public:
  VersionVector() = default;  // nothing applied
  // Error kCorruption names the position of the first bad byte.
  static Result<VersionVector> Parse(std::string_view bytes);
  // What the replica that made a changeset had applied, its own transactions included. Errors:
  // kCorruption, kNewerFormat.
  static Result<VersionVector> OfChangeset(std::string_view changeset);

  const std::string& bytes() const { return bytes_; }
  friend bool operator==(const VersionVector&, const VersionVector&) = default;

 private:
  explicit VersionVector(std::string bytes) : bytes_(std::move(bytes)) {}
  std::string bytes_;
};

// A part of what a replica lacks.
struct ChangesPart {
  std::string bytes;
  VersionVector covered;  // what it has once it has merged them; where the next part begins
};

// What Database::Merge did.
struct MergeSummary {
  Version version{};  // the commit it made, or the version found if none
  std::uint64_t transactions_applied = 0;
  std::uint64_t transactions_known = 0;    // had been applied before
  std::uint64_t transactions_pending = 0;  // wait for others that they depend on, or for the rest
  std::uint64_t transactions_held = 0;     // stamped too far ahead of this clock
  std::uint64_t facts_changed = 0;         // visible differences
};

// SHA-256 over the canonical state, values and clocks: equal on converged replicas.
struct Digest {
  std::array<std::uint8_t, 32> bytes{};

  std::string ToHex() const;
  friend bool operator==(const Digest&, const Digest&) = default;
};

}  // namespace trefoil
