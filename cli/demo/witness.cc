#include "cli/demo/witness.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "cli/live_view.h"

namespace trefoil::cli {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kLinesMax = 6;  // of one printed Change

double MicrosSince(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

// The first lines of a Change, and how many more there are.
std::string Shortened(const std::string& text) {
  std::size_t at = 0;
  std::size_t lines = 0;
  while (at < text.size() && lines < kLinesMax) {
    at = text.find('\n', at) + 1;
    ++lines;
  }
  const auto more = std::count(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(), '\n');
  std::string shown = text.substr(0, at);
  if (more > 0) shown += "    ... and " + std::to_string(more) + " more rows\n";
  return shown;
}

// The first row in which the two differ.
std::string Describe(const std::string& name, const std::vector<Row>& live, const Rows& fresh) {
  std::size_t i = 0;
  while (i < live.size() && i < fresh.size() && std::ranges::equal(live[i].values(), fresh[i])) ++i;
  const auto row_of = [i](std::size_t size, const auto& text) {
    return i < size ? text() : std::string("no row");
  };
  return name + ": at row " + std::to_string(i) + " of " + std::to_string(fresh.size()) +
         " the live copy holds " + row_of(live.size(), [&] { return live[i].ToJson(); }) +
         ", a fresh run " + row_of(fresh.size(), [&] {
           return ToJson(Value::List({fresh[i].begin(), fresh[i].end()}));
         });
}

bool Equal(const std::vector<Row>& live, const Rows& fresh) {
  if (live.size() != fresh.size()) return false;
  for (std::size_t i = 0; i < live.size(); ++i) {
    if (!std::ranges::equal(live[i].values(), fresh[i])) return false;
  }
  return true;
}

}  // namespace

Status Witness::Watch(const std::string& name, std::string_view treesql, const Params& params,
                      bool loud) {
  Result<Query> query = database_.Prepare(treesql);
  if (!query) return std::move(query).error();
  auto live = std::make_unique<Live>();
  live->name = name;
  live->loud = loud;
  live->query = *query;
  live->params = params;
  Result<Subscription> subscription =
      database_.Watch(*query, params, [raw = live.get()](const Change& change) {
        Apply(change, raw->rows);
        raw->arrived.push_back(change);
      });
  if (!subscription) return std::move(subscription).error();
  live->subscription = *std::move(subscription);
  live->arrived.clear();
  live_.push_back(std::move(live));
  return Ok();
}

Status Witness::Commit(const std::string& what, const std::function<Status()>& commit) {
  const Clock::time_point start = Clock::now();
  Status done = commit();
  const double micros = MicrosSince(start);
  if (!done) return done;
  latencies_micros_.push_back(micros);
  PrintChanges(what, micros);
  return Ok();
}

void Witness::PrintChanges(const std::string& what, double micros) {
  if (!what.empty())
    std::printf("\n%s  (%.0f us from commit to last callback)\n", what.c_str(), micros);
  for (const std::unique_ptr<Live>& live : live_) {
    deltas_ += live->arrived.size();
    for (const Change& change : live->arrived) {
      if (what.empty() || !live->loud) continue;
      std::printf("  %s", Shortened(ChangeText(live->name, change)).c_str());
    }
    live->arrived.clear();
  }
}

Status Witness::Compare() {
  const Clock::time_point start = Clock::now();
  const Snapshot snapshot = database_.snapshot();
  for (const std::unique_ptr<Live>& live : live_) {
    const Result<Rows> fresh = snapshot.Run(live->query, live->params);
    if (!fresh) return fresh.error();
    ++comparisons_;
    if (!Equal(live->rows, *fresh) && difference_.empty()) {
      difference_ = Describe(live->name, live->rows, *fresh);
    }
  }
  rerun_micros_ += MicrosSince(start);
  ++reruns_;
  return Ok();
}

void Witness::CompareByHand(const std::string& name,
                            const std::vector<std::vector<Value>>& expected) {
  for (const std::unique_ptr<Live>& live : live_) {
    if (live->name != name) continue;
    ++comparisons_by_hand_;
    const bool equal =
        std::ranges::equal(live->rows, expected, [](const Row& row, const std::vector<Value>& e) {
          return std::ranges::equal(row.values(), e);
        });
    if (!equal && difference_.empty()) {
      difference_ = name + ": the live copy differs from the rows computed by hand";
    }
  }
}

double Witness::LatencyMicros(double q) const {
  if (latencies_micros_.empty()) return 0;
  std::vector<double> sorted = latencies_micros_;
  std::ranges::sort(sorted);
  return sorted[static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1))];
}

DemoVerdict Witness::Verdict() const {
  if (!difference_.empty()) return {.pass = false, .summary = difference_};
  char text[400];
  std::snprintf(text, sizeof text,
                "%zu live queries, %zu commits, %llu deltas, %llu comparisons with fresh runs, "
                "%llu with rows computed by hand; commit to last callback p50 %.0f us, p99 %.0f "
                "us; re-running all %.0f us",
                live_.size(), latencies_micros_.size(), static_cast<unsigned long long>(deltas_),
                static_cast<unsigned long long>(comparisons_),
                static_cast<unsigned long long>(comparisons_by_hand_), LatencyMicros(0.5),
                LatencyMicros(0.99),
                reruns_ == 0 ? 0 : rerun_micros_ / static_cast<double>(reruns_));
  return {.pass = true, .summary = text};
}

}  // namespace trefoil::cli
