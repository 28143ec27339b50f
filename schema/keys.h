// The keys of the store, by keyspace (their first byte). Facts of one attribute lie together in
// the order of their subjects, so a scan of an attribute is a columnar scan; attribute 0 is the row
// cell, which says that the row exists.
//
//   T type, attribute, subject [, element]   a fact -> cell
//   I index, columns, subject                an index entry -> covered columns, or empty
//   L site ordinal, sequence 8               log frame of a transaction
//   S site ordinal                           a site: identity, where its log begins
//   P site bytes, sequence 8                 a transaction that waits for others -> log frame
//   Q site bytes, sequence 8, offset 8       a piece of a transaction -> bytes of its frame
//   V version 8                              commit record
//   M name                                   what the database says of itself
//
// Ids are varints, fixed-size numbers are big-endian. Only the entries named here exist.
#pragma once

#include <cstdint>
#include <string>

#include "schema/schema.h"
#include "trefoil/slice.h"
#include "trefoil/version.h"

namespace trefoil::schema {

inline constexpr char kFactSpace = 'T';
inline constexpr char kIndexSpace = 'I';
inline constexpr char kLogSpace = 'L';
inline constexpr char kSiteSpace = 'S';
inline constexpr char kPendingSpace = 'P';
inline constexpr char kPieceSpace = 'Q';
inline constexpr char kCommitSpace = 'V';
inline constexpr char kMetaSpace = 'M';

// The attribute that holds the row cell.
inline constexpr AttributeId kRowCell{0};

// [T, type, attribute]: what all facts of one attribute begin with.
std::string FactPrefix(TypeId type, AttributeId attribute);
std::string FactKey(TypeId type, AttributeId attribute, Slice subject);
// [T, type]: what all facts of one type begin with.
std::string TypePrefix(TypeId type);
// [I, index].
std::string IndexPrefix(IndexId index);
// [L, site]: what all frames of one site begin with.
std::string LogPrefix(std::uint32_t site_ordinal);
std::string LogKey(std::uint32_t site_ordinal, std::uint64_t sequence);
std::string SiteKey(std::uint32_t site_ordinal);
std::string PendingKey(Slice site, std::uint64_t sequence);
// [Q, site, sequence]: what all pieces of one transaction begin with.
std::string PiecePrefix(Slice site, std::uint64_t sequence);
std::string PieceKey(Slice site, std::uint64_t sequence, std::uint64_t offset);
std::string CommitKey(Version version);
std::string MetaKey(std::string_view name);

// A fact's key taken apart; the subject (and element) borrows from it.
struct FactName {
  TypeId type{};
  AttributeId attribute{};
  Slice subject;
};
// False when `key` is not the key of a fact.
bool ParseFactKey(Slice key, FactName* name);
// False when `key` is not the key of a commit record.
bool ParseCommitKey(Slice key, Version* version);

// Length of the leading bytes that name a group of keys scanned together: [T, type, attribute],
// [I, index], or the keyspace alone.
std::size_t GroupSize(Slice key);

}  // namespace trefoil::schema
