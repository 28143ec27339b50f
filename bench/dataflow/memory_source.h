// MemorySource: the stored tables of the dataflow suite, in memory: each access path one counted
// B+tree from entry to row. The old state is a copy of the tree, which costs a pointer, so reading
// old and new costs the same and nothing is written twice.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "dataflow/batch.h"
#include "dataflow/counted_tree.h"
#include "dataflow/operator.h"
#include "dataflow/row_ref.h"
#include "dataflow/source.h"

namespace trefoil::bench {

class MemorySource final : public dataflow::Source {
 public:
  // Columns are the attributes 1 to `width`; `key` and index columns are positions from 0.
  void AddTable(TypeId type, std::size_t width, std::vector<std::size_t> key);
  struct Column {
    std::size_t place = 0;
    bool descending = false;
  };
  void AddIndex(TypeId type, IndexId index, std::vector<Column> columns);

  // Inserts or replaces, in the new state.
  void Put(TypeId type, const dataflow::Row& row);
  void Erase(TypeId type, const dataflow::Row& subject);
  // The new row with this subject, or nothing.
  std::optional<dataflow::Row> Find(TypeId type, const dataflow::Row& subject) const;

  // The commit in progress: what has changed since Advance.
  std::span<const dataflow::TypeChange> Changes();
  // The new state becomes the old one too.
  void Advance();

  std::vector<dataflow::PathDescription> Paths(TypeId type) const override;
  Status Scan(const dataflow::BaseRelation& relation, const dataflow::Probe& probe,
              dataflow::When when, const dataflow::RowVisitor& visit) const override;
  Status Lookup(
      const dataflow::BaseRelation& relation, std::span<const std::vector<Value>> subjects,
      dataflow::When when,
      const std::function<void(std::size_t i, std::span<const Value> row)>& visit) const override;
  std::uint64_t ApproximateCount(TypeId, const dataflow::Probe&) const override { return 1000; }

 private:
  static constexpr std::size_t kMaxWidth = 10;
  static constexpr std::size_t kMaxEntry = 4;

  struct Entry {
    std::array<Value, kMaxEntry> key;
    dataflow::RowRef row;
  };
  // A place among the entries: before (after) all that begin with these values.
  struct Place {
    std::span<const Value> values;
  };
  struct EntryOrder {
    std::vector<bool> descending;
    std::strong_ordering operator()(const Entry& a, const Entry& b) const;
    std::strong_ordering operator()(const Entry& a, const Place& place) const;
  };
  using Tree = dataflow::CountedTree<Entry, EntryOrder>;
  struct Path {
    dataflow::PathDescription description;
    std::vector<std::size_t> places;
    Tree old_tree;
    Tree new_tree;
  };
  struct Table {
    std::size_t width = 0;
    std::vector<std::size_t> key;
    std::vector<AttributeId> columns;
    std::vector<std::unique_ptr<Path>> paths;  // the subject order first
    std::map<dataflow::Row, dataflow::RowRef> before;
    dataflow::Batch changes;
  };

  void AddPath(Table& table, dataflow::AccessPath path, std::vector<Column> columns);
  static Entry EntryOf(const Path& path, const dataflow::RowRef& row);
  static dataflow::RowRef FindRow(const Path& path, std::span<const Value> subject, bool old);
  void Change(Table& table, const dataflow::Row& subject, const dataflow::RowRef& to);

  std::map<TypeId, Table> tables_;
  std::vector<dataflow::TypeChange> changes_;
};

}  // namespace trefoil::bench
