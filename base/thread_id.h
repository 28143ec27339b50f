// Which thread is running: for asking "is it me", nothing else.
#pragma once

#include <thread>

namespace trefoil {

using ThreadId = std::thread::id;  // the default value is no thread's

inline ThreadId CurrentThreadId() { return std::this_thread::get_id(); }

}  // namespace trefoil
