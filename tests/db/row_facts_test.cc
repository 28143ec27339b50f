// The facts of one row are those that a scan of all facts finds.
#include "db/row_facts.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/str_cat.h"
#include "db/engine.h"
#include "db/public_state.h"
#include "db/row_layout.h"
#include "schema/keys.h"
#include "tests/support/random_value.h"
#include "tests/support/seed.h"
#include "trefoil/database.h"

namespace trefoil {
namespace {

using Facts = std::vector<std::pair<std::string, std::string>>;

// Every key of the type's facts that goes on with the subject; a key of one INT has one length.
Facts ScanFor(const db::ReadView& view, TypeId type, const std::string& subject) {
  Facts found;
  const std::string start = schema::PrefixLimit(schema::FactPrefix(type, schema::kRowCell));
  const std::unique_ptr<lsm::Iterator> facts =
      view.NewIterator({.start = start, .limit = schema::PrefixLimit(schema::TypePrefix(type))});
  for (facts->SeekToFirst(); facts->Valid(); facts->Next()) {
    schema::FactName name;
    EXPECT_TRUE(schema::ParseFactKey(facts->key(), &name));
    if (!name.subject.StartsWith(Slice(subject))) continue;
    found.emplace_back(facts->key().ToString(), facts->value().ToString());
  }
  return found;
}

TEST(RowFactsTest, AreThoseThatAScanFinds) {
  testing::RandomEngine random(testing::TestSeed());
  const auto below = [&](std::uint64_t limit) { return testing::Below(random, limit); };
  Database database = *Database::Open(":memory:");
  ASSERT_TRUE(database.Execute(
      "TABLE note LAX (id INT = 1 KEY, a INT = 2, tags SET INT = 3, b INT = 5, c INT = 90);"
      "TABLE next (id INT KEY, a INT)"));
  for (int i = 0; i < 60; ++i) {
    std::string row = StrCat("INSERT INTO note {id: ", i);
    for (const char* column : {"a", "b", "c", "x1", "x2"}) {
      if (below(2) == 0) row += StrCat(", ", column, ": ", below(9));
    }
    if (below(2) == 0) row += ", tags: [1, 2, 3]";
    ASSERT_TRUE(database.Execute(row + "}")) << row;
    ASSERT_TRUE(database.Execute(StrCat("INSERT INTO next {id: ", i, ", a: 1}")));
    if (below(4) == 0) {
      ASSERT_TRUE(database.Execute(StrCat("DELETE FROM note WHERE id = ", below(60))));
    }
  }
  const db::PinnedRef state = database.state().engine->Pin();
  const schema::Type& type = *state->schema()->FindType("note");
  std::size_t facts = 0;
  for (std::int64_t i = -1; i <= 60; ++i) {
    const Value key = Value::Int(i);
    const std::string subject = *db::EncodeSubject(type, std::span(&key, 1));
    Facts found;
    ASSERT_TRUE(db::ForRowFacts(
        state->view(), type.id, Slice(subject),
        [&](Slice name, Slice cell) { found.emplace_back(name.ToString(), cell.ToString()); }));
    ASSERT_EQ(found, ScanFor(state->view(), type.id, subject)) << "of row " << i;
    facts += found.size();
  }
  EXPECT_GT(facts, 60u);
}

}  // namespace
}  // namespace trefoil
