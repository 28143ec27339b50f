#include "crdt/sync_session.h"

#include <utility>

#include "base/coding.h"
#include "base/errors.h"
#include "base/str_cat.h"
#include "crdt/changeset.h"

namespace trefoil::crdt {

namespace {

enum MessageKind : unsigned char { kHello = 1, kChanges = 2, kAck = 3 };

std::string Message(MessageKind kind) { return std::string(1, static_cast<char>(kind)); }

Error Bad(const char* what) {
  return Corruption(StrCat("sync: ", what), "close the connection and begin again");
}

}  // namespace

std::string SyncSession::Hello(const Known& own) const {
  std::string message = Message(kHello);
  AppendVarint(message, own.part.is_whole() ? 1 : kSyncProtocol);
  return message + EncodeKnown(own);
}

Result<std::optional<Slice>> SyncSession::Receive(Slice message) {
  if (message.empty()) return Bad("an empty message");
  const unsigned char kind = message[0];
  message.RemovePrefix(1);
  if (kind == kHello) {
    if (greeted_) return Bad("a second hello");
    const std::optional<std::uint64_t> protocol = ReadVarint(message);
    if (!protocol) return Bad("a hello without protocol");
    if (*protocol > kSyncProtocol) {
      return MakeError(ErrorCode::kNewerFormat,
                       StrCat("sync: the other replica speaks protocol ", *protocol,
                              ", this one up to ", kSyncProtocol),
                       "update this replica");
    }
  } else if (!greeted_) {
    return Bad("a message before the hello");
  } else if (kind == kChanges) {
    Result<ChangesetHeader> header = DecodeChangesetHeader(message);
    if (!header) return std::move(header).error();
    // What the other side sends it has; it is not sent back.
    JoinHeads(confirmed_, header->heads);
    JoinKnown(sent_, header->known());
    return std::optional<Slice>(message);
  } else if (kind != kAck) {
    return Bad("a message of no known kind");
  }
  const Result<Known> known = DecodeKnown(message);
  if (!known) return known.error();
  if (!std::exchange(greeted_, true)) sent_.part = known->part;
  JoinHeads(confirmed_, known->heads);
  JoinKnown(sent_, *known);
  return std::optional<Slice>();
}

std::optional<Known> SyncSession::Owed(const Heads& own) const {
  if (!greeted_ || Covers(sent_.heads, own)) return std::nullopt;
  return sent_;
}

std::string SyncSession::Changes(Slice changeset, const Known& covered) {
  JoinKnown(sent_, covered);
  return Message(kChanges).append(changeset.view());
}

std::string SyncSession::Ack(const Known& own) const { return Message(kAck) + EncodeKnown(own); }

}  // namespace trefoil::crdt
