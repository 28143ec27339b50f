#include "db/commit_delta.h"

#include <algorithm>

#include "db/triple_store.h"

namespace trefoil::db {

Status AppendRowChanges(const CommitDelta& delta, TypeId type, std::span<const AttributeId> columns,
                        dataflow::Batch& batch) {
  std::vector<std::string> subjects;
  for (const TouchedRow& row : delta.touched) {
    if (row.type == type) subjects.push_back(row.subject);
  }
  const auto append = [&](const Pinned& state, dataflow::Weight weight) {
    const schema::Type* found = state.schema()->FindType(type);
    if (found == nullptr) return Ok();
    return TripleStore(state.view())
        .Lookup(*found, columns, subjects, [&](std::size_t, std::span<const Value> row) {
          if (!row.empty()) batch.Add(row, weight);
        });
  };
  if (Status old = append(*delta.before, -1); !old) return old;
  if (Status now = append(*delta.after, 1); !now) return now;
  batch.Consolidate();
  return Ok();
}

std::vector<TypeId> TouchedTypes(const CommitDelta& delta) {
  std::vector<TypeId> types;
  for (const TouchedRow& row : delta.touched) {
    if (types.empty() || types.back() != row.type) types.push_back(row.type);
  }
  return types;
}

}  // namespace trefoil::db
