// The table of commands: what `trefoil help` and `--help` print, and what the words mean.
#include <cstdio>

#include "cli/commands/commands.h"
#include "trefoil/version.h"

namespace trefoil::cli {

namespace {

const OptionSpec kFormat{.name = "format"};
const OptionSpec kParam{.name = "param", .letter = 'p'};
const OptionSpec kOutput{.name = "output", .letter = 'o'};

constexpr std::size_t kMany = 1'000'000;

const std::vector<Command> kCommands = {
    {.name = "run",
     .summary = "run TreeSQL statements and dot commands",
     .synopsis = "trefoil run DB [SQL | -f FILE] [-p name=value]... [--format F] [--keep-going]",
     .help = "  -f, --file FILE      read the script from FILE; - is standard input (the default)\n"
             "  -p, --param N=V      value of the parameter :N\n"
             "      --format F       box, json, ndjson or csv (box on a terminal, else ndjson)\n"
             "      --keep-going     go on after a failed statement\n"
             "      --read-only      open beside a writing process\n"
             "\nexample: trefoil run shop.db 'SELECT name FROM artist WHERE id = :id' -p id=7\n",
     .options = {{.name = "file", .letter = 'f'},
                 kParam,
                 kFormat,
                 {.name = "keep-going", .takes_value = false},
                 {.name = "read-only", .takes_value = false}},
     .positional_min = 1,
     .positional_max = 2,
     .run = RunRun},
    {.name = "live",
     .summary = "print a result, then each change of it",
     .synopsis = "trefoil live DB SQL [-p name=value]... [--changes N] [--for SECONDS]",
     .help =
         "  -p, --param N=V      value of the parameter :N\n"
         "      --changes N      stop after N changes\n"
         "      --for SECONDS    stop after so long\n"
         "      --format F       box or ndjson\n"
         "\nStatements and `.merge FILE` on standard input run in the same process, so that their\n"
         "changes appear; another process cannot write while this one has the database. Without\n"
         "--for it therefore ends where standard input does.\n"
         "\nexample: trefoil live shop.db 'SELECT count(*) AS n FROM artist'\n",
     .options = {kParam, kFormat, {.name = "changes"}, {.name = "for"}},
     .positional_min = 2,
     .positional_max = 2,
     .run = RunLive},
    {.name = "import",
     .summary = "add the records of CSV, JSON, NDJSON or SQLite files",
     .synopsis = "trefoil import DB FILE... [--table T] [--key COLUMNS] [--batch ROWS]",
     .help = "  Types, keys and references are found from the data and shown; a missing table is\n"
             "  declared. Committed batches stay when a later record is refused.\n\n"
             "      --table T        table of the one file (its name otherwise)\n"
             "      --key COLUMNS    key columns, with commas\n"
             "      --batch ROWS     rows per commit (1000)\n"
             "\nexample: trefoil import music.db Artist.csv Album.csv Track.csv\n",
     .options = {{.name = "table"}, {.name = "key"}, {.name = "batch"}},
     .positional_min = 2,
     .positional_max = kMany,
     .run = RunImport},
    {.name = "export",
     .summary = "write a table or a query's rows as text",
     .synopsis = "trefoil export DB (--table T | --query SQL) [-o FILE] [--format F]",
     .help = "      --table T        all rows of a table\n"
             "      --query SQL      the rows of a query\n"
             "  -o, --output FILE    instead of standard output\n"
             "      --format F       csv (the default), json or ndjson\n"
             "\nexample: trefoil export music.db --table Artist -o artists.csv\n",
     .options = {{.name = "table"}, {.name = "query"}, kOutput, kFormat},
     .positional_min = 1,
     .positional_max = 1,
     .run = RunExport},
    {.name = "dump",
     .summary = "write the whole database as sorted text",
     .synopsis = "trefoil dump DB [-o FILE] [--salvage]",
     .help =
         "  -o, --output FILE    instead of standard output\n"
         "      --salvage        what is whole of a damaged database, which stays untouched; what\n"
         "                       is lost is named, and comes back when what is loaded from the\n"
         "                       dump merges the changes of another replica\n"
         "\nexample: trefoil dump music.db -o music.dump\n",
     .options = {kOutput, {.name = "salvage", .takes_value = false}},
     .positional_min = 1,
     .positional_max = 1,
     .run = RunDump},
    {.name = "load",
     .summary = "make a database from a dump",
     .synopsis = "trefoil load DB FILE",
     .help = "  The new database has the digest of the dumped one.\n"
             "\nexample: trefoil load copy.db music.dump\n",
     .positional_min = 2,
     .positional_max = 2,
     .run = RunLoad},
    {.name = "explain",
     .summary = "show the plan of a query",
     .synopsis = "trefoil explain DB SQL [--analyze] [--live] [--dot] [-p name=value]...",
     .help = "      --analyze        run it and add rows and time\n"
             "      --live           add the state and cost per change of each operator\n"
             "      --dot            as a picture for Graphviz: pipe it into `dot -Tsvg`\n"
             "  -p, --param N=V      value of the parameter :N\n"
             "\nexample: trefoil explain music.db 'SELECT name FROM Artist' --live\n",
     .options = {{.name = "analyze", .takes_value = false},
                 {.name = "live", .takes_value = false},
                 {.name = "dot", .takes_value = false},
                 kParam},
     .positional_min = 2,
     .positional_max = 2,
     .run = RunExplain},
    {.name = "changes",
     .summary = "write what another replica lacks as a changeset",
     .synopsis = "trefoil changes DB [--since FILE | --only PART] [--at-most BYTES] [-o FILE]",
     .help =
         "      --since FILE     a changeset of that replica: what it had then is left out, and\n"
         "                       what is not of the part that it holds\n"
         "      --only PART      for a new replica of a part; see `trefoil help clone`\n"
         "      --at-most BYTES  the first part of it, before compression; what the other one\n"
         "                       writes after merging it says where to go on\n"
         "  -o, --output FILE    instead of standard output\n"
         "\nexample: trefoil changes left.db -o left.changes\n",
     .options = {{.name = "since"}, {.name = "only"}, {.name = "at-most"}, kOutput},
     .positional_min = 1,
     .positional_max = 1,
     .run = RunChanges},
    {.name = "merge",
     .summary = "apply a changeset as one commit",
     .synopsis = "trefoil merge DB FILE",
     .help = "  A database that is made by it holds the part that the changeset is of.\n"
             "\nexample: trefoil merge right.db left.changes\n",
     .positional_min = 2,
     .positional_max = 2,
     .run = RunMerge},
    {.name = "diff",
     .summary = "compare the states of two databases",
     .synopsis = "trefoil diff A B",
     .help = "  Exit code 0 when their digests are equal, 1 otherwise. Of a replica of a part and "
             "another\n"
             "  one, the part that both hold is compared.\n"
             "\nexample: trefoil diff left.db right.db\n",
     .positional_min = 2,
     .positional_max = 2,
     .run = RunDiff},
    {.name = "clone",
     .summary = "copy a database as a new replica",
     .synopsis = "trefoil clone A B [--only PART]",
     .help =
         "      --only PART      a replica of a part, which holds and writes nothing else: tables\n"
         "                       with commas between them, each perhaps with a range of its key\n"
         "\nexample: trefoil clone all.db phone.db --only 'list, item WHERE list = 7'\n",
     .options = {{.name = "only"}},
     .positional_min = 2,
     .positional_max = 2,
     .run = RunClone},
    {.name = "check",
     .summary = "verify every page and every invariant",
     .synopsis = "trefoil check DB",
     .help = "  Exit code 1 when something is damaged; each problem names its file and offset.\n"
             "\nexample: trefoil check music.db\n",
     .positional_min = 1,
     .positional_max = 1,
     .run = RunCheck},
    {.name = "stats",
     .summary = "counters of the store and the live queries as JSON",
     .synopsis = "trefoil stats DB",
     .help = "example: trefoil stats music.db\n",
     .positional_min = 1,
     .positional_max = 1,
     .run = RunStats},
    {.name = "compact",
     .summary = "merge the store down to its smallest form",
     .synopsis = "trefoil compact DB",
     .help =
         "Transactions that every other replica has leave the log; `trefoil changes` then gives\n"
         "the whole state to a replica that lacks one of them.\n"
         "example: trefoil compact music.db\n",
     .positional_min = 1,
     .positional_max = 1,
     .run = RunCompact},
    {.name = "backup",
     .summary = "copy a database, by hard links where possible",
     .synopsis = "trefoil backup DB DIR",
     .help = "example: trefoil backup music.db music.backup\n",
     .positional_min = 2,
     .positional_max = 2,
     .run = RunBackup},
    {.name = "restore",
     .summary = "make a database from a backup, after checking it",
     .synopsis = "trefoil restore DB DIR",
     .help = "example: trefoil restore music.db music.backup\n",
     .positional_min = 2,
     .positional_max = 2,
     .run = RunRestore},
    {.name = "gen",
     .summary = "write C++ structs for the tables",
     .synopsis = "trefoil gen cpp DB [-o FILE] [--namespace N]",
     .help = "  -o, --output FILE    instead of standard output\n"
             "      --namespace N    of the structs (schema)\n"
             "\nexample: trefoil gen cpp music.db -o music_schema.h\n",
     .options = {kOutput, {.name = "namespace"}},
     .positional_min = 2,
     .positional_max = 2,
     .run = RunGen},
    {.name = "shell",
     .summary = "an interactive shell; also `trefoil DB`",
     .synopsis = "trefoil shell [DB]",
     .help = "  Without DB, a database in memory. .help lists the dot commands.\n"
             "\nexample: trefoil shell music.db\n",
     .positional_max = 1,
     .run = RunShell},
    {.name = "demo",
     .summary = "show what live queries do, on data of this machine or generated",
     .synopsis = "trefoil demo (deps|board|store)... [--data PATH]",
     .help = "  deps    the Debian packages of this machine and what they depend on\n"
             "  board   an issue tracker on three replicas\n"
             "  store   the Chinook music store from its CSV files (--data FOLDER)\n"
             "\n  They end in a verdict line: every live result against a fresh run, and samples "
             "against\n"
             "  rows that are computed without the engine.\n"
             "\nexample: trefoil demo deps\n",
     .options = {{.name = "data"}},
     .positional_min = 1,
     .positional_max = kMany,
     .run = RunDemo},
    {.name = "completion",
     .summary = "a completion script for bash",
     .synopsis = "trefoil completion bash",
     .help = "example: source <(trefoil completion bash)\n",
     .positional_min = 1,
     .positional_max = 1,
     .run = RunCompletion},
    {.name = "version",
     .summary = "the release of this program",
     .synopsis = "trefoil version",
     .help = "example: trefoil version\n",
     .run = RunVersion},
};

}  // namespace

std::span<const Command> Commands() { return kCommands; }

int RunVersion(const Arguments&) {
  std::printf("trefoil %s\n", LibraryVersion());
  return kExitOk;
}

int RunCompletion(const Arguments& arguments) {
  if (arguments.positional()[0] != "bash") {
    return FailUsage("completion", {.message = "it is written for bash"});
  }
  std::printf("_trefoil() {\n  local word=${COMP_WORDS[COMP_CWORD]}\n");
  std::printf("  if ((COMP_CWORD == 1)); then\n    COMPREPLY=($(compgen -W '");
  for (const Command& command : Commands()) {
    std::printf("%s ", std::string(command.name).c_str());
  }
  std::printf("help' -- \"$word\") $(compgen -f -- \"$word\"))\n    return\n  fi\n");
  std::printf("  case ${COMP_WORDS[1]} in\n");
  for (const Command& command : Commands()) {
    std::printf("    %s) COMPREPLY=($(compgen -W '", std::string(command.name).c_str());
    for (const OptionSpec& option : command.options) std::printf("--%s ", option.name.c_str());
    std::printf("--help' -- \"$word\") $(compgen -f -- \"$word\")) ;;\n");
  }
  std::printf("  esac\n}\ncomplete -o filenames -F _trefoil trefoil\n");
  return kExitOk;
}

}  // namespace trefoil::cli
