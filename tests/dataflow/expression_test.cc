#include "dataflow/expression.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "dataflow/batch.h"
#include "dataflow/program.h"

namespace trefoil::dataflow {
namespace {

using enum Operation;

constexpr std::int64_t kMaxInt = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMinInt = std::numeric_limits<std::int64_t>::min();

Value Int(std::int64_t number) { return Value::Int(number); }
Value Dec(std::int64_t unscaled, int scale) { return Value::Decimal(unscaled, scale); }
Value Text(std::string_view text) { return Value::Text(text); }
const Value kNullValue;
const Value kTrueValue = Value::Bool(true);
const Value kFalseValue = Value::Bool(false);

struct Outcome {
  Value value;
  std::uint64_t lossy = 0;
};

// The arguments travel as columns of unknown kind, so that only the program decides.
Outcome Evaluate(Expression expression, const Row& arguments) {
  static const FunctionRegistry kNoFunctions;
  const std::vector<ValueKind> kinds(arguments.size(), ValueKind::kNull);
  Result<Program> program = Program::Compile({&expression, 1}, kinds, kNoFunctions);
  EXPECT_TRUE(program.has_value()) << (program ? "" : program.error().message);
  Outcome outcome;
  program->Run(arguments.data(), 1, outcome.lossy);
  outcome.value = program->output(0)[0];
  return outcome;
}

Outcome Evaluate(Operation operation, const Row& arguments) {
  Expression expression = Apply(operation, {});
  for (Column i = 0; i < arguments.size(); ++i) expression.arguments.push_back(ColumnOf(i));
  return Evaluate(std::move(expression), arguments);
}

TEST(ExpressionTest, ComputesWithNumbersAndTimes) {
  struct Case {
    Operation operation;
    Value a, b, expected;
  };
  const std::vector<Case> cases = {
      {kAdd, Int(2), Int(3), Int(5)},
      {kDivide, Int(-7), Int(2), Int(-3)},
      {kModulo, Int(-7), Int(2), Int(-1)},
      {kModulo, Int(kMinInt), Int(-1), Int(0)},
      {kDivide, Value::Float(1), Int(4), Value::Float(0.25)},
      {kMultiply, Int(3), Dec(150, 2), Dec(450, 2)},
      {kAdd, Dec(1, 1), Dec(5, 2), Dec(15, 2)},
      {kDivide, Dec(100, 2), Int(3), Dec(333333, 6)},
      {kDivide, Dec(-200, 2), Int(3), Dec(-666667, 6)},
      {kMultiply, Dec(15, 10), Dec(1, 9), Dec(2, 18)},
      {kModulo, Dec(75, 1), Int(2), Dec(15, 1)},
      {kAdd, Value::Date(10), Int(5), Value::Date(15)},
      {kAdd, Int(5), Value::Date(10), Value::Date(15)},
      {kSubtract, Value::Date(10), Value::Date(3), Int(7)},
      {kSubtract, Value::Timestamp(90'000'000'000), Value::Date(1), Int(3'600'000'000)},
      {kSubtract, Value::Timestamp(10), Int(4), Value::Timestamp(6)},
      {kAdd, kNullValue, Int(1), kNullValue},
  };
  for (const Case& c : cases) {
    const Outcome outcome = Evaluate(c.operation, {c.a, c.b});
    EXPECT_EQ(outcome.value, c.expected)
        << Describe(Apply(c.operation, {ConstantOf(c.a), ConstantOf(c.b)}));
    EXPECT_EQ(outcome.lossy, 0U);
  }
}

TEST(ExpressionTest, CountsWhatCannotBeRepresentedAndMakesItNull) {
  struct Case {
    Operation operation;
    Value a, b;
  };
  const std::vector<Case> cases = {
      {kDivide, Int(1), Int(0)},
      {kModulo, Int(1), Int(0)},
      {kDivide, Value::Float(1), Value::Float(0)},
      {kDivide, Dec(1, 0), Dec(0, 3)},
      {kModulo, Dec(1, 0), Dec(0, 3)},
      {kAdd, Int(kMaxInt), Int(1)},
      {kSubtract, Int(kMinInt), Int(1)},
      {kMultiply, Int(kMaxInt), Int(2)},
      {kDivide, Int(kMinInt), Int(-1)},
      {kMultiply, Value::Float(1e308), Value::Float(10)},
      {kAdd, Dec(kMaxInt, 0), Dec(1, 18)},
      {kDivide, Dec(kMaxInt, 0), Dec(1, 18)},
      {kAdd, Text("a"), Int(1)},
      {kAdd, Value::Date(kMaxInt), Int(1)},
      {kMultiply, Value::Date(1), Int(2)},
      {kLike, Int(1), Text("1")},
  };
  for (const Case& c : cases) {
    const Outcome outcome = Evaluate(c.operation, {c.a, c.b});
    EXPECT_EQ(outcome.value, kNullValue)
        << Describe(Apply(c.operation, {ConstantOf(c.a), ConstantOf(c.b)}));
    EXPECT_EQ(outcome.lossy, 1U);
  }
  EXPECT_EQ(Evaluate(kNegate, {Int(kMinInt)}).lossy, 1U);
  EXPECT_EQ(Evaluate(kNegate, {Int(5)}).value, Int(-5));
}

TEST(ExpressionTest, FollowsThreeValuedLogic) {
  const std::vector<Value> truths = {kFalseValue, kNullValue, kTrueValue};
  for (std::size_t a = 0; a < 3; ++a) {
    for (std::size_t b = 0; b < 3; ++b) {
      EXPECT_EQ(Evaluate(kAnd, {truths[a], truths[b]}).value, truths[std::min(a, b)]);
      EXPECT_EQ(Evaluate(kOr, {truths[a], truths[b]}).value, truths[std::max(a, b)]);
    }
    EXPECT_EQ(Evaluate(kNot, {truths[a]}).value, truths[2 - a]);
  }
  EXPECT_EQ(Evaluate(kEqual, {Int(1), Value::Float(1)}).value, kTrueValue);
  EXPECT_EQ(Evaluate(kLess, {Int(1), kNullValue}).value, kNullValue);
  EXPECT_EQ(Evaluate(kIsDistinct, {kNullValue, kNullValue}).value, kFalseValue);
  EXPECT_EQ(Evaluate(kIsDistinct, {Int(0), kNullValue}).value, kTrueValue);
  EXPECT_EQ(Evaluate(kIsNotDistinct, {Int(1), Dec(10, 1)}).value, kTrueValue);
  EXPECT_EQ(Evaluate(kIn, {Int(1), kNullValue, Int(1)}).value, kTrueValue);
  EXPECT_EQ(Evaluate(kIn, {Int(1), kNullValue, Int(2)}).value, kNullValue);
  EXPECT_EQ(Evaluate(kIn, {Int(1), Int(2)}).value, kFalseValue);
  EXPECT_EQ(Evaluate(kIn, {kNullValue}).value, kFalseValue) << "nothing is in an empty list";
}

TEST(ExpressionTest, MatchesPatterns) {
  const auto like = [](const char* text, const char* pattern) {
    return Evaluate(kLike, {Text(text), Text(pattern)}).value == kTrueValue;
  };
  EXPECT_TRUE(like("abc", "a%"));
  EXPECT_TRUE(like("abc", "%b%"));
  EXPECT_TRUE(like("", "%"));
  EXPECT_FALSE(like("abc", "ab"));
  EXPECT_FALSE(like("ab", "abc"));
  EXPECT_FALSE(like("", "_"));
  EXPECT_TRUE(like("aXbXc", "a%b_c"));
  EXPECT_TRUE(like("mississippi", "%iss%ppi"));
  EXPECT_FALSE(like("mississippi", "%iss%ppx"));
  EXPECT_TRUE(like("\xc3\xa4h", "_h")) << "_ is one character, not one byte";
  EXPECT_TRUE(like("100%", "100\\%"));
  EXPECT_FALSE(like("1000", "100\\%"));
  EXPECT_FALSE(like("ABC", "abc"));
  EXPECT_EQ(Evaluate(kILike, {Text("ABC"), Text("a%")}).value, kTrueValue);
}

TEST(ExpressionTest, CastsWhatFitsAndCountsWhatDoesNot) {
  struct Case {
    Value from;
    CastTarget to;
    Value expected;  // NULL: lossy
  };
  const CastTarget to_int = {.kind = ValueKind::kInt};
  const CastTarget to_money = {.kind = ValueKind::kDecimal, .precision = 4, .scale = 2};
  const std::vector<Case> cases = {
      {Value::Float(2.5), to_int, Int(2)},
      {Value::Float(-3.5), to_int, Int(-4)},
      {Value::Float(1e300), to_int, kNullValue},
      {Value::Float(std::nan("")), to_int, kNullValue},
      {Dec(-25, 1), to_int, Int(-3)},
      {Text(" 42 "), to_int, Int(42)},
      {Text("4x"), to_int, kNullValue},
      {kTrueValue, to_int, Int(1)},
      {Value::Date(1), to_int, kNullValue},
      {Int(42), {.kind = ValueKind::kText}, Text("42")},
      {Int(0), {.kind = ValueKind::kBool}, kFalseValue},
      {Int(99), to_money, Dec(9900, 2)},
      {Int(100), to_money, kNullValue},
      {Dec(12345, 3), to_money, Dec(1235, 2)},
      {Value::Float(0.125), to_money, Dec(13, 2)},
      {Text("1.5"), to_money, Dec(150, 2)},
      {Value::Date(-1), {.kind = ValueKind::kTimestamp}, Value::Timestamp(-86'400'000'000)},
      {Value::Timestamp(-1), {.kind = ValueKind::kDate}, Value::Date(-1)},
      {Value::Date(kMaxInt), {.kind = ValueKind::kTimestamp}, kNullValue},
      {Value::Json("\"7\""), to_int, Int(7)},
      {Value::Json("7"), to_int, Int(7)},
      {Int(7), {.kind = ValueKind::kJson}, Value::Json("7")},
      {Dec(5, 1), {.kind = ValueKind::kFloat}, Value::Float(0.5)},
      {Int(1), {}, Int(1)},
  };
  for (const Case& c : cases) {
    const Outcome outcome = Evaluate(CastOf(ColumnOf(0), c.to), {c.from});
    EXPECT_EQ(outcome.value, c.expected) << Describe(CastOf(ConstantOf(c.from), c.to));
    EXPECT_EQ(outcome.lossy, c.expected.is_null() ? 1U : 0U);
  }
  EXPECT_EQ(Evaluate(CastOf(ColumnOf(0), to_int), {kNullValue}).lossy, 0U);
}

TEST(ExpressionTest, ChoosesTheFirstCaseThatIsTrue) {
  const Row row = {kNullValue, Int(1), kTrueValue, Int(2), Int(3)};
  EXPECT_EQ(Evaluate(kCase, row).value, Int(2));
  EXPECT_EQ(Evaluate(kCase, {kFalseValue, Int(1), Int(3)}).value, Int(3));
}

TEST(ExpressionTest, BuildsTextListsAndObjects) {
  EXPECT_EQ(Evaluate(kConcat, {Text("a"), Int(1), kTrueValue}).value, Text("a1true"));
  EXPECT_EQ(Evaluate(kConcat, {Text("a"), kNullValue}).value, kNullValue);
  EXPECT_EQ(Evaluate(kList, {Int(1), kNullValue}).value, Value::List({Int(1), kNullValue}));
  Expression object = Apply(kObject, {ColumnOf(0)});
  object.names = std::make_shared<const std::vector<std::string>>(1, "id");
  EXPECT_EQ(ToJson(Evaluate(object, {Int(1)}).value), "{\"id\":1}");
  Expression part = Apply(kRefPart, {ColumnOf(0)});
  part.column = 1;
  EXPECT_EQ(Evaluate(part, {Value::Ref({Int(1), Text("x")})}).value, Text("x"));
  EXPECT_EQ(Evaluate(part, {Value::Ref({Int(1)})}).value, kNullValue);
}

TEST(ExpressionTest, CallsRegisteredFunctionsAndSkipsThemForNull) {
  FunctionRegistry functions;
  functions.Add("twice", {.least_arguments = 1,
                          .most_arguments = 1,
                          .result = ValueKind::kInt,
                          .call = [](std::span<const Value> a) -> std::optional<Value> {
                            if (a[0].kind() != ValueKind::kInt) return std::nullopt;
                            return Value::Int(a[0].AsInt() * 2);
                          }});
  const Expression call = Call("twice", {ColumnOf(0)});
  const std::vector<ValueKind> kinds = {ValueKind::kNull};
  Result<Program> program = Program::Compile({&call, 1}, kinds, functions);
  ASSERT_TRUE(program.has_value());
  EXPECT_EQ(program->kinds()[0], ValueKind::kInt);
  const Row rows = {Int(4), kNullValue, Text("x")};
  std::uint64_t lossy = 0;
  program->Run(rows.data(), 3, lossy);
  EXPECT_EQ(program->output(0)[0], Int(8));
  EXPECT_EQ(program->output(0)[1], kNullValue);
  EXPECT_EQ(program->output(0)[2], kNullValue);
  EXPECT_EQ(lossy, 1U);
}

TEST(ExpressionTest, RefusesWhatNoValueCouldFit) {
  const FunctionRegistry functions;
  const std::vector<ValueKind> kinds = {ValueKind::kInt, ValueKind::kText};
  const auto code = [&](const Expression& expression) {
    const Result<ValueKind> kind = KindOf(expression, kinds, functions);
    return kind ? ErrorCode::kIo : kind.error().code;
  };
  EXPECT_EQ(code(Equal(ColumnOf(0), ColumnOf(1))), ErrorCode::kTypeMismatch);
  EXPECT_EQ(code(Apply(kAdd, {ColumnOf(0), ColumnOf(1)})), ErrorCode::kTypeMismatch);
  EXPECT_EQ(code(Apply(kNegate, {ColumnOf(1)})), ErrorCode::kTypeMismatch);
  EXPECT_EQ(code(Not(ColumnOf(0))), ErrorCode::kTypeMismatch);
  EXPECT_EQ(code(Apply(kLike, {ColumnOf(0), ColumnOf(1)})), ErrorCode::kTypeMismatch);
  EXPECT_EQ(code(Apply(kCase, {ColumnOf(0), ColumnOf(0), ColumnOf(0)})), ErrorCode::kTypeMismatch);
  EXPECT_EQ(code(Apply(kCase, {ColumnOf(0), ColumnOf(0)})), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(ColumnOf(2)), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(Apply(kAdd, {ColumnOf(0)})), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(Call("nothing", {})), ErrorCode::kUnknownFunction);
  EXPECT_EQ(code(Apply(kObject, {ColumnOf(0)})), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(Apply(kRefPart, {ColumnOf(0)})), ErrorCode::kTypeMismatch);
  Expression deep = ColumnOf(0);
  for (int i = 0; i < 2000; ++i) deep = Apply(kNegate, {std::move(deep)});
  EXPECT_EQ(code(deep), ErrorCode::kLimit);
}

TEST(ExpressionTest, ComputesAWholeRunLikeEachRowAlone) {
  const std::vector<Expression> outputs = {
      Apply(kAdd, {ColumnOf(0), ColumnOf(1)}),
      And({Apply(kLess, {ColumnOf(0), ColumnOf(1)}), Equal(ColumnOf(1), ConstantOf(Int(5)))}),
      ColumnOf(1), ConstantOf(Text("constant"))};
  const std::vector<ValueKind> kinds(2, ValueKind::kInt);
  Result<Program> program = Program::Compile(outputs, kinds, {});
  ASSERT_TRUE(program.has_value());
  Batch rows(2);
  for (int i = 0; i < 100; ++i) rows.Add(Row{Int(i % 7), Int(i % 11)}, 1);
  std::uint64_t lossy = 0;
  Program alone = *program;
  program->Run(rows.cells().data(), rows.size(), lossy);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    alone.Run(rows.row(i).data(), 1, lossy);
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      EXPECT_EQ(program->output(k)[i], alone.output(k)[0]);
    }
  }
}

}  // namespace
}  // namespace trefoil::dataflow
