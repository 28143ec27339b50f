// What merges bring about and no replica would do alone: constraints that do not hold, listed in
// sys.violation, and concurrent values of an MV column, seen by conflicts(); both once and live.
#include "db/violations.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "tests/support/seed.h"
#include "trefoil/change.h"
#include "trefoil/database.h"

namespace trefoil {
namespace {

constexpr const char* kTables =
    "TABLE team (id INT KEY, name TEXT);"
    "TABLE person (id INT KEY, email TEXT UNIQUE, team REF team, boss REF person INDEX,"
    "              low INT CHECK (low <= high), high INT, nick MV TEXT, teams SET REF team)";
constexpr const char* kListing =
    "SELECT constraint, type_name, column, key, value, owner FROM sys.violation";

// A replica with a live copy of kListing, or of another query.
class Peer {
 public:
  explicit Peer(std::int64_t start_micros, const char* query = kListing)
      : clock_(start_micros), database_(Open(&clock_)), query_(query) {
    Run(kTables);
  }

  void Run(std::string_view script) {
    clock_.Advance(1000);
    const Result<ExecuteSummary> done = database_.Execute(script);
    ASSERT_TRUE(done.has_value()) << script << ToString(done.error());
  }
  // A row that a merge left broken takes no change that does not mend it.
  void RunUnlessBroken(std::string_view script) {
    clock_.Advance(1000);
    const Result<ExecuteSummary> done = database_.Execute(script);
    if (!done && done.error().code == ErrorCode::kCheckViolation) return;
    ASSERT_TRUE(done.has_value()) << script << ToString(done.error());
  }
  void Watch() {
    Result<Subscription> watched =
        database_.Watch(*database_.Prepare(query_), {}, [this](const Change& change) {
          if (change.reset) live_.clear();
          Apply(change, live_);
        });
    ASSERT_TRUE(watched.has_value()) << ToString(watched.error());
    subscription_ = *std::move(watched);
  }
  void MergeFrom(Peer& other) {
    const Result<std::string> changes = other.database_.Changes(database_.version_vector());
    ASSERT_TRUE(changes.has_value());
    const Result<MergeSummary> merged = database_.Merge(*changes);
    ASSERT_TRUE(merged.has_value()) << ToString(merged.error());
  }

  std::string Ask(std::string_view text) {
    const Result<Query> query = database_.Prepare(text);
    if (!query) return query.error().message;
    return database_.snapshot().Run(*query)->ToJson();
  }
  std::string Fresh() { return Ask(query_); }
  std::string Live() const {
    std::string text = "[";
    for (const Row& row : live_) text += (text.size() > 1 ? "," : "") + row.ToJson();
    return text + "]";
  }

 private:
  static Database Open(Clock* clock) {
    Options options;
    options.clock = clock;
    return *Database::Open(":memory:", options);
  }

  ManualClock clock_;
  Database database_;
  std::string query_;
  std::vector<Row> live_;
  Subscription subscription_;
};

class ViolationsTest : public ::testing::Test {
 protected:
  void Begin() {
    a.Run("INSERT INTO team VALUES (1, 'red'), (2, 'blue')");
    Exchange();
    a.Watch();
    b.Watch();
  }
  void Exchange() {
    a.MergeFrom(b);
    b.MergeFrom(a);
  }
  // Both sides list the same, once and live.
  void ExpectListed(const std::string& rows) {
    EXPECT_EQ(a.Fresh(), rows);
    EXPECT_EQ(b.Fresh(), rows);
    EXPECT_EQ(a.Live(), rows);
    EXPECT_EQ(b.Live(), rows);
  }

  Peer a{1'700'000'000'000'000};
  Peer b{1'700'000'000'500'000};
};

TEST_F(ViolationsTest, TheEarliestClaimantOwnsAUniqueValueAndTheOthersAreListed) {
  Begin();
  a.Run("INSERT INTO person {id: 2, email: 'x'}");
  b.Run("INSERT INTO person {id: 1, email: 'x'}");
  b.Run("INSERT INTO person {id: 3, email: 'y'}");
  Exchange();
  ExpectListed(
      R"([{"constraint":"unique","type_name":"person","column":"email","key":"1","value":"x","owner":"2"}])");
  b.Run("UPDATE person SET email = 'z' WHERE id = 1");
  EXPECT_EQ(b.Live(), "[]") << "an ordinary transaction settles it";
  Exchange();
  ExpectListed("[]");
}

TEST_F(ViolationsTest, AClaimThatIsWrittenAgainLaterLosesItsOwnership) {
  a.Run("INSERT INTO person {id: 1, email: 'x'}");
  Begin();
  a.Run("UPDATE person SET email = 'y' WHERE id = 1");
  a.Run("INSERT INTO person {id: 2, email: 'x'}");
  b.Run("UPDATE person SET email = 'x' WHERE id = 1");
  Exchange();
  ExpectListed(
      R"([{"constraint":"unique","type_name":"person","column":"email","key":"1","value":"x","owner":"2"}])");
}

TEST_F(ViolationsTest, AClaimOfTheSameValueThatArrivesWithALaterStampLosesItsOwnership) {
  Peer c{1'700'000'000'700'000};
  a.Run("INSERT INTO person {id: 1, email: 'x'}");
  b.MergeFrom(a);
  c.Run("INSERT INTO person {id: 2, email: 'x'}");
  for (int i = 0; i < 900; ++i) b.Run("UPDATE person SET low = 1 WHERE id = 1");
  b.Run("UPDATE person SET email = 'x' WHERE id = 1");
  a.MergeFrom(c);
  a.Watch();
  EXPECT_NE(a.Live().find(R"("key":"2","value":"x","owner":"1")"), std::string::npos) << a.Live();
  a.MergeFrom(b);
  EXPECT_NE(a.Live().find(R"("key":"1","value":"x","owner":"2")"), std::string::npos) << a.Live();
  EXPECT_EQ(a.Live(), a.Fresh());
}

TEST_F(ViolationsTest, AReferenceToARowThatTheOtherSideDeletedIsListedAndReadsAsNull) {
  Begin();
  a.Run("INSERT INTO person {id: 1, team: 1}");
  b.Run("DELETE FROM team WHERE id = 1");
  Exchange();
  ExpectListed(
      R"([{"constraint":"reference","type_name":"person","column":"team","key":"1","value":1,"owner":null}])");
  EXPECT_EQ(a.Ask("SELECT team.name AS n FROM person"), R"([{"n":null}])");
  b.Run("INSERT INTO team VALUES (1, 'again')");
  Exchange();
  ExpectListed("[]");
}

TEST_F(ViolationsTest, ARowThatGoesIsMissedByThoseThatReferToIt) {
  Begin();
  a.Run("INSERT INTO person {id: 1}, {id: 2, boss: 1, teams: [1, 2]}");
  Exchange();
  ExpectListed("[]");
  a.Run("DELETE FROM person WHERE id = 1");
  b.Run("DELETE FROM team WHERE id = 2");
  Exchange();
  ExpectListed(
      R"([{"constraint":"reference","type_name":"person","column":"boss","key":"2","value":1,"owner":null},)"
      R"({"constraint":"reference","type_name":"person","column":"teams","key":"2","value":2,"owner":null}])");
}

TEST_F(ViolationsTest, AConditionThatTwoSidesBreakTogetherIsListed) {
  a.Run("INSERT INTO person {id: 1, low: 1, high: 5}");
  Begin();
  a.Run("UPDATE person SET low = 4 WHERE id = 1");
  b.Run("UPDATE person SET high = 2 WHERE id = 1");
  Exchange();
  ExpectListed(
      R"([{"constraint":"check","type_name":"person","column":"low","key":"1","value":4,"owner":null}])");
}

TEST_F(ViolationsTest, AMissingValueIsListedWhereTheColumnIsDeclaredNotNull) {
  Begin();
  a.Run("TABLE team (id INT KEY, name TEXT, city TEXT)");
  b.Run("TABLE team (id INT KEY, name TEXT NOT NULL)");
  a.Run("INSERT INTO team {id: 3}");
  b.MergeFrom(a);
  const std::string listed =
      R"([{"constraint":"not null","type_name":"team","column":"name","key":"3","value":null,"owner":null}])";
  EXPECT_EQ(b.Fresh(), listed);
  EXPECT_EQ(b.Live(), listed);
}

TEST_F(ViolationsTest, TheLiveListingIsTheFreshOneWhateverIsMerged) {
  Begin();
  Random random(testing::TestSeed());
  const auto id = [&] { return std::to_string(random.Between(1, 4)); };
  for (int step = 0; step < 200 * testing::TestScale() && !HasFailure(); ++step) {
    Peer& at = random.OneIn(2) ? a : b;
    const std::string key = id();
    const std::string other = id();
    switch (random.Uniform(8)) {
      case 0:
        at.Run("UPSERT INTO team VALUES (" + key + ", 't')");
        break;
      case 1:
        at.Run("DELETE FROM team WHERE id = " + key);
        break;
      case 2:
        at.Run("DELETE FROM person WHERE id = " + key);
        break;
      case 3:
        at.Run("UPSERT INTO person {id: " + key + ", low: 2, high: 7}");
        break;
      case 4:
        at.RunUnlessBroken("UPDATE person SET email = 'e" + key + other + "' WHERE id = " + key +
                           " AND NOT EXISTS (SELECT 1 FROM person p WHERE p.email = 'e" + key +
                           other + "')");
        at.RunUnlessBroken("UPDATE person SET email = 'e' WHERE id = " + key +
                           " AND NOT EXISTS (SELECT 1 FROM person p WHERE p.email = 'e')");
        break;
      case 5:
        at.RunUnlessBroken("UPDATE person SET team = " + other + ", teams += " + other +
                           " WHERE id = " + key +
                           " AND EXISTS (SELECT 1 FROM team t WHERE t.id = " + other + ")");
        break;
      case 6:
        at.RunUnlessBroken("UPDATE person SET boss = " + other + " WHERE id = " + key +
                           " AND EXISTS (SELECT 1 FROM person p WHERE p.id = " + other + ")");
        break;
      default:
        at.Run("UPDATE person SET low = 6 WHERE id = " + key + " AND high >= 6");
        at.Run("UPDATE person SET high = 3 WHERE id = " + other + " AND low <= 3");
    }
    if (random.OneIn(3)) a.MergeFrom(b);
    if (random.OneIn(3)) b.MergeFrom(a);
    ASSERT_EQ(a.Live(), a.Fresh());
    ASSERT_EQ(b.Live(), b.Fresh());
  }
  Exchange();
  EXPECT_EQ(a.Fresh(), b.Fresh());
}

class ConflictsTest : public ::testing::Test {
 protected:
  static constexpr const char* kNicks = "SELECT id, conflicts(nick) AS all FROM person";

  void Meet() {
    a.MergeFrom(b);
    b.MergeFrom(a);
  }

  Peer a{1'700'000'000'000'000, kNicks};
  Peer b{1'700'000'000'500'000, kNicks};
};

TEST_F(ConflictsTest, AllConcurrentValuesAreSeenOnceAndLiveUntilAWriteSettlesThem) {
  a.Run("INSERT INTO person {id: 1}");
  Meet();
  a.Watch();
  EXPECT_EQ(a.Live(), R"([{"id":1,"all":null}])");
  a.Run("UPDATE person SET nick = 'x'");
  EXPECT_EQ(a.Live(), R"([{"id":1,"all":["x"]}])");
  b.Run("UPDATE person SET nick = 'y'");
  Meet();
  EXPECT_EQ(a.Live(), R"([{"id":1,"all":["x","y"]}])");
  EXPECT_EQ(a.Fresh(), a.Live());
  EXPECT_EQ(b.Fresh(), a.Live());
  b.Run("UPDATE person SET nick = 'z'");
  Meet();
  EXPECT_EQ(a.Live(), R"([{"id":1,"all":["z"]}])");
}

TEST_F(ConflictsTest, AnEarlierValueThatArrivesLateIsToldOf) {
  a.Run("INSERT INTO person {id: 1}");
  Meet();
  b.Watch();
  a.Run("UPDATE person SET nick = 'early'");
  b.Run("UPDATE person SET nick = 'late'");
  b.MergeFrom(a);
  EXPECT_EQ(b.Ask("SELECT nick FROM person"), R"([{"nick":"late"}])") << "what is seen is the same";
  EXPECT_EQ(b.Live(), R"([{"id":1,"all":["early","late"]}])");
}

TEST_F(ConflictsTest, TheyAreColumnsAlongPathsAndBehindGroupsAndHiddenFromTheStar) {
  a.Run("INSERT INTO person {id: 1, nick: 'x'}, {id: 2, boss: 1}");
  EXPECT_EQ(a.Ask("SELECT conflicts(boss.nick) AS c FROM person WHERE id = 2"), R"([{"c":["x"]}])");
  EXPECT_EQ(a.Ask("SELECT conflicts(p.nick) AS c, count(*) AS n FROM person p GROUP BY id"),
            R"([{"c":["x"],"n":1},{"c":null,"n":1}])");
  EXPECT_EQ(
      a.Ask("SELECT p.* FROM person p WHERE contains(conflicts(nick), 'x')").find("conflicts"),
      std::string::npos);
  EXPECT_EQ(a.Ask("SELECT id FROM person WHERE contains(conflicts(nick), 'x')"), R"([{"id":1}])");
  EXPECT_EQ(a.Ask("SELECT count(*) AS n FROM (SELECT *, conflicts(nick) AS c FROM person) q"),
            R"([{"n":2}])");
}

TEST_F(ConflictsTest, OnlyAnMvColumnOfATableHasThem) {
  EXPECT_NE(a.Ask("SELECT conflicts(email) FROM person").find("no MV column"), std::string::npos);
  EXPECT_NE(a.Ask("SELECT conflicts(1) FROM person").find("takes the name"), std::string::npos);
  EXPECT_NE(a.Ask("SELECT conflicts(nickname) FROM person").find("nickname"), std::string::npos);
  EXPECT_NE(a.Ask("SELECT conflicts(n) FROM (SELECT nick AS n FROM person) q").find("no MV column"),
            std::string::npos);
}

}  // namespace
}  // namespace trefoil
