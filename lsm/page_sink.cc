#include "lsm/page_sink.h"

#include "base/check.h"
#include "base/coding.h"

namespace trefoil::lsm {

namespace {

constexpr std::size_t kWriteBytes = std::size_t{256} << 10;

}  // namespace

Status PageSink::Append(std::span<char> pages, std::uint32_t number) {
  Check(!pages.empty() && pages.size() % kPageBytes == 0, "a sum covers whole pages");
  const std::uint64_t sum = PageSum(pages, file_seed_, number);
  StoreFixed64(pages.data(), sum);
  sums_.push_back(sum);
  buffer_.append(pages.data(), pages.size());
  return buffer_.size() < kWriteBytes ? Ok() : Flush();
}

Status PageSink::AppendSummed(Slice pages, std::span<const std::uint64_t> sums) {
  Check(pages.size() % kPageBytes == 0, "a file consists of whole pages");
  sums_.insert(sums_.end(), sums.begin(), sums.end());
  buffer_.append(pages.view());
  return Flush();
}

Status PageSink::Flush() {
  if (buffer_.empty()) return Ok();
  Status status = file_.WriteAt(written_, buffer_);
  if (status) written_ += buffer_.size();
  buffer_.clear();
  return status;
}

Hash128 PageSink::Root() const {
  const char* bytes = reinterpret_cast<const char*>(sums_.data());
  return DigestOf(Slice(bytes, sums_.size() * sizeof(std::uint64_t)));
}

}  // namespace trefoil::lsm
