// What the database says of itself, in the M keyspace:
//   format   4 bytes: the format of keys and cells; 2 where there is a part, else 1
//   part     the part of the rows that this replica holds (schema/part.h); missing where it is all
//   site     16 bytes id, 2 bytes incarnation: this replica as a writer; missing in a copy made by
//            Backup or Clone
//   home     16 bytes: the identity of the directory (Env::DirectoryIdentity) that the site writes
//            in; in another directory it is a copy, and a copy writes as a site of its own
//   clock    8 bytes: no stamp given out so far is greater; moved on by steps, so that few commits
//            carry it
//   peer..   by 16 bytes of another replica: what it is known to have applied (crdt/stability.h)
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "crdt/stability.h"
#include "db/read_view.h"
#include "schema/part.h"
#include "trefoil/result.h"

namespace trefoil::db {

// The replica as a writer. The incarnation rises when the last close was not clean, so that a dot
// that was given out and lost is never given to another transaction.
struct SiteIdentity {
  std::array<char, 16> id{};
  std::uint16_t incarnation = 0;

  friend bool operator==(const SiteIdentity&, const SiteIdentity&) = default;
};

// The newest that is read.
inline constexpr std::uint32_t kDatabaseFormat = 2;
// What is written, so that a Trefoil that knows of no parts does not take one for the whole.
inline std::uint32_t FormatOf(const schema::Part& part) {
  return part.is_whole() ? 1 : kDatabaseFormat;
}

inline constexpr char kMetaFormat[] = "format";
inline constexpr char kMetaPart[] = "part";
inline constexpr char kMetaSite[] = "site";
inline constexpr char kMetaHome[] = "home";
inline constexpr char kMetaClock[] = "clock";
inline constexpr char kMetaPeer[] = "peer";

std::string EncodeFormat(std::uint32_t format);
std::string EncodeSite(const SiteIdentity& site);
std::string EncodeTime(std::uint64_t time);

struct Meta {
  std::uint32_t format = 0;  // 0: nothing was ever written
  schema::Part part = {};
  SiteIdentity site;
  std::string home;  // empty: not known
  std::uint64_t reserved_time = 0;
};
// Error: kCorruption.
Result<Meta> ReadMetaFrom(const ReadView& view);
// What is known of other replicas. Error: kCorruption.
Result<crdt::Peers> ReadPeers(const ReadView& view);

}  // namespace trefoil::db
