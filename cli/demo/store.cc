// Demo `store`: the Chinook music store from its CSV files. Live: a nested catalogue, revenue per
// genre and the top tracks, under sales from four threads.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <thread>
#include <tuple>
#include <vector>

#include "cli/demo/demo.h"
#include "cli/demo/witness.h"
#include "cli/import/load.h"

namespace trefoil::cli {

namespace {

constexpr int kThreads = 4;
constexpr int kSalesPerThread = 50;
constexpr std::int64_t kFirstNewId = 1'000'000;

constexpr const char* kCatalogue =
    "SELECT { Name, albums: [SELECT { a.Title, tracks: (SELECT count(*) FROM Track AS t "
    "WHERE t.AlbumId = a.AlbumId) } FROM Album AS a WHERE a.ArtistId = r.ArtistId "
    "ORDER BY a.Title] } FROM Artist AS r WHERE r.ArtistId <= 20 ORDER BY Name";
constexpr const char* kRevenue =
    "SELECT g.Name AS genre, sum(l.UnitPrice * l.Quantity) AS revenue, count(*) AS sold "
    "FROM InvoiceLine AS l JOIN Track AS t ON t.TrackId = l.TrackId "
    "JOIN Genre AS g ON g.GenreId = t.GenreId GROUP BY g.Name ORDER BY g.Name";
constexpr const char* kTopTracks =
    "SELECT t.TrackId AS id, t.Name AS name, sum(l.Quantity) AS sold "
    "FROM InvoiceLine AS l JOIN Track AS t ON t.TrackId = l.TrackId "
    "GROUP BY t.TrackId, t.Name ORDER BY sold DESC, id LIMIT 10";

// One sale: an invoice line for an existing invoice and a track.
Status Sell(Database& database, std::int64_t id) {
  const Fields line = {{"InvoiceLineId", Value::Int(id)},
                       {"InvoiceId", Value::Int(1 + id % 400)},
                       {"TrackId", Value::Int(1 + id * 37 % 3'000)},
                       {"UnitPrice", Value::Decimal(99, 2)},
                       {"Quantity", Value::Int(1 + id % 3)}};
  const Result<CommitInfo> commit = database.Write([&](Transaction& transaction) -> Status {
    const auto added = transaction.Insert("InvoiceLine", line);
    return added ? Ok() : Status(added.error());
  });
  return commit ? Ok() : Status(commit.error());
}

// Sales from several threads at once; the first error, if any.
Status SellInThreads(Database& database) {
  std::vector<Status> outcomes(kThreads);
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        for (int i = 0; i < kSalesPerThread; ++i) {
          Status& outcome = outcomes[static_cast<std::size_t>(thread)];
          if (outcome) outcome = Sell(database, kFirstNewId + 1 + thread * kSalesPerThread + i);
        }
      });
    }
  }
  for (Status& outcome : outcomes) {
    if (!outcome) return std::move(outcome);
  }
  return Ok();
}

// What was sold of each track and what it brought, from plain loops over all rows.
struct Sold {
  std::int64_t count = 0;
  std::int64_t quantity = 0;
  std::int64_t cents = 0;
};

// The answers of kRevenue and kTopTracks, computed without the engine.
Status CompareByHand(const Snapshot& snapshot, Witness& witness) {
  using Row = std::span<const Value>;
  std::map<Value, Sold> by_track;
  std::map<Value, std::pair<Value, Value>> tracks;  // id to name and genre
  std::map<Value, Value> genres;                    // id to name
  Status done = snapshot.Scan("InvoiceLine", [&](Row row) {
    Sold& sold = by_track[row[2]];
    ++sold.count;
    sold.quantity += row[4].AsInt();
    sold.cents += row[3].AsDecimal().unscaled * row[4].AsInt();
    return true;
  });
  if (!done) return done;
  done = snapshot.Scan("Track", [&](Row row) {
    tracks[row[0]] = {row[1], row[4]};
    return true;
  });
  if (!done) return done;
  done = snapshot.Scan("Genre", [&](Row row) {
    genres[row[0]] = row[1];
    return true;
  });
  if (!done) return done;
  std::map<Value, Sold> by_genre;
  std::vector<std::tuple<std::int64_t, Value, Value>> best;  // minus the quantity, id, name
  for (const auto& [track, sold] : by_track) {
    const auto& [name, genre] = tracks[track];
    Sold& total = by_genre[genres[genre]];
    total.count += sold.count;
    total.cents += sold.cents;
    best.emplace_back(-sold.quantity, track, name);
  }
  std::ranges::sort(best);
  AnswerRows revenue;
  for (const auto& [genre, sold] : by_genre) {
    revenue.push_back({genre, Value::Decimal(sold.cents, 2), Value::Int(sold.count)});
  }
  AnswerRows top;
  for (std::size_t i = 0; i < std::min<std::size_t>(best.size(), 10); ++i) {
    const auto& [quantity, track, name] = best[i];
    top.push_back({track, name, Value::Int(-quantity)});
  }
  witness.CompareByHand("revenue", revenue);
  witness.CompareByHand("top", top);
  return Ok();
}

Status Compare(Database& database, Witness& witness) {
  if (Status compared = witness.Compare(); !compared) return compared;
  return CompareByHand(database.snapshot(), witness);
}

Result<std::vector<std::string>> CsvFiles(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".csv") files.push_back(entry.path().string());
  }
  if (files.empty()) {
    return Error{.code = ErrorCode::kNotFound,
                 .message = "no CSV files in '" + folder + "'",
                 .hint = "name the Chinook folder with --data"};
  }
  std::sort(files.begin(), files.end());
  return files;
}

Status Run(Database& database, const std::string& folder, Witness& witness) {
  const Result<std::vector<std::string>> files = CsvFiles(folder);
  if (!files) return files.error();
  Result<LoadJob> job = PlanLoad(*files, {});
  if (!job) return std::move(job).error();
  const Result<std::string> loaded = Load(database, *job);
  if (!loaded) return loaded.error();
  std::printf("%s", loaded->c_str());
  struct {
    const char* name;
    const char* query;
  } const queries[] = {{"catalogue", kCatalogue}, {"revenue", kRevenue}, {"top", kTopTracks}};
  for (const auto& [name, query] : queries) {
    std::printf("live %-9s %s\n", name, query);
    if (Status watched = witness.Watch(name, query, {}, true); !watched) return watched;
  }
  Status done = witness.Commit("one sale", [&] { return Sell(database, kFirstNewId); });
  if (!done) return done;
  if (Status compared = Compare(database, witness); !compared) return compared;
  done = witness.Commit("", [&] { return SellInThreads(database); });
  if (!done) return done;
  std::printf("\n%d sales from %d threads\n", kThreads * kSalesPerThread, kThreads);
  return Compare(database, witness);
}

}  // namespace

Result<DemoVerdict> RunStoreDemo(const DemoSettings& settings) {
  std::printf("demo store: Chinook\n");
  Result<Database> database = Database::Open(":memory:");
  if (!database) return std::move(database).error();
  Witness witness(*database);
  if (Status done = Run(*database, settings.data, witness); !done) return done.error();
  return witness.Verdict();
}

}  // namespace trefoil::cli
