// operator new of this program, which fails once when it is told to.
#pragma once

#include <cstdint>

namespace trefoil::testing {

// The n-th allocation from here on, of any thread, throws std::bad_alloc; 0 is the next one.
void FailAllocation(std::int64_t n);
// Whether it came to that. No allocation fails from here on.
bool AllocationFailed();

}  // namespace trefoil::testing
