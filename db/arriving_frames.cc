#include "db/arriving_frames.h"

#include <memory>
#include <optional>
#include <utility>

#include "base/coding.h"
#include "base/errors.h"
#include "base/str_cat.h"
#include "schema/key_codec.h"
#include "schema/keys.h"

namespace trefoil::db {

using crdt::Dot;

namespace {

std::string SiteBytes(const Dot& dot) {
  std::string site;
  crdt::AppendSite(site, dot.site);
  return site;
}

std::string PrefixOf(const Dot& dot) {
  const std::string site = SiteBytes(dot);
  return schema::PiecePrefix(Slice(site), dot.sequence);
}

Error BadEntry() {
  return Corruption("a stored piece of a transaction does not read", "run `trefoil check`");
}

struct Entry {
  Dot dot;
  std::uint64_t offset = 0;
  std::uint64_t frame_bytes = 0;
  Slice bytes = {};
};

bool ParseEntry(Slice key, Slice value, Entry* entry) {
  key.RemovePrefix(1);
  if (!crdt::TakeSite(key, &entry->dot.site)) return false;
  const std::optional<std::uint64_t> sequence = ReadBigEndian64(key);
  const std::optional<std::uint64_t> offset = sequence ? ReadBigEndian64(key) : std::nullopt;
  const std::optional<std::uint64_t> frame_bytes = ReadVarint(value);
  if (!offset || !key.empty() || !frame_bytes) return false;
  entry->dot.sequence = *sequence;
  entry->offset = *offset;
  entry->frame_bytes = *frame_bytes;
  entry->bytes = value;
  return true;
}

lsm::KeyRange AllPieces(const std::string& prefix) {
  return {.start = prefix, .limit = schema::PrefixLimit(prefix)};
}

}  // namespace

Result<ArrivingFrames> ArrivingFrames::Read(const ReadView& view) {
  ArrivingFrames arriving;
  const std::unique_ptr<lsm::Iterator> entries =
      view.NewIterator(AllPieces(std::string(1, schema::kPieceSpace)));
  for (entries->SeekToFirst(); entries->Valid(); entries->Next()) {
    Entry entry;
    if (!ParseEntry(entries->key(), entries->value(), &entry)) return BadEntry();
    Stored& stored = arriving.frames_[entry.dot];
    if (entry.offset != stored.bytes) return BadEntry();
    stored.frame_bytes = entry.frame_bytes;
    stored.bytes += entry.bytes.size();
  }
  if (Status status = entries->status(); !status) return std::move(status).error();
  return arriving;
}

crdt::Arriving ArrivingFrames::Progress(const crdt::Heads& heads) const {
  crdt::Arriving progress;
  for (const auto& [dot, stored] : frames_) {
    if (dot.sequence > crdt::HeadOf(heads, dot.site)) progress.emplace(dot, stored.bytes);
  }
  return progress;
}

Status ArrivingFrames::Add(const crdt::Piece& piece, NewPiecesByDot* news) const {
  const auto [at, is_first] = news->try_emplace(piece.dot);
  NewPieces& pieces = at->second;
  if (is_first) {
    const auto stored = frames_.find(piece.dot);
    pieces.frame_bytes = piece.frame_bytes;
    // Stored under another size: cut to another part, or one of the two is none. Put begins anew,
    // and the frame's checksum will tell.
    const bool goes_on = stored != frames_.end() && stored->second.frame_bytes == piece.frame_bytes;
    pieces.start = goes_on ? stored->second.bytes : 0;
  }
  if (pieces.frame_bytes != piece.frame_bytes) {
    return Corruption(StrCat("transaction ", piece.dot.sequence, " of a replica has ",
                             pieces.frame_bytes, " and ", piece.frame_bytes, " bytes"),
                      "fetch the changes again");
  }
  const std::uint64_t have = pieces.start + pieces.bytes.size();
  const std::uint64_t end = piece.offset + piece.bytes.size();
  if (piece.offset <= have && have < end) {
    pieces.bytes.append(piece.bytes.Without(have - piece.offset).view());
  }
  return Ok();
}

Result<std::string> ArrivingFrames::Join(const ReadView& view, const Dot& dot,
                                         const NewPieces& news) {
  std::string frame;
  if (news.start > 0) {
    const std::unique_ptr<lsm::Iterator> entries = view.NewIterator(AllPieces(PrefixOf(dot)));
    for (entries->SeekToFirst(); entries->Valid(); entries->Next()) {
      Entry entry;
      if (!ParseEntry(entries->key(), entries->value(), &entry)) return BadEntry();
      frame.append(entry.bytes.view());
    }
    if (Status status = entries->status(); !status) return std::move(status).error();
    if (frame.size() != news.start) return BadEntry();
  }
  return frame.append(news.bytes);
}

void ArrivingFrames::Put(const NewPiecesByDot& news, const crdt::Heads& heads, WriteSet& writes,
                         std::vector<lsm::KeyRange>* dropped) {
  const auto is_through = [&](const Dot& dot) {
    const auto found = news.find(dot);
    return dot.sequence <= crdt::HeadOf(heads, dot.site) ||
           (found != news.end() && found->second.is_whole());
  };
  std::uint64_t total = 0;
  for (auto at = frames_.begin(); at != frames_.end();) {
    total += at->second.bytes;
    if (!is_through(at->first)) {
      ++at;
      continue;
    }
    dropped->push_back(AllPieces(PrefixOf(at->first)));
    at = frames_.erase(at);
  }
  for (const auto& [dot, pieces] : news) {
    if (is_through(dot)) continue;
    const auto stored = frames_.find(dot);
    if (stored != frames_.end() && stored->second.frame_bytes != pieces.frame_bytes) {
      dropped->push_back(AllPieces(PrefixOf(dot)));
      frames_.erase(stored);
    }
    if (pieces.bytes.empty()) continue;
    total += pieces.bytes.size();
    if (total > kBytesMax) return;
    if (pieces.start == 0) dropped->push_back(AllPieces(PrefixOf(dot)));
    const std::string site = SiteBytes(dot);
    const std::string key = schema::PieceKey(Slice(site), dot.sequence, pieces.start);
    std::string value;
    AppendVarint(value, pieces.frame_bytes);
    value.append(pieces.bytes);
    writes.Put(Slice(key), Slice(value));
    frames_[dot] = {.frame_bytes = pieces.frame_bytes, .bytes = pieces.start + pieces.bytes.size()};
  }
}

}  // namespace trefoil::db
