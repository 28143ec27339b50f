// How a new index comes to hold every row while writers go on:
//
//   1 the commit that declares it: from here on writers maintain it, nobody reads it
//   2 batches of subjects of a pinned version, under the commit lock: the entry that each row has
//     now is put, which changes nothing where a writer was first
//   3 a UNIQUE index is looked through for two rows with one value
//   4 the commit that marks it ready
//
// I1: after 2, every row has its entry: it is in the pinned version and was put, or it is newer and
// its writer put it. A crash in between leaves an index that is not ready; the next open goes on at
// 2. An index of a type without rows is ready at once.
#include <utility>

#include "base/errors.h"
#include "base/str_cat.h"
#include "db/engine.h"
#include "db/triple_store.h"
#include "schema/keys.h"

namespace trefoil::db {

using schema::Index;
using schema::Schema;
using schema::Type;

namespace {

constexpr std::size_t kRowsPerBatch = 512;  // rows whose entries one commit puts

std::string DescribeSubject(const Type& type, Slice subject) {
  const Result<std::vector<Value>> key = DecodeSubject(type, subject);
  return key ? DescribeKey(*key) : "that do not read";
}

}  // namespace

Result<CommitInfo> Engine::Declare(std::span<const schema::Declaration> declarations) {
  return Write([&](WriteTransaction& transaction) { return transaction.Declare(declarations); });
}

Status Engine::FinishIndexes() {
  const schema::SchemaRef schema = this->schema();
  for (const Index& index : schema->indexes()) {
    if (index.ready) continue;
    Status built = BuildIndex(index.id);
    // The rows that broke it may have come with the declaration, just before a crash.
    if (!built && built.error().code != ErrorCode::kUniqueViolation) return built;
  }
  return Ok();
}

Status Engine::BuildIndex(IndexId id) {
  if (Status filled = FillIndex(id); !filled) return filled;
  const Status unique = CheckUniqueIndex(id);
  Result<CommitInfo> committed = Write([&](WriteTransaction& transaction) {
    if (transaction.schema()->FindIndex(id) == nullptr) return Ok();  // dropped meanwhile
    return unique ? transaction.SetSchema(schema::WithIndexReady(*transaction.schema(), id))
                  : transaction.DropIndex(id);
  });
  if (!committed) return std::move(committed).error();
  return unique ? Ok() : Status(Error(unique.error()));
}

Status Engine::FillIndex(IndexId id) {
  const PinnedRef pinned = Pin();
  const Index* index = pinned->schema()->FindIndex(id);
  if (index == nullptr) return Ok();
  const Type& type = *pinned->schema()->FindType(index->type);
  std::vector<std::string> subjects;
  Status failed;
  const auto put = [&] {
    Version version;
    {
      const std::lock_guard lock(commit_mutex_);
      const std::unique_ptr<WriteTransaction> transaction = Begin();
      if (transaction->schema()->FindIndex(id) == nullptr) return false;
      if (Status entries = transaction->PutIndexEntries(id, subjects); !entries) {
        failed = std::move(entries);
        return false;
      }
      subjects.clear();
      if (!transaction->changed()) return true;
      Result<Version> published = CommitHeld(*transaction);
      if (!published) {
        failed = std::move(published).error();
        return false;
      }
      version = *published;
    }
    Deliver(version);
    return true;
  };
  Status scanned = TripleStore(pinned->view())
                       .ScanSubjects(type, {}, {}, [&](Slice subject, std::span<const Value>) {
                         subjects.push_back(subject.ToString());
                         return subjects.size() < kRowsPerBatch || put();
                       });
  if (!scanned) return scanned;
  if (failed && !subjects.empty()) put();
  return failed;
}

Status Engine::CheckUniqueIndex(IndexId id) const {
  const PinnedRef pinned = Pin();
  const Index* index = pinned->schema()->FindIndex(id);
  if (index == nullptr || !index->unique) return Ok();
  const Type& type = *pinned->schema()->FindType(index->type);
  const IndexLayout layout(type, *index);
  const std::unique_ptr<lsm::Iterator> entries = pinned->view().NewIterator(
      {.start = layout.prefix, .limit = schema::PrefixLimit(layout.prefix)});
  std::vector<Value> last;
  std::string last_subject;
  for (entries->SeekToFirst(); entries->Valid(); entries->Next()) {
    Slice rest = entries->key().Without(layout.prefix.size());
    std::vector<Value> values;
    bool has_null = false;
    for (const schema::KeyPart& part : layout.columns) {
      if (!schema::TakeKeyPart(rest, part, &values.emplace_back())) {
        return Corruption(StrCat("index \"", index->name, "\" has an entry that does not read"));
      }
      has_null = has_null || values.back().is_null();
    }
    if (!has_null && values == last) {
      return MakeError(
          ErrorCode::kUniqueViolation,
          StrCat("table \"", type.name, "\" has several rows with ", DescribeKey(values),
                 ", the first two with keys ", DescribeSubject(type, Slice(last_subject)), " and ",
                 DescribeSubject(type, rest), ", so \"", index->name, "\" cannot be unique"),
          "change the rows and declare it again");
    }
    last = std::move(values);
    last_subject = rest.ToString();
  }
  return entries->status();
}

}  // namespace trefoil::db
