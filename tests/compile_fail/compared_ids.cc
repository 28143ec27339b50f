// must fail: (no match for|invalid operands)
#include "trefoil/version.h"

bool Caller(trefoil::TypeId type, trefoil::AttributeId attribute) { return type == attribute; }
