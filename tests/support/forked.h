// Runs a function in a child process, so that a failed Check() becomes a result that can be shrunk.
#pragma once

#include <functional>
#include <string>

namespace trefoil::testing {

// What `run` returns, or "died: ..." with what the child wrote to stderr last.
std::string RunForked(const std::function<std::string()>& run);

}  // namespace trefoil::testing
