// Stands in for libFuzzer where it is not linked: runs a fuzz target over the files of the folders
// that are its arguments, and over the empty input.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void Run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

}  // namespace

int main(int argc, char** argv) {
  Run("");
  int inputs = 1;
  for (int i = 1; i < argc; ++i) {
    if (!std::filesystem::exists(argv[i])) continue;
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      std::printf("%s\n", entry.path().c_str());
      std::ifstream in(entry.path(), std::ios::binary);
      Run(std::string(std::istreambuf_iterator<char>(in), {}));
      ++inputs;
    }
  }
  std::printf("%d inputs\n", inputs);
  return 0;
}
