#include "dataflow/ordered_aggregate.h"

#include <cmath>
#include <utility>

#include "base/errors.h"
#include "base/str_cat.h"
#include "dataflow/counted_tree.h"
#include "dataflow/row_ref.h"

namespace trefoil::dataflow {

namespace {

using Tree = CountedTree<RowRef, RowOrder>;

struct OrderedState {
  explicit OrderedState(const RowOrder& order) : rows(order) {}
  Tree rows;
  std::size_t row_bytes = 0;
};

// What the kinds of ordered aggregates differ in.
struct Recipe {
  std::vector<SortColumn> order;                  // over the arguments
  std::optional<Column> not_null = std::nullopt;  // rows where this is NULL do not count
  bool numbers_only = false;
  Value parameter = {};
  ValueKind result_kind = ValueKind::kNull;
  Value (*result)(const Tree& rows, const Value& parameter) = nullptr;  // of at least one row
};

class OrderedAggregate final : public Aggregate {
 public:
  explicit OrderedAggregate(Recipe recipe) : recipe_(std::move(recipe)), order_(recipe_.order) {}

  ValueKind result_kind() const override { return recipe_.result_kind; }
  std::size_t state_size_bytes() const override { return sizeof(OrderedState); }
  void Construct(void* state) const override { new (state) OrderedState(order_); }
  void Destroy(void* state) const override { static_cast<OrderedState*>(state)->~OrderedState(); }
  std::size_t HeapBytes(const void* state) const override {
    const auto* ordered = static_cast<const OrderedState*>(state);
    return ordered->rows.bytes() - sizeof ordered->rows + ordered->row_bytes;
  }

  void Add(void* state, std::span<const Value> arguments, Weight weight) const override {
    if (recipe_.not_null && arguments[*recipe_.not_null].is_null()) return;
    if (recipe_.numbers_only && !arguments[0].is_number()) return;
    auto& ordered = *static_cast<OrderedState*>(state);
    const Tree::Cursor known = ordered.rows.Find(arguments);
    if (!known) ordered.row_bytes += RowBlock::BytesFor(arguments);
    if (ordered.rows.Add(known ? known.key() : RowBlock::Make(arguments), weight) == 0) {
      ordered.row_bytes -= RowBlock::BytesFor(arguments);
    }
  }

  Value Result(const void* state) const override {
    const Tree& rows = static_cast<const OrderedState*>(state)->rows;
    return rows.empty() ? Value() : recipe_.result(rows, recipe_.parameter);
  }

 private:
  const Recipe recipe_;
  const RowOrder order_;
};

Value FirstOf(const Tree& rows, const Value&) { return rows.First().key()->row()[0]; }
Value LastOf(const Tree& rows, const Value&) { return rows.Last().key()->row()[0]; }

Value JoinTexts(const Tree& rows, const Value& separator) {
  std::string joined;
  bool is_first = true;
  for (Tree::Cursor cursor = rows.First(); cursor; cursor.Next()) {
    const std::string text = ToText(cursor.key()->row()[0]);
    for (Weight copy = 0; copy < cursor.weight(); ++copy) {
      if (!std::exchange(is_first, false)) joined += separator.AsText();
      joined += text;
    }
  }
  return Value::Text(joined);
}

Value ListOf(const Tree& rows, const Value&) {
  std::vector<Value> items;
  for (Tree::Cursor cursor = rows.First(); cursor; cursor.Next()) {
    if (cursor.weight() < 0) continue;
    items.insert(items.end(), static_cast<std::size_t>(cursor.weight()), cursor.key()->row()[0]);
  }
  return Value::List(std::move(items));
}

double ToDouble(const Value& number) {
  if (number.kind() == ValueKind::kInt) return static_cast<double>(number.AsInt());
  if (number.kind() == ValueKind::kFloat) return number.AsFloat();
  const Decimal decimal = number.AsDecimal();
  return static_cast<double>(decimal.unscaled) / std::pow(10.0, decimal.scale);
}

const Value& AtPosition(const Tree& rows, Weight position) {
  return rows.Nth(std::clamp<Weight>(position, 0, rows.total() - 1)).key()->row()[0];
}

Value PercentileDisc(const Tree& rows, const Value& fraction) {
  const double place = ToDouble(fraction) * static_cast<double>(rows.total());
  return AtPosition(rows, static_cast<Weight>(std::ceil(place)) - 1);
}

Value PercentileCont(const Tree& rows, const Value& fraction) {
  const double place = ToDouble(fraction) * static_cast<double>(rows.total() - 1);
  const double below = std::floor(place);
  const double low = ToDouble(AtPosition(rows, static_cast<Weight>(below)));
  if (below == place) return Value::Float(low);
  const double high = ToDouble(AtPosition(rows, static_cast<Weight>(below) + 1));
  return Value::Float(low + (high - low) * (place - below));
}

std::unique_ptr<Aggregate> Made(Recipe recipe) {
  return std::make_unique<OrderedAggregate>(std::move(recipe));
}

// Errors: kInvalidArgument unless there are at least `least` and at most `most` arguments.
Status NeedArguments(const AggregateCall& call, std::size_t least, std::size_t most) {
  const std::size_t given = call.arguments.size();
  if (given >= least && given <= most) return Ok();
  return InvalidArgument(
      StrCat("aggregate \"", call.function, "\" does not take ", given, " arguments"));
}

constexpr std::size_t kAnyNumber = 1000;
constexpr SortColumn kByFirst = {.column = 0};

enum class End { kFirst, kLast };

template <End end>
Result<std::unique_ptr<Aggregate>> MakeExtreme(const AggregateCall& call,
                                               std::span<const ValueKind> kinds) {
  if (Status fits = NeedArguments(call, 1, 1); !fits) return std::move(fits).error();
  return Made({.order = {kByFirst},
               .not_null = Column{0},
               .result_kind = kinds[0],
               .result = end == End::kFirst ? FirstOf : LastOf});
}

template <End end>
Result<std::unique_ptr<Aggregate>> MakeEnd(const AggregateCall& call,
                                           std::span<const ValueKind> kinds) {
  if (Status fits = NeedArguments(call, 1, kAnyNumber); !fits) return std::move(fits).error();
  return Made({.order = call.order,
               .result_kind = kinds[0],
               .result = end == End::kFirst ? FirstOf : LastOf});
}

template <End end>
Result<std::unique_ptr<Aggregate>> MakeArgument(const AggregateCall& call,
                                                std::span<const ValueKind> kinds) {
  if (Status fits = NeedArguments(call, 2, 2); !fits) return std::move(fits).error();
  return Made({.order = {{.column = 1, .descending = end == End::kLast}, kByFirst},
               .not_null = Column{1},
               .result_kind = kinds[0],
               .result = FirstOf});
}

Result<std::unique_ptr<Aggregate>> MakeStringAgg(const AggregateCall& call,
                                                 std::span<const ValueKind>) {
  if (Status fits = NeedArguments(call, 1, kAnyNumber); !fits) return std::move(fits).error();
  const Value separator = call.parameters.empty() ? Value::Text(", ") : call.parameters[0];
  if (separator.kind() != ValueKind::kText) {
    return MakeError(ErrorCode::kTypeMismatch, "the separator of string_agg is a TEXT");
  }
  return Made({.order = call.order,
               .not_null = Column{0},
               .parameter = separator,
               .result_kind = ValueKind::kText,
               .result = JoinTexts});
}

Result<std::unique_ptr<Aggregate>> MakeArrayAgg(const AggregateCall& call,
                                                std::span<const ValueKind>) {
  if (Status fits = NeedArguments(call, 1, kAnyNumber); !fits) return std::move(fits).error();
  return Made({.order = call.order, .result_kind = ValueKind::kList, .result = ListOf});
}

// The fraction of a percentile; the half for median.
Result<Value> FractionOf(const AggregateCall& call) {
  if (call.function == "median") return Value::Float(0.5);
  if (call.parameters.size() != 1 || !call.parameters[0].is_number()) {
    return InvalidArgument(StrCat("\"", call.function, "\" needs a fraction"));
  }
  const double fraction = ToDouble(call.parameters[0]);
  if (fraction >= 0 && fraction <= 1) return call.parameters[0];
  return InvalidArgument(StrCat("the fraction of \"", call.function, "\" lies between 0 and 1"));
}

Result<std::unique_ptr<Aggregate>> MakePercentileDisc(const AggregateCall& call,
                                                      std::span<const ValueKind> kinds) {
  if (Status fits = NeedArguments(call, 1, 1); !fits) return std::move(fits).error();
  Result<Value> fraction = FractionOf(call);
  if (!fraction) return std::move(fraction).error();
  return Made({.order = {kByFirst},
               .not_null = Column{0},
               .parameter = *fraction,
               .result_kind = kinds[0],
               .result = PercentileDisc});
}

Result<std::unique_ptr<Aggregate>> MakePercentileCont(const AggregateCall& call,
                                                      std::span<const ValueKind> kinds) {
  if (Status fits = NeedArguments(call, 1, 1); !fits) return std::move(fits).error();
  const bool is_number = kinds[0] >= ValueKind::kInt && kinds[0] <= ValueKind::kDecimal;
  if (!is_number && kinds[0] != ValueKind::kNull) {
    return MakeError(ErrorCode::kTypeMismatch,
                     StrCat("\"", call.function, "\" does not work on ", KindName(kinds[0])));
  }
  Result<Value> fraction = FractionOf(call);
  if (!fraction) return std::move(fraction).error();
  return Made({.order = {kByFirst},
               .numbers_only = true,
               .parameter = *fraction,
               .result_kind = ValueKind::kFloat,
               .result = PercentileCont});
}

}  // namespace

void RegisterOrderedAggregates(FunctionRegistry& functions) {
  functions.AddAggregate("min", MakeExtreme<End::kFirst>);
  functions.AddAggregate("max", MakeExtreme<End::kLast>);
  functions.AddAggregate("first", MakeEnd<End::kFirst>);
  functions.AddAggregate("last", MakeEnd<End::kLast>);
  functions.AddAggregate("arg_min", MakeArgument<End::kFirst>);
  functions.AddAggregate("arg_max", MakeArgument<End::kLast>);
  functions.AddAggregate("string_agg", MakeStringAgg);
  functions.AddAggregate("array_agg", MakeArrayAgg);
  functions.AddAggregate("percentile_disc", MakePercentileDisc);
  functions.AddAggregate("percentile_cont", MakePercentileCont);
  functions.AddAggregate("median", MakePercentileCont);
}

}  // namespace trefoil::dataflow
