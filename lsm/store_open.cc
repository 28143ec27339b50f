// Opening: which directory is a store, what a new one consists of, and the start and end of a
// session. Nothing is created or changed before everything that can fail by reading has been read.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/errors.h"
#include "base/str_cat.h"
#include "lsm/file_names.h"
#include "lsm/sst_reader.h"
#include "lsm/store_impl.h"

namespace trefoil::lsm {

namespace {

constexpr std::size_t kReplayBytesMax = std::size_t{1} << 20;  // more than this is flushed at close
constexpr std::uint64_t kLogBytesKept = std::uint64_t{4}
                                        << 20;  // a longer log does not stay behind

// A reader gives up when a writer outran it so often, or when some tries in a row found the same to
// be wrong: then nobody moved anything, and a file is really missing.
constexpr int kReaderTries = 2000;
constexpr int kTriesAlike = 100;

enum class DirectoryState {
  kMissing,
  kEmpty,     // nothing, or what an interrupted creation left behind
  kStore,     // has a superblock
  kForeign,   // has files, none of which says that this is a store
  kHeadless,  // files of a store without a superblock
};

// A superblock that is none, beside nothing but what creation makes before it, is one whose
// creation was interrupted.
Result<bool> IsInterruptedCreation(Env& env, const std::string& directory,
                                   const std::vector<std::string>& names) {
  const std::string manifest = FileName({.kind = FileKind::kManifest, .number = FileNumber{1}});
  const bool leftovers_only = std::ranges::all_of(names, [&](const std::string& name) {
    return name == kSuperblockName || name == kLockName || name == manifest;
  });
  if (!leftovers_only || names.size() < 2) return false;
  Result<std::string> bytes =
      ReadWholeFile(env, StrCat(directory, "/", kSuperblockName), kSuperblockBytes);
  if (!bytes) return std::move(bytes).error();
  const Result<Superblock> superblock = DecodeSuperblock(*bytes);
  return !superblock && superblock.error().code != ErrorCode::kNewerFormat;
}

Result<DirectoryState> Classify(Env& env, const std::string& directory) {
  Result<bool> exists = env.Exists(directory);
  if (!exists) return std::move(exists).error();
  if (!*exists) return DirectoryState::kMissing;
  Result<std::vector<std::string>> names = env.List(directory);
  if (!names) return std::move(names).error();
  if (std::ranges::count(*names, kSuperblockName) != 0) {
    Result<bool> interrupted = IsInterruptedCreation(env, directory, *names);
    if (!interrupted) return std::move(interrupted).error();
    return *interrupted ? DirectoryState::kEmpty : DirectoryState::kStore;
  }
  // Creation writes one manifest, and no data before the superblock is durable.
  DirectoryState state = DirectoryState::kEmpty;
  for (const std::string& name : *names) {
    const std::optional<NumberedFile> file = ParseFileName(name);
    if (file == NumberedFile{.kind = FileKind::kManifest, .number = FileNumber{1}}) continue;
    if (name == kLockName || name == kSuperblockName) continue;
    if (!file) return DirectoryState::kForeign;
    state = DirectoryState::kHeadless;
  }
  return state;
}

// Undoes a creation that failed; what cannot be removed is recognised by the next one.
void RemoveLeftovers(Env& env, const std::string& directory, bool with_directory) {
  const NumberedFile manifest = {.kind = FileKind::kManifest, .number = FileNumber{1}};
  (void)env.Remove(StrCat(directory, "/", kSuperblockName));
  (void)env.Remove(FilePath(directory, manifest));
  if (with_directory) {
    (void)env.Remove(StrCat(directory, "/", kLockName));
    (void)env.RemoveDirectory(directory);
  }
}

Result<StoreImpl::Parts> OpenExisting(StoreImpl::Parts parts) {
  if (!parts.options.read_only) {
    Result<std::unique_ptr<FileLock>> lock =
        parts.env->Lock(StrCat(parts.directory, "/", kLockName));
    if (!lock) return std::move(lock).error();
    parts.lock = *std::move(lock);
  }
  Result<Superblock> superblock = ReadSuperblock(*parts.env, parts.directory);
  if (!superblock) return std::move(superblock).error();
  parts.superblock = *std::move(superblock);
  Result<Manifest> manifest = Manifest::Read(*parts.env, parts.directory, parts.superblock);
  if (!manifest) return std::move(manifest).error();
  parts.manifest = *std::move(manifest);
  Result<RecoveredLog> log = RecoverLog(*parts.env, parts.directory, parts.superblock,
                                        parts.manifest.contents().log_floor);
  if (!log) return std::move(log).error();
  parts.log = *std::move(log);
  parts.recovered = !parts.superblock.clean;
  return parts;
}

Result<StoreImpl::Parts> Create(StoreImpl::Parts parts, bool make_directory) {
  Env& env = *parts.env;
  const auto give_up = [&](Error error) {
    parts.lock.reset();
    RemoveLeftovers(env, parts.directory, make_directory);
    return error;
  };
  if (make_directory) {
    if (Status made = env.CreateDirectory(parts.directory); !made) return std::move(made).error();
    const std::string parent = ParentDirectory(parts.directory);
    if (Status synced = env.SyncDirectory(parent); !synced) return give_up(synced.error());
  }
  Result<std::unique_ptr<FileLock>> lock = env.Lock(StrCat(parts.directory, "/", kLockName));
  if (!lock) return make_directory ? give_up(lock.error()) : std::move(lock).error();
  parts.lock = *std::move(lock);
  RemoveLeftovers(env, parts.directory, /*with_directory=*/false);
  std::string uuid(kUuidBytes, '\0');
  env.RandomBytes(uuid);
  parts.superblock.uuid = std::move(uuid);
  bool poisoned = false;
  Result<Manifest> manifest =
      Manifest::Create(env, parts.directory, parts.superblock, StoreContents(), &poisoned);
  if (!manifest) return give_up(manifest.error());
  parts.manifest = *std::move(manifest);
  parts.log.memtable = std::make_shared<Memtable>();
  return parts;
}

Result<std::unique_ptr<Store>> OpenOnce(Env& env, const std::string& path,
                                        const StoreOptions& options) {
  StoreImpl::Parts parts;
  parts.env = &env;
  parts.directory = path;
  parts.options = options;
  Result<StoreImpl::Parts> opened = OpenExisting(std::move(parts));
  if (!opened) return std::move(opened).error();
  Result<std::unique_ptr<StoreImpl>> store = StoreImpl::Start(*std::move(opened));
  if (!store) return std::move(store).error();
  return std::unique_ptr<Store>(*std::move(store));
}

// A writer removes files and recycles segments that the manifest read a moment ago still names; the
// next try reads a newer manifest.
Result<std::unique_ptr<Store>> OpenBesideAWriter(Env& env, const std::string& path,
                                                 const StoreOptions& options) {
  Result<std::unique_ptr<Store>> store = OpenOnce(env, path, options);
  int alike = 1;
  for (int tries = 1; !store && tries < kReaderTries && alike < kTriesAlike; ++tries) {
    const std::string before = store.error().message;
    store = OpenOnce(env, path, options);
    alike = !store && store.error().message == before ? alike + 1 : 1;
  }
  return store;
}

}  // namespace

Result<std::unique_ptr<Store>> Store::Open(Env& env, const std::string& path,
                                           const StoreOptions& options) {
  Result<DirectoryState> state = Classify(env, path);
  if (!state) return std::move(state).error();
  StoreImpl::Parts parts;
  parts.env = &env;
  parts.directory = path;
  parts.options = options;
  switch (*state) {
    case DirectoryState::kForeign:
      return MakeError(ErrorCode::kForeignDatabase,
                       StrCat(path, ": the directory has files and is no Trefoil store"),
                       "name an empty or a new directory");
    case DirectoryState::kHeadless:
      return Corruption(StrCat(path, ": the store's superblock `", kSuperblockName, "` is missing"),
                        "run repair");
    case DirectoryState::kMissing:
    case DirectoryState::kEmpty: {
      if (options.read_only || !options.create) {
        return NotFound(StrCat(path, ": there is no store"), "create it first");
      }
      Result<StoreImpl::Parts> made = Create(std::move(parts), *state == DirectoryState::kMissing);
      if (!made) return std::move(made).error();
      Result<std::unique_ptr<StoreImpl>> store = StoreImpl::Start(*std::move(made));
      if (!store) return std::move(store).error();
      return std::unique_ptr<Store>(*std::move(store));
    }
    case DirectoryState::kStore:
      return options.read_only ? OpenBesideAWriter(env, path, options)
                               : OpenOnce(env, path, options);
  }
  Check(false, "every state of a directory is dealt with");
  return NotFound(path);
}

StoreImpl::StoreImpl(Parts parts)
    : env_(*parts.env),
      directory_(std::move(parts.directory)),
      options_(std::move(parts.options)),
      lock_(std::move(parts.lock)),
      recovered_(parts.recovered),
      sometimes_(options_.slow_paths_seed),
      pool_(std::make_unique<PagePool>(options_.cache_bytes, &sometimes_)),
      next_file_(std::max(ToNumber(parts.manifest.contents().next_file), parts.log.last_file + 1)),
      superblock_(std::move(parts.superblock)),
      manifest_(std::move(parts.manifest)),
      active_(std::move(parts.log.memtable)),
      horizon_(manifest_.contents().history_horizon),
      published_(parts.log.end.sequence),
      durable_(parts.log.end.sequence) {}

Result<std::shared_ptr<const TableFile>> StoreImpl::OpenTable(
    std::shared_ptr<const FileMeta> meta) const {
  const std::string path = FilePath(directory_, {.kind = FileKind::kSst, .number = meta->number});
  Result<std::unique_ptr<SstReader>> reader = SstReader::Open(
      env_, path, {.identity = IdentityOf(superblock_.uuid, meta->number), .pool = pool_.get()});
  if (!reader) {
    if (reader.error().code != ErrorCode::kNotFound) return std::move(reader).error();
    return Corruption(StrCat(path, ": the manifest names this file and it is gone"), "run repair");
  }
  if ((*reader)->footer().root != meta->root) {
    return Corruption(StrCat(path, ": the file is not the one that the manifest names"),
                      "run repair");
  }
  std::shared_ptr<const SstReader> run = *std::move(reader);
  return std::make_shared<const TableFile>(std::move(meta), std::move(run), graveyard_);
}

Result<std::shared_ptr<const BlobInUse>> StoreImpl::OpenBlob(const BlobMeta& meta) const {
  const std::string path = FilePath(directory_, {.kind = FileKind::kBlob, .number = meta.number});
  Result<std::unique_ptr<BlobFile>> file =
      BlobFile::Open(env_, path, IdentityOf(superblock_.uuid, meta.number));
  if (!file) {
    if (file.error().code != ErrorCode::kNotFound) return std::move(file).error();
    return Corruption(StrCat(path, ": the manifest names this file and it is gone"), "run repair");
  }
  if ((*file)->size_bytes() != meta.size_bytes) {
    return Corruption(StrCat(path, ": the file is not the one that the manifest names"),
                      "run repair");
  }
  return std::make_shared<const BlobInUse>(meta, *std::move(file), graveyard_);
}

// Makes the view that readers begin with.
Status StoreImpl::OpenFiles() {
  std::vector<Version::Level> levels(kLevels);
  const LevelFiles& metas = manifest_.contents().levels;
  for (std::size_t level = 0; level < metas.size(); ++level) {
    for (const auto& meta : metas[level]) {
      Result<std::shared_ptr<const TableFile>> table = OpenTable(meta);
      if (!table) return std::move(table).error();
      levels[level].push_back(*std::move(table));
    }
  }
  Version::Blobs blobs;
  for (const BlobMeta& meta : manifest_.contents().blobs) {
    Result<std::shared_ptr<const BlobInUse>> blob = OpenBlob(meta);
    if (!blob) return std::move(blob).error();
    blobs.push_back(*std::move(blob));
  }
  std::ranges::sort(blobs, {}, [](const auto& blob) { return blob->meta().number; });
  level0_files_ = levels[0].size();
  view_ = std::make_shared<const ReadView>(
      ReadView{.active = active_,
               .sealed = {},
               .version = std::make_shared<const Version>(std::move(levels), std::move(blobs)),
               .hints = NewHints()});
  return Ok();
}

void StoreImpl::StartLog(const RecoveredLog& log) {
  LogOptions options;
  options.env = &env_;
  options.directory = directory_;
  options.uuid = superblock_.uuid;
  options.segment_bytes = std::clamp<std::size_t>(options_.memtable_bytes / 4, kLogSegmentBytesMin,
                                                  kLogSegmentBytesMax);
  options.new_file_number = [this] { return NewFileNumber(); };
  options.sometimes = &sometimes_;
  log_ = std::make_unique<LogWriter>(std::move(options), log.last_segment, log.end);
  for (const RecoveredLog::OldSegment& old : log.segments) {
    log_->AdoptOld(old.segment, old.file, old.size_bytes);
  }
  active_first_segment_ = manifest_.contents().log_floor.segment;
}

void StoreImpl::RemoveOrphans(const RecoveredLog& log) {
  for (const FileNumber number : log.unneeded) {
    (void)env_.Remove(FilePath(directory_, {.kind = FileKind::kLog, .number = number}));
  }
  Result<std::vector<std::string>> names = env_.List(directory_);
  if (!names) return;
  const StoreContents& contents = manifest_.contents();
  for (const std::string& name : *names) {
    const std::optional<NumberedFile> file = ParseFileName(name);
    if (!file || file->kind == FileKind::kLog) continue;
    bool known = file->kind == FileKind::kManifest && file->number == manifest_.number();
    for (const auto& level : contents.levels) {
      known = known ||
              (file->kind == FileKind::kSst && std::ranges::any_of(level, [&](const auto& meta) {
                 return meta->number == file->number;
               }));
    }
    known = known || (file->kind == FileKind::kBlob &&
                      std::ranges::count(contents.blobs, file->number, &BlobMeta::number) != 0);
    if (!known) (void)env_.Remove(FilePath(directory_, *file));
  }
}

Result<std::unique_ptr<StoreImpl>> StoreImpl::Start(Parts parts) {
  const RecoveredLog log = parts.log;
  std::unique_ptr<StoreImpl> store(new StoreImpl(std::move(parts)));
  StoreImpl& self = *store;
  self.poisoned_ = true;  // until all is open, the close must not write
  if (Status opened = self.OpenFiles(); !opened) return std::move(opened).error();
  if (self.options_.read_only) return store;
  self.StartLog(log);
  if (self.superblock_.clean) {
    self.superblock_.clean = false;
    Status opened = WriteSuperblock(self.env_, self.directory_, self.superblock_);
    if (!opened) return std::move(opened).error();
  }
  self.poisoned_ = false;
  if (Status secured = self.SecureRecovered(); !secured) {
    self.poisoned_ = true;
    return std::move(secured).error();
  }
  self.RemoveOrphans(log);
  if (self.options_.background_work) {
    self.StartThreads();
    self.WakeWorker();
  }
  return store;
}

// After an unclean end what was read may lie in the cache of the operating system only: a sync that
// failed leaves pages there that no later sync writes. So the manifest and the replayed batches are
// written anew, to other places, before anything is built on them.
Status StoreImpl::SecureRecovered() {
  if (!recovered_) return Ok();
  const std::lock_guard work_lock(work_mutex_);
  if (Status rewritten = RewriteManifest(); !rewritten) return rewritten;
  {
    const std::lock_guard lock(write_mutex_);
    SealActive();
  }
  return FlushAll();
}

// Moves the log's floor behind its end when all batches are in files.
void StoreImpl::ReleaseLog() {
  const std::lock_guard lock(work_mutex_);
  if (!active_->empty() || sealed_count_ != 0) return;
  VersionEdit edit;
  edit.log_floor = {.segment = log_->current_segment() + 1, .sequence = last_sequence()};
  if (Install(std::move(edit))) log_->Retire(log_->current_segment() + 1);
}

StoreImpl::~StoreImpl() {
  StopThreads();
  if (options_.read_only || poisoned_) return;
  // Keeps the next open short; if it fails, that open replays the log.
  const bool long_log = log_->file_bytes() > kLogBytesKept;
  if (active_->memory_bytes() > kReplayBytesMax || sealed_count_ != 0 || long_log) (void)Flush();
  flush_.reset();
  compaction_.reset();
  if (!SyncUpTo(last_sequence())) return;
  if (long_log) ReleaseLog();
  // Also where one of these steps met a failed sync: only after an unclean end does the next open
  // write anew what it reads.
  if (poisoned_) return;
  // Without this the next open replays the log, which loses nothing either.
  superblock_.clean = true;
  superblock_.last_sequence = last_sequence();
  superblock_.last_sum = log_->file_bytes() == 0 ? 0 : log_->last_sum();
  superblock_.manifest_bytes = manifest_.size_bytes();
  if (WriteSuperblock(env_, directory_, superblock_)) log_->Trim();
  view_.reset();
  RemoveDropped();
}

}  // namespace trefoil::lsm
