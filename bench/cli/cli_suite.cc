// The cli suite: the program `trefoil` from outside, as a child process, beside the program
// `sqlite3` where that is installed.
//
//   import csv       a file of eight columns into a new database, from start to exit; both are
//                    durable then: ours flushes, SQLite syncs its commit (synchronous FULL)
//   start            a process that opens a database in memory and ends
//   commit to print  `trefoil live` fed with commits 2 ms apart: from one to its change on standard
//                    output, as the program tells
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/str_cat.h"
#include "bench/engine.h"
#include "bench/suite.h"

namespace trefoil::bench {
namespace {

namespace fs = std::filesystem;

constexpr int kStarts = 20;
constexpr int kLiveCommits = 500;  // what they print fits into a pipe
// Every third changes nothing; the last does, and ends the program.
constexpr int kLiveChanges = kLiveCommits - (kLiveCommits + 2) / 3;
constexpr std::chrono::milliseconds kBetweenCommits{2};

// Runs a line of shell; false if it fails.
bool Shell(const std::string& line) {
  return std::system(StrCat("( ", line, " ) >/dev/null 2>&1").c_str()) == 0;
}

std::string Quoted(const std::string& path) { return StrCat("'", path, "'"); }

// Keys ascend; a quarter of the cells is text, the rest numbers, a date and a truth value.
void WriteCsv(const std::string& path, std::uint64_t rows) {
  Random random(11);
  std::ofstream csv(path);
  csv << "id,title,owner,points,price,created,city,open\n";
  for (std::uint64_t i = 0; i < rows; ++i) {
    csv << i << ",title " << random.Uniform(1'000'000) << ',' << random.Uniform(1000) << ','
        << random.Uniform(100) << ',' << random.Uniform(1000) << '.' << 10 + random.Uniform(90)
        << ",2024-0" << 1 + random.Uniform(9) << '-' << 10 + random.Uniform(18) << ",city "
        << random.Uniform(500) << ',' << (random.Uniform(2) == 0 ? "true" : "false") << '\n';
  }
}

class CliBench {
 public:
  CliBench(const SuiteOptions& options, Report& report, std::string program)
      : options_(options),
        report_(report),
        program_(Quoted(program)),
        has_sqlite_(options.WantsEngine("sqlite") && Shell("command -v sqlite3")),
        rows_(options.quick ? 50'000 : 200'000),
        csv_(options.directory + "/task.csv") {
    if (!has_sqlite_) report.Note("sqlite left out: there is no program sqlite3 (apt: sqlite3)");
    WriteCsv(csv_, rows_);
  }

  void Round() {
    if (options_.WantsCase("import csv")) Import();
    if (options_.WantsCase("start")) Start();
    if (options_.WantsCase("commit to print")) Live();
  }

 private:
  double Seconds(const std::string& line) const {
    const Stopwatch watch;
    Require(Shell(line), StrCat("this works: ", line));
    return watch.Seconds();
  }
  std::string NewPath(const char* name) const {
    const std::string path = StrCat(options_.directory, "/", name);
    fs::remove_all(path);
    return path;
  }

  void Import() {
    const auto add = [&](const char* engine, double seconds) {
      report_.Add({.name = "import csv",
                   .engine = engine,
                   .n = rows_,
                   .value = static_cast<double>(rows_) / seconds,
                   .unit = "rows/s"});
    };
    const std::string ours = NewPath("import.db");
    add("trefoil", Seconds(StrCat(program_, " import ", Quoted(ours), " ", Quoted(csv_))));
    fs::remove_all(ours);
    if (!has_sqlite_) return;
    const std::string theirs = NewPath("import.sqlite");
    add("sqlite",
        Seconds(StrCat("sqlite3 ", Quoted(theirs),
                       " 'CREATE TABLE task (id INTEGER PRIMARY KEY, title TEXT, owner INT, points "
                       "INT, price NUMERIC, created TEXT, city TEXT, open TEXT)' '.mode csv' "
                       "\".import --skip 1 ",
                       csv_, " task\"")));
    fs::remove_all(theirs);
  }

  void Start() {
    const auto add = [&](const char* engine, const std::string& line) {
      Seconds(line);  // its pages are in memory then
      std::vector<double> times;
      for (int i = 0; i < kStarts; ++i) times.push_back(Seconds(line) * 1e3);
      report_.Add({.name = "start",
                   .engine = engine,
                   .n = 1,
                   .value = Percentile(times, 0.5),
                   .unit = "ms",
                   .lower_is_better = true});
    };
    add("trefoil", StrCat(program_, " shell </dev/null"));
    if (has_sqlite_) add("sqlite", "sqlite3 :memory: </dev/null");
  }

  void Live() {
    const std::string path = NewPath("live.db");
    const std::string input = NewPath("live.fifo");
    Require(Shell(StrCat(program_, " run ", Quoted(path), " 'TABLE task (id INT KEY, open INT)'")),
            "a database is made");
    Require(Shell(StrCat("mkfifo ", Quoted(input))), "a pipe is made");
    const std::string line =
        StrCat(program_, " live ", Quoted(path),
               " 'SELECT count(*) AS n FROM task WHERE open = 1' --format box --changes ",
               kLiveChanges, " --for 60 <", Quoted(input));
    std::FILE* const output = ::popen(line.c_str(), "r");
    Require(output != nullptr, "a process starts");
    {
      std::ofstream statements(input);
      for (int i = 0; i < kLiveCommits; ++i) {
        statements << "INSERT INTO task {id: " << i << ", open: " << (i % 3 != 0) << "};"
                   << std::endl;
        std::this_thread::sleep_for(kBetweenCommits);
      }
    }
    std::vector<double> times;
    char text[512];
    while (std::fgets(text, sizeof text, output) != nullptr) {
      double milliseconds = 0;
      if (std::sscanf(text, " (printed %lf ms", &milliseconds) == 1) {
        times.push_back(milliseconds * 1e3);
      }
    }
    Require(::pclose(output) == 0 && times.size() > 1, "trefoil live prints its changes");
    times.erase(times.begin());  // the result itself
    for (const auto& [name, fraction] :
         {std::pair("commit to print, p50", 0.5), std::pair("commit to print, p99", 0.99)}) {
      report_.Add({.name = name,
                   .engine = "trefoil",
                   .n = times.size(),
                   .value = Percentile(times, fraction),
                   .unit = "us",
                   .lower_is_better = true});
    }
  }

  const SuiteOptions& options_;
  Report& report_;
  const std::string program_;
  const bool has_sqlite_;
  const std::uint64_t rows_;
  const std::string csv_;
};

void RunCli(const SuiteOptions& options, Report& report) {
  const fs::path here = fs::read_symlink("/proc/self/exe").parent_path();
  const std::string program = (here.parent_path() / "trefoil").string();
  if (!fs::exists(program)) {
    report.Note(StrCat("skipped: there is no ", program, "; build the target trefoil, too"));
    return;
  }
  report.Note("import csv: 8 columns, the table declared by us from the data, by hand for sqlite;");
  report.Note("from process start to exit, on the device at the end (fsync) on both sides");
  CliBench bench(options, report, program);
  for (int round = 0; round < options.rounds; ++round) bench.Round();
}

const SuiteRegistration kCli({.name = "cli",
                              .about = "the program: CSV import beside sqlite3, start, live",
                              .run = RunCli});

}  // namespace
}  // namespace trefoil::bench
