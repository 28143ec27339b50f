// An operator outside the database: keeps a result of its own up to date from the Changes of a live
// query, as whoever wants a statistic that TreeSQL does not offer would write it. It sees each row
// that enters or leaves once, does work in proportion to the change, and can be asked at any time.
//
// The three steps of every such operator: take a row in, take it out again (exactly undone), and
// handle a reset, which begins anew.
#include <cstdio>
#include <map>
#include <string>

#include "trefoil/trefoil.h"

namespace {

// The median of a column, which no sum or count can tell.
class Median {
 public:
  void Apply(const trefoil::Change& change) {
    if (change.reset) counts_.clear();
    for (const trefoil::Row& row : change.removed) Add(row, -1);
    for (const trefoil::Row& row : change.added) Add(row, +1);
    for (const trefoil::Update& update : change.updated) {
      Add(update.before, -1);
      Add(update.after, +1);
    }
  }

  // The lower median; 0 when there is no row. O(distinct values).
  std::int64_t value() const {
    std::int64_t total = 0;
    for (const auto& [number, count] : counts_) total += count;
    std::int64_t seen = 0;
    for (const auto& [number, count] : counts_) {
      seen += count;
      if (2 * seen >= total) return number;
    }
    return 0;
  }

 private:
  void Add(const trefoil::Row& row, int weight) {
    const std::int64_t number = row[0].AsInt();
    if ((counts_[number] += weight) == 0) counts_.erase(number);
  }

  std::map<std::int64_t, std::int64_t> counts_;  // how many rows have each value
};

}  // namespace

int main() {
  trefoil::Result<trefoil::Database> database = trefoil::Database::Open(":memory:");
  if (!database || !database->Execute("TABLE reading (id INT KEY, celsius INT NOT NULL)")) return 1;
  const auto query = database->Prepare("SELECT celsius, id FROM reading");
  if (!query) return 1;
  Median median;
  const auto subscription =
      database->Watch(*query, {}, [&](const trefoil::Change& change) { median.Apply(change); });
  if (!subscription) return 1;

  const struct {
    const char* statement;
    std::int64_t median;
  } steps[] = {
      {"INSERT INTO reading {id: 1, celsius: 4}, {id: 2, celsius: 9}, {id: 3, celsius: 30}", 9},
      {"UPDATE reading SET celsius = 5 WHERE id = 3", 5},
      {"DELETE FROM reading WHERE id = 2", 4},
      {"DELETE FROM reading", 0},
  };
  for (const auto& [statement, expected] : steps) {
    if (!database->Execute(statement)) return 1;
    std::printf("%-90s median %lld\n", statement, static_cast<long long>(median.value()));
    if (median.value() != expected) return 1;
  }
  return 0;
}
