// ModelSource: a Source in memory for tests and benchmarks: tables as ordered maps, indexes as
// ordered sets, each at two states. Put and Erase change the new state; Advance makes it the old
// one.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "dataflow/batch.h"
#include "dataflow/graph.h"
#include "dataflow/source.h"

namespace trefoil::testing {

class ModelSource final : public dataflow::Source {
 public:
  using Row = dataflow::Row;

  // `columns` are all attributes of the type, `key` those of the subject.
  void AddTable(TypeId type, std::vector<AttributeId> columns, const std::vector<AttributeId>& key);
  void AddIndex(TypeId type, IndexId index,
                std::vector<dataflow::PathDescription::PathColumn> columns);

  // Inserts or replaces; `row` has all columns of the table.
  void Put(TypeId type, Row row);
  // Does nothing if there is no such row.
  void Erase(TypeId type, const Row& subject);
  const std::map<Row, Row>& Rows(TypeId type) const;  // new state, by subject

  // What has changed since Advance, all columns, one entry per changed type; valid until the next
  // change.
  std::span<const dataflow::TypeChange> Changes();
  void Advance();

  // One whole commit: steps the graph with the changes, then advances.
  Status Commit(dataflow::Graph& graph);

  // Reads fail with this error while it is set.
  void FailReads(std::optional<Error> error) { failure_ = std::move(error); }

  std::vector<dataflow::PathDescription> Paths(TypeId type) const override;
  Status Scan(const dataflow::BaseRelation& relation, const dataflow::Probe& probe,
              dataflow::When when, const dataflow::RowVisitor& visit) const override;
  Status Lookup(
      const dataflow::BaseRelation& relation, std::span<const std::vector<Value>> subjects,
      dataflow::When when,
      const std::function<void(std::size_t i, std::span<const Value> row)>& visit) const override;
  std::uint64_t ApproximateCount(TypeId type, const dataflow::Probe& probe) const override;

 private:
  // Orders entries by column, some descending; a shorter entry is a prefix and equals all that
  // begin with it.
  struct EntryOrder {
    std::vector<bool> descending;
    bool operator()(const Row& a, const Row& b) const;
  };
  // Entry -> row with all columns of the table.
  using Entries = std::map<Row, std::shared_ptr<const Row>, EntryOrder>;
  struct Path {
    dataflow::PathDescription description;
    std::vector<std::size_t> places;  // of the path's columns in the row
    Entries old_entries;
    Entries new_entries;
  };
  struct Table {
    std::vector<AttributeId> columns;
    std::vector<std::size_t> key;
    std::vector<std::unique_ptr<Path>> paths;  // the subject order first
    std::map<Row, Row> rows;
    std::map<Row, std::optional<Row>> before;  // rows changed since Advance
    dataflow::Batch changes;
  };

  static void Move(Path& path, Entries& entries, const std::optional<Row>& from,
                   const std::optional<Row>& to);
  static Row Cut(const Row& row, const std::vector<std::size_t>& places);
  const Table& At(TypeId type) const;
  void Change(Table& table, const Row& subject, std::optional<Row> to);

  std::map<TypeId, Table> tables_;
  std::vector<dataflow::TypeChange> changes_;
  std::optional<Error> failure_;
};

}  // namespace trefoil::testing
