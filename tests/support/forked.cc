#include "tests/support/forked.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "base/check.h"

namespace trefoil::testing {

std::string RunForked(const std::function<std::string()>& run) {
  int ends[2];
  Check(pipe(ends) == 0, "a test can make a pipe");
  const pid_t child = fork();
  Check(child >= 0, "a test can fork");
  if (child == 0) {
    close(ends[0]);
    dup2(ends[1], STDERR_FILENO);
    const std::string result = run();
    if (write(ends[1], result.data(), result.size()) < 0) _exit(2);
    _exit(0);
  }
  close(ends[1]);
  std::string result;
  char bytes[4096];
  for (ssize_t count = 0; (count = read(ends[0], bytes, sizeof bytes)) > 0;) {
    result.append(bytes, static_cast<std::size_t>(count));
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return status == 0 ? result : "died: " + result;
}

}  // namespace trefoil::testing
