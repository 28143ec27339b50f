// The scalar functions of TreeSQL: one static table of name, argument kinds, result kind and code.
// All are total: what cannot be represented is nothing, which becomes NULL and is counted. All are
// pure; `now` is no function but a parameter that a run fills in (binder.h).
//
// A signature is one letter per argument, then ':' and the result:
//   t text   y text or bytes   i INT   n number   d DATE or TIMESTAMP   j JSON   b BOOL   a
//   anything s list   f FLOAT (result)  T TIMESTAMP (result)  D DATE (result) digit 0..9 (result):
//   the type of that argument;   u (result): the common type of all arguments
//   '?' before a letter: optional from here on;   '*' behind the last: repeats any number of times
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "trefoil/value.h"

namespace trefoil::query {

using FunctionCode = std::optional<Value> (*)(std::span<const Value> arguments);

struct Function {
  std::string_view name;
  std::string_view signature;
  bool called_with_null = false;  // else: NULL in, NULL out, without a call
  FunctionCode code = nullptr;
};

// By name, ASCII case-insensitive; null if there is none. Lives for ever.
const Function* FindFunction(std::string_view name);
// Every function, by name.
std::span<const Function> AllFunctions();

// How many arguments a signature takes.
struct Arity {
  std::size_t least = 0;
  std::size_t most = 0;  // SIZE_MAX: any number
};
Arity ArityOf(std::string_view signature);
// The letter for argument `i`.
char ArgumentClass(std::string_view signature, std::size_t i);
// The letter behind ':'.
char ResultClass(std::string_view signature);
// True if a value of `kind` (kNull = any) may stand where the letter is wanted.
bool Accepts(char argument_class, ValueKind kind);
// "a number", for messages.
std::string_view ClassName(char argument_class);

// The parts of the table, each in its own file.
std::span<const Function> TextFunctions();
std::span<const Function> NumberFunctions();
std::span<const Function> TimeFunctions();
std::span<const Function> JsonFunctions();

}  // namespace trefoil::query
