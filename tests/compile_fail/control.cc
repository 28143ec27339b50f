// must compile: the same calls as the others, made right.
#include <string>

#include "trefoil/result.h"
#include "trefoil/slice.h"
#include "trefoil/version.h"

trefoil::Status Flush();
trefoil::Result<int> Count();
std::string Name();
void Open(trefoil::TypeId type);
void Open(trefoil::Version version);

bool Caller(trefoil::TypeId type, trefoil::TypeId other) {
  if (!Flush() || !Count()) return false;
  const std::string owner = Name();
  const trefoil::Slice name = owner;
  Open(type);
  Open(trefoil::Version{7});
  return type == other && name.empty();
}
