// must fail: .*deleted
#include <string>

#include "trefoil/slice.h"

std::string Name();

trefoil::Slice Caller() {
  trefoil::Slice name = Name();
  return name;
}
