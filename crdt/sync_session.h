// SyncSession: the talk of two replicas over one connection, as a state machine without I/O. It is
// told what arrives and what this replica has applied, and says what to send and what to merge; who
// owns it moves the bytes and calls the database. Both sides run the same machine.
//
//   both     -> hello(protocol, known)
//   a side   -> changes(changeset), whenever it has applied what the other neither has nor was sent
//   a side   -> ack(known), after each merge
//
//   message  kind 1 | hello: protocol varint, known | changes: changeset | ack: known
//
// The transport keeps the borders and the order of messages. When a connection breaks, its session
// is thrown away; the hello of the next one says where to go on, if need be in the middle of a
// transaction. I1: nothing is sent twice within a
// session; what the other side could not apply yet waits there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "crdt/version_vector.h"
#include "trefoil/result.h"
#include "trefoil/slice.h"

namespace trefoil::crdt {

// 2 is spoken by replicas of a part, so that one that knows of no parts refuses them.
inline constexpr std::uint64_t kSyncProtocol = 2;

// One thread at a time.
class SyncSession {
 public:
  // The first message to send.
  std::string Hello(const Known& own) const;

  // Takes a message of the other side. Returns the changeset to merge, if it is one; it points into
  // `message`. Errors: kCorruption, kNewerFormat; the connection is then to be closed.
  Result<std::optional<Slice>> Receive(Slice message);

  // What the other side is known or was sent to have, if `own` holds more: send it the changes
  // since then. Nothing before its hello.
  std::optional<Known> Owed(const Heads& own) const;
  // The message for a changeset after which the other side has `covered`, asked for with Owed.
  std::string Changes(Slice changeset, const Known& covered);
  // The message that says what was applied.
  std::string Ack(const Known& own) const;

  // What the other side has confirmed.
  const Heads& confirmed() const { return confirmed_; }

 private:
  bool greeted_ = false;
  Heads confirmed_;
  Known sent_;  // confirmed, or on the way
};

}  // namespace trefoil::crdt
