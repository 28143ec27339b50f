// A program of a stranger: knows the installed headers and library only.
#include <cstdio>

#include "trefoil/value.h"
#include "trefoil/version.h"

int main() {
  const bool works = trefoil::Value::Int(1) < trefoil::Value::Float(1.5);
  std::printf("%s\n", works ? trefoil::LibraryVersion() : "wrong");
  return 0;
}
