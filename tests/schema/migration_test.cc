#include "schema/migration.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "schema/catalogue.h"
#include "schema/ids.h"
#include "tests/support/declare.h"
#include "trefoil/result.h"

namespace trefoil::schema {
namespace {

using testing::Acyclic;
using testing::Field;
using testing::Key;
using testing::Reference;
using testing::Table;

Schema MustMigrate(const Schema& current, const std::vector<Declaration>& declarations) {
  Result<Migration> migration = Migrate(current, declarations);
  EXPECT_TRUE(migration) << ToString(migration.error());
  return migration ? std::move(migration->schema) : Schema();
}

void ExpectRefused(const Schema& current, const std::vector<Declaration>& declarations,
                   ErrorCode code) {
  const Result<Migration> migration = Migrate(current, declarations);
  ASSERT_FALSE(migration);
  EXPECT_EQ(migration.error().code, code) << ToString(migration.error());
}

Schema Tracks() {
  return MustMigrate(EmptySchema(),
                     {Table("track", {Key("id", ValueKind::kInt), Field("title", ValueKind::kText),
                                      Field("length", ValueKind::kInt)})});
}

const Type& TypeNamed(const Schema& schema, std::string_view name) {
  const Type* type = schema.FindType(name);
  EXPECT_NE(type, nullptr);
  return *type;
}

TEST(MigrationTest, NumbersFieldsInOrderAndTypesByName) {
  const Schema schema = Tracks();
  const Type& track = TypeNamed(schema, "TRACK");
  EXPECT_EQ(track.id, TypeIdOf("track"));
  EXPECT_EQ(track.Find("id")->id, AttributeId{1});
  EXPECT_EQ(track.Find("length")->id, AttributeId{3});
  EXPECT_EQ(track.key, std::vector{AttributeId{1}});
  EXPECT_TRUE(track.Find("id")->not_null);
}

TEST(MigrationTest, DeclaringTheSameAgainChangesNothing) {
  const Schema schema = Tracks();
  EXPECT_EQ(schema, MustMigrate(schema, {Table("track", {Key("id", ValueKind::kInt),
                                                         Field("title", ValueKind::kText),
                                                         Field("length", ValueKind::kInt)})}));
}

TEST(MigrationTest, AFieldIsRenamedByItsNumber) {
  const Schema schema = MustMigrate(
      Tracks(), {Table("track", {Key("id", ValueKind::kInt), Field("name", ValueKind::kText, 2),
                                 Field("length", ValueKind::kInt)})});
  EXPECT_EQ(TypeNamed(schema, "track").Find("name")->id, AttributeId{2});
  EXPECT_EQ(TypeNamed(schema, "track").Find("title"), nullptr);
  EXPECT_TRUE(TypeNamed(schema, "track").retired.empty());
}

TEST(MigrationTest, AFieldLeavesAndReturnsWithItsNumber) {
  const Schema without = MustMigrate(Tracks(), {Table("track", {Key("id", ValueKind::kInt)})});
  ASSERT_EQ(TypeNamed(without, "track").retired.size(), 2u);
  // A new field takes no number that was ever used.
  const Schema other = MustMigrate(
      without, {Table("track", {Key("id", ValueKind::kInt), Field("mood", ValueKind::kText)})});
  EXPECT_EQ(TypeNamed(other, "track").Find("mood")->id, AttributeId{4});
  const Schema back = MustMigrate(
      other, {Table("track", {Key("id", ValueKind::kInt), Field("length", ValueKind::kInt)})});
  EXPECT_EQ(TypeNamed(back, "track").Find("length")->id, AttributeId{3});
}

TEST(MigrationTest, ANumberKeepsItsTypeEvenAfterItLeft) {
  ExpectRefused(Tracks(),
                {Table("track", {Key("id", ValueKind::kInt), Field("title", ValueKind::kInt)})},
                ErrorCode::kSchemaConflict);
  const Schema without = MustMigrate(Tracks(), {Table("track", {Key("id", ValueKind::kInt)})});
  ExpectRefused(without,
                {Table("track", {Key("id", ValueKind::kInt), Field("x", ValueKind::kBool, 2)})},
                ErrorCode::kSchemaConflict);
  FieldDeclaration merged = Field("length", ValueKind::kInt);
  merged.attribute.merge = MergeKind::kMax;
  ExpectRefused(Tracks(), {Table("track", {Key("id", ValueKind::kInt), merged})},
                ErrorCode::kSchemaConflict);
}

TEST(MigrationTest, AReservedNumberIsNeverTaken) {
  TypeDeclaration table = Table("track", {Key("id", ValueKind::kInt)});
  table.reserved = {AttributeId{2}};
  const Schema schema = MustMigrate(Tracks(), {table});
  ExpectRefused(schema,
                {Table("track", {Key("id", ValueKind::kInt), Field("t", ValueKind::kText, 2)})},
                ErrorCode::kSchemaConflict);
  // The reservation stays without being said again, also for a field that had the number.
  const Schema back = MustMigrate(
      schema, {Table("track", {Key("id", ValueKind::kInt), Field("title", ValueKind::kText)})});
  EXPECT_EQ(TypeNamed(back, "track").Find("title")->id, AttributeId{4});
}

TEST(MigrationTest, TheKeyNeverChanges) {
  ExpectRefused(Tracks(),
                {Table("track", {Field("id", ValueKind::kInt), Key("title", ValueKind::kText)})},
                ErrorCode::kSchemaConflict);
  ExpectRefused(Tracks(), {Table("track", {Field("title", ValueKind::kText)})},
                ErrorCode::kSchemaConflict);
}

TEST(MigrationTest, ATableWithoutAKeyGetsAGeneratedOne) {
  const Schema schema =
      MustMigrate(EmptySchema(), {Table("note", {Field("text", ValueKind::kText)})});
  const Type& note = TypeNamed(schema, "note");
  EXPECT_TRUE(note.generated_key);
  EXPECT_EQ(note.attributes.front().name, "id");
  EXPECT_EQ(note.Find("id")->type.kind, ValueKind::kUuid);
  EXPECT_EQ(note.Find("text")->id, AttributeId{1});
  EXPECT_EQ(schema, MustMigrate(schema, {Table("note", {Field("text", ValueKind::kText)})}));
  const Schema more = MustMigrate(
      schema, {Table("note", {Field("text", ValueKind::kText), Field("at", ValueKind::kDate)})});
  EXPECT_EQ(TypeNamed(more, "note").key, note.key);
}

TEST(MigrationTest, TablesAreRenamedByWasOrByNumber) {
  TypeDeclaration song = Table("song", {Key("id", ValueKind::kInt)});
  song.was = "track";
  const Schema schema = MustMigrate(Tracks(), {song});
  EXPECT_EQ(TypeNamed(schema, "song").id, TypeIdOf("track"));
  EXPECT_EQ(schema.FindType("track"), nullptr);
  EXPECT_EQ(schema, MustMigrate(schema, {song}));  // WAS may stay in the text

  TypeDeclaration numbered = Table("a", {Key("id", ValueKind::kInt)});
  numbered.id = TypeId{7};
  const Schema a = MustMigrate(EmptySchema(), {numbered});
  numbered.name = "b";
  EXPECT_EQ(TypeNamed(MustMigrate(a, {numbered}), "b").id, TypeId{7});
  numbered.name = "track";
  ExpectRefused(Tracks(), {numbered}, ErrorCode::kSchemaConflict);
}

TEST(MigrationTest, ReferencesTakeTheKindOfTheKeyAndMayPointForward) {
  TypeDeclaration pair = Table("pair", {Field("a", ValueKind::kInt), Field("b", ValueKind::kText),
                                        Reference("track", "track"), Reference("self", "pair")});
  pair.key = {"a", "b"};
  const Schema schema =
      MustMigrate(EmptySchema(), {pair, Table("track", {Key("code", ValueKind::kText)})});
  const Type& type = TypeNamed(schema, "pair");
  EXPECT_EQ(type.Find("track")->type,
            (ValueType{.kind = ValueKind::kText, .target = TypeIdOf("track")}));
  EXPECT_EQ(type.Find("self")->type,
            (ValueType{.kind = ValueKind::kRef, .target = TypeIdOf("pair")}));
  ExpectRefused(EmptySchema(), {Table("x", {Reference("y", "nowhere")})}, ErrorCode::kUnknownTable);
}

TEST(MigrationTest, AnAcyclicFieldRefersToItsOwnTableWhoseKeyHasDeclaredKinds) {
  const Schema schema = MustMigrate(
      EmptySchema(), {Table("node", {Key("id", ValueKind::kInt), Acyclic("up", "node")})});
  EXPECT_EQ(TypeNamed(schema, "node").Find("up")->merge, MergeKind::kTree);
  EXPECT_EQ(*DecodeCatalogue(EncodeCatalogue(schema)), schema);
  ExpectRefused(Tracks(), {Table("x", {Key("id", ValueKind::kInt), Acyclic("up", "track")})},
                ErrorCode::kInvalidArgument);
  ExpectRefused(EmptySchema(), {Table("x", {Key("id", ValueKind::kNull), Acyclic("up", "x")})},
                ErrorCode::kUnsupported);
  TypeDeclaration pair = Table("pair", {Field("a", ValueKind::kInt), Field("b", ValueKind::kInt)});
  pair.key = {"a", "b"};
  FieldDeclaration of = Reference("of", "pair");
  of.key = true;
  ExpectRefused(EmptySchema(), {pair, Table("x", {of, Acyclic("up", "x")})},
                ErrorCode::kUnsupported);
}

TEST(MigrationTest, AReferenceThroughReferencesEndsOrIsRefused) {
  FieldDeclaration key = Reference("of", "track");
  key.key = true;
  const Schema schema = MustMigrate(
      EmptySchema(), {Table("lyrics", {key}), Table("track", {Key("id", ValueKind::kInt)}),
                      Table("line", {Reference("lyrics", "lyrics")})});
  EXPECT_EQ(TypeNamed(schema, "line").Find("lyrics")->type.kind, ValueKind::kInt);
  FieldDeclaration loop = Reference("self", "loop");
  loop.key = true;
  ExpectRefused(EmptySchema(), {Table("loop", {loop})}, ErrorCode::kInvalidArgument);
}

TEST(MigrationTest, IndexesAreBuiltAndDroppedByTheDifference) {
  FieldDeclaration title = Field("title", ValueKind::kText);
  title.unique = true;
  FieldDeclaration length = Field("length", ValueKind::kInt);
  length.indexed = true;
  const std::vector<Declaration> with = {
      Table("track", {Key("id", ValueKind::kInt), title, length})};
  Result<Migration> migration = Migrate(Tracks(), with);
  ASSERT_TRUE(migration);
  EXPECT_EQ(migration->build.size(), 2u);
  const Schema schema = migration->schema;
  EXPECT_EQ(TypeNamed(schema, "track").unique,
            (std::vector<std::vector<AttributeId>>{{AttributeId{2}}}));
  EXPECT_EQ(schema, MustMigrate(schema, with));

  const IndexDeclaration named = {.name = "by_length",
                                  .type = "track",
                                  .columns = {{.name = "length", .descending = true}},
                                  .include = {"title"}};
  Result<Migration> more = Migrate(schema, std::vector<Declaration>{named});
  ASSERT_TRUE(more);
  EXPECT_EQ(more->build, std::vector{IndexIdOf("by_length")});

  // Declaring the table without its flags drops its own indexes, not the named one, which goes
  // with its column.
  Result<Migration> plain = Migrate(
      more->schema, std::vector<Declaration>{Table(
                        "track", {Key("id", ValueKind::kInt), Field("title", ValueKind::kText),
                                  Field("length", ValueKind::kInt)})});
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->drop.size(), 2u);
  Result<Migration> none = Migrate(
      plain->schema, std::vector<Declaration>{Table(
                         "track", {Key("id", ValueKind::kInt), Field("length", ValueKind::kInt)})});
  ASSERT_TRUE(none);
  EXPECT_EQ(none->drop, std::vector{IndexIdOf("by_length")});
}

TEST(MigrationTest, AnIndexWithOtherColumnsUnderTheSameNameIsRefused) {
  IndexDeclaration index = {.name = "i", .type = "track", .columns = {{.name = "title"}}};
  const Schema schema = MustMigrate(Tracks(), {index});
  EXPECT_EQ(schema, MustMigrate(schema, {index}));
  index.columns.front().name = "length";
  ExpectRefused(schema, {index}, ErrorCode::kSchemaConflict);
  index.columns.front().name = "nothing";
  ExpectRefused(schema, {index}, ErrorCode::kUnknownColumn);
  EXPECT_TRUE(MustMigrate(schema, {DropIndex{.name = "i"}}).indexes().empty());
  ExpectRefused(schema, {DropIndex{.name = "j"}}, ErrorCode::kUnknownIndex);
}

TEST(MigrationTest, ASetHasNoIndex) {
  FieldDeclaration tags = Field("tags", ValueKind::kText);
  tags.attribute.merge = MergeKind::kSet;
  tags.indexed = true;
  ExpectRefused(EmptySchema(), {Table("t", {tags})}, ErrorCode::kUnsupported);
}

TEST(MigrationTest, ADroppedTableRetiresAndReturns) {
  const Schema dropped = MustMigrate(Tracks(), {DropType{.name = "track"}});
  EXPECT_EQ(dropped.FindType("track"), nullptr);
  EXPECT_EQ(dropped.retired_types().size(), 1u);
  const Schema back = MustMigrate(
      dropped, {Table("track", {Key("id", ValueKind::kInt), Field("title", ValueKind::kText)})});
  EXPECT_EQ(TypeNamed(back, "track").Find("title")->id, AttributeId{2});
  EXPECT_TRUE(back.retired_types().empty());
  ExpectRefused(EmptySchema(), {DropType{.name = "track"}}, ErrorCode::kUnknownTable);
  const Schema referred = MustMigrate(Tracks(), {Table("x", {Reference("t", "track")})});
  ExpectRefused(referred, {DropType{.name = "track"}}, ErrorCode::kSchemaConflict);
}

TEST(MigrationTest, RefusesDeclarationsThatContradictThemselves) {
  const Schema none = EmptySchema();
  using enum ErrorCode;
  ExpectRefused(none, {Table("", {})}, kInvalidArgument);
  ExpectRefused(none, {Table("sys.mine", {})}, kSchemaConflict);
  ExpectRefused(none, {Table("t", {Field("a", ValueKind::kInt), Field("A", ValueKind::kInt)})},
                kInvalidArgument);
  ExpectRefused(none,
                {Table("t", {Field("a", ValueKind::kInt, 4), Field("b", ValueKind::kInt, 4)})},
                kInvalidArgument);
  ExpectRefused(none, {Table("t", {Field("a", ValueKind::kInt, kFieldLimit)})}, kInvalidArgument);
  TypeDeclaration key = Table("t", {Field("a", ValueKind::kInt)});
  key.key = {"b"};
  ExpectRefused(none, {key}, kUnknownColumn);
  key.key = {"a", "a"};
  ExpectRefused(none, {key}, kInvalidArgument);
  TypeDeclaration number = Table("t", {});
  number.id = TypeId{kTypeLimit};
  ExpectRefused(none, {number}, kInvalidArgument);
}

TEST(CatalogueTest, ASchemaReadsBackFromItsRows) {
  FieldDeclaration title = Field("title", ValueKind::kText);
  title.unique = true;
  title.attribute.default_expression = "'none'";
  FieldDeclaration price = Field("price", ValueKind::kDecimal);
  price.attribute.type = {.kind = ValueKind::kDecimal, .precision = 9, .scale = 2};
  price.attribute.check_expression = "price > 0";
  FieldDeclaration tags = Field("tags", ValueKind::kText);
  tags.attribute.merge = MergeKind::kSet;
  TypeDeclaration table = Table(
      "album", {title, price, tags, Reference("track", "track"), Field("any", ValueKind::kNull)});
  table.reserved = {AttributeId{90}};
  table.strict = true;
  Schema schema = MustMigrate(Tracks(), {table, Table("track", {Key("id", ValueKind::kInt)}),
                                         IndexDeclaration{.name = "by_price",
                                                          .type = "album",
                                                          .columns = {{"price", true}, {"title"}},
                                                          .include = {"track"}}});
  schema = WithUndeclared(schema, TypeIdOf("track"),
                          {.id = UndeclaredAttributeId("mood"), .name = "mood"});
  schema = WithIndexReady(schema, IndexIdOf("by_price"));
  schema = MustMigrate(schema, {Table("gone", {}), DropType{.name = "gone"}});
  std::vector<CatalogueRow> rows = EncodeCatalogue(schema);
  std::reverse(rows.begin(), rows.end());
  Result<Schema> read = DecodeCatalogue(rows);
  ASSERT_TRUE(read) << ToString(read.error());
  EXPECT_EQ(*read, schema);
  EXPECT_NE(read->FindType("track")->Find("mood"), nullptr);
}

TEST(CatalogueTest, RefusesRowsThatDoNotRead) {
  for (CatalogueRow row : EncodeCatalogue(Tracks())) {
    std::vector<CatalogueRow> rows = EncodeCatalogue(Tracks());
    row.values[0] = Value::Text("x");
    rows.push_back(row);
    const Result<Schema> read = DecodeCatalogue(rows);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, ErrorCode::kCorruption);
  }
}

TEST(CatalogueTest, PassesOverWhatBelongsToNoTypeYet) {
  std::vector<CatalogueRow> rows = EncodeCatalogue(Tracks());
  std::erase_if(rows, [](const CatalogueRow& row) { return row.type == kSysType; });
  const Result<Schema> read = DecodeCatalogue(rows);
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, EmptySchema());
}

}  // namespace
}  // namespace trefoil::schema
