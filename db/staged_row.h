// StagedRow: the entries that one call of RowWriter is going to write, held back until nothing can
// fail any more: keys and values one after the other in one run of bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "db/overlay_view.h"
#include "db/type_layout.h"
#include "trefoil/slice.h"
#include "trefoil/value.h"

namespace trefoil::db {

class StagedRow {
 public:
  // What is written, used again from row to row for its memory.
  class Buffer {
    friend class StagedRow;

    // Of so many bytes more.
    char* Room(std::size_t bytes) {
      if (capacity_ - size_ < bytes) Grow(bytes);
      return bytes_.get() + size_;
    }
    void Grow(std::size_t bytes);

    struct Entry {
      WriteSet::Hint hint = 0;
      std::size_t key_end = 0;
      std::size_t end = 0;
      bool deletes = false;
    };
    std::unique_ptr<char[]> bytes_;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
    std::vector<Entry> entries_;
    std::string part_;  // of an index entry
  };

  // The life of the row that is written, and whether its deletions leave marks.
  struct Rules {
    std::uint64_t causal_length = 1;
    bool keep_retractions = false;
  };

  // Borrows the layout, the subject and the buffer.
  StagedRow(const TypeLayout& layout, Slice subject, const Rules& rules, Buffer& buffer);

  const TypeLayout& layout() const { return layout_; }
  const schema::Type& type() const { return layout_.type; }
  Slice subject() const { return subject_; }
  std::uint64_t causal_length() const { return rules_.causal_length; }

  void PutRowCell() { PutCell(0, layout_.row_cell_prefix, Value(), {}); }
  // `suffix`: the encoded element of a SET.
  void PutFact(std::size_t place, const Value& value, Slice suffix = {}) {
    PutCell(1 + place, layout_.fact_prefixes[place], value, suffix);
  }
  void RetractRowCell() { Retract(0, layout_.row_cell_prefix, {}); }
  void RetractFact(std::size_t place, Slice suffix = {}) {
    Retract(1 + place, layout_.fact_prefixes[place], suffix);
  }
  // Without a mark.
  void RemoveFact(std::size_t place, Slice suffix = {}) {
    Remove(1 + place, layout_.fact_prefixes[place], suffix);
  }
  // The entry that a row, in the order of the layout's attributes, has in an index.
  void PutIndexEntry(std::size_t index, std::span<const Value> row);
  void DeleteIndexEntry(std::size_t index, Slice key);

  void Apply(OverlayView& view) const;

 private:
  void PutCell(WriteSet::Hint hint, const std::string& prefix, const Value& value, Slice suffix);
  void Retract(WriteSet::Hint hint, const std::string& prefix, Slice suffix);
  void Remove(WriteSet::Hint hint, const std::string& prefix, Slice suffix);
  // Both move the buffer's end to `end`.
  void EndKey(WriteSet::Hint hint, const char* end);
  void EndEntry(const char* end, bool deletes);
  // At a place with room for it; returns its end.
  char* WriteKey(char* to, const std::string& prefix, Slice suffix) const;
  WriteSet::Hint HintOf(std::size_t index) const { return 1 + layout_.attributes.size() + index; }

  const TypeLayout& layout_;
  const Slice subject_;
  const Rules rules_;
  Buffer& buffer_;
};

}  // namespace trefoil::db
