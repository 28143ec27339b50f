#include "base/random.h"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/check.h"

namespace trefoil {

void Random::Fill(std::span<char> bytes) {
  while (!bytes.empty()) {
    const std::uint64_t word = Next();
    const std::size_t count = std::min(bytes.size(), sizeof word);
    std::memcpy(bytes.data(), &word, count);
    bytes = bytes.subspan(count);
  }
}

void SecureRandomBytes(std::span<char> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = getrandom(bytes.data(), bytes.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    Check(count > 0, "the operating system gives random bytes");
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

}  // namespace trefoil
