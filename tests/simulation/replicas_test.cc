// Three replicas in one thread live through random scripts: writes of every kind on a tiny key
// space, messages that are lost, repeated, reordered, delayed and damaged, crashes and skewed
// clocks. Whatever happens, these hold:
//
//   - equal version vectors mean equal digests, at every moment and on every replica
//   - two columns that are always written together as (v, -v) are never seen mixed
//   - the sum of all deltas equals a fresh scan, and the store checks sound
//   - a damaged changeset is refused and changes nothing
//   - in the end all agree, as does a new replica that receives everything at once
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "tests/support/replica.h"
#include "tests/support/seed.h"

namespace trefoil::testing {
namespace {

constexpr std::size_t kReplicas = 3;
constexpr std::int64_t kRows = 3;
constexpr int kSteps = 40;

struct Message {
  std::size_t to = 0;
  std::string bytes;
};

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed) : random_(seed) {
    for (std::size_t i = 0; i < kReplicas; ++i) {
      replicas_.push_back(std::make_unique<Replica>(random_.Next()));
    }
    replicas_[0]->DeclareTable();
    if (random_.OneIn(2)) {  // the others did the same on their own, or receive it
      for (std::size_t i = 1; i < kReplicas; ++i) replicas_[i]->DeclareTable();
    }
  }

  void Run() {
    for (int step = 0; step < kSteps && !::testing::Test::HasFailure(); ++step) Step();
    Converge();
  }

 private:
  Replica& Any() { return *replicas_[random_.Uniform(kReplicas)]; }

  void Step() {
    const std::uint64_t dice = random_.Uniform(100);
    if (dice < 55) {
      Write(Any());
    } else if (dice < 75) {
      Send();
    } else if (dice < 92) {
      Receive();
    } else if (dice < 95) {
      Any().Crash(random_.Next());
    } else {
      Any().clock().Advance(random_.Uniform(400'000'000));
    }
    Compare(Any());
  }

  static std::vector<db::FieldEdit> Pair(std::int64_t v) {
    return {{.attribute = AttributeId{kA}, .value = Value::Int(v)},
            {.attribute = AttributeId{kB}, .value = Value::Int(-v)}};
  }

  void Write(Replica& replica) {
    if (replica.engine().schema()->FindType("t") == nullptr) return;
    const std::int64_t id = random_.Between(1, kRows);
    const std::int64_t value = random_.Between(0, 3);
    const bool exists = replica.Row(id).has_value();
    if (!exists) {
      replica.Insert(id, Pair(value));
      return;
    }
    switch (random_.Uniform(9)) {
      case 0:
        replica.Delete(id);
        break;
      case 1:
        replica.Update(id, {{.attribute = AttributeId{kName}}});  // NULL
        break;
      case 2:
        replica.Set(id, kName, value);
        break;
      case 3:
        replica.Set(id, kMany, value);
        break;
      case 4:
        random_.OneIn(2) ? replica.Add(id, kCount, value) : replica.Remove(id, kCount, value);
        break;
      case 5:
        random_.OneIn(3) ? replica.Remove(id, kTags, value) : replica.Add(id, kTags, value);
        break;
      case 6:
        replica.Set(id, random_.OneIn(2) ? kHigh : kLow, value);
        break;
      default:
        replica.Update(id, Pair(value));
    }
  }

  void Send() {
    Replica& from = Any();
    const std::size_t to = random_.Uniform(kReplicas);
    const bool all = random_.OneIn(4);
    messages_.push_back(
        {to, from.Changes(all ? VersionVector() : replicas_[to]->database().version_vector())});
  }

  // Takes any message; it may come again, or come damaged.
  void Receive() {
    if (messages_.empty()) return;
    const std::size_t place = random_.Uniform(messages_.size());
    Message& message = messages_[place];
    Replica& to = *replicas_[message.to];
    if (random_.OneIn(8)) {
      std::string damaged = message.bytes;
      char& byte = damaged[random_.Uniform(damaged.size())];
      byte = static_cast<char>(byte ^ 1 << random_.Uniform(8));
      const std::string before = to.Hex();
      ASSERT_FALSE(to.database().Merge(damaged));
      ASSERT_EQ(to.Hex(), before);
    } else {
      to.Merge(message.bytes);
    }
    if (!random_.OneIn(3)) messages_.erase(messages_.begin() + static_cast<std::ptrdiff_t>(place));
  }

  void Compare(Replica& replica) {
    const std::string vector = replica.database().version_vector().bytes();
    const std::string digest = replica.Hex();
    const auto [known, added] = digests_.emplace(vector, digest);
    ASSERT_EQ(known->second, digest) << "two states of one version vector";
  }

  void Converge() {
    for (const auto& replica : replicas_) replica->clock().Advance(1'000'000'000'000);
    for (std::size_t round = 0; round < 2; ++round) {
      for (std::size_t i = 1; i < kReplicas; ++i) Sync(*replicas_[i - 1], *replicas_[i]);
    }
    Sync(*replicas_[0], *replicas_[1]);
    Replica fresh(random_.Next());
    fresh.clock().Advance(1'000'000'000'000);
    fresh.Merge(replicas_[random_.Uniform(kReplicas)]->Changes());
    for (const auto& replica : replicas_) {
      ASSERT_EQ(replica->database().version_vector(), fresh.database().version_vector());
      ASSERT_EQ(replica->Hex(), fresh.Hex());
      replica->CheckSound();
    }
    fresh.CheckSound();
  }

  Random random_;
  std::vector<std::unique_ptr<Replica>> replicas_;
  std::deque<Message> messages_;
  std::map<std::string, std::string> digests_;
};

TEST(ReplicasTest, ConvergeWhateverHappens) {
  Random seeds(TestSeed());
  const int scripts = static_cast<int>(6 * TestScale());
  for (int i = 0; i < scripts && !HasFailure(); ++i) {
    const std::uint64_t seed = seeds.Next();
    SCOPED_TRACE("script " + std::to_string(i) + " with seed " + std::to_string(seed));
    Simulation(seed).Run();
  }
}

}  // namespace
}  // namespace trefoil::testing
