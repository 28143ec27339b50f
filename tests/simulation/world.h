// A world of three replicas, or of two and two of one part of them (decision 0133), in one thread,
// driven by one seed. It lives through episodes: a dozen random steps, after which everything is
// delivered and all must agree. The next episode begins with what the one before left, marks of
// deletions and clocks included.
//
// Steps: writes of every kind on a hot, tiny key space; messages that are dropped, repeated,
// reordered, delayed, cut into parts, damaged or stopped by a partition; clocks that jump and
// differ; restarts; crashes at any event of the disk; clones; restores of old backups; columns
// declared later; transactions that leave the log, so that others are given a state.
//
// Oracles, each with the name under which it reports (Fail):
//   digest     equal version vectors have equal digests, at every moment and on every replica;
//   those
//              of a part are that of the same part of a whole one
//   replay     what a replica shows is the serial replay of what it has applied (replay_model.h)
//   pair       two columns that are always written together as (v, -v) are never seen mixed
//   delta      the sum of all deltas is a fresh scan, and a live query is a fresh query
//   idle       merging what is known writes nothing and makes no version
//   damage     a damaged changeset is refused and changes nothing
//   dot        a dot that left a replica names one transaction for ever, and is never lost
//   converge   in the end all agree
//   sound      the store checks sound
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "tests/simulation/replay_model.h"
#include "tests/support/replica.h"

namespace trefoil::testing {

class World {
 public:
  explicit World(std::uint64_t seed);

  // One script. Ends early when an oracle fails.
  void RunEpisode();

  // "oracle NAME: what"; empty while all hold.
  const std::string& failure() const { return failure_; }

 private:
  struct Message {
    std::size_t from = 0;
    std::size_t to = 0;
    std::string bytes;
  };

  static constexpr std::size_t kWholeReplicas = 2;  // of a world with parts: the first ones
  static constexpr std::size_t kReplicasMax = 4;

  std::size_t AnyOf(std::size_t count) { return static_cast<std::size_t>(random_.Uniform(count)); }
  std::size_t AnyReplica() { return AnyOf(replicas_.size()); }
  std::size_t AnyBut(std::size_t at) {
    return (at + 1 + AnyOf(replicas_.size() - 1)) % replicas_.size();
  }
  bool has_parts() const { return !part_.is_whole(); }
  void Fail(const char* oracle, const std::string& what);

  void Step();
  void Write(std::size_t at);
  void WriteRow(Replica& replica, std::int64_t id);
  void MoveRow(Replica& replica, std::int64_t id);
  void WriteCount(Replica& replica, std::int64_t id, std::int64_t by);
  void Send();
  void Receive();
  void Deliver(const Message& message);
  void Disturb();
  void Crash(std::size_t at);
  void CrashOnALyingDisk(std::size_t at);
  void Copy(std::size_t at);
  void Collect(std::size_t at);
  void JoinState(std::size_t from, std::size_t to);
  void Widen(std::size_t at);

  void CompareDigest(std::size_t at);
  void CompareDigest(std::size_t at, const Part& part);
  ModelRows ModelOf(std::size_t at);
  void CheckReplica(std::size_t at);
  void Harvest(std::size_t at);
  void Converge();

  Random random_;
  bool may_crash_;  // else replicas may be copied
  Part part_;       // of the replicas behind the whole ones
  std::vector<std::unique_ptr<Replica>> replicas_;
  std::array<std::optional<std::string>, kReplicasMax> backups_;
  bool lied_[kReplicasMax] = {};  // the disk of this replica
  bool cut_[kReplicasMax][kReplicasMax] = {};
  std::deque<Message> messages_;
  std::map<std::string, std::string> digests_;  // by vector
  Frames frames_;                               // all that ever left a replica
  std::map<crdt::Dot, std::string> bytes_;      // of these
  Increments increments_;
  std::string failure_;
  int copies_ = 0;
};

}  // namespace trefoil::testing
