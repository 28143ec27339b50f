// The merge suite: what replication costs. Two databases on files with the same table; one writes
// cells, the other merges them.
//
//   local write     a transaction of one cell, its log frame included
//   merge           a bulk of cells on the durable path; and what decoding them takes of that
//   replay          the same bytes once more
//   extract         the changes that hold them all
//   bytes           on the wire and at rest, per cell, for the bulk and for scattered updates
#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/random.h"
#include "base/str_cat.h"
#include "bench/suite.h"
#include "crdt/changeset.h"
#include "crdt/log_frame.h"
#include "trefoil/trefoil.h"

namespace trefoil::bench {
namespace {

constexpr std::uint64_t kRowsOfATransaction = 1000;
constexpr std::uint64_t kCellsOfARow = 3;  // the row cell and two columns
constexpr const char* kTable = "TABLE item (id INT KEY, title TEXT, size INT)";

std::string Title(std::uint64_t number) { return StrCat("title ", number % 1000); }

class MergeBench {
 public:
  MergeBench(const SuiteOptions& options, Report& report, int round)
      : report_(report),
        folder_(StrCat(options.directory, "/merge-", round)),
        rows_((options.quick ? 10'000 : 100'000) / kCellsOfARow),
        left_(OpenAt("left")),
        right_(OpenAt("right")) {
    Must(left_.Execute(kTable).has_value());
    Must(right_.Execute(kTable).has_value());
  }

  void Run() {
    WriteBulk();
    const std::string bulk = Extract("extract bulk", right_.version_vector());
    MergeBulk(bulk);
    const VersionVector before = left_.version_vector();
    const std::uint64_t updates = WriteScattered();
    const Result<std::string> scattered = left_.Changes(before);
    Must(scattered.has_value());
    Add("wire bytes per cell, scattered", "B", FrameBytes(*scattered, updates), true);
    Add("compressed bytes per cell, scattered", "B", PerCell(scattered->size(), updates), true);
  }

 private:
  static void Must(bool done) { Check(done, "the suite writes what can be written"); }

  Database OpenAt(const char* name) {
    Options options;
    options.create = true;
    Result<Database> opened = Database::Open(StrCat(folder_, "-", name), options);
    Must(opened.has_value());
    return *std::move(opened);
  }
  void Add(const char* name, const char* unit, double value, bool lower) {
    report_.Add({.name = name,
                 .engine = "trefoil",
                 .n = rows_ * kCellsOfARow,
                 .value = value,
                 .unit = unit,
                 .lower_is_better = lower});
  }
  static double PerCell(std::uint64_t bytes, std::uint64_t cells) {
    return static_cast<double>(bytes) / static_cast<double>(cells);
  }
  // What the frames of a changeset take before compression, per cell.
  static double FrameBytes(const std::string& changes, std::uint64_t cells) {
    const Result<crdt::Changeset> changeset = crdt::DecodeChangeset(Slice(changes));
    Must(changeset.has_value());
    std::uint64_t bytes = 0;
    for (const std::string& frame : changeset->frames) bytes += frame.size();
    return PerCell(bytes, cells);
  }

  void WriteBulk() {
    for (std::uint64_t row = 0; row < rows_; row += kRowsOfATransaction) {
      const std::uint64_t end = std::min(rows_, row + kRowsOfATransaction);
      const Result<CommitInfo> written = left_.Write([&](Transaction& transaction) -> Status {
        for (std::uint64_t id = row; id < end; ++id) {
          Result<std::vector<Value>> key =
              transaction.Insert("item", {{"id", Value::Int(static_cast<std::int64_t>(id))},
                                          {"title", Value::Text(Title(id))},
                                          {"size", Value::Int(static_cast<std::int64_t>(id * 7))}});
          if (!key) return std::move(key).error();
        }
        return Ok();
      });
      Must(written.has_value());
    }
    Must(left_.Flush().has_value());
  }

  std::string Extract(const char* name, const VersionVector& known) {
    const Stopwatch watch;
    Result<std::string> changes = left_.Changes(known);
    Must(changes.has_value());
    Add(name, "ms", watch.Seconds() * 1e3, true);
    return *std::move(changes);
  }

  void MergeBulk(const std::string& bulk) {
    const std::uint64_t cells = rows_ * kCellsOfARow;
    const Stopwatch decoding;
    const Result<crdt::Changeset> changeset = crdt::DecodeChangeset(Slice(bulk));
    Must(changeset.has_value());
    for (const std::string& frame : changeset->frames) {
      Must(crdt::DecodeFrame(Slice(frame)).has_value());
    }
    const double decode_seconds = decoding.Seconds();
    const Stopwatch merging;
    const Result<MergeSummary> merged = right_.Merge(bulk);
    Must(merged.has_value() && merged->transactions_pending == 0 && merged->facts_changed >= cells);
    const double apply_seconds = merging.Seconds();
    const Stopwatch syncing;
    Must(right_.Flush().has_value());
    const double sync_seconds = syncing.Seconds();
    Add("merge bulk, durable", "cells/s",
        static_cast<double>(cells) / (apply_seconds + sync_seconds), false);
    Add("share of decoding", "%", 100 * decode_seconds / (apply_seconds + sync_seconds), true);
    Add("share of the sync", "%", 100 * sync_seconds / (apply_seconds + sync_seconds), true);
    const Stopwatch again;
    const Result<MergeSummary> known = right_.Merge(bulk);
    Must(known.has_value() && known->transactions_applied == 0 &&
         known->transactions_known == merged->transactions_applied);
    Add("replay of the known bulk", "ms", again.Seconds() * 1e3, true);
    Add("wire bytes per cell, bulk", "B", FrameBytes(bulk, cells), true);
    Add("compressed bytes per cell, bulk", "B", PerCell(bulk.size(), cells), true);
  }

  // Transactions of one update each, all over the table. Returns how many.
  std::uint64_t WriteScattered() {
    Random random(7);
    const std::uint64_t updates = rows_ / 10;
    const Stopwatch watch;
    for (std::uint64_t i = 0; i < updates; ++i) {
      const Value key = Value::Int(static_cast<std::int64_t>(random.Uniform(rows_)));
      const Result<CommitInfo> written = left_.Write([&](Transaction& transaction) -> Status {
        return transaction.Update("item", std::span(&key, 1), {{"size", Value::Int(1)}});
      });
      Must(written.has_value());
    }
    Add("local write of one cell", "us", watch.Seconds() * 1e6 / static_cast<double>(updates),
        true);
    return updates;
  }

  Report& report_;
  std::string folder_;
  std::uint64_t rows_;
  Database left_;
  Database right_;
};

void RunMerge(const SuiteOptions& options, Report& report) {
  report.Note("one table of three cells a row; bulk: transactions of 1000 rows; relaxed commits");
  report.Note("wire bytes are those of the log frames, before the changeset is compressed");
  for (int round = 0; round < options.rounds; ++round) MergeBench(options, report, round).Run();
}

const SuiteRegistration kMerge({.name = "merge",
                                .about = "what replication costs: writes, merges, bytes",
                                .run = RunMerge});

}  // namespace
}  // namespace trefoil::bench
