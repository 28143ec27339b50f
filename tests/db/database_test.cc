// The public classes on a database in memory, and the engine below where there is no public way.
#include "trefoil/database.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "db/public_state.h"
#include "db/triple_source.h"
#include "schema/catalogue.h"
#include "tests/support/declare.h"

namespace trefoil {
namespace {

using schema::MergeKind;
using testing::Acyclic;
using testing::Field;
using testing::Indexed;
using testing::Key;
using testing::Merged;
using testing::Reference;
using testing::Table;
using testing::Unique;
using Row = std::vector<Value>;

Value I(std::int64_t number) { return Value::Int(number); }
Value T(std::string_view text) { return Value::Text(text); }

class DatabaseTest : public ::testing::Test {
 protected:
  DatabaseTest() : database_(*Database::Open(":memory:")) {}

  db::Engine& engine() { return *database_.state().engine; }

  Status Declare(std::vector<schema::Declaration> declarations) {
    Result<CommitInfo> declared = engine().Declare(declarations);
    return declared ? Ok() : Status(std::move(declared).error());
  }
  void DeclareTracks() {
    const Status declared =
        Declare({Table("track", {Key("id", ValueKind::kInt), Indexed("title", ValueKind::kText),
                                 Field("length", ValueKind::kInt)})});
    ASSERT_TRUE(declared) << ToString(declared.error());
  }
  Status Write(const std::function<Status(Transaction&)>& body) {
    Result<CommitInfo> written = database_.Write(body);
    return written ? Ok() : Status(std::move(written).error());
  }
  Status Insert(std::string_view type, const Fields& fields) {
    return Write([&](Transaction& t) {
      Result<Row> key = t.Insert(type, fields);
      return key ? Ok() : Status(std::move(key).error());
    });
  }
  std::vector<Row> All(std::string_view type) {
    std::vector<Row> rows;
    EXPECT_TRUE(database_.snapshot().Scan(type, [&](std::span<const Value> row) {
      rows.emplace_back(row.begin(), row.end());
      return true;
    }));
    return rows;
  }
  // Rows of an index in its order, the columns of the type.
  std::vector<Row> ByIndex(const db::TripleSource& source, std::string_view type_name,
                           std::string_view index, dataflow::Probe probe = {}) {
    const schema::SchemaRef schema = engine().schema();
    const schema::Type& type = *schema->FindType(type_name);
    dataflow::BaseRelation relation = {.type = type.id, .columns = {}};
    for (const schema::Attribute& a : type.attributes) relation.columns.push_back(a.id);
    probe.path.index = schema->FindIndex(index)->id;
    std::vector<Row> rows;
    const Status scanned =
        source.Scan(relation, probe, dataflow::When::kNew, [&](std::span<const Value> row) {
          rows.emplace_back(row.begin(), row.end());
          return true;
        });
    EXPECT_TRUE(scanned) << ToString(scanned.error());
    return rows;
  }
  std::vector<Row> ByIndex(std::string_view type, std::string_view index,
                           dataflow::Probe probe = {}) {
    return ByIndex(db::TripleSource(engine().Pin()), type, index, std::move(probe));
  }
  void ExpectSound() {
    const Result<CheckReport> report = database_.Check();
    ASSERT_TRUE(report);
    EXPECT_EQ(report->problems, std::vector<std::string>());
  }
  static void ExpectError(const Status& status, ErrorCode code) {
    ASSERT_FALSE(status);
    EXPECT_EQ(ErrorCodeName(status.error().code), ErrorCodeName(code)) << ToString(status.error());
  }

  Database database_;
};

TEST_F(DatabaseTest, ReadsBackTheRowsThatItWasGiven) {
  DeclareTracks();
  ASSERT_TRUE(Insert("track", {{"id", I(2)}, {"title", T("b")}}));
  ASSERT_TRUE(Insert("track", {{"length", I(215)}, {"id", I(1)}, {"title", T("a")}}));
  EXPECT_EQ(All("track"), (std::vector<Row>{{I(1), T("a"), I(215)}, {I(2), T("b"), Value()}}));
  EXPECT_EQ(**database_.snapshot().Get("track", Row{I(2)}), (Row{I(2), T("b"), Value()}));
  EXPECT_FALSE((*database_.snapshot().Get("track", Row{I(3)})).has_value());
  ExpectSound();
}

TEST_F(DatabaseTest, UpdatesPutsAndDeletesRows) {
  DeclareTracks();
  ASSERT_TRUE(Write([](Transaction& t) {
    for (int i = 1; i <= 3; ++i) EXPECT_TRUE(t.Put("track", {{"id", I(i)}, {"title", T("x")}}));
    EXPECT_TRUE(t.Put("track", {{"id", I(1)}, {"length", I(7)}}));
    EXPECT_TRUE(t.Update("track", Row{I(2)}, {{"title", Value()}}));
    EXPECT_TRUE(*t.Delete("track", Row{I(3)}));
    EXPECT_FALSE(*t.Delete("track", Row{I(4)}));
    return Ok();
  }));
  EXPECT_EQ(All("track"), (std::vector<Row>{{I(1), T("x"), I(7)}, {I(2), Value(), Value()}}));
  EXPECT_EQ(ByIndex("track", "track.title"),
            (std::vector<Row>{{I(2), Value(), Value()}, {I(1), T("x"), I(7)}}));
  ExpectError(Write([](Transaction& t) { return t.Update("track", Row{I(9)}, {}); }),
              ErrorCode::kNotFound);
  ExpectSound();
}

TEST_F(DatabaseTest, ATransactionReadsItsOwnWritesAlsoThroughAnIndex) {
  DeclareTracks();
  ASSERT_TRUE(Insert("track", {{"id", I(1)}, {"title", T("m")}}));
  ASSERT_TRUE(Insert("track", {{"id", I(2)}, {"title", T("n")}}));
  const std::unique_ptr<db::WriteTransaction> t = engine().Begin();
  const schema::Type& track = **t->FindType("track");
  const auto edit = [&](std::string_view name, Value value) {
    return db::FieldEdit{.attribute = track.Find(name)->id, .value = std::move(value)};
  };
  ASSERT_TRUE(t->Insert(track.id, std::vector{edit("id", I(3)), edit("title", T("a"))}));
  ASSERT_TRUE(*t->Update(track.id, Row{I(1)}, std::vector{edit("title", T("z"))}));
  ASSERT_TRUE(*t->Delete(track.id, Row{I(2)}));
  const std::vector<Row> expected = {{I(3), T("a"), Value()}, {I(1), T("z"), Value()}};
  const db::TripleSource own(t->view(), t->schema());
  EXPECT_EQ(ByIndex(own, "track", "track.title"), expected);
  dataflow::Probe back;
  back.reverse = true;
  EXPECT_EQ(ByIndex(own, "track", "track.title", back),
            (std::vector<Row>{expected[1], expected[0]}));
  EXPECT_EQ(ByIndex("track", "track.title").size(), 2u);
  EXPECT_EQ(All("track").size(), 2u);
}

TEST_F(DatabaseTest, RollsBackWithoutATrace) {
  DeclareTracks();
  const Version before = database_.version();
  {
    Transaction t = database_.Begin();
    ASSERT_TRUE(t.Insert("track", {{"id", I(1)}}));
    EXPECT_TRUE((*t.Get("track", Row{I(1)})).has_value());
    t.Rollback();
    ExpectError(t.Update("track", Row{I(1)}, {}), ErrorCode::kInvalidArgument);
  }
  EXPECT_TRUE(All("track").empty());
  EXPECT_EQ(database_.version(), before);
}

TEST_F(DatabaseTest, EachConstraintHasItsErrorAndTheTransactionGoesOn) {
  schema::FieldDeclaration name = Unique("name", ValueKind::kText);
  name.attribute.not_null = true;
  ASSERT_TRUE(
      Declare({Table("user", {Key("id", ValueKind::kInt), name, Reference("boss", "user")})}));
  ASSERT_TRUE(Insert("user", {{"id", I(1)}, {"name", T("ann")}}));
  Transaction t = database_.Begin();
  const auto insert = [&](const Fields& fields) {
    Result<Row> key = t.Insert("user", fields);
    return key ? Ok() : Status(std::move(key).error());
  };
  using enum ErrorCode;
  ExpectError(insert({{"id", I(1)}, {"name", T("bob")}}), kDuplicateKey);
  ExpectError(insert({{"id", I(2)}}), kNotNullViolation);
  ExpectError(insert({{"name", T("bob")}}), kNotNullViolation);
  ExpectError(insert({{"id", I(2)}, {"name", T("ann")}}), kUniqueViolation);
  ExpectError(insert({{"id", T("2")}, {"name", T("bob")}}), kTypeMismatch);
  ExpectError(t.Update("user", Row{I(1)}, {{"id", I(5)}}), kInvalidArgument);
  ExpectError(t.Update("user", Row{I(1)}, {{"name", Value()}}), kNotNullViolation);
  ExpectError(t.Update("user", Row{I(1), I(2)}, {}), kInvalidArgument);
  ExpectError(t.Update("nobody", Row{I(1)}, {}), kUnknownTable);
  ExpectError(t.Update("sys.type", Row{I(1)}, {}), kReadOnly);
  ASSERT_TRUE(insert({{"id", I(2)}, {"name", T("bob")}, {"boss", I(3)}}));
  ASSERT_TRUE(insert({{"id", I(3)}, {"name", T("cid")}, {"boss", I(3)}}));
  ASSERT_TRUE(t.Commit());
  EXPECT_EQ(All("user").size(), 3u);
  ExpectError(Insert("user", {{"id", I(4)}, {"name", T("dan")}, {"boss", I(9)}}),
              kReferenceViolation);
  EXPECT_EQ(All("user").size(), 3u);
  ExpectSound();
}

TEST_F(DatabaseTest, NullsAreNeverEqualInAUniqueIndex) {
  ASSERT_TRUE(Declare({Table("u", {Key("id", ValueKind::kInt), Unique("x", ValueKind::kInt)})}));
  ASSERT_TRUE(Insert("u", {{"id", I(1)}}));
  ASSERT_TRUE(Insert("u", {{"id", I(2)}}));
  ASSERT_TRUE(Insert("u", {{"id", I(3)}, {"x", I(1)}}));
  ASSERT_TRUE(Write([](Transaction& t) { return t.Update("u", Row{I(3)}, {{"x", I(1)}}); }));
  ExpectError(Write([](Transaction& t) { return t.Update("u", Row{I(1)}, {{"x", I(1)}}); }),
              ErrorCode::kUniqueViolation);
}

TEST_F(DatabaseTest, DefaultsAndChecksAreEvaluatedByTheQueryLayer) {
  schema::FieldDeclaration length = Field("length", ValueKind::kInt);
  length.attribute.default_expression = "60";
  length.attribute.check_expression = "length > 0";
  ASSERT_TRUE(Declare({Table("t", {Key("id", ValueKind::kInt), length})}));
  ASSERT_TRUE(Insert("t", {{"id", I(1)}}));
  ASSERT_TRUE(Insert("t", {{"id", I(2)}, {"length", Value()}}));
  ExpectError(Insert("t", {{"id", I(3)}, {"length", I(0)}}), ErrorCode::kCheckViolation);
  ExpectError(Write([](Transaction& t) { return t.Update("t", Row{I(1)}, {{"length", I(-1)}}); }),
              ErrorCode::kCheckViolation);
  EXPECT_EQ(All("t"), (std::vector<Row>{{I(1), I(60)}, {I(2), Value()}}));
}

TEST_F(DatabaseTest, GeneratedKeysGrow) {
  ASSERT_TRUE(Declare({Table("note", {Field("text", ValueKind::kText)})}));
  Row last;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(Write([&](Transaction& t) {
      Result<Row> key = t.Insert("note", {{"text", T("x")}});
      EXPECT_TRUE(key);
      EXPECT_LT(last, *key);
      last = *key;
      return Ok();
    }));
  }
  EXPECT_EQ(All("note").size(), 100u);
}

TEST_F(DatabaseTest, LaxTablesTakeNamesAsTheyComeStrictOnesDoNot) {
  schema::TypeDeclaration strict = Table("strict", {Key("id", ValueKind::kInt)});
  strict.strict = true;
  ASSERT_TRUE(Declare({Table("lax", {Key("id", ValueKind::kInt)}), strict}));
  ASSERT_TRUE(Insert("lax", {{"id", I(1)}, {"mood", T("calm")}}));
  ASSERT_TRUE(Insert("lax", {{"id", I(2)}, {"mood", I(5)}, {"more", I(1)}}));
  ExpectError(Insert("strict", {{"id", I(1)}, {"mood", I(1)}}), ErrorCode::kUnknownColumn);
  const schema::SchemaRef schema = engine().schema();
  const schema::Type& lax = *schema->FindType("lax");
  ASSERT_NE(lax.Find("mood"), nullptr);
  std::vector<Row> rows;
  ASSERT_TRUE(db::TripleSource(engine().Pin())
                  .Scan({.type = lax.id, .columns = {lax.Find("mood")->id}}, {},
                        dataflow::When::kNew, [&](std::span<const Value> row) {
                          rows.emplace_back(row.begin(), row.end());
                          return true;
                        }));
  EXPECT_EQ(rows, (std::vector<Row>{{T("calm")}, {I(5)}}));
  ASSERT_TRUE(Write([](Transaction& t) {
    EXPECT_TRUE(*t.Delete("lax", Row{I(1)}));
    return Ok();
  }));
  ExpectSound();
}

TEST_F(DatabaseTest, SetsAndCountersMergeTheirEdits) {
  ASSERT_TRUE(Declare(
      {Table("t", {Key("id", ValueKind::kInt), Merged("tags", ValueKind::kText, MergeKind::kSet),
                   Merged("hits", ValueKind::kInt, MergeKind::kCounter),
                   Merged("best", ValueKind::kInt, MergeKind::kMax)})}));
  ASSERT_TRUE(Insert("t", {{"id", I(1)}, {"tags", Value::List({T("b"), T("a"), T("b")})}}));
  ASSERT_TRUE(Insert("t", {{"id", I(2)}, {"best", I(5)}}));
  const auto edit = [&](std::string_view name, Value value, db::EditKind kind) {
    Result<CommitInfo> done = engine().Write([&](db::WriteTransaction& t) -> Status {
      const schema::Type& type = **t.FindType("t");
      Result<bool> updated =
          t.Update(type.id, Row{I(name == "best" ? 2 : 1)},
                   std::vector<db::FieldEdit>{{type.Find(name)->id, value, kind}});
      return updated ? Ok() : Status(std::move(updated).error());
    });
    EXPECT_TRUE(done) << ToString(done.error());
  };
  edit("tags", T("c"), db::EditKind::kAdd);
  edit("tags", T("a"), db::EditKind::kRemove);
  edit("hits", I(5), db::EditKind::kAdd);
  edit("hits", I(2), db::EditKind::kRemove);
  edit("best", I(3), db::EditKind::kAssign);
  EXPECT_EQ(All("t"), (std::vector<Row>{{I(1), Value::List({T("b"), T("c")}), I(3), Value()},
                                        {I(2), Value(), Value(), I(5)}}));
  EXPECT_EQ(**database_.snapshot().Get("t", Row{I(1)}), All("t")[0]);
  ASSERT_TRUE(Write([](Transaction& t) {
    EXPECT_TRUE(*t.Delete("t", Row{I(1)}));
    return Ok();
  }));
  ExpectSound();
  ASSERT_TRUE(Insert("t", {{"id", I(1)}}));
  EXPECT_EQ(All("t")[0], (Row{I(1), Value(), Value(), Value()}));
}

TEST_F(DatabaseTest, AnAcyclicReferenceClosesNoCycle) {
  ASSERT_TRUE(Declare({Table("node", {Key("id", ValueKind::kInt), Acyclic("parent", "node")})}));
  ASSERT_TRUE(Insert("node", {{"id", I(1)}}));
  ASSERT_TRUE(Insert("node", {{"id", I(2)}, {"parent", I(1)}}));
  ASSERT_TRUE(Insert("node", {{"id", I(3)}, {"parent", I(2)}}));
  const auto move = [&](std::int64_t id, std::int64_t to) {
    return Write([&](Transaction& t) { return t.Update("node", Row{I(id)}, {{"parent", I(to)}}); });
  };
  ExpectError(move(1, 3), ErrorCode::kReferenceViolation);
  ExpectError(move(1, 1), ErrorCode::kReferenceViolation);
  EXPECT_TRUE(move(3, 1));
  EXPECT_TRUE(move(2, 3));
  const Status refused = move(1, 2);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("(1), (2), (3)"), std::string::npos)
      << refused.error().message;
}

TEST_F(DatabaseTest, ReferencesToCompositeKeysHoldThemWhole) {
  schema::TypeDeclaration seat =
      Table("seat", {Field("row", ValueKind::kInt), Field("letter", ValueKind::kText)});
  seat.key = {"row", "letter"};
  ASSERT_TRUE(
      Declare({seat, Table("guest", {Key("name", ValueKind::kText), Reference("seat", "seat")})}));
  ASSERT_TRUE(Insert("seat", {{"row", I(1)}, {"letter", T("A")}}));
  ASSERT_TRUE(Insert("guest", {{"name", T("ann")}, {"seat", Value::Ref({I(1), T("A")})}}));
  ExpectError(Insert("guest", {{"name", T("bob")}, {"seat", Value::Ref({I(1), T("B")})}}),
              ErrorCode::kReferenceViolation);
  EXPECT_EQ(All("guest"), (std::vector<Row>{{T("ann"), Value::Ref({I(1), T("A")})}}));
}

TEST_F(DatabaseTest, ARowThatAppearsInARangeThatWasReadIsAConflict) {
  DeclareTracks();
  ASSERT_TRUE(Insert("track", {{"id", I(1)}, {"title", T("b")}}));
  const std::unique_ptr<db::WriteTransaction> t = engine().Begin();
  dataflow::Probe probe;
  probe.prefix = {T("a")};
  EXPECT_TRUE(
      ByIndex(db::TripleSource(t->view(), t->schema()), "track", "track.title", probe).empty());
  const schema::Type& track = **t->FindType("track");
  ASSERT_TRUE(t->Insert(track.id, std::vector<db::FieldEdit>{{track.Find("id")->id, I(9)}}));
  ASSERT_TRUE(Insert("track", {{"id", I(2)}, {"title", T("a")}}));
  const Result<CommitInfo> committed = engine().Commit(*t, Durability::kDefault);
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().code, ErrorCode::kConflict);
}

TEST_F(DatabaseTest, AnIndexIsBuiltForRowsThatAreThere) {
  ASSERT_TRUE(Declare({Table("t", {Key("id", ValueKind::kInt), Field("x", ValueKind::kInt)})}));
  ASSERT_TRUE(Write([](Transaction& t) {
    for (int i = 0; i < 2000; ++i) {
      EXPECT_TRUE(t.Insert("t", {{"id", I(i)}, {"x", I(i % 1000)}}));
    }
    return Ok();
  }));
  const schema::IndexDeclaration by_x = {
      .name = "by_x", .type = "t", .columns = {{.name = "x", .descending = true}}};
  ASSERT_TRUE(Declare({by_x}));
  EXPECT_TRUE(engine().schema()->FindIndex("by_x")->ready);
  dataflow::Probe probe;
  probe.prefix = {I(7)};
  EXPECT_EQ(ByIndex("t", "by_x", probe), (std::vector<Row>{{I(7), I(7)}, {I(1007), I(7)}}));
  ExpectSound();
  ExpectError(Declare({Table("t", {Key("id", ValueKind::kInt), Unique("x", ValueKind::kInt)})}),
              ErrorCode::kUniqueViolation);
  EXPECT_EQ(engine().schema()->indexes().size(), 1u);
  EXPECT_TRUE(engine().schema()->FindType("t")->unique.empty());
  ASSERT_TRUE(Declare({schema::DropIndex{.name = "by_x"}}));
  ExpectSound();
}

TEST_F(DatabaseTest, ProbesTakePrefixesBoundsAndPlacesToGoOn) {
  schema::IndexDeclaration index = {
      .name = "i", .type = "t", .columns = {{.name = "a"}, {.name = "b", .descending = true}}};
  ASSERT_TRUE(Declare({Table("t", {Key("id", ValueKind::kInt), Field("a", ValueKind::kInt),
                                   Field("b", ValueKind::kFloat)}),
                       index}));
  ASSERT_TRUE(Write([](Transaction& t) {
    for (int i = 0; i < 30; ++i) {
      const int third = i / 3;
      EXPECT_TRUE(t.Insert(
          "t", {{"id", I(i)}, {"a", I(i % 3)}, {"b", i < 3 ? Value() : Value::Float(third)}}));
    }
    return Ok();
  }));
  dataflow::Probe probe;
  probe.prefix = {Value::Float(1)};  // equal to the INT 1
  probe.lower = {.value = I(2)};
  probe.upper = {.value = Value::Decimal(45, 1), .inclusive = false};
  const auto ids = [&] {
    std::vector<std::int64_t> found;
    for (const Row& row : ByIndex("t", "i", probe)) found.push_back(row[0].AsInt());
    return found;
  };
  EXPECT_EQ(ids(), (std::vector<std::int64_t>{13, 10, 7}));
  probe.reverse = true;
  EXPECT_EQ(ids(), (std::vector<std::int64_t>{7, 10, 13}));
  probe.after = {Value::Float(2), I(7)};
  EXPECT_EQ(ids(), (std::vector<std::int64_t>{10, 13}));
  probe.reverse = false;
  probe.after = {Value::Float(4), I(13)};
  EXPECT_EQ(ids(), (std::vector<std::int64_t>{10, 7}));
  probe = {};
  probe.prefix = {I(0), Value()};
  EXPECT_EQ(ids(), (std::vector<std::int64_t>{0}));
  probe.prefix = {T("0")};
  EXPECT_TRUE(ids().empty());
}

TEST_F(DatabaseTest, AnAttributeLeavesAndItsFactsReturnWithIt) {
  DeclareTracks();
  ASSERT_TRUE(Insert("track", {{"id", I(1)}, {"title", T("a")}, {"length", I(3)}}));
  ASSERT_TRUE(Insert("track", {{"id", I(2)}, {"title", T("b")}}));
  ASSERT_TRUE(Declare({Table("track", {Key("id", ValueKind::kInt)})}));
  EXPECT_EQ(All("track"), (std::vector<Row>{{I(1)}, {I(2)}}));
  ASSERT_TRUE(Write([](Transaction& t) {
    EXPECT_TRUE(*t.Delete("track", Row{I(2)}));
    return Ok();
  }));
  ExpectSound();
  DeclareTracks();
  EXPECT_EQ(All("track"), (std::vector<Row>{{I(1), T("a"), I(3)}}));
  EXPECT_EQ(ByIndex("track", "track.title").size(), 1u);
  ExpectSound();
}

class RecordingObserver final : public db::CommitObserver {
 public:
  void OnCommit(const db::CommitDelta& delta) override {
    versions.push_back(ToNumber(delta.version()));
    touched = delta.touched;
    if (type != TypeId{}) {
      batch = dataflow::Batch(columns.size());
      EXPECT_TRUE(db::AppendRowChanges(delta, type, columns, batch));
    }
    if (then) then(delta);
  }

  TypeId type{};
  std::vector<AttributeId> columns;
  dataflow::Batch batch;
  std::vector<std::uint64_t> versions;
  std::vector<db::TouchedRow> touched;
  std::function<void(const db::CommitDelta&)> then;
};

TEST_F(DatabaseTest, ObserversAreToldWhatChangedInTheColumnsTheyDemand) {
  DeclareTracks();
  ASSERT_TRUE(Insert("track", {{"id", I(1)}, {"title", T("a")}}));
  RecordingObserver observer;
  const schema::SchemaRef schema = engine().schema();
  const schema::Type& track = *schema->FindType("track");
  observer.type = track.id;
  observer.columns = {track.Find("id")->id, track.Find("title")->id};
  engine().AddObserver(&observer);
  ASSERT_TRUE(Write([](Transaction& t) {
    EXPECT_TRUE(t.Update("track", Row{I(1)}, {{"title", T("b")}}));
    EXPECT_TRUE(t.Insert("track", {{"id", I(2)}, {"title", T("c")}}));
    return Ok();
  }));
  dataflow::Batch expected(2);
  expected.Add(Row{I(1), T("a")}, -1);
  expected.Add(Row{I(1), T("b")}, 1);
  expected.Add(Row{I(2), T("c")}, 1);
  expected.Consolidate();
  EXPECT_EQ(observer.batch, expected);
  // Nobody demands the length.
  ASSERT_TRUE(
      Write([](Transaction& t) { return t.Update("track", Row{I(1)}, {{"length", I(9)}}); }));
  EXPECT_TRUE(observer.batch.empty());
  engine().RemoveObserver(&observer);
  ASSERT_TRUE(Insert("track", {{"id", I(5)}}));
  EXPECT_EQ(observer.versions.size(), 2u);
}

TEST_F(DatabaseTest, AnObserverMayWriteAndHearsOfItAfterwards) {
  DeclareTracks();
  RecordingObserver observer;
  bool inside = false;
  observer.then = [&](const db::CommitDelta& delta) {
    EXPECT_FALSE(inside);
    inside = true;
    if (delta.touched.front().subject ==
        *db::EncodeSubject(*engine().schema()->FindType("track"), Row{I(1)})) {
      EXPECT_TRUE(Insert("track", {{"id", I(2)}}));
    }
    inside = false;
  };
  engine().AddObserver(&observer);
  ASSERT_TRUE(Insert("track", {{"id", I(1)}}));
  ASSERT_EQ(observer.versions.size(), 2u);
  EXPECT_EQ(observer.versions[0] + 1, observer.versions[1]);
  engine().RemoveObserver(&observer);
}

TEST_F(DatabaseTest, ASnapshotStandsStillWhileTheSchemaMoves) {
  DeclareTracks();
  ASSERT_TRUE(Insert("track", {{"id", I(1)}, {"title", T("a")}}));
  const Snapshot before = database_.snapshot();
  ASSERT_TRUE(Declare({Table("track", {Key("id", ValueKind::kInt)})}));
  ASSERT_TRUE(Insert("track", {{"id", I(2)}}));
  EXPECT_EQ(**before.Get("track", Row{I(1)}), (Row{I(1), T("a"), Value()}));
  EXPECT_FALSE((*before.Get("track", Row{I(2)})).has_value());
}

TEST_F(DatabaseTest, TheCatalogueIsReadAsRows) {
  DeclareTracks();
  std::vector<std::string> names;
  for (const Row& row : All("sys.attribute")) names.emplace_back(row[2].AsText());
  EXPECT_EQ(names, (std::vector<std::string>{"id", "title", "length"}));
  EXPECT_EQ(All("sys.type").size(), 1u);
  EXPECT_EQ(All("sys.index").size(), 1u);
}

TEST_F(DatabaseTest, EveryStoredFactIsARowOfSysTriple) {
  DeclareTracks();
  ASSERT_TRUE(Insert("track", {{"id", I(1)}, {"title", T("a")}, {"length", I(3)}}));
  ASSERT_TRUE(Declare({Table("track", {Key("id", ValueKind::kInt)})}));
  const std::vector<Row> triples = All("sys.triple");
  ASSERT_EQ(triples.size(), 3u);
  EXPECT_EQ(triples[0][1], I(0));
  EXPECT_EQ(triples[1][4], T("title"));
  EXPECT_EQ(triples[1][5], T("1"));
  EXPECT_EQ(triples[2][6], I(3));
  // A probe on the key, both ways, and a look-up.
  const db::TripleSource source(engine().Pin());
  const dataflow::BaseRelation relation = {.type = schema::kSysTriple,
                                           .columns = {AttributeId{2}, AttributeId{7}}};
  dataflow::Probe probe;
  probe.prefix = {triples[0][0]};
  probe.lower = {.value = I(2)};
  probe.reverse = true;
  std::vector<Row> rows;
  ASSERT_TRUE(source.Scan(relation, probe, dataflow::When::kNew, [&](std::span<const Value> row) {
    rows.emplace_back(row.begin(), row.end());
    return true;
  }));
  EXPECT_EQ(rows, (std::vector<Row>{{I(3), I(3)}, {I(2), T("a")}}));
  const std::vector<Row> keys = {Row(triples[2].begin(), triples[2].begin() + 3),
                                 Row{I(1), I(1), I(1)}};
  ASSERT_TRUE(source.Lookup(
      relation, keys, dataflow::When::kNew,
      [&](std::size_t i, std::span<const Value> row) { EXPECT_EQ(row.empty(), i == 1); }));
}

TEST_F(DatabaseTest, CommitsAreListedWhileHistoryIsKept) {
  Options options;
  options.history.retention = History::kAll;
  database_ = *Database::Open(":memory:", options);
  DeclareTracks();
  ASSERT_TRUE(Insert("track", {{"id", I(1)}}));
  ASSERT_EQ(All("sys.commit").size(), 2u);
  EXPECT_EQ(All("sys.commit")[1][0], I(2));
}

TEST_F(DatabaseTest, TheFirstCommitMakesVersionOne) {
  EXPECT_EQ(database_.version(), Version{0});
  DeclareTracks();
  EXPECT_EQ(database_.version(), Version{1});
  ASSERT_TRUE(Insert("track", {{"id", I(1)}}));
  EXPECT_EQ(database_.version(), Version{2});
}

}  // namespace
}  // namespace trefoil
