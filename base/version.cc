#include "trefoil/version.h"

namespace trefoil {

const char* LibraryVersion() { return TREFOIL_VERSION; }

}  // namespace trefoil
