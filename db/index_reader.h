// IndexReader walks an index and makes rows of its entries: a column that the entry holds is
// decoded, those that it lacks are fetched by key for many rows at once. What the columns mean is
// worked out once, and memory is kept from scan to scan.
//
//   entry   [I, index] | index columns | subject  ->  included columns
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "db/read_view.h"
#include "db/row_layout.h"
#include "db/row_reader.h"
#include "db/triple_store.h"
#include "schema/schema.h"
#include "trefoil/result.h"
#include "trefoil/value.h"

namespace trefoil::db {

class IndexReader {
 public:
  // Type and index outlive the reader.
  IndexReader(const schema::Type& type, const schema::Index& index,
              std::span<const AttributeId> columns);

  // The rows of the walks in the order of the index; of many walks as in WalkCursor. Not from
  // within its own `sink`.
  Status Scan(const ReadView& view, std::span<const Walk> walks, ManyRowSink sink);

 private:
  // A part of an entry, and which column it is, if somebody asks for it.
  struct Held {
    schema::KeyPart part;
    std::optional<std::size_t> column;
  };
  static std::vector<Held> HeldOf(std::span<const AttributeId> attributes,
                                  std::span<const schema::KeyPart> parts,
                                  std::span<const AttributeId> columns);
  static void DropUnasked(std::vector<Held>& parts);

  bool Take(Slice entry, Slice value);
  Status Drain(const ReadView& view, ManyRowSink sink, std::optional<std::size_t>* left);

  const schema::Type& type_;
  IndexLayout layout_;
  std::vector<Held> columns_;
  std::vector<Held> subject_;
  std::vector<Held> include_;
  std::size_t width_ = 0;                    // of a row
  std::optional<RowReader> fetch_;           // of the columns that the entry does not hold
  std::vector<std::size_t> fetched_places_;  // of those in a row
  // Of the batch under way.
  std::vector<std::size_t> walks_;  // that the entries belong to
  std::vector<std::string> subjects_;
  std::vector<Value> rows_;
  std::vector<bool> exists_;
};

}  // namespace trefoil::db
