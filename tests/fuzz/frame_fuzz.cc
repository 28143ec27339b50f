// Any bytes, given a right checksum: a frame does not decode, or what it says encodes and decodes
// again, and what is cut of it is the same transaction.
#include <cstdint>
#include <string>

#include "base/check.h"
#include "base/coding.h"
#include "base/hash.h"
#include "crdt/cut.h"
#include "crdt/log_frame.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace trefoil;
  std::string bytes(reinterpret_cast<const char*>(data), size);
  AppendFixed64(bytes, Hash64(Slice(bytes)));
  const Result<crdt::Frame> frame = crdt::DecodeFrame(Slice(bytes));
  if (!frame) return 0;
  Check(crdt::DecodeFrameHead(Slice(bytes)).has_value(), "a whole frame has a head");
  const std::string encoded = crdt::EncodeFrame(*frame);
  const Result<crdt::Frame> again = crdt::DecodeFrame(Slice(encoded));
  Check(again && *again == *frame, "a frame reads back");
  const schema::Part part({{TypeId{1}, {{.start = "\x81\x08", .limit = {}}}}});
  const Result<std::string> cut = crdt::CutFrame(part, Slice(bytes));
  const Result<crdt::Frame> left = crdt::DecodeFrame(Slice(*cut));
  Check(left && left->ops.size() <= frame->ops.size(), "a cut frame reads");
  Check(crdt::AreOneTransaction(Slice(bytes), Slice(*cut)), "a cut frame names the whole");
  Check(*crdt::CutFrame(part, Slice(*cut)) == *cut, "what is cut stays as it is");
  return 0;
}
