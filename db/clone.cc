// Copies that write beside this replica: of all that it holds, by files; of a part, by its state.
#include <memory>
#include <utility>

#include "base/errors.h"
#include "base/new_directory.h"
#include "db/engine.h"
#include "schema/keys.h"

namespace trefoil::db {

namespace {

// Of a store that takes one small write.
constexpr std::size_t kSmallMemtableBytes = std::size_t{64} << 10;

Error NoPlace() { return Unsupported("a database in memory has no place for a clone"); }

}  // namespace

Status Engine::Clone(const std::string& to) const {
  if (memory_env_) return NoPlace();
  if (Status flushed = store_->SyncUpTo(store_->last_sequence()); !flushed) return flushed;
  return CopyWithoutSite(to);
}

// The new replica gets the state as from any peer; so its files hold nothing beyond the part.
Status Engine::Clone(const std::string& to, const schema::Part& part) const {
  if (part == part_) return Clone(to);
  if (memory_env_) return NoPlace();
  if (!part_.Covers(part)) {
    return MakeError(ErrorCode::kOutsidePart, "a clone holds at most what this replica holds",
                     "clone a replica that holds all of it");
  }
  Result<PartOfChanges> state = StateChanges(part);
  if (!state) return std::move(state).error();
  Options options = options_;
  options.read_only = false;
  options.create = true;
  Result<Part> chosen = Part::Parse(schema::EncodePart(part));
  if (!chosen) return std::move(chosen).error();
  options.part = *std::move(chosen);
  NewDirectory directory(*env_, to);
  if (Status made = directory.Make(); !made) return made;
  Result<std::unique_ptr<Engine>> clone = Open(to, options);
  if (!clone) return std::move(clone).error();
  Result<MergeSummary> merged = (*clone)->Merge(Slice(state->changeset));
  if (!merged) return std::move(merged).error();
  if (Status flushed = (*clone)->Flush(); !flushed) return flushed;
  directory.Keep();
  return Ok();
}

// A copy that wrote under the same site would give the numbers of transactions that it lacks to
// others. So it has no site, and takes one when it is opened first; a copy of the copy, too.
Status Engine::CopyWithoutSite(const std::string& to) const {
  if (Status copied = store_->Checkpoint(to); !copied) return copied;
  lsm::StoreOptions options;
  options.create = false;
  options.background_work = false;
  options.memtable_bytes = kSmallMemtableBytes;
  Result<std::unique_ptr<lsm::Store>> copy = lsm::Store::Open(*env_, to, options);
  if (!copy) return std::move(copy).error();
  const std::string site = schema::MetaKey(kMetaSite);
  const std::string format = schema::MetaKey(kMetaFormat);  // which an empty database lacks
  const std::string this_format = EncodeFormat(FormatOf(part_));
  const std::string part = schema::MetaKey(kMetaPart);
  const std::string this_part = schema::EncodePart(part_);
  lsm::WriteBatch batch;
  const std::string home = schema::MetaKey(kMetaHome);
  batch.Put(Slice(format), Slice(this_format));
  if (!part_.is_whole()) batch.Put(Slice(part), Slice(this_part));
  batch.Delete(Slice(site));
  batch.Delete(Slice(home));
  Result<lsm::SequenceNumber> written = (*copy)->Write(batch, lsm::Durability::kDurable);
  if (!written) return std::move(written).error();
  return Ok();
}

}  // namespace trefoil::db
