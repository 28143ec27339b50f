// Rows that a writer hands over with its commit are those that a reader finds in the store.
#include "db/row_images.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "db/commit_delta.h"
#include "db/engine.h"
#include "db/public_state.h"
#include "schema/ids.h"
#include "tests/support/declare.h"
#include "tests/support/random_value.h"
#include "tests/support/seed.h"
#include "trefoil/database.h"

namespace trefoil {
namespace {

using db::EditKind;
using db::FieldEdit;
using db::RowImages;
using db::WriteTransaction;
using schema::MergeKind;
using testing::Below;
using testing::RandomEngine;

constexpr TypeId kSome{40};
constexpr TypeId kOther{41};

class RowImagesTest : public ::testing::Test {
 protected:
  static RowImages Watching(std::vector<TypeId> types) {
    return RowImages(std::make_shared<const std::vector<TypeId>>(std::move(types)));
  }
  static std::vector<Value> Row(std::int64_t number) { return {Value::Int(number)}; }
  static void Add(RowImages& images, const char* subject, const std::vector<Value>& before,
                  const std::vector<Value>& after) {
    images.Add({.type = kSome, .subject = Slice(subject), .before = before, .after = after});
  }
  // Of the only image.
  static std::string Shown(const RowImages& images) {
    if (images.size() != 1) return std::to_string(images.size()) + " images";
    const auto show = [](std::span<const Value> row) {
      return row.empty() ? std::string("none") : ToJson(row[0]);
    };
    return show(images[0].before) + " -> " + show(images[0].after);
  }
};

TEST_F(RowImagesTest, JoinTheEditsOfOneRow) {
  RowImages images = Watching({kSome});
  Add(images, "b", Row(1), Row(2));
  Add(images, "b", Row(2), {});
  Add(images, "b", {}, Row(3));
  images.Settle();
  EXPECT_EQ(Shown(images), "1 -> 3");
}

TEST_F(RowImagesTest, AreInTheOrderOfSubjects) {
  RowImages images = Watching({kSome, kOther});
  images.Add({.type = kOther, .subject = Slice("a"), .before = {}, .after = Row(9)});
  Add(images, "c", Row(1), Row(2));
  Add(images, "a", {}, Row(3));
  images.Settle();
  ASSERT_EQ(images.size(), 3u);
  EXPECT_EQ(images[0].subject, Slice("a"));
  EXPECT_EQ(images[1].subject, Slice("c"));
  EXPECT_EQ(images.FirstOf(kOther), 2u);
}

// Subjects of all lengths, many of which begin alike.
TEST_F(RowImagesTest, JoinManyEditsOfManyRowsInTheOrderInWhichTheyCame) {
  RandomEngine random(testing::TestSeed());
  RowImages images = Watching({kSome});
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> expected;
  for (std::int64_t edit = 0; edit < 1'000 * testing::TestScale(); ++edit) {
    std::string subject("\0abc\0defgh\0i", Below(random, 13));
    subject.append(Below(random, 3), static_cast<char>(Below(random, 256)));
    const auto [at, is_first] = expected.try_emplace(subject, 0, edit);
    images.Add({.type = kSome,
                .subject = Slice(subject),
                .before = Row(at->second.second),
                .after = Row(edit + 1)});
    if (is_first) at->second.first = edit;
    at->second.second = edit + 1;
  }
  images.Settle();
  ASSERT_EQ(images.size(), expected.size());
  std::size_t i = 0;
  for (const auto& [subject, ends] : expected) {
    EXPECT_EQ(images[i].subject, Slice(subject));
    EXPECT_EQ(images[i].before[0], Value::Int(ends.first));
    EXPECT_EQ(images[i].after[0], Value::Int(ends.second));
    ++i;
  }
}

TEST_F(RowImagesTest, KnowNothingOfARowThatOneEditDidNotRead) {
  RowImages images = Watching({kSome});
  Add(images, "a", Row(1), Row(2));
  images.AddUnknown(kSome, Slice("a"));
  Add(images, "b", Row(5), Row(6));
  images.Settle();
  EXPECT_EQ(Shown(images), "5 -> 6");
}

TEST_F(RowImagesTest, ForgetEditsThatAreTakenBack) {
  RowImages images = Watching({kSome});
  Add(images, "a", Row(1), Row(2));
  Add(images, "a", Row(2), Row(3));
  images.AddUnknown(kSome, Slice("a"));
  images.Truncate(1);
  images.Settle();
  EXPECT_EQ(Shown(images), "1 -> 2");
}

TEST_F(RowImagesTest, LeaveOutWhatNobodyWatches) {
  RowImages images = Watching({kOther});
  Add(images, "a", Row(1), Row(2));
  images.AddUnknown(kSome, Slice("a"));
  EXPECT_EQ(images.edits(), 0u);
  RowImages unwatched;
  Add(unwatched, "a", Row(1), Row(2));
  EXPECT_EQ(unwatched.edits(), 0u);
}

// Holds what comes with each commit against what the store says, for random columns.
class Comparer final : public db::CommitObserver {
 public:
  Comparer(RandomEngine& random, const schema::Type& type) : random_(random), type_(type.id) {
    for (const schema::Attribute& attribute : type.attributes) all_.push_back(attribute.id);
  }

  void OnCommit(const db::CommitDelta& delta) override {
    std::vector<AttributeId> columns;
    for (const AttributeId column : all_) {
      if (Below(random_, 2) == 0) columns.push_back(column);
    }
    if (columns.empty()) columns = all_;
    dataflow::Batch given(columns.size());
    ASSERT_TRUE(db::AppendRowChanges(delta, type_, columns, given));
    db::CommitDelta without = delta;
    without.images = RowImages();
    dataflow::Batch read(columns.size());
    ASSERT_TRUE(db::AppendRowChanges(without, type_, columns, read));
    ASSERT_EQ(given, read);
    images += delta.images.size();
    rows += delta.touched.size();
  }

  std::size_t images = 0;
  std::size_t rows = 0;

 private:
  RandomEngine& random_;
  const TypeId type_;
  std::vector<AttributeId> all_;
};

class HandOverTest : public ::testing::Test {
 protected:
  HandOverTest() : random_(testing::TestSeed()), database_(*Database::Open(":memory:")) {
    using testing::Field;
    using testing::Merged;
    schema::FieldDeclaration counted = Merged("n", ValueKind::kInt, MergeKind::kCounter);
    const std::vector<schema::Declaration> declarations = {testing::Table(
        "item",
        {testing::Key("id", ValueKind::kInt), testing::Key("part", ValueKind::kText),
         testing::Indexed("place", ValueKind::kInt), Field("title", ValueKind::kText),
         Field("ratio", ValueKind::kFloat), Field("day", ValueKind::kDate),
         Field("bytes", ValueKind::kBytes), Merged("mood", ValueKind::kText, MergeKind::kMv),
         std::move(counted), Merged("tags", ValueKind::kInt, MergeKind::kSet),
         Merged("high", ValueKind::kInt, MergeKind::kMax),
         Merged("low", ValueKind::kInt, MergeKind::kMin)})};
    const Result<CommitInfo> declared = engine().Declare(declarations);
    EXPECT_TRUE(declared) << ToString(declared.error());
    type_ = engine().schema()->FindType("item");
    engine().Watch({type_->id});
    comparer_ = std::make_unique<Comparer>(random_, *type_);
    engine().AddObserver(comparer_.get());
  }
  ~HandOverTest() override { engine().RemoveObserver(comparer_.get()); }

  db::Engine& engine() { return *database_.state().engine; }
  std::vector<Value> RandomKey() {
    return {Value::Int(static_cast<std::int64_t>(Below(random_, 4))),
            Value::Text(Below(random_, 2) == 0 ? "x" : "y")};
  }

  FieldEdit RandomEdit() {
    const schema::Attribute& attribute = type_->attributes[2 + Below(random_, 10)];
    FieldEdit edit = {.attribute = attribute.id};
    const auto number = [&] { return Value::Int(static_cast<std::int64_t>(Below(random_, 5))); };
    const bool counts = attribute.merge == MergeKind::kCounter;
    if (counts || attribute.merge == MergeKind::kSet) {
      edit.kind = static_cast<EditKind>(Below(random_, 3));
      edit.value = counts || Below(random_, 2) == 0 ? number() : Value::List({number(), number()});
    } else if (attribute.merge == MergeKind::kMax || attribute.merge == MergeKind::kMin) {
      edit.value = number();
    } else if (Below(random_, 5) != 0) {
      const bool small = attribute.type.kind == ValueKind::kInt;
      edit.value = small ? number() : testing::RandomValue(random_, attribute.type.kind);
    }
    return edit;
  }

  // One call of the writer, which may be refused.
  void EditOnce(WriteTransaction& transaction) {
    const std::vector<Value> key = RandomKey();
    std::vector<FieldEdit> edits(1 + Below(random_, 3));
    for (FieldEdit& edit : edits) edit = RandomEdit();
    std::vector<FieldEdit> row = edits;
    row.insert(row.begin(), {{.attribute = type_->key[0], .value = key[0]},
                             {.attribute = type_->key[1], .value = key[1]}});
    switch (Below(random_, 4)) {
      case 0:
        (void)transaction.Delete(type_->id, key);
        break;
      case 1:
        for (FieldEdit& edit : row) edit.kind = EditKind::kAssign;
        (void)transaction.Insert(type_->id, row);
        break;
      default:
        (void)transaction.Update(type_->id, key, edits);
    }
  }

  void EditSome(WriteTransaction& transaction) {
    for (std::uint64_t calls = 1 + Below(random_, 6); calls > 0; --calls) {
      const bool undo = Below(random_, 4) == 0;
      const Status done = transaction.AllOrNothing([&]() -> Status {
        EditOnce(transaction);
        if (undo) EditOnce(transaction);
        return undo ? Status(Error{.code = ErrorCode::kCancelled, .message = "undo"}) : Ok();
      });
      EXPECT_EQ(done.has_value(), !undo);
    }
  }

  RandomEngine random_;
  Database database_;
  const schema::Type* type_ = nullptr;
  std::unique_ptr<Comparer> comparer_;
};

TEST_F(HandOverTest, GivesWhatTheStoreHolds) {
  const auto commits = static_cast<int>(2000 * testing::TestScale());
  for (int i = 0; i < commits && !HasFatalFailure(); ++i) {
    const std::unique_ptr<WriteTransaction> first = engine().Begin();
    const std::unique_ptr<WriteTransaction> second = engine().Begin();
    EditSome(*first);
    if (Below(random_, 3) == 0) {
      EditSome(*second);
      ASSERT_TRUE(engine().Commit(*second, Durability::kRelaxed));
    }
    const Result<CommitInfo> committed = engine().Commit(*first, Durability::kRelaxed);
    ASSERT_TRUE(committed || committed.error().code == ErrorCode::kConflict);
  }
  EXPECT_GT(comparer_->images * 2, comparer_->rows) << "most rows are handed over";
}

TEST_F(HandOverTest, MakesNoTransactionConflictThatWouldNotWithoutIt) {
  const std::vector<Value> key = RandomKey();
  const auto title = [&](const char* text) {
    return FieldEdit{.attribute = type_->Find("title")->id, .value = Value::Text(text)};
  };
  const std::unique_ptr<WriteTransaction> insert = engine().Begin();
  ASSERT_TRUE(insert->Insert(
      type_->id, std::vector<FieldEdit>{{.attribute = type_->key[0], .value = key[0]},
                                        {.attribute = type_->key[1], .value = key[1]}}));
  ASSERT_TRUE(engine().Commit(*insert, Durability::kRelaxed));
  const std::unique_ptr<WriteTransaction> first = engine().Begin();
  const std::unique_ptr<WriteTransaction> second = engine().Begin();
  ASSERT_TRUE(first->Update(type_->id, key, std::vector<FieldEdit>{title("one")}));
  ASSERT_TRUE(second->Update(type_->id, key, std::vector<FieldEdit>{title("two")}));
  EXPECT_TRUE(engine().Commit(*first, Durability::kRelaxed));
  EXPECT_TRUE(engine().Commit(*second, Durability::kRelaxed));
}

}  // namespace
}  // namespace trefoil
