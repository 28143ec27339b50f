#include "db/salvage.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "base/env.h"
#include "base/env_memory.h"
#include "base/str_cat.h"
#include "crdt/merge.h"
#include "crdt/site.h"
#include "db/damage_text.h"
#include "db/meta.h"
#include "db/read_view.h"
#include "db/site_log.h"
#include "db/text_dump.h"
#include "lsm/store.h"
#include "schema/cell.h"
#include "schema/key_codec.h"
#include "schema/keys.h"

namespace trefoil::db {

namespace {

// The folder of the rebuilt store, in memory; no path on a disk begins with a zero byte.
const std::string kRebuilt("\0rebuilt", 8);
// Ordinals are dense; so many in a row without an entry are the end of the table.
constexpr schema::SiteOrdinal kLostSitesMax = 1024;

// The given world for reading; what lies below kRebuilt is in memory. So a repair reads from a disk
// and writes to memory.
class ReadingEnv final : public Env {
 public:
  explicit ReadingEnv(Env& disk) : disk_(disk) {}

  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override {
    return At(path).Open(path, mode);
  }
  Status Remove(const std::string& path) override { return At(path).Remove(path); }
  Result<bool> Exists(const std::string& path) override { return At(path).Exists(path); }
  Status CreateDirectory(const std::string& path) override {
    return At(path).CreateDirectory(path);
  }
  Status RemoveDirectory(const std::string& path) override {
    return At(path).RemoveDirectory(path);
  }
  Result<std::vector<std::string>> List(const std::string& path) override {
    return At(path).List(path);
  }
  Status SyncDirectory(const std::string& path) override { return At(path).SyncDirectory(path); }
  Status Link(const std::string& from, const std::string& to) override {
    return At(to).Link(from, to);
  }
  Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override {
    return At(path).Lock(path);
  }
  void RandomBytes(std::span<char> bytes) override { disk_.RandomBytes(bytes); }

 private:
  Env& At(const std::string& path) {
    return path.starts_with(kRebuilt) ? static_cast<Env&>(memory_) : disk_;
  }

  Env& disk_;
  MemoryEnv memory_;
};

class Salvager {
 public:
  Salvager(Env& env, const lsm::Store& store) : env_(env), view_(store, store.GetSnapshot()) {}

  Result<SalvageReport> Run(const lsm::RepairReport& repair) {
    for (const lsm::Damage& damage : repair.damages) report_.lost.push_back(DamageText(damage));
    if (Status read = ReadSites(); !read) return std::move(read).error();
    if (Status read = ReadFacts(); !read) return std::move(read).error();
    if (unreadable_ > 0) report_.lost.push_back(StrCat(unreadable_, " facts do not read"));
    const Result<Meta> meta = ReadMetaFrom(view_);
    if (!meta) report_.lost.emplace_back("what the database says of itself");
    const auto [heads, times] = Applied();
    DumpWriter writer({.heads = heads, .part = meta ? meta->part : schema::Part()}, times, sites_);
    for (DumpedFact& fact : facts_) writer.Add(Slice(fact.key), std::move(fact.state));
    report_.facts = facts_.size();
    report_.dump = writer.Finish();
    return std::move(report_);
  }

 private:
  // The sites in the order of their ordinals. A lost entry is replaced by a site that nobody is:
  // the facts keep their values and their times.
  Status ReadSites() {
    std::size_t placeholders = 0;
    for (schema::SiteOrdinal ordinal = 0; ordinal < sites_.size() + kLostSitesMax; ++ordinal) {
      const std::string key = schema::SiteKey(ordinal);
      const Result<std::optional<std::string>> entry = view_.Get(Slice(key));
      if (!entry) return entry.error();
      if (!*entry) continue;
      crdt::SiteId site;
      Slice value(**entry);
      placeholders += AddPlaceholders(ordinal);
      if (!crdt::TakeSite(value, &site) || sites_.Find(site)) {
        placeholders += AddPlaceholders(ordinal + 1);
      } else {
        sites_.Add(site);
      }
    }
    if (placeholders > 0) {
      report_.lost.push_back(StrCat("the names of ", placeholders, " replicas"));
    }
    return Ok();
  }

  // Until there are `size` sites; returns how many were added.
  std::size_t AddPlaceholders(std::size_t size) {
    std::size_t added = 0;
    for (; sites_.size() < size; ++added) {
      crdt::SiteId site;
      env_.RandomBytes(std::span(reinterpret_cast<char*>(site.uuid.data()), site.uuid.size()));
      sites_.Add(site);
    }
    return added;
  }

  Status ReadFacts() {
    const std::string start(1, schema::kFactSpace);
    const std::unique_ptr<lsm::Iterator> facts =
        view_.NewIterator({.start = start, .limit = schema::PrefixLimit(start)});
    for (facts->SeekToFirst(); facts->Valid(); facts->Next()) {
      schema::Cell cell;
      schema::FactName name;
      DumpedFact fact{.key = facts->key().ToString()};
      if (!schema::ParseFactKey(facts->key(), &name) ||
          !schema::DecodeCell(facts->value(), &cell) ||
          cell.stamp.site >= sites_.size() + kLostSitesMax) {
        ++unreadable_;
        continue;
      }
      if (AddPlaceholders(cell.stamp.site + std::size_t{1}) > 0) {
        report_.lost.emplace_back("the name of a replica");
      }
      if (!crdt::FromCell(cell, sites_, &fact.state)) {
        ++unreadable_;
        continue;
      }
      facts_.push_back(std::move(fact));
    }
    return facts->status();
  }

  // How far each replica's transactions are known: as stored, or not at all (S3).
  std::pair<crdt::Heads, crdt::HeadTimes> Applied() const {
    std::pair<crdt::Heads, crdt::HeadTimes> none;
    for (std::size_t i = 0; i < sites_.size(); ++i) {
      none.first[sites_.Of(static_cast<schema::SiteOrdinal>(i))] = 0;
    }
    if (!report_.lost.empty()) return none;
    const Result<SiteLog> log = SiteLog::Read(view_, crdt::SiteId());
    return log ? std::pair(log->heads(), log->times()) : none;
  }

  Env& env_;
  const SnapshotView view_;
  crdt::SiteTable sites_;
  std::vector<DumpedFact> facts_;  // by key
  std::uint64_t unreadable_ = 0;
  SalvageReport report_;
};

}  // namespace

Result<SalvageReport> Salvage(Env& env, const std::string& path) {
  ReadingEnv reading(env);
  const Result<lsm::RepairReport> repair = lsm::Repair(reading, path, kRebuilt);
  if (!repair) return repair.error();
  const Result<std::unique_ptr<lsm::Store>> store =
      lsm::Store::Open(reading, kRebuilt, {.create = false});
  if (!store) return store.error();
  return Salvager(env, **store).Run(*repair);
}

}  // namespace trefoil::db

namespace trefoil {

Result<SalvageReport> Database::Salvage(const std::string& path, const Options& options) {
  return db::Salvage(options.env != nullptr ? *options.env : Env::Posix(), path);
}

}  // namespace trefoil
