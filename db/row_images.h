// RowImages: rows as they were and as they are, noted by the writer of a transaction, who has most
// of them in hand: whoever keeps results up to date need not read them from the store again.
//
//   edits   type | subject | row before | row after      in the order in which they were made
//   Settle: one image for each row, by type, then subject:
//           as it was before its first edit, as it is after its last
//
// Rows of types that nobody watches are not noted. What an image shows beyond the reads of the edit
// is read without a note: a note would make the transaction conflict with writers that it has no
// quarrel with. So images are of use only where no other commit came in between.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "trefoil/slice.h"
#include "trefoil/value.h"
#include "trefoil/version.h"

namespace trefoil::db {

// Types of which observers want to know the rows, ascending; null: nobody does. Immutable, shared.
using WatchedTypes = std::shared_ptr<const std::vector<TypeId>>;

class RowImages {
 public:
  // A row in the order of TypeLayout::named_ids(), or empty when there is none. Borrowed.
  struct Image {
    TypeId type{};
    Slice subject;
    std::span<const Value> before;
    std::span<const Value> after;
  };

  RowImages() = default;
  explicit RowImages(WatchedTypes watched) : watched_(std::move(watched)) {}

  bool Wants(TypeId type) const;
  void Add(const Image& edit);
  // An edit of a row of which not all was read.
  void AddUnknown(TypeId type, Slice subject);
  // Takes back all edits but the first `edits`.
  std::size_t edits() const { return images_.size(); }
  void Truncate(std::size_t edits);

  void Settle();
  // After Settle: how many images there are, and those from here on.
  std::size_t size() const { return images_.size(); }
  Image operator[](std::size_t i) const;
  // The first image of the type or of a type behind it.
  std::size_t FirstOf(TypeId type) const;

 private:
  struct Row {
    std::size_t begin = 0;  // in cells_
    std::size_t end = 0;
  };
  struct Stored {
    TypeId type{};
    bool is_known = true;
    std::size_t subject_begin = 0;  // in subjects_
    std::size_t subject_end = 0;
    Row before = {};
    Row after = {};
  };

  Stored& AddEdit(TypeId type, Slice subject);
  Row AddRow(std::span<const Value> cells);
  Slice SubjectOf(const Stored& image) const {
    return {subjects_.data() + image.subject_begin, image.subject_end - image.subject_begin};
  }
  std::span<const Value> CellsOf(const Row& row) const {
    return std::span(cells_).subspan(row.begin, row.end - row.begin);
  }
  bool IsBefore(const Stored& a, const Stored& b) const;

  WatchedTypes watched_;
  std::vector<Stored> images_;
  std::string subjects_;
  std::vector<Value> cells_;
};

}  // namespace trefoil::db
