// Program: compiling expression trees, and one loop over rows for each instruction.
#include "dataflow/program.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/check.h"
#include "dataflow/describe.h"

namespace trefoil::dataflow {

class Program::Compiler {
 public:
  Compiler(Program& program, const FunctionRegistry& functions)
      : program_(program), functions_(functions) {}

  Operand Visit(const Expression& expression) {
    if (expression.operation == Operation::kColumn) return {Place::kColumn, expression.column};
    std::string text = Describe(expression);
    if (const auto known = known_.find(text); known != known_.end()) return known->second;
    const Operand result = expression.operation == Operation::kConstant
                               ? AddConstant(expression)
                               : AddInstruction(expression);
    known_.emplace(std::move(text), result);
    return result;
  }

 private:
  Operand AddConstant(const Expression& expression) {
    const auto place = static_cast<std::uint32_t>(program_.constants_.size());
    program_.constants_.push_back(expression.constant);
    if (expression.parameter) program_.bound_.push_back({place, *expression.parameter});
    return {Place::kConstant, place};
  }

  Operand AddInstruction(const Expression& expression) {
    std::vector<Operand> operands;
    for (const Expression& argument : expression.arguments) operands.push_back(Visit(argument));
    Instruction instruction{.operation = expression.operation,
                            .result = static_cast<std::uint32_t>(program_.registers_.size()),
                            .first_operand = static_cast<std::uint32_t>(program_.operands_.size()),
                            .operand_count = static_cast<std::uint32_t>(operands.size()),
                            .column = expression.column,
                            .cast = expression.cast,
                            .function = nullptr,
                            .names = expression.names};
    if (expression.operation == Operation::kCall) {
      instruction.function = functions_.Find(expression.function);
    }
    program_.operands_.insert(program_.operands_.end(), operands.begin(), operands.end());
    program_.instructions_.push_back(std::move(instruction));
    program_.registers_.emplace_back();
    return {Place::kRegister, program_.instructions_.back().result};
  }

  Program& program_;
  const FunctionRegistry& functions_;
  std::map<std::string, Operand> known_;
};

Result<Program> Program::Compile(std::span<const Expression> expressions,
                                 std::span<const ValueKind> columns,
                                 const FunctionRegistry& functions) {
  Program program;
  program.width_ = columns.size();
  Compiler compiler(program, functions);
  for (const Expression& expression : expressions) {
    Result<ValueKind> kind = KindOf(expression, columns, functions);
    if (!kind) return std::move(kind).error();
    program.kinds_.push_back(*kind);
    program.outputs_.push_back(compiler.Visit(expression));
  }
  return program;
}

void Program::Bind(std::span<const Value> parameters) {
  for (const BoundConstant& bound : bound_) {
    constants_[bound.constant] = parameters[bound.parameter];
  }
}

Program::Values Program::Resolve(Operand operand) const {
  switch (operand.place) {
    case Place::kColumn:
      return {rows_ + operand.index, width_};
    case Place::kConstant:
      return {constants_.data() + operand.index, 0};
    case Place::kRegister:
      return {registers_[operand.index].data(), 1};
  }
  return {};
}

// What one instruction works on: its resolved operands and its result.
struct Program::Frame {
  std::span<const Values> operands;
  std::size_t count = 0;
  Value* out = nullptr;

  const Value& At(std::size_t operand, std::size_t row) const { return operands[operand][row]; }
};

namespace {

enum class Truth : std::uint8_t { kFalse, kUnknown, kTrue };

Truth TruthOf(const Value& value) {
  if (value.kind() != ValueKind::kBool) return Truth::kUnknown;
  return value.AsBool() ? Truth::kTrue : Truth::kFalse;
}

Value ValueOf(Truth truth) {
  return truth == Truth::kUnknown ? Value() : Value::Bool(truth == Truth::kTrue);
}

std::weak_ordering CompareInline(const Value& a, const Value& b) {
  if (a.kind() == ValueKind::kInt && b.kind() == ValueKind::kInt) return a.AsInt() <=> b.AsInt();
  return CompareAsSql(a, b);
}

template <typename Frame, typename Test>
void CompareRows(const Frame& frame, const Test& test) {
  for (std::size_t i = 0; i < frame.count; ++i) {
    const Value& a = frame.At(0, i);
    const Value& b = frame.At(1, i);
    if (a.is_null() || b.is_null()) {
      frame.out[i] = Value();
    } else {
      frame.out[i] = Value::Bool(test(CompareInline(a, b)));
    }
  }
}

template <typename Frame>
void ComparisonRows(const Frame& frame, Operation operation) {
  switch (operation) {
    case Operation::kEqual:
      return CompareRows(frame, [](std::weak_ordering order) { return order == 0; });
    case Operation::kNotEqual:
      return CompareRows(frame, [](std::weak_ordering order) { return order != 0; });
    case Operation::kLess:
      return CompareRows(frame, [](std::weak_ordering order) { return order < 0; });
    case Operation::kLessEqual:
      return CompareRows(frame, [](std::weak_ordering order) { return order <= 0; });
    case Operation::kGreater:
      return CompareRows(frame, [](std::weak_ordering order) { return order > 0; });
    default:
      return CompareRows(frame, [](std::weak_ordering order) { return order >= 0; });
  }
}

bool IsDistinct(const Value& a, const Value& b) {
  if (a.is_null() || b.is_null()) return a.is_null() != b.is_null();
  return CompareInline(a, b) != 0;
}

// `compute(row)` gives the value or nothing if it cannot be represented.
template <typename Frame, typename Compute>
void ComputeRows(const Frame& frame, std::uint64_t& lossy, const Compute& compute) {
  for (std::size_t i = 0; i < frame.count; ++i) {
    std::optional<Value> value = compute(i);
    if (!value) ++lossy;
    frame.out[i] = value ? *std::move(value) : Value();
  }
}

template <typename Frame>
bool AnyNull(const Frame& frame, std::size_t row) {
  return std::ranges::any_of(frame.operands, [&](const auto& v) { return v[row].is_null(); });
}

template <typename Frame>
void ArithmeticRows(const Frame& frame, ArithmeticOp op, std::uint64_t& lossy) {
  ComputeRows(frame, lossy, [&](std::size_t i) -> std::optional<Value> {
    if (AnyNull(frame, i)) return Value();
    return Arithmetic(op, frame.At(0, i), frame.At(1, i));
  });
}

template <typename Frame>
void InRows(const Frame& frame) {
  for (std::size_t i = 0; i < frame.count; ++i) {
    const Value& wanted = frame.At(0, i);
    Truth found = Truth::kFalse;
    for (std::size_t k = 1; k < frame.operands.size() && found != Truth::kTrue; ++k) {
      const Value& candidate = frame.At(k, i);
      if (wanted.is_null() || candidate.is_null()) {
        found = Truth::kUnknown;
      } else if (CompareInline(wanted, candidate) == 0) {
        found = Truth::kTrue;
      }
    }
    frame.out[i] = ValueOf(found);
  }
}

template <typename Frame>
void LikeRows(const Frame& frame, Operation operation, std::uint64_t& lossy) {
  const LetterCase letter_case =
      operation == Operation::kLike ? LetterCase::kMatters : LetterCase::kIgnored;
  ComputeRows(frame, lossy, [&](std::size_t i) -> std::optional<Value> {
    if (AnyNull(frame, i)) return Value();
    const Value& text = frame.At(0, i);
    const Value& pattern = frame.At(1, i);
    if (text.kind() != ValueKind::kText || pattern.kind() != ValueKind::kText) return std::nullopt;
    return Value::Bool(MatchesLike(text.AsText(), pattern.AsText(), letter_case));
  });
}

// AND is the least of its terms, OR the greatest.
template <typename Frame>
void LogicRows(const Frame& frame, Operation operation) {
  for (std::size_t i = 0; i < frame.count; ++i) {
    Truth truth = TruthOf(frame.At(0, i));
    for (std::size_t k = 1; k < frame.operands.size(); ++k) {
      const Truth term = TruthOf(frame.At(k, i));
      truth = operation == Operation::kAnd ? std::min(truth, term) : std::max(truth, term);
    }
    frame.out[i] = ValueOf(truth);
  }
}

template <typename Frame>
Value CaseOf(const Frame& frame, std::size_t row) {
  for (std::size_t k = 0; k + 1 < frame.operands.size(); k += 2) {
    if (TruthOf(frame.At(k, row)) == Truth::kTrue) return frame.At(k + 1, row);
  }
  return frame.At(frame.operands.size() - 1, row);
}

template <typename Frame>
Value ConcatOf(const Frame& frame, std::size_t row) {
  if (AnyNull(frame, row)) return {};
  std::string text;
  for (std::size_t k = 0; k < frame.operands.size(); ++k) text += ToText(frame.At(k, row));
  return Value::Text(text);
}

template <typename Frame>
std::vector<Value> ItemsOf(const Frame& frame, std::size_t row) {
  std::vector<Value> items;
  for (std::size_t k = 0; k < frame.operands.size(); ++k) items.push_back(frame.At(k, row));
  return items;
}

Value PartOf(const Value& whole, Column position) {
  if (whole.kind() != ValueKind::kRef && whole.kind() != ValueKind::kList) return {};
  return position < whole.items().size() ? whole.items()[position] : Value();
}

}  // namespace

void Program::Run(const Value* rows, std::size_t count, std::uint64_t& lossy) {
  Check(count <= kMaxRows, "a run takes a limited number of rows");
  rows_ = rows;
  for (const Instruction& instruction : instructions_) {
    std::vector<Value>& out = registers_[instruction.result];
    if (out.size() < count) out.resize(count == 1 ? 1 : kMaxRows);
    // Most operations have few operands; a long IN or CASE allocates.
    Values few[8];
    std::vector<Values> many;
    std::span<Values> operands(few, std::min<std::size_t>(instruction.operand_count, 8));
    if (instruction.operand_count > 8) {
      many.resize(instruction.operand_count);
      operands = many;
    }
    for (std::size_t k = 0; k < operands.size(); ++k) {
      operands[k] = Resolve(operands_[instruction.first_operand + k]);
    }
    Execute(instruction, {operands, count, out.data()}, lossy);
  }
}

void Program::Execute(const Instruction& instruction, const Frame& frame, std::uint64_t& lossy) {
  const auto each = [&](const auto& compute) {
    for (std::size_t i = 0; i < frame.count; ++i) frame.out[i] = compute(i);
  };
  switch (instruction.operation) {
    case Operation::kColumn:
    case Operation::kConstant:
      return Check(false, "columns and constants are operands, not instructions");
    case Operation::kAdd:
    case Operation::kSubtract:
    case Operation::kMultiply:
    case Operation::kDivide:
    case Operation::kModulo:
      return ArithmeticRows(frame, ArithmeticOf(instruction.operation), lossy);
    case Operation::kNegate:
      return ComputeRows(frame, lossy, [&](std::size_t i) -> std::optional<Value> {
        return frame.At(0, i).is_null() ? Value() : Negate(frame.At(0, i));
      });
    case Operation::kConcat:
      return each([&](std::size_t i) { return ConcatOf(frame, i); });
    case Operation::kEqual:
    case Operation::kNotEqual:
    case Operation::kLess:
    case Operation::kLessEqual:
    case Operation::kGreater:
    case Operation::kGreaterEqual:
      return ComparisonRows(frame, instruction.operation);
    case Operation::kIsDistinct:
      return each(
          [&](std::size_t i) { return Value::Bool(IsDistinct(frame.At(0, i), frame.At(1, i))); });
    case Operation::kIsNotDistinct:
      return each(
          [&](std::size_t i) { return Value::Bool(!IsDistinct(frame.At(0, i), frame.At(1, i))); });
    case Operation::kIsNull:
      return each([&](std::size_t i) { return Value::Bool(frame.At(0, i).is_null()); });
    case Operation::kAnd:
    case Operation::kOr:
      return LogicRows(frame, instruction.operation);
    case Operation::kNot:
      return each([&](std::size_t i) {
        const Truth truth = TruthOf(frame.At(0, i));
        return truth == Truth::kUnknown ? Value() : Value::Bool(truth == Truth::kFalse);
      });
    case Operation::kIn:
      return InRows(frame);
    case Operation::kLike:
    case Operation::kILike:
      return LikeRows(frame, instruction.operation, lossy);
    case Operation::kCase:
      return each([&](std::size_t i) { return CaseOf(frame, i); });
    case Operation::kCast:
      return ComputeRows(frame, lossy, [&](std::size_t i) -> std::optional<Value> {
        return frame.At(0, i).is_null() ? Value() : Cast(frame.At(0, i), instruction.cast);
      });
    case Operation::kCall:
      return ComputeRows(frame, lossy, [&](std::size_t i) -> std::optional<Value> {
        if (!instruction.function->called_with_null && AnyNull(frame, i)) return Value();
        arguments_ = ItemsOf(frame, i);
        return instruction.function->call(arguments_);
      });
    case Operation::kList:
      return each([&](std::size_t i) { return Value::List(ItemsOf(frame, i)); });
    case Operation::kObject:
      return each(
          [&](std::size_t i) { return Value::Object(instruction.names, ItemsOf(frame, i)); });
    case Operation::kRefPart:
      return each([&](std::size_t i) { return PartOf(frame.At(0, i), instruction.column); });
  }
}

}  // namespace trefoil::dataflow
