// The meaning of every scalar operation, on single values. Expressions, constant folding and tests
// use these same functions, so that there is one answer to what 7 / 2 is.
//
// All are total. Nothing (nullopt) means that the answer cannot be represented: division by zero,
// overflow, a cast that does not fit; the expression is NULL then, and counted. The operands are
// not NULL unless said.
//
// Arithmetic, the kind of the result in brackets:
//   INT with INT [INT]: / truncates, % has the sign of the dividend
//   FLOAT with any number [FLOAT]; a finite operation that would give an infinity is overflow
//   DECIMAL with DECIMAL or INT [DECIMAL]: + - % the larger scale; * the sum of the scales, at most
//     18; / the largest of both scales and 6; rounded half away from zero
//   DATE + - INT [DATE] days; DATE - DATE [INT] days
//   TIMESTAMP + - INT [TIMESTAMP] microseconds; TIMESTAMP - TIMESTAMP [INT] microseconds; a DATE
//     next to a TIMESTAMP counts as its midnight
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "trefoil/value.h"

namespace trefoil::dataflow {

enum class ArithmeticOp : std::uint8_t { kAdd, kSubtract, kMultiply, kDivide, kModulo };

// The kind of the result; nothing if there is no such operation. kNull = not known before.
std::optional<ValueKind> ArithmeticKind(ArithmeticOp op, ValueKind a, ValueKind b);
std::optional<Value> Arithmetic(ArithmeticOp op, const Value& a, const Value& b);
std::optional<Value> Negate(const Value& number);

// Where a CAST leads. kind kNull = as it is.
struct CastTarget {
  ValueKind kind = ValueKind::kNull;
  std::uint8_t precision = 18;  // DECIMAL
  std::uint8_t scale = 0;       // DECIMAL

  friend bool operator==(const CastTarget&, const CastTarget&) = default;
};
// FLOAT to INT rounds half to even, DECIMAL rounds half away from zero; text is read as ParseValue
// reads it, without surrounding spaces; INT to BOOL is "not zero".
std::optional<Value> Cast(const Value& value, const CastTarget& target);

// % stands for any text, _ for one character, \ takes the next character as it is. Case is that of
// ASCII when ignored.
enum class LetterCase : std::uint8_t { kMatters, kIgnored };
bool MatchesLike(std::string_view text, std::string_view pattern, LetterCase letter_case);

// Whether SQL may compare the two kinds: the same kind, two numbers, two times. kNull = maybe.
bool AreComparable(ValueKind a, ValueKind b);

}  // namespace trefoil::dataflow
