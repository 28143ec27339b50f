// Replication by file: changes, merge, diff, clone.
#include <cstdio>

#include "cli/commands/commands.h"
#include "cli/export.h"
#include "cli/file_text.h"

namespace trefoil::cli {

int RunChanges(const Arguments& arguments) {
  const Result<Database> database = OpenDatabase(arguments.positional()[0], Access::kRead);
  if (!database) return Fail(database.error());
  ChangesetRequest request = {.since = arguments.Get("since").value_or(""),
                              .only = arguments.Get("only").value_or("")};
  if (!request.since.empty() && !request.only.empty()) {
    return FailUsage("changes", {.message = "--since names a replica, whose part is known",
                                 .hint = "leave out --only"});
  }
  if (arguments.Has("at-most")) {
    const Result<std::int64_t> bytes = arguments.Number("at-most", 0, 1);
    if (!bytes) return Fail(bytes.error());
    request.bytes_max = static_cast<std::size_t>(*bytes);
  }
  const Status written = WriteChangeset(*database, arguments.Get("output").value_or("-"), request);
  return written ? kExitOk : Fail(written.error());
}

int RunMerge(const Arguments& arguments) {
  const Result<std::string> changeset = ReadFile(arguments.positional()[1]);
  if (!changeset) return Fail(changeset.error());
  const auto merge = [&](Database& database) -> Status {
    const Result<MergeSummary> merged = database.Merge(*changeset);
    if (!merged) return merged.error();
    std::fputs(MergeText(*merged, Format::kBox).c_str(), stdout);
    return Ok();
  };
  const Result<Part> part = Part::OfChangeset(*changeset);
  const Status done =
      part ? ChangeDatabase(arguments.positional()[0], merge, *part) : Status(part.error());
  return done ? kExitOk : Fail(InFile(done.error(), "changeset", arguments.positional()[1]));
}

// What both hold is compared.
int RunDiff(const Arguments& arguments) {
  const std::vector<std::string>& paths = arguments.positional();
  std::vector<Database> databases;
  Part part;
  for (const std::string& path : paths) {
    Result<Database> database = OpenDatabase(path, Access::kRead);
    if (!database) return Fail(database.error());
    part = part.Intersect(database->part());
    databases.push_back(*std::move(database));
  }
  std::vector<std::string> digests;
  for (const Database& database : databases) {
    const Result<Digest> digest = database.StateDigest(part);
    if (!digest) return Fail(digest.error());
    digests.push_back(digest->ToHex());
  }
  const bool equal = digests[0] == digests[1];
  for (std::size_t i = 0; i < paths.size(); ++i) {
    std::printf("%s  %s\n", digests[i].c_str(), paths[i].c_str());
  }
  std::printf("%s%s\n", equal ? "equal" : "different",
              part.is_whole() ? "" : " in the part that both hold");
  return equal ? kExitOk : kExitFailed;
}

int RunClone(const Arguments& arguments) {
  const Result<Database> database = OpenDatabase(arguments.positional()[0], Access::kWrite);
  if (!database) return Fail(database.error());
  const std::optional<std::string> only = arguments.Get("only");
  const Result<Part> part = only ? database->PartOf(*only) : database->part();
  if (!part) return Fail(part.error());
  const Status cloned = database->Clone(arguments.positional()[1], *part);
  return cloned ? kExitOk : Fail(cloned.error());
}

}  // namespace trefoil::cli
