#include <algorithm>
#include <filesystem>
#include <functional>
#include <utility>
#include <vector>

#include "base/str_cat.h"
#include "bench/triples/table.h"
#include "db/public_state.h"
#include "db/triple_store.h"
#include "lsm/store.h"
#include "schema/cell.h"
#include "schema/keys.h"
#include "trefoil/database.h"

namespace trefoil::bench {
namespace {

namespace fs = std::filesystem;

constexpr char kDeclarations[] = R"(
  TABLE person (id INT KEY, name TEXT);
  TABLE task (id INT KEY, title TEXT, owner REF person, author REF person,
              created TIMESTAMP, due TIMESTAMP, state INT, points INT);
  INDEX task_owner ON task (owner);
)";

template <typename T>
T Must(Result<T> result) {
  Require(result.has_value(), result ? "" : "trefoil: " + ToString(result.error()));
  return *std::move(result);
}
void Must(const Status& status) {
  Require(status.has_value(), status ? "" : "trefoil: " + ToString(status.error()));
}

std::uint64_t SumOf(std::span<const Value> row) {
  Require(row.size() == kFactsPerRow, "trefoil: a row is missing");
  std::uint64_t sum = 0;
  for (const Value& value : row) {
    sum += value.kind() == ValueKind::kText ? value.AsText().size()
                                            : static_cast<std::uint64_t>(value.AsInt());
  }
  return sum;
}

class TrefoilTable final : public TaskTable {
 public:
  explicit TrefoilTable(const std::string& path) : database_(Must(Database::Open(path))) {
    if (database_.snapshot().state().pinned->schema()->FindType("task") != nullptr) return;
    Must(database_.Execute(kDeclarations));
    Must(database_.Write([](Transaction& transaction) -> Status {
      for (std::uint64_t i = 0; i < kPeople; ++i) {
        Result<std::vector<Value>> inserted =
            transaction.Insert("person", {{"id", Value::Int(static_cast<std::int64_t>(i))},
                                          {"name", Value::Text(StrCat("person ", i))}});
        if (!inserted) return std::move(inserted).error();
      }
      return Ok();
    }));
  }

  std::string settings() const override {
    return "trefoil: the public API by names of columns, references checked, relaxed commits, "
           "mapped files, checksums on; a commit writes its log frame for other replicas";
  }

  void Insert(std::uint64_t first, std::uint64_t last) override {
    Must(database_.Write([&](Transaction& transaction) -> Status {
      for (std::uint64_t i = first; i < last; ++i) {
        const TaskRow row(i);
        fields_[0].second = Value::Int(row.id);
        fields_[1].second = Value::Text(row.title);
        fields_[2].second = Value::Int(row.owner);
        fields_[3].second = Value::Int(row.author);
        fields_[4].second = Value::Timestamp(row.created);
        fields_[5].second = Value::Timestamp(row.due);
        fields_[6].second = Value::Int(row.state);
        fields_[7].second = Value::Int(row.points);
        Result<std::vector<Value>> inserted = transaction.Insert("task", fields_);
        if (!inserted) return std::move(inserted).error();
      }
      return Ok();
    }));
  }

  void SetState(std::uint64_t id, std::int64_t state) override {
    const Value key = Value::Int(static_cast<std::int64_t>(id));
    state_[0].second = Value::Int(state);
    Must(database_.Write([&](Transaction& transaction) {
      return transaction.Update("task", std::span(&key, 1), state_);
    }));
  }

  std::uint64_t ReadRow(std::uint64_t id) override {
    const Value key = Value::Int(static_cast<std::int64_t>(id));
    const auto row = Must(database_.snapshot().Get("task", std::span(&key, 1)));
    return SumOf(row ? std::span<const Value>(*row) : std::span<const Value>());
  }
  std::uint64_t ReadRows(std::span<const std::uint64_t> ids) override {
    keys_.clear();
    for (const std::uint64_t id : ids) {
      keys_.push_back({Value::Int(static_cast<std::int64_t>(id))});
    }
    std::uint64_t sum = 0;
    Must(database_.snapshot().GetMany(
        "task", keys_, [&](std::size_t, std::span<const Value> row) { sum += SumOf(row); }));
    return sum;
  }
  std::uint64_t ScanTwoColumns() override {
    const Snapshot snapshot = database_.snapshot();
    const db::Pinned& pinned = *snapshot.state().pinned;
    const schema::Type& type = *pinned.schema()->FindType("task");
    const std::vector<AttributeId> columns = {type.Find("title")->id, type.Find("points")->id};
    std::uint64_t rows = 0;
    std::uint64_t sum = 0;
    Must(db::TripleStore(pinned.view())
             .ScanSubjects(type, columns, {}, [&](Slice, std::span<const Value> row) {
               sum += static_cast<unsigned char>(row[0].AsText()[0]);
               sum += static_cast<std::uint64_t>(row[1].AsInt());
               ++rows;
               return true;
             }));
    Consume(sum);
    return rows;
  }
  void Settle() override { Must(database_.Compact()); }

  Database& database() { return database_; }

 private:
  Database database_;
  Fields fields_ = {{"id", {}},      {"title", {}}, {"owner", {}}, {"author", {}},
                    {"created", {}}, {"due", {}},   {"state", {}}, {"points", {}}};
  Fields state_ = {{"state", {}}};
  std::vector<std::vector<Value>> keys_;
};

// Calls `visit` for every entry that is visible now.
template <typename Visit>
void ForAllEntries(const lsm::Store& store, const Visit& visit) {
  const std::unique_ptr<lsm::Iterator> entries = store.NewIterator({}, store.GetSnapshot());
  for (entries->SeekToFirst(); entries->Valid(); entries->Next()) visit(*entries);
  Must(entries->status());
}

std::uint64_t EntriesOf(const Database& database, Version version) {
  std::uint64_t count = 0;
  ForAllEntries(database.state().engine->store(), [&](const lsm::Iterator& entry) {
    if (entry.sequence() == ToNumber(version)) ++count;
  });
  return count;
}

// Bytes at rest of a store at `path` to which `rewrite` adds the entries of the table.
std::uint64_t BytesOfCopy(
    const std::string& directory, const std::string& path, lsm::Compression compression,
    const std::function<void(const lsm::Iterator& entry, lsm::WriteBatch& batch)>& rewrite) {
  TrefoilTable table(directory + "/db");
  fs::remove_all(path);
  auto store = Must(lsm::Store::Open(Env::Posix(), path, {.compression = compression}));
  lsm::WriteBatch batch;
  const auto write = [&] {
    if (!batch.empty()) Must(store->Write(batch, lsm::Durability::kRelaxed));
    batch.Clear();
  };
  ForAllEntries(table.database().state().engine->store(), [&](const lsm::Iterator& entry) {
    rewrite(entry, batch);
    if (batch.count() >= 10'000) write();
  });
  write();
  Must(store->Flush());
  Must(store->Compact({}));
  store.reset();
  return BytesOfFiles(path, /*log=*/false);
}

}  // namespace

std::unique_ptr<TaskTable> OpenTrefoilTable(const std::string& directory) {
  return std::make_unique<TrefoilTable>(directory + "/db");
}

EntriesPerCommit CountEntriesPerCommit() {
  TrefoilTable table(":memory:");
  table.Insert(0, 100);
  // The clock's reservation, which one commit in two seconds carries, is behind us.
  table.Insert(100, 101);
  const Version inserted = table.database().version();
  const std::uint64_t insert = EntriesOf(table.database(), inserted);
  table.SetState(100, 7);
  return {.insert = insert, .update = EntriesOf(table.database(), table.database().version())};
}

double ClockBytesPerCell(const std::string& directory, const std::string& scratch,
                         lsm::Compression compression) {
  std::uint64_t cells = 0;
  double bytes[2] = {};
  for (const bool stamped : {false, true}) {
    cells = 0;
    const auto rewrite = [&](const lsm::Iterator& entry, lsm::WriteBatch& batch) {
      if (entry.key()[0] != schema::kFactSpace) return;
      ++cells;
      // flags, then time and site, then the value.
      constexpr std::size_t kStampBytes = 9;
      std::string value = entry.value().ToString();
      if (!stamped) value.erase(1, kStampBytes);
      batch.Put(entry.key(), Slice(value));
    };
    const std::string path = StrCat(scratch, stamped ? "/stamped" : "/plain");
    bytes[stamped ? 1 : 0] =
        static_cast<double>(BytesOfCopy(directory, path, compression, rewrite));
  }
  return (bytes[1] - bytes[0]) / static_cast<double>(cells);
}

std::uint64_t CompressedBytes(const std::string& directory, const std::string& scratch) {
  return BytesOfCopy(directory, scratch + "/zstd", lsm::Compression::kZstd,
                     [](const lsm::Iterator& entry, lsm::WriteBatch& batch) {
                       batch.Put(entry.key(), entry.value());
                     });
}

}  // namespace trefoil::bench
