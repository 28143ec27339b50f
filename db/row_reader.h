// RowReader gathers rows by their keys: one probe for each asked-for column of each row, all of
// them overlapped. What the columns mean is worked out once, and memory is kept from call to call,
// so that a join which looks up row after row pays for the probes alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/function_ref.h"
#include "db/read_view.h"
#include "db/row_layout.h"
#include "schema/schema.h"
#include "trefoil/result.h"
#include "trefoil/value.h"

namespace trefoil::db {

// The elements of a SET, as a LIST in their order; NULL when there are none. Errors as Lookup
// below.
Status ReadElements(const ReadView& view, const schema::Type& type, const ColumnPlace& place,
                    Slice subject, Value* value);

class RowReader {
 public:
  // The type outlives the reader.
  RowReader(const schema::Type& type, std::span<const AttributeId> columns);

  using Visit = FunctionRef<void(std::size_t i, std::span<const Value> row)>;
  // For each subject, in order: its row, or an empty span when there is none. Not from within its
  // own `visit`. Error: kCorruption, those of the store.
  Status Lookup(const ReadView& view, std::span<const std::string> subjects, Visit visit);

 private:
  Status LookupBatch(const ReadView& view, std::span<const std::string> subjects, Visit visit);
  void PutInOrder(std::span<const std::string> subjects);
  Status Ask(const ReadView& view, std::span<const std::string> subjects,
             std::span<const std::string> prefixes, lsm::FoundVisitor visit);
  Status AskRowCells(const ReadView& view, std::span<const std::string> subjects);
  Status Complete(const ReadView& view, Slice subject, std::span<Value> row);

  const schema::Type& type_;
  std::vector<ColumnPlace> places_;
  std::vector<schema::KeyPart> key_parts_;
  bool has_key_ = false;               // some column is a key field
  std::vector<std::string> prefixes_;  // of the keys of the columns that are plain facts
  std::vector<std::size_t> facts_;     // which columns those are
  struct Head {
    std::uint64_t head = 0;  // first bytes of the subject
    std::size_t subject = 0;
  };
  // Of the batch under way.
  std::vector<Head> heads_;
  std::vector<std::size_t> order_;  // the subjects that are asked for, by their bytes
  std::string keys_;
  std::vector<Slice> slices_;
  std::vector<Value> rows_;
  std::vector<bool> exists_;
  std::vector<Value> key_values_;
};

}  // namespace trefoil::db
