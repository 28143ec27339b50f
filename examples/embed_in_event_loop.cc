// In a game or user-interface loop, Changes are delivered when the loop asks for them: nothing runs
// on another thread, and a frame never spends more than its budget.
#include <chrono>
#include <cstdio>
#include <utility>

#include "trefoil/trefoil.h"

namespace {

constexpr std::chrono::microseconds kFrameBudget{2'000};
constexpr int kFrames = 5;

trefoil::Status Run() {
  trefoil::Result<trefoil::Database> database = trefoil::Database::Open(":memory:");
  if (!database) return std::move(database).error();
  const auto declared = database->Execute("TABLE score (player TEXT KEY, points INT)");
  if (!declared) return declared.error();
  const auto query =
      database->Prepare("SELECT player, points FROM score ORDER BY points DESC LIMIT 3");
  if (!query) return query.error();

  int frame = 0;
  const auto subscription =
      database->Watch(*query, {},
                      [&](const trefoil::Change& change) {
                        std::printf("frame %d: %s\n", frame, change.JsonPatch().c_str());
                      },
                      {.deliver = trefoil::Deliver::kManual});
  if (!subscription) return subscription.error();

  for (frame = 0; frame < kFrames; ++frame) {
    trefoil::Params params;
    params.Set("player", trefoil::Value::Text("player " + std::to_string(frame % 3)));
    params.Set("points", trefoil::Value::Int(10 * frame));
    const auto scored =
        database->Execute("UPSERT INTO score {player: :player, points: :points}", params);
    if (!scored) return scored.error();
    database->Pump(kFrameBudget);
  }
  return trefoil::Ok();
}

}  // namespace

int main() {
  const trefoil::Status done = Run();
  if (!done) std::fprintf(stderr, "%s\n", trefoil::ToString(done.error()).c_str());
  return done ? 0 : 1;
}
