#include "query/functions.h"

#include <algorithm>
#include <cstdint>

#include "base/ascii.h"

namespace trefoil::query {

namespace {

std::string_view ArgumentsOf(std::string_view signature) {
  return signature.substr(0, signature.find(':'));
}

std::vector<Function> CollectFunctions() {
  std::vector<Function> all;
  for (const std::span<const Function> part :
       {TextFunctions(), NumberFunctions(), TimeFunctions(), JsonFunctions()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  std::ranges::sort(all, {}, &Function::name);
  return all;
}

}  // namespace

std::span<const Function> AllFunctions() {
  static const std::vector<Function> all = CollectFunctions();
  return all;
}

const Function* FindFunction(std::string_view name) {
  const std::string lower = ToLowerAscii(name);
  const std::span<const Function> all = AllFunctions();
  const auto found = std::ranges::lower_bound(all, lower, {}, &Function::name);
  return found == all.end() || found->name != lower ? nullptr : &*found;
}

Arity ArityOf(std::string_view signature) {
  Arity arity;
  bool optional = false;
  for (const char c : ArgumentsOf(signature)) {
    if (c == '?') {
      optional = true;
    } else if (c == '*') {
      arity.most = SIZE_MAX;
    } else {
      ++arity.most;
      if (!optional) ++arity.least;
    }
  }
  return arity;
}

char ArgumentClass(std::string_view signature, std::size_t i) {
  char last = 'a';
  std::size_t at = 0;
  for (const char c : ArgumentsOf(signature)) {
    if (c == '?' || c == '*') continue;
    last = c;
    if (at++ == i) return c;
  }
  return last;
}

char ResultClass(std::string_view signature) { return signature.back(); }

bool Accepts(char argument_class, ValueKind kind) {
  if (kind == ValueKind::kNull) return true;
  switch (argument_class) {
    case 't':
      return kind == ValueKind::kText;
    case 'y':
      return kind == ValueKind::kText || kind == ValueKind::kBytes;
    case 'i':
      return kind == ValueKind::kInt;
    case 'n':
      return kind == ValueKind::kInt || kind == ValueKind::kFloat || kind == ValueKind::kDecimal;
    case 'd':
      return kind == ValueKind::kDate || kind == ValueKind::kTimestamp;
    case 'j':
      return kind == ValueKind::kJson || kind == ValueKind::kText;
    case 'b':
      return kind == ValueKind::kBool;
    case 's':
      return kind == ValueKind::kList;
    default:
      return true;
  }
}

std::string_view ClassName(char argument_class) {
  switch (argument_class) {
    case 't':
      return "TEXT";
    case 'y':
      return "TEXT or BYTES";
    case 'i':
      return "INT";
    case 'n':
      return "a number";
    case 'd':
      return "DATE or TIMESTAMP";
    case 'j':
      return "JSON";
    case 'b':
      return "BOOL";
    case 's':
      return "a list";
    default:
      return "any value";
  }
}

}  // namespace trefoil::query
