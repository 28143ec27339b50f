// Pinned: one version of the database with the schema in force at it; immutable, shared.
#pragma once

#include <memory>
#include <utility>

#include "db/read_view.h"
#include "schema/schema.h"
#include "trefoil/version.h"

namespace trefoil::db {

class Pinned {
 public:
  Pinned(const lsm::Store& store, lsm::Snapshot snapshot, schema::SchemaRef schema)
      : view_(store, std::move(snapshot)), schema_(std::move(schema)) {}

  Version version() const { return Version{view_.sequence()}; }
  const ReadView& view() const { return view_; }
  const schema::SchemaRef& schema() const { return schema_; }

 private:
  SnapshotView view_;
  schema::SchemaRef schema_;
};

using PinnedRef = std::shared_ptr<const Pinned>;

}  // namespace trefoil::db
