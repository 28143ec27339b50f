// RowWriter turns the edits of rows into entries of the store: cells of facts, row cells, and the
// index entries that come and go with them. It writes into a transaction's overlay and reads what
// it needs through it; the only other writer of facts is the merge of remote changes.
//
// A call either does all of its edit or returns an error and does nothing. Constraints that one row
// decides (kinds, NOT NULL, CHECK, duplicate keys, UNIQUE) are checked here; references are noted
// and checked when the transaction commits, so rows may come in any order.
//
// Entries of an insert: one row cell, one fact for each column that is not NULL and no key field,
// one entry for each index. An update of a column: one fact, and two entries for each index that
// holds the column, whose old entry is found by reading the row.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "db/field_edit.h"
#include "db/key_generator.h"
#include "db/known_rows.h"
#include "db/overlay_view.h"
#include "db/row_before.h"
#include "db/row_images.h"
#include "db/row_layout.h"
#include "db/staged_row.h"
#include "db/type_layout.h"
#include "schema/schema.h"
#include "trefoil/result.h"
#include "trefoil/value.h"

namespace trefoil::db {

// What all edits of a transaction have in common.
struct WriteRules {
  const Layouts* layouts = nullptr;  // of the schema in force
  KeyGenerator* keys = nullptr;
  KnownRows* known_rows = nullptr;
  Version base{};               // that the edits are over
  RowImages* images = nullptr;  // where edits are noted
  // Keep the mark of a deletion, because another replica may not know of it yet.
  bool keep_retractions = false;
};

// A reference that must have a row when the transaction commits.
struct ReferenceCheck {
  TypeId from{};
  AttributeId attribute{};
  TypeId target{};
  Value value;
  bool acyclic = false;
  std::string subject;  // of the row that refers, if the way from it must not lead back
};

class RowWriter {
 public:
  // All outlive the writer.
  RowWriter(OverlayView& view, const WriteRules& rules)
      : view_(view), rules_(rules), before_(view) {}

  // Adds a row and returns its key. Attributes that `fields` does not name take their defaults.
  // Errors: kDuplicateKey, kTypeMismatch, kNotNullViolation, kCheckViolation, kUniqueViolation.
  Result<std::vector<Value>> Insert(const schema::Type& type, std::span<const FieldEdit> fields);
  // Edits an existing row; false if there is none. Errors as Insert, and kInvalidArgument for a
  // change of a key field.
  Result<bool> Update(const schema::Type& type, std::span<const Value> key,
                      std::span<const FieldEdit> fields);
  // Deletes a row with all its facts; false if there is none.
  Result<bool> Delete(const schema::Type& type, std::span<const Value> key);

  // Puts or deletes the entries that a row, which exists, should have in one index: how an index is
  // built beside writers that maintain it already.
  Status WriteIndexEntry(const schema::Type& type, const schema::Index& index, Slice subject);

  const std::vector<ReferenceCheck>& references() const { return references_; }
  // Drops what was noted after the first `count`: the edits were undone.
  void TruncateReferences(std::size_t count) { references_.resize(count); }

 private:
  const schema::Part& part() const { return rules_.layouts->schema()->part(); }

  StagedRow::Rules RulesOf(std::uint64_t causal_length) const {
    return {.causal_length = causal_length, .keep_retractions = rules_.keep_retractions};
  }
  // The row cell of the row subject_, which is to be added.
  Result<RowCell> ReadNewCell(const TypeLayout& layout);
  // Fills row_.
  Status FillRow(const TypeLayout& layout, std::span<const FieldEdit> fields);
  Result<Value> ValueFor(const TypeLayout& layout, std::size_t place);
  Status CheckRow(const TypeLayout& layout, std::span<const Value> row) const;
  Status StageNewRow(StagedRow& staged, std::span<const FieldEdit> fields);
  Status StageEdits(StagedRow& staged, std::span<const Value> key,
                    std::span<const FieldEdit> fields, std::vector<Value>& row);
  Status StageFact(StagedRow& staged, std::size_t place, const FieldEdit& edit, Value* visible);
  Status StageValue(StagedRow& staged, std::size_t place, EditKind edit, Value value,
                    Value* visible);
  Status StageSet(StagedRow& staged, std::size_t place, const FieldEdit& edit, Value* visible);
  Status StageIndexes(StagedRow& staged, std::span<const Value> before,
                      std::span<const Value> after);
  Status CheckUnique(const StagedRow& staged, const TypeLayout::IndexPlaces& index,
                     std::span<const Value> row) const;
  void NoteImage(const StagedRow& staged, std::span<const Value> before,
                 std::span<const Value> after);
  void NoteReference(const StagedRow& staged, const schema::Attribute& attribute,
                     const Value& value);

  OverlayView& view_;
  const WriteRules& rules_;
  std::vector<ReferenceCheck> references_;

  // Of the row at work, kept for their memory.
  StagedRow::Buffer buffer_;
  std::vector<Value> row_;
  RowBefore before_;
  std::vector<unsigned char> given_;  // by place in row_: whether a field names it
  std::string subject_;
  std::string key_;  // of its row cell
};

}  // namespace trefoil::db
