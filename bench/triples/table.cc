#include "bench/triples/table.h"

#include <filesystem>

#include "base/str_cat.h"

namespace trefoil::bench {

TaskRow::TaskRow(std::uint64_t i) : id(static_cast<std::int64_t>(i)) {
  std::uint64_t state_of_random = i;
  const std::uint64_t a = SplitMix64(state_of_random);
  const std::uint64_t b = SplitMix64(state_of_random);
  title = StrCat("task ", a % 100'000'000);
  title.append(8 + b % 4, static_cast<char>('a' + b % 26));
  owner = static_cast<std::int64_t>(a >> 32) % static_cast<std::int64_t>(kPeople);
  author = static_cast<std::int64_t>(b >> 32) % static_cast<std::int64_t>(kPeople);
  created = 1'700'000'000'000'000 + id * 1'000'000 + static_cast<std::int64_t>(a % 999'983);
  due = created + static_cast<std::int64_t>(b % 2'592'000'000'000);
  state = static_cast<std::int64_t>(b % 5);
  points = static_cast<std::int64_t>(a % 1000);
}

std::uint64_t BytesOfFiles(const std::string& directory, bool log) {
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    const bool counts = log || entry.path().extension() != ".log";
    if (entry.is_regular_file() && counts) bytes += entry.file_size();
  }
  return bytes;
}

}  // namespace trefoil::bench
