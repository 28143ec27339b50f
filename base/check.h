// Bugs stop the program with a sentence. Check is on in every build; Verify only in the verify
// build, for checks that cost more than the code they guard.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace trefoil {

#ifdef TREFOIL_VERIFY
inline constexpr bool kVerifyBuild = true;
#else
inline constexpr bool kVerifyBuild = false;
#endif

// Aborts with `what` and the caller's position when `condition` is false.
inline void Check(bool condition, const char* what, const char* file = __builtin_FILE(),
                  int line = __builtin_LINE()) {
  if (condition) [[likely]] {
    return;
  }
  std::fprintf(stderr, "%s:%d: check failed: %s\n", file, line, what);
  std::abort();
}

// Runs `condition` and checks it in the verify build; costs nothing elsewhere.
template <typename Condition>
void Verify(const Condition& condition, const char* what, const char* file = __builtin_FILE(),
            int line = __builtin_LINE()) {
  if constexpr (kVerifyBuild) {
    Check(condition(), what, file, line);
  }
}

}  // namespace trefoil
