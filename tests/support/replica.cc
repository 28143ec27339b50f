#include "tests/support/replica.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "crdt/version_vector.h"
#include "db/commit_delta.h"
#include "schema/ids.h"
#include "schema/key_codec.h"
#include "tests/support/declare.h"

namespace trefoil::testing {

using schema::MergeKind;

namespace {

constexpr const char* kLiveQuery = "SELECT id, name, a, b FROM t WHERE a >= 0 ORDER BY name, id";

}  // namespace

// All rows of `t`, kept up by deltas alone.
class Replica::Mirror final : public db::CommitObserver {
 public:
  explicit Mirror(db::Engine& engine) : engine_(engine) {
    if (engine_.schema()->FindType("t") != nullptr) rows_ = RowsAt(*engine_.Pin());
    engine_.AddObserver(this);
  }
  ~Mirror() override { engine_.RemoveObserver(this); }

  using Rows = std::map<std::vector<Value>, dataflow::Weight>;

  void OnCommit(const db::CommitDelta& delta) override {
    const schema::Type* type = delta.after->schema()->FindType("t");
    if (type == nullptr) return;
    if (delta.schema_changed()) {
      rows_ = RowsAt(*delta.after);
      return;
    }
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

  bool EqualsFresh() const { return rows_ == RowsAt(*engine_.Pin()); }

 private:
  static std::vector<AttributeId> Columns(const schema::Type& type) {
    std::vector<AttributeId> columns;
    for (const schema::Attribute& attribute : type.attributes) columns.push_back(attribute.id);
    return columns;
  }

  // Of a commit that is told the state behind it: another one may have been made since.
  static Rows RowsAt(const db::Pinned& state) {
    Rows rows;
    const schema::Type* type = state.schema()->FindType("t");
    if (type == nullptr) return rows;
    const Status scanned =
        db::TripleStore(state.view())
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

Replica::Replica(std::uint64_t seed, Part part)
    : env_(std::make_shared<FaultEnv>(
          FaultEnvOptions{.seed = seed, .clock = nullptr, .maps = false})),
      part_(std::move(part)),
      clock_(1'700'000'000'000'000) {
  Open();
}

Replica::Replica(const Replica& beside, std::string path)
    : env_(beside.env_), path_(std::move(path)), clock_(beside.clock_.NowMicros()) {
  Open();
}

Replica::~Replica() { Close(); }

void Replica::Open() {
  Options options;
  options.env = env_.get();
  options.clock = &clock_;
  options.memtable_bytes = 64 << 10;
  options.cache_bytes = 1 << 20;
  options.part = part_;
  Result<Database> opened = Database::Open(path_, options);
  ASSERT_TRUE(opened) << ToString(opened.error());
  database_.emplace(*std::move(opened));
  mirror_ = std::make_unique<Mirror>(engine());
  may_fail_ = false;
  StartWatching();
}

void Replica::Watch() {
  watches_ = true;
  StartWatching();
}

// Once there is a table to watch.
void Replica::StartWatching() {
  if (!watches_ || subscription_.active() || columns() == 0) return;
  Result<Subscription> watched =
      database_->Watch(*database_->Prepare(kLiveQuery), {}, [this](const Change& change) {
        if (change.reset) live_.clear();
        Apply(change, live_);
      });
  ASSERT_TRUE(watched) << ToString(watched.error());
  subscription_ = *std::move(watched);
}

void Replica::Close() {
  subscription_ = Subscription();
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

void Replica::PowerOffAfter(std::uint64_t events) {
  may_fail_ = true;
  env_->PowerOffAt(env_->events() + events);
}

void Replica::Crash(std::uint64_t seed) {
  env_->PowerOff();
  Close();
  env_ = env_->Crash(seed % 2 == 0 ? CrashMode::kLoseAll : CrashMode::kSectors, seed);
  Open();
}

void Replica::DeclareTable(std::size_t columns) {
  const ValueKind number = ValueKind::kInt;
  std::vector<schema::FieldDeclaration> fields = {Key("id", number),
                                                  Indexed("name", number),
                                                  Field("a", number),
                                                  Field("b", number),
                                                  Merged("many", number, MergeKind::kMv),
                                                  Merged("n", number, MergeKind::kCounter),
                                                  Merged("tags", number, MergeKind::kSet),
                                                  Merged("high", number, MergeKind::kMax),
                                                  Merged("low", number, MergeKind::kMin),
                                                  Acyclic("up", "t"),
                                                  Field("extra", number)};
  fields.resize(columns);
  const std::vector<schema::Declaration> table = {Table("t", std::move(fields))};
  const Result<CommitInfo> declared = engine().Declare(table);
  ASSERT_TRUE(declared) << ToString(declared.error());
  StartWatching();
}

std::size_t Replica::columns() {
  const schema::SchemaRef schema = engine().schema();
  const schema::Type* type = schema->FindType("t");
  return type == nullptr ? 0 : type->attributes.size();
}

bool Replica::Holds(std::int64_t id) {
  std::string subject;
  schema::AppendKeyPart(subject, {.kind = ValueKind::kInt}, Value::Int(id));
  return engine().part().Holds(schema::TypeIdOf("t"), Slice(subject));
}

bool Replica::HoldsTree() { return engine().part().HoldsAll(schema::TypeIdOf("t")); }

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
  const bool refused = !committed && committed.error().code == ErrorCode::kReferenceViolation;
  EXPECT_TRUE(committed || may_fail_ || refused) << ToString(committed.error());
  return done && committed;
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
bool Replica::Move(std::int64_t id, std::int64_t parent) { return Set(id, kUp, parent); }
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
  StartWatching();
  return merged ? *merged : MergeSummary();
}

std::string Replica::Hex() {
  const Result<Digest> digest = database_->StateDigest();
  EXPECT_TRUE(digest);
  return digest ? digest->ToHex() : std::string();
}

crdt::Dot Replica::LastDot() {
  crdt::SiteId site = {.uuid = {}, .incarnation = engine().site().incarnation};
  std::ranges::copy(engine().site().id, site.uuid.begin());
  return {site, crdt::HeadOf(engine().heads(), site)};
}

std::string Replica::Compare() {
  if (!mirror_->EqualsFresh()) return "the sum of all deltas is not a fresh scan";
  if (!subscription_.active()) return "";
  const Result<Rows> fresh = database_->snapshot().Run(*database_->Prepare(kLiveQuery));
  if (!fresh || fresh->size() != live_.size()) return "a live query is not the fresh query";
  for (std::size_t i = 0; i < live_.size(); ++i) {
    if (!std::ranges::equal(live_[i].values(), (*fresh)[i]))
      return "a live row is not the fresh row";
  }
  return "";
}

void Replica::CheckSound() {
  const Result<CheckReport> report = database_->Check();
  ASSERT_TRUE(report);
  ASSERT_EQ(report->problems, std::vector<std::string>());
  ASSERT_EQ(Compare(), "");
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

Part RowsFrom(std::int64_t from, std::int64_t below) {
  const auto subject = [](std::int64_t id) {
    std::string bytes;
    schema::AppendKeyPart(bytes, {.kind = ValueKind::kInt}, Value::Int(id));
    return bytes;
  };
  const schema::Part part(
      {{schema::TypeIdOf("t"),
        {{.start = subject(from), .limit = below == 0 ? "" : subject(below)}}}});
  return *Part::Parse(schema::EncodePart(part));
}

Part AllOfT() {
  return *Part::Parse(schema::EncodePart(schema::Part({{schema::TypeIdOf("t"), {{}}}})));
}

}  // namespace trefoil::testing
