// must fail: (cannot convert|no matching function)
#include "trefoil/version.h"

void Open(trefoil::Version version);

void Caller() { Open(7); }
