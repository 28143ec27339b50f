// Replication by file: changes, merge, diff, clone.
#include <cstdio>

#include "cli/commands/commands.h"
#include "cli/export.h"
#include "cli/file_text.h"

namespace trefoil::cli {

int RunChanges(const Arguments& arguments) {
  const Result<Database> database = OpenDatabase(arguments.positional()[0], Access::kRead);
  if (!database) return Fail(database.error());
  const Status written = WriteChangeset(*database, arguments.Get("output").value_or("-"),
                                        arguments.Get("since").value_or(""));
  return written ? kExitOk : Fail(written.error());
}

int RunMerge(const Arguments& arguments) {
  const Result<std::string> changeset = ReadFile(arguments.positional()[1]);
  if (!changeset) return Fail(changeset.error());
  Result<Database> database = OpenDatabase(arguments.positional()[0], Access::kCreate);
  if (!database) return Fail(database.error());
  const Result<MergeSummary> merged = database->Merge(*changeset);
  if (!merged) return Fail(merged.error());
  if (Status flushed = database->Flush(); !flushed) return Fail(flushed.error());
  std::fputs(MergeText(*merged, Format::kBox).c_str(), stdout);
  return kExitOk;
}

int RunDiff(const Arguments& arguments) {
  std::string digests[2];
  for (int i = 0; i < 2; ++i) {
    const Result<Database> database =
        OpenDatabase(arguments.positional()[static_cast<std::size_t>(i)], Access::kRead);
    if (!database) return Fail(database.error());
    const Result<Digest> digest = database->StateDigest();
    if (!digest) return Fail(digest.error());
    digests[i] = digest->ToHex();
    std::printf("%s  %s\n", digests[i].c_str(),
                arguments.positional()[static_cast<std::size_t>(i)].c_str());
  }
  const bool equal = digests[0] == digests[1];
  std::printf("%s\n", equal ? "equal" : "different");
  return equal ? kExitOk : kExitFailed;
}

int RunClone(const Arguments& arguments) {
  const Result<Database> database = OpenDatabase(arguments.positional()[0], Access::kWrite);
  if (!database) return Fail(database.error());
  const Status cloned = database->Clone(arguments.positional()[1]);
  return cloned ? kExitOk : Fail(cloned.error());
}

}  // namespace trefoil::cli
