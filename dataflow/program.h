// Program: expressions compiled to a flat list of instructions that run over many rows at a time.
// An instruction reads columns of the rows, constants, or registers, and writes one register; a
// register holds one value per row. Equal sub-expressions are computed once.
//
//   #1 > 3 and #2 = 'x':   r0 = #1 > INT 3      r1 = #2 = TEXT 'x'      r2 = r0 and r1
//
// Compiling costs microseconds and allocates; running does not allocate once the registers have
// grown. One thread at a time, as the registers belong to the program.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "dataflow/expression.h"
#include "dataflow/row.h"

namespace trefoil::dataflow {

class Program {
 public:
  // How many rows one Run takes at most: registers stay in the cache.
  static constexpr std::size_t kMaxRows = 256;

  // A computed column: value i belongs to row i.
  struct Values {
    const Value* base = nullptr;
    std::size_t stride = 0;
    const Value& operator[](std::size_t i) const { return base[i * stride]; }
  };

  // One output for each expression.
  // Errors: as KindOf.
  static Result<Program> Compile(std::span<const Expression> expressions,
                                 std::span<const ValueKind> columns,
                                 const FunctionRegistry& functions);

  // Computes all outputs for `count` rows (at most kMaxRows) that lie behind each other, each as
  // wide as the columns compiled for. Adds to `lossy` what became NULL for want of a
  // representation.
  void Run(const Value* rows, std::size_t count, std::uint64_t& lossy);
  // The result of the last Run; valid until the next, as long as its rows.
  Values output(std::size_t i) const { return Resolve(outputs_[i]); }

  // For a program with one output: whether it is TRUE for this row.
  bool IsTrue(RowView row, std::uint64_t& lossy) {
    Run(row.data(), 1, lossy);
    return output(0)[0] == Value::Bool(true);
  }

  // Puts these values in the place of the constants that are parameters, which have their kinds.
  void Bind(std::span<const Value> parameters);

  // The kind of each output; kNull = any.
  const std::vector<ValueKind>& kinds() const { return kinds_; }

 private:
  enum class Place : std::uint8_t { kColumn, kConstant, kRegister };
  struct Operand {
    Place place = Place::kColumn;
    std::uint32_t index = 0;
  };
  struct Instruction {
    Operation operation{};
    std::uint32_t result = 0;         // register
    std::uint32_t first_operand = 0;  // in operands_
    std::uint32_t operand_count = 0;
    Column column = 0;
    CastTarget cast;
    const FunctionDescription* function = nullptr;
    ObjectNames names;
  };
  class Compiler;
  struct Frame;

  Values Resolve(Operand operand) const;
  void Execute(const Instruction& instruction, const Frame& frame, std::uint64_t& lossy);

  std::size_t width_ = 0;
  std::vector<Operand> operands_;
  std::vector<Instruction> instructions_;
  std::vector<Value> constants_;
  struct BoundConstant {
    std::uint32_t constant = 0;  // in constants_
    std::uint32_t parameter = 0;
  };
  std::vector<BoundConstant> bound_;
  std::vector<Operand> outputs_;
  std::vector<ValueKind> kinds_;

  const Value* rows_ = nullptr;  // of the current Run
  std::vector<std::vector<Value>> registers_;
  std::vector<Value> arguments_;  // of a call
};

}  // namespace trefoil::dataflow
