// must fail: (cannot convert|no matching function)
#include "trefoil/version.h"

void Open(trefoil::TypeId type);

void Caller(trefoil::AttributeId attribute) { Open(attribute); }
