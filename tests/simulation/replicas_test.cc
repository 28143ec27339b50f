// Merging under everything that a network, a disk and a user do to it (world.h). A script is one
// episode; a world is remade after some, so that a seed repeats a failure within a second.
//
// The program also runs with bugs planted in the product (tests/CMakeLists.txt, mutants/): each
// must make an oracle speak.
#include <gtest/gtest.h>

#include <cstdio>

#include "base/random.h"
#include "tests/simulation/world.h"
#include "tests/support/seed.h"

namespace trefoil::testing {
namespace {

constexpr int kEpisodesOfAWorld = 20;

// Scripts of one test; the whole run is kShards times as many.
constexpr int kShards = 4;
constexpr int kScriptsOfAShard = TREFOIL_SIMULATION_SCRIPTS / kShards;

void RunWorlds(std::uint64_t shard) {
  Random seeds(TestSeed() + shard);
  const int scripts = static_cast<int>(kScriptsOfAShard * TestScale());
  int done = 0;
  while (done < scripts && !::testing::Test::HasFailure()) {
    const std::uint64_t seed = seeds.Next();
    SCOPED_TRACE("world with seed " + std::to_string(seed));
    World world(seed);
    for (int i = 0; i < kEpisodesOfAWorld && done < scripts; ++i, ++done) {
      world.RunEpisode();
      ASSERT_EQ(world.failure(), "") << "in script " << i << " of the world";
    }
  }
  std::printf("%d scripts\n", done);
}

TEST(ReplicasTest, ConvergeWhateverHappensInTheFirstQuarter) { RunWorlds(0); }
TEST(ReplicasTest, ConvergeWhateverHappensInTheSecondQuarter) { RunWorlds(1); }
TEST(ReplicasTest, ConvergeWhateverHappensInTheThirdQuarter) { RunWorlds(2); }
TEST(ReplicasTest, ConvergeWhateverHappensInTheFourthQuarter) { RunWorlds(3); }

// The power goes at every single event of a history of local writes and merges, one after the
// other: the replica comes back with everything it had told, and agrees with its peer again.
TEST(ReplicasTest, ComeBackFromACrashAtEveryEvent) {
  const std::uint64_t seed = TestSeed();
  bool finished = false;
  std::uint64_t events = 0;
  for (std::uint64_t event = 1; !finished && !HasFailure(); ++event) {
    SCOPED_TRACE("crash at event " + std::to_string(event));
    Replica peer(seed);
    Replica crashing(seed + 1);
    peer.DeclareTable();
    peer.Insert(1);
    crashing.Merge(peer.Changes());
    const std::uint64_t before = crashing.env().events();
    crashing.PowerOffAfter(event);
    std::string told;
    for (int i = 0; i < 3 && !crashing.env().is_off(); ++i) {
      crashing.Add(1, kCount, 1);
      const Result<std::string> changes = crashing.database().Changes({});
      if (changes) told = *changes;
      peer.Add(1, kCount, 10);
      const Result<MergeSummary> merged = crashing.database().Merge(peer.Changes());
      EXPECT_TRUE(merged || crashing.env().is_off());
    }
    finished = !crashing.env().is_off();
    events = crashing.env().events() - before;
    crashing.Crash(seed + event);
    crashing.Add(1, kCount, 100);
    if (!told.empty()) peer.Merge(told);
    Sync(crashing, peer);
    ASSERT_EQ(crashing.database().version_vector(), peer.database().version_vector());
    ASSERT_EQ(crashing.Hex(), peer.Hex());
    ASSERT_EQ(crashing.Get(1, kCount), peer.Get(1, kCount));
    crashing.CheckSound();
  }
  RecordProperty("events", static_cast<int>(events));
}

}  // namespace
}  // namespace trefoil::testing
