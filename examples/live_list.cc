// A list that follows the database: each commit that changes the result arrives as one exact
// Change.
#include <cstdio>
#include <utility>

#include "trefoil/trefoil.h"

namespace {

void Print(const trefoil::Change& change) {
  for (const trefoil::Row& row : change.removed) std::printf("- %s\n", row.ToJson().c_str());
  for (const trefoil::Row& row : change.added) std::printf("+ %s\n", row.ToJson().c_str());
  for (const trefoil::Update& update : change.updated) {
    std::printf("~ %s -> %s\n", update.before.ToJson().c_str(), update.after.ToJson().c_str());
  }
}

trefoil::Status Run() {
  trefoil::Result<trefoil::Database> database = trefoil::Database::Open(":memory:");
  if (!database) return std::move(database).error();
  const auto declared = database->Execute(
      "TABLE task (id INT KEY, title TEXT, done BOOL DEFAULT false, priority INT)");
  if (!declared) return declared.error();

  const auto query =
      database->Prepare("SELECT id, title FROM task WHERE NOT done ORDER BY priority DESC LIMIT 2");
  if (!query) return query.error();
  const auto subscription = database->Watch(*query, {}, Print);
  if (!subscription) return subscription.error();

  for (const char* statement : {"INSERT INTO task {id: 1, title: 'water plants', priority: 1}",
                                "INSERT INTO task {id: 2, title: 'buy seeds', priority: 3}",
                                "INSERT INTO task {id: 3, title: 'mow', priority: 2}",
                                "UPDATE task SET done = true WHERE id = 2"}) {
    const auto done = database->Execute(statement);
    if (!done) return done.error();
  }
  return trefoil::Ok();
}

}  // namespace

int main() {
  const trefoil::Status done = Run();
  if (!done) std::fprintf(stderr, "%s\n", trefoil::ToString(done.error()).c_str());
  return done ? 0 : 1;
}
