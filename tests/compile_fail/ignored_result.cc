// must fail: ignoring return
#include "trefoil/result.h"

trefoil::Result<int> Count();

void Caller() { Count(); }
