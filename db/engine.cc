#include "db/engine.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/coding.h"
#include "base/errors.h"
#include "base/str_cat.h"
#include "db/meta.h"
#include "db/triple_store.h"
#include "schema/catalogue.h"
#include "schema/keys.h"

namespace trefoil::db {

using schema::CatalogueRow;
using schema::Schema;

namespace {

// Tells the store where groups of keys end.
class TripleKeyLayout final : public lsm::KeyLayout {
 public:
  std::size_t GroupPrefix(Slice key) const override { return schema::GroupSize(key); }
  std::size_t EqualityPrefix(Slice) const override { return 0; }
};

const TripleKeyLayout kKeyLayout;

lsm::Compression CompressionOf(Compression compression) {
  return compression == Compression::kZstd ? lsm::Compression::kZstd : lsm::Compression::kNone;
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::Open(const std::string& path, const Options& options) {
  std::unique_ptr<Engine> engine(new Engine(options));
  engine->clock_ = options.clock != nullptr ? options.clock : &Clock::System();
  if (Status opened = engine->OpenStore(path); !opened) return std::move(opened).error();
  if (Status read = engine->ReadMeta(); !read) return std::move(read).error();
  if (Status read = engine->ReadSchema(); !read) return std::move(read).error();
  engine->StartHistory();
  if (!engine->read_only()) {
    if (Status built = engine->FinishIndexes(); !built) return std::move(built).error();
  }
  return engine;
}

Engine::~Engine() {
  if (!store_) return;
  {
    const std::lock_guard lock(state_mutex_);
    Check(open_transactions_.empty(), "no transaction outlives its database");
  }
  if (store_->recovered() && !pending_meta_.empty() && !read_only()) RememberUncleanEnd();
}

// The clean end of this use would hide from the next one that an unclean end came before: it would
// write under the incarnation whose last numbers may be lost. Where this write fails, so does the
// clean end.
void Engine::RememberUncleanEnd() {
  lsm::WriteBatch batch;
  for (const auto& [key, value] : pending_meta_) batch.Put(Slice(key), Slice(value));
  static_cast<void>(store_->Write(batch, lsm::Durability::kRelaxed));
}

Status Engine::OpenStore(const std::string& path) {
  const bool in_memory = path == ":memory:";
  if (in_memory) memory_env_ = std::make_unique<MemoryEnv>();
  env_ = in_memory ? memory_env_.get() : options_.env != nullptr ? options_.env : &Env::Posix();
  // A world that was given is a test's: everything happens in the calls, in a repeatable order.
  background_work_ = in_memory || options_.env == nullptr;
  lsm::StoreOptions store_options = {.create = options_.create,
                                     .read_only = options_.read_only,
                                     .cache_bytes = options_.cache_bytes,
                                     .memtable_bytes = options_.memtable_bytes,
                                     .compression = CompressionOf(options_.compression),
                                     .background_work = background_work_,
                                     .key_layout = &kKeyLayout,
                                     .compaction_filter = {}};
  Result<std::unique_ptr<lsm::Store>> store =
      lsm::Store::Open(*env_, in_memory ? "memory" : path, store_options);
  if (!store) return std::move(store).error();
  store_ = *std::move(store);
  Result<std::string> home = env_->DirectoryIdentity(path);
  if (!home) return std::move(home).error();
  home_ = *std::move(home);
  std::uint64_t seed;
  env_->RandomBytes(std::span(reinterpret_cast<char*>(&seed), sizeof seed));
  keys_ = std::make_unique<KeyGenerator>(*clock_, seed);
  return Ok();
}

// A new database, and one that was not closed cleanly, writes what it has to say of itself with its
// first commit, so that opening alone changes nothing.
Status Engine::ReadMeta() {
  const SnapshotView view(*store_, store_->GetSnapshot());
  Result<Meta> meta = ReadMetaFrom(view);
  if (!meta) return std::move(meta).error();
  if (meta->format > kDatabaseFormat) {
    return MakeError(ErrorCode::kNewerFormat,
                     StrCat("the database has format ", meta->format,
                            "; this Trefoil reads formats up to ", kDatabaseFormat),
                     "use a newer Trefoil");
  }
  if (Status chosen = ChoosePart(*meta); !chosen) return chosen;
  if (meta->format == 0) {
    if (view.sequence() != 0) {
      return MakeError(ErrorCode::kForeignDatabase,
                       "the store holds data, but not that of a Trefoil database");
    }
    pending_meta_[schema::MetaKey(kMetaFormat)] = EncodeFormat(FormatOf(part_));
  }
  ChooseSite(*meta);
  reserved_time_ = meta->reserved_time;
  hybrid_clock_.emplace(*clock_, reserved_time_);
  Result<SiteLog> log = SiteLog::Read(view, own_site());
  if (!log) return std::move(log).error();
  log_ = *std::move(log);
  Result<ArrivingFrames> arriving = ArrivingFrames::Read(view);
  if (!arriving) return std::move(arriving).error();
  arriving_ = *std::move(arriving);
  Result<crdt::Peers> peers = ReadPeers(view);
  if (!peers) return std::move(peers).error();
  peers_ = *std::move(peers);
  return Ok();
}

// What a database holds is decided when it is made, and never changes: what was left out has left
// no trace here.
Status Engine::ChoosePart(const Meta& meta) {
  Result<schema::Part> asked = schema::DecodePart(Slice(options_.part.bytes()));
  if (!asked) return std::move(asked).error();
  if (meta.format == 0) {
    part_ = *std::move(asked);
    if (!part_.is_whole()) pending_meta_[schema::MetaKey(kMetaPart)] = schema::EncodePart(part_);
    return Ok();
  }
  part_ = meta.part;
  if (asked->is_whole() || *asked == part_) return Ok();
  return InvalidArgument("the database holds another part than the one that it is opened with",
                         "a part is chosen when a database is made: make another one");
}

crdt::SiteId Engine::own_site() const {
  crdt::SiteId own = {.uuid = {}, .incarnation = site_.incarnation};
  std::ranges::copy(site_.id, own.uuid.begin());
  return own;
}

// As whom this replica writes. Two directories must never write as one site, so a copy, which holds
// no site or that of its original, becomes another; a lost commit's number must never be used
// again, so every unclean end makes another incarnation.
void Engine::ChooseSite(const Meta& meta) {
  const bool has_site = meta.site != SiteIdentity{};
  const bool moved = !home_.empty() && !meta.home.empty() && meta.home != home_;
  is_copy_ = meta.format != 0 && (!has_site || moved);
  site_ = meta.site;
  if (meta.format == 0 || is_copy_) {
    site_ = SiteIdentity();
    env_->RandomBytes(site_.id);
  } else if (store_->recovered()) {
    ++site_.incarnation;
  }
  if (site_ != meta.site) pending_meta_[schema::MetaKey(kMetaSite)] = EncodeSite(site_);
  if (!home_.empty() && home_ != meta.home) pending_meta_[schema::MetaKey(kMetaHome)] = home_;
}

Result<schema::SchemaRef> Engine::SchemaAt(const ReadView& view) const {
  std::vector<CatalogueRow> rows;
  const TripleStore store(view);
  for (const schema::Type& type : schema::SystemTypes()) {
    if (schema::IsComputed(type.id)) continue;
    std::vector<AttributeId> columns;
    for (const schema::Attribute& attribute : type.attributes) columns.push_back(attribute.id);
    Status scanned = store.ScanSubjects(type, columns, {}, [&](Slice, std::span<const Value> row) {
      rows.push_back({.type = type.id, .values = {row.begin(), row.end()}});
      return true;
    });
    if (!scanned) return std::move(scanned).error();
  }
  Result<Schema> schema = schema::DecodeCatalogue(rows);
  if (!schema) return std::move(schema).error();
  return schema::SchemaRef(std::make_shared<const Schema>((*std::move(schema)).OfPart(part_)));
}

Status Engine::ReadSchema() {
  const SnapshotView view(*store_, store_->GetSnapshot());
  Result<schema::SchemaRef> schema = SchemaAt(view);
  if (!schema) return std::move(schema).error();
  const std::lock_guard lock(state_mutex_);
  schema_ = *std::move(schema);
  schema_since_ = Version{view.sequence()};
  return Ok();
}

void Engine::SetCompiler(ExpressionCompiler compiler) {
  const std::lock_guard lock(state_mutex_);
  compiler_ = std::move(compiler);
  layouts_ = nullptr;
}

PinnedRef Engine::Pin() const {
  // Under the lock, so that the snapshot and the schema belong together.
  const std::lock_guard lock(state_mutex_);
  return std::make_shared<const Pinned>(*store_, store_->GetSnapshot(), schema_);
}

schema::SchemaRef Engine::schema() const {
  const std::lock_guard lock(state_mutex_);
  return schema_;
}

std::unique_ptr<WriteTransaction> Engine::Begin() {
  const std::lock_guard lock(state_mutex_);
  auto base = std::make_shared<const Pinned>(*store_, store_->GetSnapshot(), schema_);
  // Registered under the lock that Publish takes after it publishes: a commit that this snapshot
  // misses finds the transaction here and keeps its keys.
  open_transactions_.insert(base->version());
  if (layouts_ == nullptr || layouts_->schema() != schema_) {
    layouts_ = std::make_shared<const Layouts>(schema_, compiler_);
  }
  const WriteRules rules = {.layouts = nullptr,
                            .keys = keys_.get(),
                            .known_rows = &known_rows_,
                            .base = base->version(),
                            .keep_retractions = true};
  return std::make_unique<WriteTransaction>(*this, std::move(base), layouts_, watched_, rules);
}

void Engine::End(WriteTransaction& transaction) {
  if (std::exchange(transaction.ended_, true)) return;
  const std::lock_guard lock(state_mutex_);
  open_transactions_.erase(open_transactions_.find(transaction.base_->version()));
  const Version oldest =
      open_transactions_.empty() ? Version{~std::uint64_t{0}} : *open_transactions_.begin();
  while (!recent_.empty() && recent_.front().version <= oldest) recent_.pop_front();
}

Result<CommitInfo> Engine::Write(const std::function<Status(WriteTransaction&)>& body,
                                 Durability durability) {
  for (int attempt = 1;; ++attempt) {
    const std::unique_ptr<WriteTransaction> transaction = Begin();
    if (Status done = body(*transaction); !done) return std::move(done).error();
    Result<CommitInfo> committed = Commit(*transaction, durability);
    if (committed || committed.error().code != ErrorCode::kConflict || attempt == kAttempts) {
      return committed;
    }
  }
}

void Engine::AddObserver(CommitObserver* observer) {
  // No commit may be between its publication and its delivery.
  const std::lock_guard commit_lock(commit_mutex_);
  const std::lock_guard lock(deliver_mutex_);
  observers_.push_back(observer);
}

void Engine::Watch(std::vector<TypeId> types) {
  const std::lock_guard lock(state_mutex_);
  watched_ = std::make_shared<const std::vector<TypeId>>(std::move(types));
}

void Engine::RemoveObserver(CommitObserver* observer) {
  std::unique_lock lock(deliver_mutex_);
  std::erase(observers_, observer);
  if (deliverer_ == CurrentThreadId()) return;
  delivered_.wait(lock, [&] { return deliverer_ == ThreadId(); });
}

}  // namespace trefoil::db
