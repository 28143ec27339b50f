// Check: every page of the store, then every fact against what it must agree with: its cell reads,
// its row exists, each index entry belongs to a row that has those values, and each row has its
// entries. Compaction and backup stand here, too.
#include <algorithm>
#include <utility>

#include "base/errors.h"
#include "base/str_cat.h"
#include "db/damage_text.h"
#include "db/engine.h"
#include "db/triple_store.h"
#include "schema/cell.h"
#include "schema/keys.h"
#include "trefoil/database.h"

namespace trefoil::db {

using schema::Index;
using schema::Type;

namespace {

constexpr std::size_t kProblemsMax = 100;  // that a report names

class Checker {
 public:
  Checker(const Pinned& pinned, const OnProgress& progress)
      : pinned_(pinned), progress_(progress), store_(pinned.view()) {}

  Result<CheckReport> Run(std::uint64_t total_bytes) {
    total_ = total_bytes;
    if (Status facts = CheckFacts(); !facts) return std::move(facts).error();
    for (const Index& index : pinned_.schema()->indexes()) {
      if (Status entries = CheckEntries(index); !entries) return std::move(entries).error();
      if (Status rows = CheckRows(index); !rows) return std::move(rows).error();
    }
    return std::move(report_);
  }

 private:
  void Add(std::string problem) {
    if (report_.problems.size() < kProblemsMax) report_.problems.push_back(std::move(problem));
  }
  // Counts what was read; false when the caller wants no more.
  Status Count(Slice key, Slice value) {
    report_.bytes += key.size() + value.size();
    if (progress_ && !progress_(report_.bytes, std::max(total_, report_.bytes))) {
      return MakeError(ErrorCode::kCancelled, "the check was cancelled");
    }
    return Ok();
  }

  Status CheckFacts() {
    const std::string start(1, schema::kFactSpace);
    const std::unique_ptr<lsm::Iterator> facts =
        pinned_.view().NewIterator({.start = start, .limit = schema::PrefixLimit(start)});
    for (facts->SeekToFirst(); facts->Valid(); facts->Next()) {
      if (Status counted = Count(facts->key(), facts->value()); !counted) return counted;
      ++report_.facts;
      schema::FactName name;
      schema::Cell cell;
      if (!schema::ParseFactKey(facts->key(), &name)) {
        Add("a key in the space of facts does not read");
      } else if (!schema::DecodeCell(facts->value(), &cell)) {
        Add(StrCat(Place(name), ": the cell does not read"));
      } else if (!pinned_.schema()->part().Holds(name.type, name.subject)) {
        Add(StrCat(Place(name), ": a fact beyond the part that is held here"));
      } else if (name.attribute != schema::kRowCell && !cell.retracted) {
        if (Status row = CheckRowOf(name, cell); !row) return row;
      }
    }
    return facts->status();
  }

  Status CheckRowOf(const schema::FactName& name, const schema::Cell& cell) {
    const Type* type = pinned_.schema()->FindType(name.type);
    if (type == nullptr) return Ok();  // of a type that is not declared (any more)
    Slice rest = name.subject;
    for (const schema::KeyPart& part : SubjectParts(*type)) {
      if (schema::SkipKeyPart(rest, part)) continue;
      Add(StrCat(Place(name), ": the subject does not read"));
      return Ok();
    }
    const Slice subject = name.subject.Prefix(name.subject.size() - rest.size());
    const std::string key = schema::FactKey(name.type, schema::kRowCell, subject);
    Result<std::optional<std::string>> row = pinned_.view().Get(Slice(key));
    if (!row) return std::move(row).error();
    schema::Cell row_cell;
    if (!*row || !schema::DecodeCell(Slice(**row), &row_cell) || row_cell.retracted) {
      Add(StrCat(Place(name), ": a fact without a row"));
    } else if (row_cell.causal_length != cell.causal_length) {
      Add(StrCat(Place(name), ": a fact of another life of its row"));
    }
    return Ok();
  }

  std::string Place(const schema::FactName& name) const {
    const Type* type = pinned_.schema()->FindType(name.type);
    return StrCat("table ", type == nullptr ? StrCat(ToNumber(name.type)) : type->name,
                  ", attribute ", ToNumber(name.attribute));
  }

  // The columns of the index, then what it includes.
  static std::vector<AttributeId> ColumnsOf(const Index& index) {
    std::vector<AttributeId> columns;
    for (const schema::IndexColumn& column : index.columns) columns.push_back(column.attribute);
    columns.insert(columns.end(), index.include.begin(), index.include.end());
    return columns;
  }

  // Every entry is that of a row.
  Status CheckEntries(const Index& index) {
    const Type& type = *pinned_.schema()->FindType(index.type);
    const IndexLayout layout(type, index);
    const std::unique_ptr<lsm::Iterator> entries = pinned_.view().NewIterator(
        {.start = layout.prefix, .limit = schema::PrefixLimit(layout.prefix)});
    for (entries->SeekToFirst(); entries->Valid(); entries->Next()) {
      if (Status counted = Count(entries->key(), entries->value()); !counted) return counted;
      ++report_.index_entries;
      Slice subject = entries->key().Without(layout.prefix.size());
      const bool reads = std::ranges::all_of(layout.columns, [&](const schema::KeyPart& part) {
        return schema::SkipKeyPart(subject, part);
      });
      if (!reads) {
        Add(StrCat("index ", index.name, ": an entry does not read"));
        continue;
      }
      const std::string owner = subject.ToString();
      Status looked = store_.Lookup(
          type, ColumnsOf(index), std::span(&owner, 1),
          [&](std::size_t, std::span<const Value> row) {
            const std::size_t columns = layout.columns.size();
            if (row.empty()) {
              Add(StrCat("index ", index.name, ": an entry without a row"));
            } else if (Slice(IndexEntryPrefixOf(layout, row.first(columns), owner)) !=
                       entries->key()) {
              Add(StrCat("index ", index.name, ": an entry that its row does not have"));
            } else if (Slice(Keep(IndexEntryValue(layout, row.subspan(columns)))) !=
                       entries->value()) {
              Add(StrCat("index ", index.name, ": an entry with other included columns"));
            }
          });
      if (!looked) return looked;
    }
    return entries->status();
  }

  // Every row has its entry.
  Status CheckRows(const Index& index) {
    if (!index.ready) return Ok();
    const Type& type = *pinned_.schema()->FindType(index.type);
    const IndexLayout layout(type, index);
    Status failed;
    Status scanned = store_.ScanSubjects(
        type, layout.attributes, {}, [&](Slice subject, std::span<const Value> row) {
          const std::string key = IndexEntryPrefix(layout, row) + subject.ToString();
          Result<std::optional<std::string>> entry = pinned_.view().Get(Slice(key));
          if (!entry) {
            failed = std::move(entry).error();
            return false;
          }
          if (!*entry) Add(StrCat("index ", index.name, ": a row without an entry"));
          return true;
        });
    return scanned ? std::move(failed) : std::move(scanned);
  }

  const std::string& IndexEntryPrefixOf(const IndexLayout& layout, std::span<const Value> columns,
                                        const std::string& subject) {
    kept_ = IndexEntryPrefix(layout, columns) + subject;
    return kept_;
  }
  const std::string& Keep(std::string bytes) {
    kept_ = std::move(bytes);
    return kept_;
  }

  const Pinned& pinned_;
  const OnProgress& progress_;
  TripleStore store_;
  CheckReport report_;
  std::uint64_t total_ = 0;
  std::string kept_;
};

}  // namespace

Result<CheckReport> Engine::CheckData(const OnProgress& progress) const {
  Result<std::vector<lsm::Damage>> damages = store_->Verify(lsm::VerifyDepth::kFull);
  if (!damages) return std::move(damages).error();
  const PinnedRef pinned = Pin();
  CheckReport report;
  if (damages->empty()) {
    Result<CheckReport> checked = Checker(*pinned, progress).Run(store_->ApproximateBytes({}));
    if (!checked) return checked;
    report = *std::move(checked);
  }
  // Facts on damaged pages cannot be read, so the damage is the report.
  for (const lsm::Damage& damage : *damages) {
    report.problems.push_back(DamageText(damage));
  }
  return report;
}

Status Engine::Compact() {
  if (Status collected = CollectLog(); !collected) return collected;
  if (Status flushed = store_->Flush(); !flushed) return flushed;
  return store_->Compact({});
}

Status Engine::Backup(const std::string& to) const { return CopyWithoutSite(to); }

}  // namespace trefoil::db
