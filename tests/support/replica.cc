#include "tests/support/replica.h"

#include <gtest/gtest.h>

#include "db/commit_delta.h"
#include "tests/support/declare.h"

namespace trefoil::testing {

using schema::MergeKind;

// All rows of `t`, kept up by deltas alone.
class Replica::Mirror final : public db::CommitObserver {
 public:
  explicit Mirror(db::Engine& engine) : engine_(engine) {
    if (engine_.schema()->FindType("t") != nullptr) rows_ = Fresh();
    engine_.AddObserver(this);
  }
  ~Mirror() override { engine_.RemoveObserver(this); }

  using Rows = std::map<std::vector<Value>, dataflow::Weight>;

  void OnCommit(const db::CommitDelta& delta) override {
    const schema::Type* type = delta.after->schema()->FindType("t");
    if (type == nullptr) return;
    const std::vector<AttributeId> columns = Columns(*type);
    dataflow::Batch batch(columns.size());
    const Status appended = db::AppendRowChanges(delta, type->id, columns, batch);
    ASSERT_TRUE(appended) << appended.error().message;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const std::span<const Value> row = batch.row(i);
      const auto found = rows_.try_emplace({row.begin(), row.end()}, 0).first;
      found->second += batch.weight(i);
      if (found->second == 0) rows_.erase(found);
    }
  }

  void CheckEqualsFresh() const { ASSERT_EQ(rows_, Fresh()); }

 private:
  static std::vector<AttributeId> Columns(const schema::Type& type) {
    std::vector<AttributeId> columns;
    for (const schema::Attribute& attribute : type.attributes) columns.push_back(attribute.id);
    return columns;
  }

  Rows Fresh() const {
    Rows rows;
    const db::PinnedRef pinned = engine_.Pin();
    const schema::Type* type = pinned->schema()->FindType("t");
    if (type == nullptr) return rows;
    const Status scanned =
        db::TripleStore(pinned->view())
            .ScanSubjects(*type, Columns(*type), {}, [&](Slice, std::span<const Value> row) {
              rows[{row.begin(), row.end()}] = 1;
              return true;
            });
    EXPECT_TRUE(scanned);
    return rows;
  }

  db::Engine& engine_;
  Rows rows_;
};

Replica::Replica(std::uint64_t seed)
    : env_(std::make_unique<FaultEnv>(FaultEnvOptions{.seed = seed, .clock = nullptr})),
      clock_(1'700'000'000'000'000) {
  Open();
}

Replica::~Replica() { Close(); }

void Replica::Open() {
  Options options;
  options.env = env_.get();
  options.clock = &clock_;
  options.memtable_bytes = 64 << 10;
  options.cache_bytes = 1 << 20;
  Result<Database> opened = Database::Open("replica", options);
  ASSERT_TRUE(opened) << ToString(opened.error());
  database_.emplace(*std::move(opened));
  mirror_ = std::make_unique<Mirror>(engine());
}

void Replica::Close() {
  mirror_.reset();
  database_.reset();
}

void Replica::Reopen() {
  Close();
  Open();
}

void Replica::LoseSyncs() {
  env_->Inject(
      {.operation = FileOperation::kSync, .times = Fault::kForever, .effect = FaultEffect::kLose});
}

void Replica::Crash(std::uint64_t seed) {
  env_->PowerOff();
  Close();
  env_ = env_->Crash(seed % 2 == 0 ? CrashMode::kLoseAll : CrashMode::kSectors, seed);
  Open();
}

void Replica::DeclareTable() {
  const ValueKind number = ValueKind::kInt;
  const std::vector<schema::Declaration> table = {Table(
      "t", {Key("id", number), Indexed("name", number), Field("a", number), Field("b", number),
            Merged("many", number, MergeKind::kMv), Merged("n", number, MergeKind::kCounter),
            Merged("tags", number, MergeKind::kSet), Merged("high", number, MergeKind::kMax),
            Merged("low", number, MergeKind::kMin)})};
  const Result<CommitInfo> declared = engine().Declare(table);
  ASSERT_TRUE(declared) << ToString(declared.error());
}

bool Replica::Run(const std::function<Result<bool>(db::WriteTransaction&, TypeId)>& body) {
  bool done = false;
  const Result<CommitInfo> committed = engine().Write([&](db::WriteTransaction& t) -> Status {
    Result<const schema::Type*> type = t.FindType("t");
    if (!type) return std::move(type).error();
    Result<bool> result = body(t, (*type)->id);
    if (!result) return std::move(result).error();
    done = *result;
    return Ok();
  });
  EXPECT_TRUE(committed) << ToString(committed.error());
  return done;
}

bool Replica::Insert(std::int64_t id, std::vector<db::FieldEdit> fields) {
  if (Row(id)) return false;
  fields.push_back({.attribute = AttributeId{kId}, .value = Value::Int(id)});
  return Run([&](db::WriteTransaction& t, TypeId type) -> Result<bool> {
    Result<std::vector<Value>> key = t.Insert(type, fields);
    if (!key) return std::move(key).error();
    return true;
  });
}

bool Replica::Update(std::int64_t id, std::vector<db::FieldEdit> fields) {
  const Value key = Value::Int(id);
  return Run([&](db::WriteTransaction& t, TypeId type) {
    return t.Update(type, std::span(&key, 1), fields);
  });
}

bool Replica::Delete(std::int64_t id) {
  const Value key = Value::Int(id);
  return Run(
      [&](db::WriteTransaction& t, TypeId type) { return t.Delete(type, std::span(&key, 1)); });
}

bool Replica::Set(std::int64_t id, Column column, std::int64_t value) {
  return Update(id, {{.attribute = AttributeId{column}, .value = Value::Int(value)}});
}
bool Replica::Add(std::int64_t id, Column column, std::int64_t value) {
  return Update(
      id,
      {{.attribute = AttributeId{column}, .value = Value::Int(value), .kind = db::EditKind::kAdd}});
}
bool Replica::Remove(std::int64_t id, Column column, std::int64_t value) {
  return Update(id, {{.attribute = AttributeId{column},
                      .value = Value::Int(value),
                      .kind = db::EditKind::kRemove}});
}

std::optional<std::vector<Value>> Replica::Row(std::int64_t id) {
  const Value key = Value::Int(id);
  Result<std::optional<std::vector<Value>>> row =
      database_->snapshot().Get("t", std::span(&key, 1));
  return row ? *row : std::nullopt;
}

Value Replica::Get(std::int64_t id, Column column) {
  const std::optional<std::vector<Value>> row = Row(id);
  EXPECT_TRUE(row) << "row " << id << " is there";
  return row ? (*row)[column - 1] : Value();
}

std::string Replica::Changes(const VersionVector& known) {
  Result<std::string> changes = database_->Changes(known);
  EXPECT_TRUE(changes) << ToString(changes.error());
  return changes ? *changes : std::string();
}

MergeSummary Replica::Merge(const std::string& changeset) {
  Result<MergeSummary> merged = database_->Merge(changeset);
  EXPECT_TRUE(merged) << ToString(merged.error());
  return merged ? *merged : MergeSummary();
}

std::string Replica::Hex() {
  const Result<Digest> digest = database_->StateDigest();
  EXPECT_TRUE(digest);
  return digest ? digest->ToHex() : std::string();
}

void Replica::CheckSound() {
  const Result<CheckReport> report = database_->Check();
  ASSERT_TRUE(report);
  ASSERT_EQ(report->problems, std::vector<std::string>());
  mirror_->CheckEqualsFresh();
  if (engine().schema()->FindType("t") == nullptr) return;
  const Status scanned = database_->snapshot().Scan("t", [](std::span<const Value> row) {
    const Value& a = row[kA - 1];
    const Value& b = row[kB - 1];
    EXPECT_EQ(a.is_null(), b.is_null());
    if (a.is_null() || b.is_null()) return true;
    EXPECT_EQ(a.AsInt(), -b.AsInt());
    return true;
  });
  ASSERT_TRUE(scanned);
}

void Sync(Replica& a, Replica& b) {
  b.Merge(a.Changes(b.database().version_vector()));
  a.Merge(b.Changes(a.database().version_vector()));
}

}  // namespace trefoil::testing
