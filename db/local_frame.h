// What a local transaction says to other replicas: its writes as a log frame, and its cells as the
// merge rules make them, so that the writer's own state is what every replica will come to.
#pragma once

#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "crdt/site.h"
#include "db/overlay_view.h"
#include "db/read_view.h"
#include "db/site_log.h"
#include "schema/schema.h"
#include "trefoil/result.h"

namespace trefoil::db {

struct LocalFrame {
  std::optional<crdt::Dot> dot;  // of the transaction; nothing when it writes no fact
  // Keys of row cells, among the writes.
  std::vector<Slice> deleted_rows;
  boost::container::small_vector<std::pair<TypeId, Slice>, 4> last_rows;  // of each type
};

// Stamps the cells among `writes` with `time`, adds the frame, and removes what a deleted or
// re-inserted row leaves of its former life. `latest` is the state that the commit follows.
Result<LocalFrame> StampLocal(WriteSet& writes, const ReadView& latest,
                              const schema::Schema& schema, std::uint64_t time, SiteLog& log);

}  // namespace trefoil::db
