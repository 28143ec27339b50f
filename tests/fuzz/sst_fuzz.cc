// Any bytes as the inside of an SST whose sums are right: footer, index, filter, range deletes,
// properties and data pages are read without leaving their bytes.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>

#include "base/coding.h"
#include "base/env_memory.h"
#include "lsm/filter.h"
#include "lsm/sst_check.h"
#include "lsm/sst_reader.h"

namespace {

using namespace trefoil;
using namespace trefoil::lsm;

constexpr std::size_t kSectionBytes = 48;
constexpr std::size_t kPagesMax = 16;

// Identity, the input cut into pages, and a footer whose sections are the input's first bytes.
std::string FileOf(std::string input, const FileIdentity& identity) {
  input.resize(std::max(input.size(), kSectionBytes));
  SstFooter footer;
  for (std::size_t i = 0; i < kSstSections; ++i) {
    footer.sections[i] = {.first_page = static_cast<std::uint8_t>(input[2 * i]) % 18U,
                          .pages = static_cast<std::uint8_t>(input[2 * i + 1]) % 18U};
  }
  footer.filter_buckets = footer.section(SstSection::kFilter).pages * kFilterBucketsPerPage;
  footer.entries = LoadFixed16(input.data() + 10);
  std::string file = EncodeIdentityPage(identity, 0, Compression::kNone);
  file += input.substr(kSectionBytes, kPagesMax * kPageBytes);
  file.resize((file.size() + kPageBytes - 1) / kPageBytes * kPageBytes, '\0');
  file += EncodeFooterPage(identity, footer);
  for (std::size_t page = 0; page < file.size() / kPageBytes; ++page) {
    char* bytes = file.data() + page * kPageBytes;
    StoreFixed64(bytes, PageSum({bytes, kPageBytes}, FileSeed(identity), page));
  }
  return file;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const FileIdentity identity = IdentityOf("0123456789abcdef", FileNumber{3});
  MemoryEnv env;
  {
    const auto file = env.Open("000003.sst", Env::OpenMode::kCreate).value();
    const std::string bytes = FileOf({reinterpret_cast<const char*>(data), size}, identity);
    if (!file->WriteAt(0, bytes)) return 0;
  }
  PagePool pool(1 << 16);
  const SstReaderOptions options{.identity = identity, .pool = &pool, .allow_map = size % 2 == 0};
  static_cast<void>(CheckSst(env, "000003.sst", {.reader = options, .depth = VerifyDepth::kDeep}));
  const auto reader = SstReader::Open(env, "000003.sst", options);
  if (!reader) return 0;
  const auto cursor = (*reader)->NewCursor({});
  std::string key;
  int walked = 0;
  for (cursor->SeekToFirst(); cursor->Valid() && walked < 2000; cursor->Next(), ++walked) {
    key = cursor->entry().key.ToString();
    key += cursor->entry().value.size() % 2 == 0 ? "" : "x";
    if (walked % 16 != 0) continue;
    PointLookup lookup;
    lookup.key = key;
    lookup.hash = FilterHashOfKey(key);
    lookup.snapshot = static_cast<SequenceNumber>(walked);
    static_cast<void>((*reader)->Get(lookup));
    PointLookup* const lookups[] = {&lookup};
    static_cast<void>((*reader)->MultiGet(lookups));
  }
  for (cursor->SeekBefore(key); cursor->Valid() && walked > 0; cursor->Prev()) --walked;
  return 0;
}
