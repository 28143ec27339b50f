// must fail: ignoring return
#include "trefoil/result.h"

trefoil::Status Flush();

void Caller() { Flush(); }
