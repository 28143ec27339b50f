// WriteTransaction: a pinned version, the writes over it, and what was read. It resolves names,
// checks what one row can decide, and keeps everything in memory until Engine::Commit.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "db/commit_delta.h"
#include "db/overlay_view.h"
#include "db/pinned.h"
#include "db/row_images.h"
#include "db/row_writer.h"
#include "db/type_layout.h"
#include "schema/migration.h"
#include "trefoil/result.h"

namespace trefoil::db {

class Engine;

// One thread at a time. Must not outlive its Engine. A failed call changes nothing.
class WriteTransaction {
 public:
  // `layouts` are those of the schema of `base`.
  WriteTransaction(Engine& engine, PinnedRef base, LayoutsRef layouts, WatchedTypes watched,
                   WriteRules rules);
  ~WriteTransaction();
  WriteTransaction(const WriteTransaction&) = delete;
  WriteTransaction& operator=(const WriteTransaction&) = delete;

  const Engine& engine() const { return engine_; }
  const PinnedRef& base() const { return base_; }
  // The schema with what this transaction declared.
  const schema::SchemaRef& schema() const { return schema_; }
  // The state that this transaction sees; reads through it join the read set.
  const ReadView& view() const { return view_; }

  // Errors: kUnknownTable; kReadOnly for a type of the system.
  Result<const schema::Type*> FindType(std::string_view name) const;
  // The attribute of that name. A LAX type gets a new undeclared attribute for a name that it does
  // not know; pointers to Types from before are then stale. Error: kUnknownColumn.
  Result<AttributeId> AttributeNamed(TypeId type, std::string_view name);

  // See RowWriter.
  Result<std::vector<Value>> Insert(TypeId type, std::span<const FieldEdit> fields);
  Result<bool> Update(TypeId type, std::span<const Value> key, std::span<const FieldEdit> fields);
  Result<bool> Delete(TypeId type, std::span<const Value> key);

  // Sets the fields of the row with the key that they name, or adds it. Returns the key.
  Result<std::vector<Value>> Put(TypeId type, std::span<const FieldEdit> fields);

  // Runs `body`; if it fails, what it wrote is taken back.
  Status AllOrNothing(const std::function<Status()>& body);

  // Declares types and indexes. Indexes of types that have rows are built after the commit.
  Status Declare(std::span<const schema::Declaration> declarations);
  // Replaces the schema and writes the difference into the catalogue.
  Status SetSchema(schema::Schema schema);

  bool changed() const { return !view_.writes().empty() || !dropped_ranges_.empty(); }

 private:
  friend class Engine;

  Result<const schema::Type*> WritableType(TypeId id) const;
  void UseSchema(schema::SchemaRef schema, LayoutsRef layouts);
  void DropEntries(IndexId index);
  Status DropIndex(IndexId index);
  Status PutIndexEntries(IndexId index, std::span<const std::string> subjects);

  Engine& engine_;
  PinnedRef base_;
  schema::SchemaRef schema_;
  LayoutsRef layouts_;  // of schema_
  WriteRules rules_;
  OverlayView view_;
  RowImages images_;
  RowWriter writer_;
  std::vector<lsm::KeyRange> dropped_ranges_;      // entries of dropped indexes
  std::vector<IndexId> unbuilt_;                   // declared here, for rows that exist
  std::optional<std::vector<TouchedRow>> merged_;  // visible changes, when they are of others
  bool ended_ = false;
};

}  // namespace trefoil::db
