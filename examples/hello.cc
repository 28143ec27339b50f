// Opens a database in memory, writes a row, asks a question once and keeps another.
#include <cstdio>

#include "trefoil/trefoil.h"

int main() {
  trefoil::Result<trefoil::Database> database = trefoil::Database::Open(":memory:");
  if (!database) return 1;
  if (!database->Execute("TABLE note (id INT KEY, text TEXT)")) return 1;

  const auto query = database->Prepare("SELECT text FROM note ORDER BY id");
  if (!query) return 1;
  const auto subscription = database->Watch(*query, {}, [](const trefoil::Change& change) {
    std::printf("%s\n", trefoil::ToJson(change).c_str());
  });
  if (!subscription) return 1;

  if (!database->Execute("INSERT INTO note {id: 1, text: 'hello'}")) return 1;
  const auto rows = database->snapshot().Run(*query);
  if (!rows) return 1;
  std::printf("%s\n", rows->ToJson().c_str());
  return 0;
}
