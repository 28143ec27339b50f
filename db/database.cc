// Database: opening, transactions, snapshots and care of the store.
#include "trefoil/database.h"

#include <utility>

#include "db/execute.h"
#include "db/part_text.h"
#include "db/public_state.h"
#include "db/schema_text.h"
#include "db/stats.h"

namespace trefoil {

Database::Database(std::unique_ptr<State> state) : state_(std::move(state)) {}
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;
Database::~Database() = default;

Result<Database> Database::Open(const std::string& path, const Options& options) {
  Result<std::unique_ptr<db::Engine>> engine = db::Engine::Open(path, options);
  if (!engine) return std::move(engine).error();
  (*engine)->SetCompiler(db::MakeExpressionCompiler((*engine)->clock()));
  return Database(std::make_unique<State>(*std::move(engine)));
}

Result<ExecuteSummary> Database::Execute(std::string_view script, const Params& params,
                                         const RunOptions& options) {
  return db::ExecuteScript(*state_->engine, *state_->statements.Find(script), params, options);
}

Result<Query> Database::Prepare(std::string_view treesql) const {
  Result<std::shared_ptr<const Query::Plan>> plan =
      state_->statements.Find(treesql)->Prepare(state_->engine->schema());
  if (!plan) return std::move(plan).error();
  return Query(*std::move(plan));
}

Result<CommitInfo> Database::Write(const std::function<Status(Transaction&)>& body,
                                   Durability durability) {
  for (int attempt = 1;; ++attempt) {
    Transaction transaction = Begin();
    if (Status done = body(transaction); !done) return std::move(done).error();
    Result<CommitInfo> committed = transaction.Commit(durability);
    if (committed || committed.error().code != ErrorCode::kConflict ||
        attempt == db::Engine::kAttempts) {
      return committed;
    }
  }
}

Transaction Database::Begin() {
  return Transaction(std::make_unique<Transaction::State>(*state_->engine, state_->statements));
}

namespace {

Result<Snapshot> SnapshotOf(const db::Engine& engine, Result<db::PinnedRef> pinned) {
  if (!pinned) return std::move(pinned).error();
  return Snapshot(std::make_shared<const Snapshot::State>(engine, *std::move(pinned)));
}

}  // namespace

Snapshot Database::snapshot() const {
  return Snapshot(std::make_shared<const Snapshot::State>(*state_->engine, state_->engine->Pin()));
}

Result<Snapshot> Database::AsOf(Version version) const {
  return SnapshotOf(*state_->engine, state_->engine->PinAt(version));
}

Result<Snapshot> Database::AsOf(std::chrono::system_clock::time_point time) const {
  return SnapshotOf(*state_->engine, state_->engine->PinAt(time));
}

Version Database::version() const { return state_->engine->version(); }
Version Database::durable_version() const { return state_->engine->durable_version(); }

bool Database::is_copy() const { return state_->engine->is_copy(); }
Status Database::Flush() { return state_->engine->Flush(); }
Status Database::Compact() { return state_->engine->Compact(); }
Status Database::Backup(const std::string& to) const { return state_->engine->Backup(to); }
Result<CheckReport> Database::Check(const OnProgress& progress) const {
  return state_->engine->CheckData(progress);
}

std::string Database::StatsJson() const {
  const db::Engine& engine = *state_->engine;
  return db::StatsJson(engine.store().Stats(),
                       {.version = engine.version(),
                        .durable = engine.durable_version(),
                        .is_copy = engine.is_copy(),
                        .part = db::PartText(engine.part(), *engine.schema())});
}

Result<Part> Database::PartOf(std::string_view text) const {
  Result<schema::Part> part = db::ParsePart(text, *state_->engine->schema());
  if (!part) return std::move(part).error();
  return Part::Parse(schema::EncodePart(*part));
}

std::string Database::SchemaText() const { return db::SchemaText(*state_->engine->schema()); }

}  // namespace trefoil
