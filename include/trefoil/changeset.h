// Replication by bytes: what a replica has, what another lacks, and what merging did.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "trefoil/result.h"
#include "trefoil/version.h"

namespace trefoil {

// Which rows a replica holds: all, or those of some tables, of each all or some ranges of its keys;
// the catalogue always. Canonical bytes: equal parts have equal bytes. A value, made by
// Database::PartOf, so that it can be handed to whoever makes the replica.
class Part {
 public:
  Part() = default;  // all rows
  // Error: kCorruption.
  static Result<Part> Parse(std::string_view bytes);
  // What a changeset is cut to: the part that a replica made for it holds. Errors: kCorruption,
  // kNewerFormat.
  static Result<Part> OfChangeset(std::string_view changeset);
  // Of the database that was dumped (Database::DumpText). Error: kCorruption.
  static Result<Part> OfDump(std::string_view dump);

  bool is_whole() const { return bytes_.empty(); }
  // Whether it holds every row that `other` holds.
  bool Covers(const Part& other) const;
  Part Intersect(const Part& other) const;

  const std::string& bytes() const { return bytes_; }
  friend bool operator==(const Part&, const Part&) = default;

 private:
  explicit Part(std::string bytes) : bytes_(std::move(bytes)) {}
  std::string bytes_;
};

// What a replica has applied of each site, and how much it has of transactions that come in pieces,
// as canonical bytes: equal vectors have equal bytes. It names the part that the replica holds, and
// changes for it are cut to that part. A value.
class VersionVector {
 public:
  VersionVector() = default;                 // nothing applied
  explicit VersionVector(const Part& part);  // nothing applied, by a replica of a part
  // Error kCorruption names the position of the first bad byte.
  static Result<VersionVector> Parse(std::string_view bytes);
  // What the replica that made a changeset had applied, its own transactions included. Errors:
  // kCorruption, kNewerFormat.
  static Result<VersionVector> OfChangeset(std::string_view changeset);

  Part part() const;
  const std::string& bytes() const { return bytes_; }
  friend bool operator==(const VersionVector&, const VersionVector&) = default;

 private:
  explicit VersionVector(std::string bytes) : bytes_(std::move(bytes)) {}
  std::string bytes_;
};

// A part of what a replica lacks.
struct ChangesPart {
  std::string bytes;
  // Where the next part begins: what the other one has once it has merged these, or cannot get
  // here, because this replica holds a part of it only.
  VersionVector covered;
};

// What Database::Merge did.
struct MergeSummary {
  Version version{};  // the commit it made, or the version found if none
  std::uint64_t transactions_applied = 0;
  std::uint64_t transactions_known = 0;    // had been applied before
  std::uint64_t transactions_pending = 0;  // wait for others that they depend on, or for the rest
  std::uint64_t transactions_held = 0;     // stamped too far ahead of this clock
  std::uint64_t transactions_cut_off = 0;  // cut to less than is held here, so not taken
  std::uint64_t facts_changed = 0;         // visible differences
};

// SHA-256 over the canonical state, values and clocks: equal on converged replicas.
struct Digest {
  std::array<std::uint8_t, 32> bytes{};

  std::string ToHex() const;
  friend bool operator==(const Digest&, const Digest&) = default;
};

}  // namespace trefoil
