// What stands behind the classes of include/trefoil.
#pragma once

#include <memory>
#include <utility>

#include "db/engine.h"
#include "db/live_queries.h"
#include "db/pinned.h"
#include "db/statement_cache.h"
#include "db/write_transaction.h"
#include "trefoil/database.h"
#include "trefoil/query.h"
#include "trefoil/snapshot.h"
#include "trefoil/transaction.h"

namespace trefoil {

class Database::State {
 public:
  explicit State(std::unique_ptr<db::Engine> engine_in)
      : engine(std::move(engine_in)), live(*engine) {}

  const std::unique_ptr<db::Engine> engine;
  db::StatementCache statements;
  db::LiveQueries live;  // ends before the engine
};

class Subscription::State {
 public:
  State(db::LiveQueries& live_in, std::shared_ptr<db::Listener> listener_in)
      : live(live_in), listener(std::move(listener_in)) {}

  db::LiveQueries& live;
  const std::shared_ptr<db::Listener> listener;
};

class Transaction::State {
 public:
  State(db::Engine& engine_in, db::StatementCache& statements_in)
      : engine(engine_in),
        statements(statements_in),
        write(engine_in.Begin()),
        version(write->base()->version()) {}

  db::Engine& engine;
  db::StatementCache& statements;
  std::unique_ptr<db::WriteTransaction> write;  // null once ended
  Version version;
};

class Snapshot::State {
 public:
  State(const db::Engine& engine_in, db::PinnedRef pinned_in)
      : engine(engine_in), pinned(std::move(pinned_in)) {}

  const db::Engine& engine;
  const db::PinnedRef pinned;
};

}  // namespace trefoil
