// Replicas of a part: what they hold, write, send, take and refuse (decision 0133).
#include "schema/part.h"

#include <gtest/gtest.h>

#include "base/env_fault.h"
#include "crdt/changeset.h"
#include "crdt/envelope.h"
#include "crdt/sync_session.h"
#include "db/public_state.h"
#include "tests/support/replica.h"
#include "trefoil/database.h"

namespace trefoil::testing {
namespace {

// Lists with items, of which a phone holds list 7; tags that it does not hold.
class PartTest : public ::testing::Test {
 protected:
  PartTest() : server_(Open("server")) {
    Run(server_,
        "TABLE list (id INT KEY, name TEXT UNIQUE);"
        "TABLE tag (id INT KEY);"
        "TABLE item (list REF list KEY, nr INT KEY, title TEXT, tag REF tag, done COUNTER);"
        "INDEX item_title ON item (title);"
        "INSERT INTO list {id: 7, name: 'seven'}, {id: 8, name: 'eight'};"
        "INSERT INTO tag {id: 1};"
        "INSERT INTO item {list: 7, nr: 1, title: 'a', tag: 1}, {list: 8, nr: 1, title: 'b'}");
    part_ = *server_.PartOf("list, item WHERE list = 7");
  }

  Database Open(const std::string& name, const Part& part = {}) {
    Options options;
    options.env = &env_;
    options.clock = &clock_;
    options.part = part;
    Result<Database> opened = Database::Open(name, options);
    EXPECT_TRUE(opened) << ToString(opened.error());
    return *std::move(opened);
  }
  Database Phone(const std::string& name = "phone") {
    const Status cloned = server_.Clone(name, part_);
    EXPECT_TRUE(cloned) << ToString(cloned.error());
    return Open(name);
  }
  static void Run(Database& database, const std::string& script) {
    const Result<ExecuteSummary> done = database.Execute(script);
    ASSERT_TRUE(done) << ToString(done.error());
  }
  static ErrorCode CodeOf(Database& database, const std::string& script) {
    const Result<ExecuteSummary> done = database.Execute(script);
    EXPECT_FALSE(done) << script;
    return done ? ErrorCode::kIo : done.error().code;
  }
  static std::string Show(const Database& database, const std::string& query) {
    const Result<Query> prepared = database.Prepare(query);
    EXPECT_TRUE(prepared) << ToString(prepared.error());
    if (!prepared) return "";
    const Result<Rows> rows = database.snapshot().Run(*prepared);
    EXPECT_TRUE(rows) << ToString(rows.error());
    std::string text;
    for (std::size_t i = 0; rows && i < rows->size(); ++i) {
      for (const Value& value : (*rows)[i]) text += ToJson(value) + " ";
    }
    return text;
  }
  static MergeSummary Give(const Database& from, Database& to) {
    const Result<std::string> changes = from.Changes(to.version_vector());
    EXPECT_TRUE(changes);
    const Result<MergeSummary> merged = to.Merge(*changes);
    EXPECT_TRUE(merged) << ToString(merged.error());
    return merged ? *merged : MergeSummary();
  }
  static void ExpectSound(const Database& database) {
    const Result<CheckReport> report = database.Check();
    ASSERT_TRUE(report);
    EXPECT_EQ(report->problems, std::vector<std::string>());
  }

  FaultEnv env_{{.seed = 7, .clock = nullptr, .maps = false}};
  ManualClock clock_{1'700'000'000'000'000};
  Database server_;
  Part part_;
};

TEST_F(PartTest, ACloneOfAPartHoldsItsRowsAndHasTheDigestOfThatPart) {
  Database phone = Phone();
  EXPECT_EQ(phone.part(), part_);
  EXPECT_EQ(Show(phone, "SELECT list, nr, title FROM item ORDER BY title"), "7 1 \"a\" ");
  EXPECT_EQ(Show(phone, "SELECT id FROM list"), "7 8 ");
  EXPECT_EQ(*phone.StateDigest(), *server_.StateDigest(part_));
  EXPECT_NE(*phone.StateDigest(), *server_.StateDigest());
  EXPECT_NE(phone.version_vector(), server_.version_vector()) << "they do not say the same";
  EXPECT_EQ(phone.version_vector().part(), part_);
  EXPECT_EQ(phone.StateDigest({}).error().code, ErrorCode::kOutsidePart);
  EXPECT_NE(phone.StatsJson().find("\"part\":\"item WHERE list = 7, list\""), std::string::npos)
      << phone.StatsJson();
  EXPECT_NE(server_.StatsJson().find("\"part\":null"), std::string::npos);
  ExpectSound(phone);
}

TEST_F(PartTest, StatementsBeyondThePartAreErrorsThatSaySo) {
  Database phone = Phone();
  EXPECT_EQ(CodeOf(phone, "SELECT * FROM tag"), ErrorCode::kOutsidePart);
  EXPECT_EQ(CodeOf(phone, "SELECT tag.id FROM item"), ErrorCode::kOutsidePart);
  EXPECT_EQ(CodeOf(phone, "INSERT INTO tag {id: 2}"), ErrorCode::kOutsidePart);
  EXPECT_EQ(CodeOf(phone, "DELETE FROM tag"), ErrorCode::kOutsidePart);
  EXPECT_EQ(CodeOf(phone, "INSERT INTO item {list: 8, nr: 2}"), ErrorCode::kOutsidePart);
  EXPECT_EQ(CodeOf(phone, "UPSERT INTO item {list: 8, nr: 1}"), ErrorCode::kOutsidePart);
  EXPECT_EQ(phone.snapshot().Scan("tag", [](auto) { return true; }).error().code,
            ErrorCode::kOutsidePart);
  const Result<CommitInfo> written = phone.Write([](Transaction& t) -> Status {
    const std::vector<Value> key = {Value::Int(8), Value::Int(1)};
    Result<bool> deleted = t.Delete("item", key);
    return deleted ? Ok() : Status(std::move(deleted).error());
  });
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::kOutsidePart);
  EXPECT_NE(written.error().message.find("(8, 1)"), std::string::npos) << written.error().message;
  Run(phone, "TABLE note (id INT KEY)");  // the catalogue belongs to it
  EXPECT_EQ(CodeOf(phone, "INSERT INTO note {id: 1}"), ErrorCode::kOutsidePart);
  EXPECT_EQ(*phone.StateDigest(), *phone.StateDigest(part_));
}

TEST_F(PartTest, WhatAPartialReplicaWritesReachesEverybodyAndWhatItLacksStaysAway) {
  Database phone = Phone();
  Database other = Phone("tablet");
  Run(phone,
      "INSERT INTO item {list: 7, nr: 2, title: 'p'}; UPDATE list SET name = 'VII' WHERE id = 7");
  Run(server_,
      "BEGIN; UPDATE item SET done += 2; UPDATE item SET title = 'x' WHERE list = 8; INSERT INTO "
      "tag "
      "{id: 2}; COMMIT");
  Give(phone, other);
  const MergeSummary merged = Give(other, server_);  // relays whole transactions
  EXPECT_EQ(merged.transactions_applied, 2u);
  EXPECT_EQ(merged.transactions_cut_off, 0u);
  Give(server_, phone);
  Give(phone, other);
  EXPECT_EQ(*phone.StateDigest(), *server_.StateDigest(part_));
  EXPECT_EQ(*other.StateDigest(), *phone.StateDigest());
  EXPECT_EQ(other.version_vector(), phone.version_vector());
  EXPECT_EQ(Show(phone, "SELECT nr, title, done FROM item"), "1 \"a\" 2 2 \"p\" null ");
  EXPECT_EQ(Show(server_, "SELECT name FROM list WHERE id = 7"), "\"VII\" ");
  ExpectSound(phone);
  ExpectSound(server_);
}

TEST_F(PartTest, AWholeReplicaTakesNothingThatIsCutAndWaitsForTheRest) {
  Database phone = Phone();
  Database backup = Open("backup");
  Give(server_, backup);
  Run(server_, "UPDATE item SET title = 'c'");  // beyond the part, too
  Give(server_, phone);
  Run(phone, "UPDATE item SET title = 'd' WHERE list = 7");
  const std::string known = crdt::EncodeKnown(
      {.heads = backup.state().engine->heads(), .part = phone.state().engine->part()});
  const Result<std::string> cut = phone.Changes(*VersionVector::Parse(known));
  const Result<MergeSummary> merged = backup.Merge(*cut);
  ASSERT_TRUE(merged);
  EXPECT_EQ(merged->transactions_applied, 0u);
  EXPECT_EQ(merged->transactions_cut_off, 1u);
  EXPECT_EQ(merged->transactions_pending, 1u);
  EXPECT_EQ(Show(backup, "SELECT title FROM item"), "\"a\" \"b\" ");
  EXPECT_EQ(Give(phone, backup).transactions_cut_off, 0u) << "what it cannot take is not sent";
  Give(server_, backup);
  EXPECT_EQ(Show(backup, "SELECT title FROM item"), "\"d\" \"c\" ");
  Give(phone, server_);
  EXPECT_EQ(*backup.StateDigest(), *server_.StateDigest());
}

TEST_F(PartTest, AReplicaOfAnotherPartGetsWhatIsNotCut) {
  Database phone = Phone();
  part_ = *server_.PartOf("item");
  Database items = Phone("items");
  Run(phone,
      "UPDATE list SET name = 'VII' WHERE id = 7; UPDATE item SET title = 'e' WHERE list = 7");
  Give(phone, items);
  EXPECT_EQ(Show(items, "SELECT title FROM item"), "\"e\" \"b\" ");
  clock_.Advance(10'000'000);
  Run(server_, "UPDATE item SET title = 'c'");
  Give(server_, phone);
  EXPECT_EQ(Give(phone, items).transactions_applied, 0u);
  Give(server_, items);
  EXPECT_EQ(Show(items, "SELECT title FROM item"), "\"c\" \"c\" ");
}

TEST_F(PartTest, AStateOfLessThanIsHeldIsRefusedAndOneOfMoreIsCut) {
  Database phone = Phone();
  Run(phone, "UPDATE item SET title = 'f' WHERE list = 7");
  Give(phone, server_);
  Give(server_, phone);
  Give(phone, server_);
  ASSERT_TRUE(server_.Compact());
  const Result<std::string> state = server_.Changes(VersionVector(part_));
  ASSERT_TRUE(crdt::HoldsState(Slice(*state)));
  Database backup = Open("backup");
  EXPECT_EQ(backup.Merge(*state).error().code, ErrorCode::kOutsidePart);
  EXPECT_EQ(backup.version(), Version{});
  EXPECT_EQ(*Part::OfChangeset(*state), part_);
  Database tablet = Open("tablet", part_);
  ASSERT_TRUE(tablet.Merge(*server_.Changes({}))) << "the state of the whole";
  EXPECT_EQ(*tablet.StateDigest(), *server_.StateDigest(part_));
  EXPECT_EQ(tablet.Merge(*state)->transactions_applied, 0u);
  ExpectSound(tablet);
}

TEST_F(PartTest, APartialReplicaForgetsNothingThatNoWholeOneHas) {
  Database phone = Phone();
  Run(phone, "UPDATE item SET title = 'g' WHERE list = 7");
  Database tablet = Phone("tablet");
  Give(phone, tablet);
  Run(tablet, "UPDATE item SET done += 1 WHERE list = 7");
  Give(tablet, phone);
  clock_.Advance(std::uint64_t{31} * 24 * 3600 * 1'000'000);  // the server is silent for long
  Give(tablet, phone);
  ASSERT_TRUE(phone.Compact());
  ASSERT_TRUE(tablet.Compact());
  EXPECT_EQ(Give(phone, server_).transactions_applied, 2u);
  Give(server_, phone);
  Give(server_, tablet);
  Give(tablet, phone);
  Give(phone, tablet);
  ASSERT_TRUE(phone.Compact());
  Database backup = Open("backup");
  EXPECT_EQ(Give(phone, backup).transactions_applied, 0u) << "a whole one has it, and gives it";
  Give(server_, backup);
  EXPECT_EQ(*backup.StateDigest(), *server_.StateDigest());
}

TEST_F(PartTest, ThePartIsChosenWhenTheDatabaseIsMadeAndStays) {
  {
    Database phone = Phone();
  }
  EXPECT_EQ(Open("phone").part(), part_);
  EXPECT_EQ(Open("phone", part_).part(), part_);
  Options options;
  options.env = &env_;
  options.part = *server_.PartOf("tag");
  EXPECT_EQ(Database::Open("phone", options).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(Database::Open("server", options).error().code, ErrorCode::kLocked);
  const Status again = server_.Clone("phone", part_);
  EXPECT_EQ(again.error().code, ErrorCode::kAlreadyExists);
  Database phone = Open("phone");
  EXPECT_EQ(phone.Clone("more", *server_.PartOf("tag")).error().code, ErrorCode::kOutsidePart);
  ASSERT_TRUE(phone.Clone("copy"));
  EXPECT_EQ(Open("copy").part(), part_);
  ASSERT_TRUE(phone.Clone("less", *server_.PartOf("list")));
  EXPECT_EQ(*Open("less").StateDigest(), *server_.StateDigest(*server_.PartOf("list")));
}

TEST_F(PartTest, ACloneThatFailsLeavesNothing) {
  Run(server_, "UPDATE item SET title = 'h'");
  env_.Inject({.operation = FileOperation::kWrite, .path_part = "phone", .times = Fault::kForever});
  EXPECT_FALSE(server_.Clone("phone", part_));
  env_.ClearFaults();
  EXPECT_EQ(*Phone().StateDigest(), *server_.StateDigest(part_));
}

TEST_F(PartTest, ADumpNamesThePartAndLoadsIntoThatOnly) {
  Database phone = Phone();
  const std::string dump = *phone.DumpText();
  EXPECT_EQ(*Part::OfDump(dump), part_);
  EXPECT_EQ(*Part::OfDump(*server_.DumpText()), Part());
  EXPECT_FALSE(Part::OfDump("no dump\n"));
  Database whole = Open("whole");
  EXPECT_EQ(whole.LoadText(dump).error().code, ErrorCode::kOutsidePart);
  Database loaded = Open("loaded", part_);
  ASSERT_TRUE(loaded.LoadText(dump));
  EXPECT_EQ(*loaded.StateDigest(), *phone.StateDigest());
  for (const char* bad : {"part \n", "part 0\n", "part 0100\n"}) {
    std::string damaged = dump;
    damaged.replace(damaged.find("part "), damaged.find('\n', 16) + 1 - damaged.find("part "), bad);
    EXPECT_EQ(Part::OfDump(damaged).error().code, ErrorCode::kCorruption) << bad;
  }
}

TEST_F(PartTest, ReferencesBeyondThePartAreNeitherCheckedNorListed) {
  Database phone = Phone();
  Run(phone, "INSERT INTO item {list: 7, nr: 3, tag: 99}");
  EXPECT_EQ(Show(phone, "SELECT * FROM sys.violation"), "");
  Give(phone, server_);
  EXPECT_EQ(Show(server_, "SELECT type_name, column, constraint FROM sys.violation"),
            "\"item\" \"tag\" \"reference\" ");
  EXPECT_EQ(CodeOf(phone,
                   "DELETE FROM item WHERE nr = 3; INSERT INTO list {id: 9, name: 'VII'}; "
                   "INSERT INTO list {id: 10, name: 'VII'}"),
            ErrorCode::kUniqueViolation);
}

TEST_F(PartTest, SessionsTalkOfPartsAndFallSilent) {
  Database phone = Phone();
  Run(server_, "UPDATE item SET title = 'i'");
  Give(server_, phone);
  Run(phone, "UPDATE item SET title = 'j' WHERE list = 7");
  Database backup = Open("backup");
  crdt::SyncSession of_phone;
  crdt::SyncSession of_backup;
  db::Engine& phone_engine = *phone.state().engine;
  db::Engine& backup_engine = *backup.state().engine;
  const std::string hello = of_phone.Hello(phone_engine.known());
  EXPECT_EQ(hello[1], 2) << "who knows of no parts refuses it";
  EXPECT_EQ(of_backup.Hello(backup_engine.known())[1], 1);
  ASSERT_TRUE(of_backup.Receive(Slice(hello)));
  const std::string answer = of_backup.Hello(backup_engine.known());
  ASSERT_TRUE(of_phone.Receive(Slice(answer)));
  int sent = 0;
  for (; const auto owed = of_phone.Owed(phone_engine.heads()); ++sent) {
    ASSERT_LT(sent, 5) << "the talk does not end";
    const auto part = phone_engine.ChangesUpTo(*owed, 1 << 20);
    ASSERT_TRUE(part);
    const std::string message = of_phone.Changes(Slice(part->changeset), part->covered);
    const auto received = of_backup.Receive(Slice(message));
    ASSERT_TRUE(received && *received);
    ASSERT_TRUE(backup.Merge((**received).view()));
  }
  EXPECT_EQ(sent, 1);
  Give(server_, backup);
  EXPECT_FALSE(of_backup.Owed(backup_engine.heads())) << "the phone has all of it";
  Run(backup, "UPDATE item SET title = 'k'");
  const auto owed = of_backup.Owed(backup_engine.heads());
  ASSERT_TRUE(owed);
  EXPECT_EQ(owed->part, phone_engine.part()) << "it is cut for the phone";
}

TEST_F(PartTest, PiecesOfTwoCutsOfOneTransactionDoNotStandInEachOthersWay) {
  Database phone = Phone();
  Run(server_, "UPDATE item SET title = 'a title that makes the transaction as long as it takes'");
  const auto merge_part = [&](const VersionVector& known) {
    const Result<ChangesPart> part = server_.Changes(known, 40);
    EXPECT_TRUE(part);
    EXPECT_TRUE(phone.Merge(part->bytes));
  };
  merge_part(*VersionVector::Parse(crdt::EncodeKnown(
      {.heads = phone.state().engine->heads()})));  // the first bytes of the whole transaction
  for (int parts = 0; *phone.StateDigest() != *server_.StateDigest(part_); ++parts) {
    ASSERT_LT(parts, 20);
    merge_part(phone.version_vector());
  }
  ExpectSound(phone);
}

TEST_F(PartTest, OneTransactionUnderTwoCutsIsOneAndTwoUnderOneNumberAreFound) {
  Database phone = Phone();
  Run(server_, "UPDATE item SET title = 'l'");
  const std::string cut = *server_.Changes(phone.version_vector());
  ASSERT_TRUE(phone.Merge(cut));
  const VersionVector known(*server_.PartOf("list, item"));
  EXPECT_EQ(phone.Merge(*server_.Changes({}))->transactions_applied, 0u);
  EXPECT_EQ(phone.Merge(*server_.Changes(known))->transactions_applied, 0u);
  crdt::Changeset forged = *crdt::DecodeChangeset(Slice(cut));
  crdt::Frame frame = *crdt::DecodeFrame(Slice(forged.frames[0]));
  ++frame.cut.whole_sum;
  forged.frames[0] = crdt::EncodeFrame(frame);
  const Result<MergeSummary> merged = phone.Merge(crdt::EncodeChangeset(forged));
  ASSERT_FALSE(merged);
  EXPECT_NE(merged.error().message.find("two transactions"), std::string::npos);
}

TEST_F(PartTest, TextsOfPartsReadBackAndSayWhatIsWrong) {
  for (const char* text :
       {"list", "item, list", "item WHERE list = 7", "item WHERE list = 7 AND nr >= 3",
        "item WHERE list = 7 AND nr >= 3 AND nr < 9", "item WHERE list >= 7", "item WHERE list < 9",
        "item WHERE list = 7 AND nr = 2, item WHERE list = 9"}) {
    const Result<Part> part = server_.PartOf(text);
    ASSERT_TRUE(part) << ToString(part.error());
    Database of_part = Open(text, *part);
    ASSERT_TRUE(of_part.Merge(*server_.Changes({})));
    EXPECT_NE(of_part.StatsJson().find('"' + std::string(text) + '"'), std::string::npos)
        << of_part.StatsJson();
  }
  EXPECT_EQ(*server_.PartOf("item WHERE 7 = list AND nr > 2 AND nr <= 8"),
            *server_.PartOf("item WHERE list = 7 AND nr >= 3 AND nr < 9"));
  EXPECT_EQ(*server_.PartOf("item WHERE list < 5, item WHERE list >= 5"), *server_.PartOf("item"));
  const struct {
    const char* text;
    ErrorCode code;
  } bad[] = {{"", ErrorCode::kSyntax},
             {"list,", ErrorCode::kSyntax},
             {"list item", ErrorCode::kSyntax},
             {"nothing", ErrorCode::kUnknownTable},
             {"list WHERE", ErrorCode::kSyntax},
             {"list WHERE idd = 1", ErrorCode::kUnknownColumn},
             {"list WHERE id = 'x'", ErrorCode::kTypeMismatch},
             {"list WHERE name = 'x'", ErrorCode::kInvalidArgument},
             {"item WHERE nr = 1", ErrorCode::kInvalidArgument},
             {"item WHERE list <> 1", ErrorCode::kInvalidArgument},
             {"item WHERE list = nr", ErrorCode::kInvalidArgument},
             {"item WHERE list = 1 OR list = 2", ErrorCode::kInvalidArgument},
             {"item WHERE list = NULL", ErrorCode::kInvalidArgument}};
  for (const auto& [text, code] : bad) {
    const Result<Part> part = server_.PartOf(text);
    EXPECT_FALSE(part) << text;
    const ErrorCode found = part ? ErrorCode::kIo : part.error().code;
    EXPECT_EQ(found, code) << text << ": " << (part ? "" : ToString(part.error()));
  }
  Run(server_, "TABLE folder (id INT KEY, up REF folder ACYCLIC)");
  EXPECT_TRUE(server_.PartOf("folder"));
  EXPECT_EQ(server_.PartOf("folder WHERE id = 1").error().code, ErrorCode::kInvalidArgument);
}

TEST_F(PartTest, AnAcyclicColumnThatCameLaterIsBeyondAPartOfItsTable) {
  Replica whole(1);
  Replica some(2, RowsFrom(2));
  whole.DeclareTable();
  for (std::int64_t id = 1; id <= 3; ++id) whole.Insert(id);
  whole.Move(3, 2);
  Sync(whole, some);
  EXPECT_EQ(some.Get(3, kUp), Value());
  EXPECT_EQ(*some.database().StateDigest(), *whole.database().StateDigest(RowsFrom(2)));
  const Result<CommitInfo> moved = some.engine().Write([&](db::WriteTransaction& t) -> Status {
    const Value key = Value::Int(2);
    const db::FieldEdit edit = {.attribute = AttributeId{kUp}, .value = Value::Int(3)};
    Result<bool> updated = t.Update((*t.FindType("t"))->id, {&key, 1}, {&edit, 1});
    if (!updated) return std::move(updated).error();
    return Ok();
  });
  EXPECT_EQ(moved.error().code, ErrorCode::kOutsidePart);
  some.Delete(3);
  some.Insert(3);
  Sync(whole, some);
  EXPECT_EQ(whole.Get(3, kUp), Value());
  EXPECT_EQ(*some.database().StateDigest(), *whole.database().StateDigest(RowsFrom(2)));
  EXPECT_TRUE(whole.Move(2, 3)) << "row 3 is not below row 2 any more";
  some.CheckSound();
}

}  // namespace
}  // namespace trefoil::testing
