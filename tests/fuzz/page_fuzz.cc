// Any bytes as a page or a span of pages: what passes the check of its form can be read and
// searched without leaving its bytes.
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

#include "base/check.h"
#include "lsm/page_view.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace trefoil::lsm;
  const std::size_t pages = size / kPageBytes + 1;
  const std::unique_ptr<char[]> bytes(new char[pages * kPageBytes]());
  std::memcpy(bytes.get(), data, size);
  if (WhatIsWrongWithPage({bytes.get(), pages * kPageBytes}) != nullptr) return 0;
  const PageView view(bytes.get());
  const std::unique_ptr<char[]> buffer(new char[kPageBytes]);
  std::size_t sum = 0;
  for (std::uint32_t i = 0; i < view.count(); ++i) {
    const std::string key = view.Key(i, buffer.get()).ToString();
    sum += view.Value(i).ToString().size() + view.Sequence(i);
    sum += static_cast<std::size_t>(view.Kind(i));
    const PageView::Place found = view.Find(key);
    trefoil::Check(found.index <= view.count(), "a search ends inside");
    const std::uint32_t visible = view.FindVisible(found, key, sum);
    trefoil::Check(visible <= view.count(), "a search ends inside");
    if (visible == view.count()) continue;
    trefoil::Check(view.Key(visible, buffer.get()) == trefoil::Slice(key), "the key found is it");
  }
  return 0;
}
