// Input: matching asks with access paths, and walking them.
#include "dataflow/operators/input.h"

#include <algorithm>
#include <deque>
#include <numeric>
#include <utility>

#include "base/check.h"
#include "base/errors.h"
#include "dataflow/describe.h"

namespace trefoil::dataflow {

namespace {

// Where the value of a fixed column comes from: the key of the pull, or the input's own range.
struct FixedColumn {
  Column column = 0;                            // of the relation
  std::optional<Column> key;                    // position in the key of the pull
  Value constant;                               // if there is no `key`
  std::optional<std::uint32_t> parameter = {};  // that the constant is
};

struct RangeColumn {
  Column column = 0;
  std::optional<Bound> lower;
  std::optional<Bound> upper;
};

// How one ask is answered.
struct Walk {
  AccessPath path;
  std::vector<FixedColumn> prefix = {};
  bool whole_subject = false;  // the prefix names one row
  bool bounded_by_pull = false;
  bool bounded_by_input = false;
  bool reverse = false;
  // The path behind the prefix; each value of `after` comes from the order of the ask or is fixed.
  struct AfterColumn {
    std::optional<Column> order;  // position in Ask::order
    FixedColumn fixed;
  };
  std::vector<AfterColumn> after = {};
  bool test_rows = false;  // the input's range is not covered by the walk
  // Columns of the ask that the prefix does not cover.
  std::vector<FixedColumn> test_keys = {};
};

// A path that a part of an ask leads along may have this many rows for each key, about.
constexpr std::uint64_t kPartRows = 512;

class InputOperator final : public Operator {
 public:
  // `source` outlives the operator.
  InputOperator(const Input& spec, const Source& source)
      : Operator(spec.kinds, {}),
        source_(source),
        relation_(spec.relation),
        paths_(source.Paths(spec.relation.type)) {}

  // Errors: kInvalidArgument if a column of the range is not a column of the relation.
  Status SetRange(const Probe& only, const RangeParameters& parameters);

  void Bind(std::span<const Value> parameters) override;

  std::optional<std::uint64_t> about_rows() const override {
    return source_.ApproximateCount(relation_.type, only_);
  }

 protected:
  void StepInto(Context& context, Batch& out) override;
  bool Prepare(const Ask& ask, std::uint32_t slot) override;
  bool PullRows(std::uint32_t slot, const Pull& pull, Context& context, RowSink sink) override;
  void PullMany(std::uint32_t slot, const ManyPulls& pulls, Context& context,
                ManySink sink) override;

 private:
  std::optional<Column> Find(AttributeId attribute) const;
  const FixedColumn* FindFixed(std::span<const FixedColumn> fixed, AttributeId attribute) const;
  std::optional<Walk> MatchPath(const Ask& ask, const PathDescription& path,
                                std::span<const FixedColumn> fixed) const;
  bool FindsFew(const Walk& walk) const;
  bool MatchOrder(const Ask& ask, const PathDescription& path, std::span<const FixedColumn> fixed,
                  Walk& walk) const;
  bool InRange(RowView row) const;
  bool LooksEqual(RowView a, RowView b) const;
  bool IsInRange(RowView changed) const;
  bool MatchesKey(const Walk& walk, const Pull& pull, RowView row) const;
  void FillProbe(const Walk& walk, const Pull& pull, Probe& probe) const;
  bool LookupRow(const Walk& walk, const Pull& pull, Context& context, RowSink sink);

  const Source& source_;
  BaseRelation relation_;
  std::vector<PathDescription> paths_;
  std::optional<AccessPath> range_path_;
  Probe only_;  // the range as it was set
  std::vector<FixedColumn> range_prefix_;
  std::optional<RangeColumn> range_;
  RangeParameters parameters_;
  std::deque<Walk> walks_;  // by slot
  // Probes in use, innermost last: a sink may pull here again.
  std::deque<Probe> probes_;
  std::size_t depth_ = 0;
  // Where the columns of the relation stand in the last change of the type.
  std::vector<AttributeId> change_columns_;
  std::vector<std::size_t> change_places_;
};

const Value& ValueOf(const FixedColumn& fixed, const Pull& pull) {
  return fixed.key ? pull.key[*fixed.key] : fixed.constant;
}

bool Within(const Value& value, const std::optional<Bound>& lower,
            const std::optional<Bound>& upper) {
  if (lower) {
    const auto order = CompareValues(value, lower->value);
    if (order < 0 || (order == 0 && !lower->inclusive)) return false;
  }
  if (upper) {
    const auto order = CompareValues(value, upper->value);
    if (order > 0 || (order == 0 && !upper->inclusive)) return false;
  }
  return true;
}

std::optional<Column> InputOperator::Find(AttributeId attribute) const {
  const auto found = std::ranges::find(relation_.columns, attribute);
  if (found == relation_.columns.end()) return std::nullopt;
  return static_cast<Column>(found - relation_.columns.begin());
}

const FixedColumn* InputOperator::FindFixed(std::span<const FixedColumn> fixed,
                                            AttributeId attribute) const {
  const auto found = std::ranges::find_if(
      fixed, [&](const FixedColumn& f) { return relation_.columns[f.column] == attribute; });
  return found == fixed.end() ? nullptr : &*found;
}

Status InputOperator::SetRange(const Probe& only, const RangeParameters& parameters) {
  const auto path = std::ranges::find(paths_, only.path, &PathDescription::path);
  const bool bounded = only.lower || only.upper;
  if (path == paths_.end() || path->columns.size() < only.prefix.size() + (bounded ? 1 : 0)) {
    return InvalidArgument("an input is limited by a range of a path that does not exist");
  }
  range_path_ = only.path;
  only_ = only;
  for (std::size_t i = 0; i < only.prefix.size() + (bounded ? 1 : 0); ++i) {
    const std::optional<Column> column = Find(path->columns[i].attribute);
    if (!column) return InvalidArgument("an input reads the columns of the range that limits it");
    if (i < only.prefix.size()) {
      range_prefix_.push_back(
          {.column = *column,
           .key = {},
           .constant = only.prefix[i],
           .parameter = parameters.prefix.empty() ? std::nullopt : parameters.prefix[i]});
    } else {
      range_ = {.column = *column, .lower = only.lower, .upper = only.upper};
    }
  }
  parameters_ = parameters;
  return Ok();
}

void InputOperator::Bind(std::span<const Value> parameters) {
  const auto bind = [&](FixedColumn& fixed) {
    if (fixed.parameter) fixed.constant = parameters[*fixed.parameter];
  };
  for (FixedColumn& fixed : range_prefix_) bind(fixed);
  if (parameters_.lower) range_->lower->value = parameters[*parameters_.lower];
  if (parameters_.upper) range_->upper->value = parameters[*parameters_.upper];
  for (Walk& walk : walks_) {
    for (FixedColumn& fixed : walk.prefix) bind(fixed);
    for (Walk::AfterColumn& column : walk.after) bind(column.fixed);
  }
}

bool InputOperator::InRange(RowView row) const {
  for (const FixedColumn& fixed : range_prefix_) {
    if (!(row[fixed.column] == fixed.constant)) return false;
  }
  return !range_ || Within(row[range_->column], range_->lower, range_->upper);
}

void InputOperator::StepInto(Context& context, Batch& out) {
  for (const TypeChange& change : context.changes) {
    if (change.type != relation_.type) continue;
    if (!std::ranges::equal(change.columns, change_columns_)) {
      change_columns_.assign(change.columns.begin(), change.columns.end());
      change_places_.clear();
      for (const AttributeId attribute : relation_.columns) {
        const auto place = std::ranges::find(change_columns_, attribute);
        Check(place != change_columns_.end(), "a change has every demanded column of its type");
        change_places_.push_back(static_cast<std::size_t>(place - change_columns_.begin()));
      }
    }
    const Batch& rows = *change.rows;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      // An update that the columns of this input do not see is not even copied.
      if (i + 1 < rows.size() && rows.weight(i) == -rows.weight(i + 1) &&
          LooksEqual(rows.row(i), rows.row(i + 1))) {
        ++i;
        continue;
      }
      const RowView changed = rows.row(i);
      if (!IsInRange(changed)) continue;
      const std::span<Value> row = out.AddRow(rows.weight(i));
      for (std::size_t c = 0; c < row.size(); ++c) row[c] = changed[change_places_[c]];
    }
  }
  out.Consolidate();
}

// Of rows as wide as the last change.
bool InputOperator::LooksEqual(RowView a, RowView b) const {
  return std::ranges::all_of(change_places_,
                             [&](std::size_t place) { return a[place] == b[place]; });
}
bool InputOperator::IsInRange(RowView changed) const {
  for (const FixedColumn& fixed : range_prefix_) {
    if (!(changed[change_places_[fixed.column]] == fixed.constant)) return false;
  }
  return !range_ || Within(changed[change_places_[range_->column]], range_->lower, range_->upper);
}

bool InputOperator::Prepare(const Ask& ask, std::uint32_t) {
  std::vector<FixedColumn> fixed = range_prefix_;
  for (Column i = 0; i < ask.equal.size(); ++i) {
    fixed.push_back({.column = ask.equal[i], .key = i, .constant = {}});
  }
  std::optional<Walk> best;
  for (const PathDescription& path : paths_) {
    std::optional<Walk> walk = MatchPath(ask, path, fixed);
    if (!walk) continue;
    if (!best || walk->prefix.size() > best->prefix.size() ||
        (walk->prefix.size() == best->prefix.size() && walk->bounded_by_input &&
         !best->bounded_by_input)) {
      best = std::move(walk);
    }
  }
  if (!best) return false;
  walks_.push_back(*std::move(best));
  return true;
}

std::optional<Walk> InputOperator::MatchPath(const Ask& ask, const PathDescription& path,
                                             std::span<const FixedColumn> fixed) const {
  Walk walk{.path = path.path};
  std::vector<bool> covered(relation_.columns.size());
  std::size_t at = 0;
  for (; at < path.columns.size(); ++at) {
    const FixedColumn* column = FindFixed(fixed, path.columns[at].attribute);
    if (column == nullptr) break;
    walk.prefix.push_back(*column);
    covered[column->column] = true;
  }
  walk.whole_subject = !path.path.index && at == path.columns.size();
  bool finds_by_key = false;
  for (Column i = 0; i < ask.equal.size(); ++i) {
    // A column that the range fixes too is compared with the row, as its prefix is the constant.
    const bool by_constant = std::ranges::any_of(
        range_prefix_, [&](const FixedColumn& f) { return f.column == ask.equal[i]; });
    finds_by_key = finds_by_key || (covered[ask.equal[i]] && !by_constant);
    if (!covered[ask.equal[i]] && !walk.whole_subject && !ask.partly) return std::nullopt;
    if (!covered[ask.equal[i]] || by_constant) {
      walk.test_keys.push_back({.column = ask.equal[i], .key = i, .constant = {}});
    }
  }
  if (ask.partly && !walk.whole_subject && !(finds_by_key && FindsFew(walk))) return std::nullopt;
  const std::optional<AttributeId> next =
      at < path.columns.size() ? std::optional(path.columns[at].attribute) : std::nullopt;
  if (ask.range) {
    if (next != relation_.columns[*ask.range]) return std::nullopt;
    walk.bounded_by_pull = true;
  } else if (range_ && next == relation_.columns[range_->column]) {
    walk.bounded_by_input = true;
  }
  walk.test_rows = range_.has_value() && !walk.bounded_by_input;
  for (const FixedColumn& column : range_prefix_) {
    walk.test_rows = walk.test_rows || !covered[column.column];
  }
  if (!ask.order.empty() && !MatchOrder(ask, path, fixed, walk)) return std::nullopt;
  return walk;
}

// Whether a walk has few rows for a key, by the keys at both ends of its path but for NULL, of
// which there may be many that nobody asks for.
bool InputOperator::FindsFew(const Walk& walk) const {
  BaseRelation columns{.type = relation_.type, .columns = {}};
  Probe end{.path = walk.path};
  for (const FixedColumn& fixed : walk.prefix) {
    columns.columns.push_back(relation_.columns[fixed.column]);
    const bool leads = end.prefix.size() + 1 == columns.columns.size();
    if (leads && !fixed.key) end.prefix.push_back(fixed.constant);
  }
  end.lower = Bound{.value = {}, .inclusive = false};
  for (const bool reverse : {false, true}) {
    end.reverse = reverse;
    Probe key{.path = walk.path};
    const auto take = [&](RowView row) {
      key.prefix.assign(row.begin(), row.end());
      return false;
    };
    if (!source_.Scan(columns, end, When::kNew, take) ||
        source_.ApproximateCount(relation_.type, key) > kPartRows) {
      return false;
    }
  }
  return true;
}

bool InputOperator::MatchOrder(const Ask& ask, const PathDescription& path,
                               std::span<const FixedColumn> fixed, Walk& walk) const {
  std::optional<bool> reverse;
  std::size_t wanted = 0;
  const auto skip_fixed = [&] {
    while (wanted < ask.order.size() &&
           FindFixed(fixed, relation_.columns[ask.order[wanted].column]) != nullptr) {
      ++wanted;
    }
  };
  skip_fixed();
  for (std::size_t at = walk.prefix.size(); at < path.columns.size(); ++at) {
    const PathDescription::PathColumn& column = path.columns[at];
    if (const FixedColumn* constant = FindFixed(fixed, column.attribute); constant != nullptr) {
      walk.after.push_back({.order = {}, .fixed = *constant});
      continue;
    }
    // A column that the path repeats has the value that it had before.
    const auto seen = std::ranges::find_if(
        ask.order.begin(), ask.order.begin() + static_cast<std::ptrdiff_t>(wanted),
        [&](const SortColumn& sort) { return relation_.columns[sort.column] == column.attribute; });
    if (seen != ask.order.begin() + static_cast<std::ptrdiff_t>(wanted)) {
      walk.after.push_back({.order = static_cast<Column>(seen - ask.order.begin()), .fixed = {}});
      continue;
    }
    if (wanted == ask.order.size()) return false;
    const SortColumn& sort = ask.order[wanted];
    if (relation_.columns[sort.column] != column.attribute) return false;
    const bool flipped = sort.descending != column.descending;
    if (reverse.value_or(flipped) != flipped) return false;
    reverse = flipped;
    walk.after.push_back({.order = static_cast<Column>(wanted), .fixed = {}});
    ++wanted;
    skip_fixed();
  }
  walk.reverse = reverse.value_or(false);
  return wanted == ask.order.size();
}

bool InputOperator::MatchesKey(const Walk& walk, const Pull& pull, RowView row) const {
  return std::ranges::all_of(walk.test_keys, [&](const FixedColumn& fixed) {
    return row[fixed.column] == pull.key[*fixed.key];
  });
}

void InputOperator::FillProbe(const Walk& walk, const Pull& pull, Probe& probe) const {
  probe.path = walk.path;
  probe.reverse = walk.reverse;
  probe.prefix.clear();
  for (const FixedColumn& fixed : walk.prefix) probe.prefix.push_back(ValueOf(fixed, pull));
  probe.lower.reset();
  probe.upper.reset();
  if (walk.bounded_by_pull) {
    if (pull.lower != nullptr) probe.lower = *pull.lower;
    if (pull.upper != nullptr) probe.upper = *pull.upper;
  } else if (walk.bounded_by_input) {
    probe.lower = range_->lower;
    probe.upper = range_->upper;
  }
  probe.wanted = pull.wanted;
  probe.after.clear();
  if (pull.after.empty()) return;
  for (const Walk::AfterColumn& column : walk.after) {
    probe.after.push_back(column.order ? pull.after[*column.order] : ValueOf(column.fixed, pull));
  }
}

bool InputOperator::LookupRow(const Walk& walk, const Pull& pull, Context& context, RowSink sink) {
  std::vector<Value> subject;
  for (const FixedColumn& fixed : walk.prefix) subject.push_back(ValueOf(fixed, pull));
  bool go_on = true;
  Status read =
      context.source.Lookup(relation_, {&subject, 1}, pull.when, [&](std::size_t, RowView row) {
        if (row.empty()) return;
        ++context.counters.pulled_rows;
        if (walk.test_rows && !InRange(row)) return;
        if (MatchesKey(walk, pull, row)) go_on = sink(row, 1);
      });
  if (!read) context.Fail(std::move(read).error());
  return go_on;
}

bool InputOperator::PullRows(std::uint32_t slot, const Pull& pull, Context& context, RowSink sink) {
  const Walk& walk = walks_[slot];
  if (walk.whole_subject && pull.after.empty() && !relation_.columns.empty()) {
    return LookupRow(walk, pull, context, sink);
  }
  if (probes_.size() == depth_) probes_.emplace_back();
  Probe& probe = probes_[depth_++];
  FillProbe(walk, pull, probe);
  bool go_on = true;
  Status read = context.source.Scan(relation_, probe, pull.when, [&](RowView row) {
    ++context.counters.pulled_rows;
    if (walk.test_rows && !InRange(row)) return true;
    if (!MatchesKey(walk, pull, row)) return true;
    go_on = sink(row, 1);
    return go_on && !context.Ends();
  });
  --depth_;
  if (!read) context.Fail(std::move(read).error());
  return go_on && !context.failed();
}

// Pulls that come to the same entries walk to them once, in the order of the entries.
void InputOperator::PullMany(std::uint32_t slot, const ManyPulls& pulls, Context& context,
                             ManySink sink) {
  const Walk& walk = walks_[slot];
  const auto pull = [&](std::size_t i) { return Pull{.key = pulls.key(i), .when = pulls.when}; };
  std::vector<Row> prefixes(pulls.count);
  for (std::size_t i = 0; i < pulls.count; ++i) {
    for (const FixedColumn& fixed : walk.prefix) prefixes[i].push_back(ValueOf(fixed, pull(i)));
  }
  std::vector<std::uint32_t> order(pulls.count);
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, [&](std::uint32_t a, std::uint32_t b) {
    return CompareRows(prefixes[a], prefixes[b]) < 0;
  });
  std::vector<std::size_t> starts;  // in `order`, of the pulls with one prefix
  for (std::size_t k = 0; k < order.size(); ++k) {
    if (k == 0 || prefixes[order[k]] != prefixes[order[k - 1]]) starts.push_back(k);
  }
  const std::size_t groups = starts.size();
  starts.push_back(order.size());
  const auto show = [&](std::size_t group, RowView row) {
    ++context.counters.pulled_rows;
    if (context.Ends()) return false;
    if (walk.test_rows && !InRange(row)) return true;
    bool more = false;
    for (std::size_t k = starts[group]; k < starts[group + 1]; ++k) {
      if (!MatchesKey(walk, pull(order[k]), row) || sink(order[k], row, 1)) more = true;
    }
    return more;
  };
  Status read = Ok();
  if (walk.whole_subject && !relation_.columns.empty()) {
    std::vector<Row> subjects(groups);
    for (std::size_t g = 0; g < groups; ++g) subjects[g] = std::move(prefixes[order[starts[g]]]);
    read = context.source.Lookup(relation_, subjects, pulls.when, [&](std::size_t g, RowView row) {
      if (!row.empty()) show(g, row);
    });
  } else {
    std::vector<Probe> probes(groups);
    for (std::size_t g = 0; g < groups; ++g) FillProbe(walk, pull(order[starts[g]]), probes[g]);
    read = context.source.ScanMany(relation_, probes, pulls.when, show);
  }
  if (!read) context.Fail(std::move(read).error());
}

std::string DescribeBound(const Bound& bound, const char* inclusive, const char* exclusive) {
  return StrCat(" ", bound.inclusive ? inclusive : exclusive, " ", DescribeValue(bound.value));
}

}  // namespace

std::string Input::Describe() const {
  std::string text = StrCat("input type ", ToNumber(relation.type), " (");
  for (std::size_t i = 0; i < relation.columns.size(); ++i) {
    text += StrCat(i == 0 ? "" : ", ", ToNumber(relation.columns[i]));
  }
  text += ")";
  if (!only) return text;
  text += only->path.index ? StrCat(" index ", ToNumber(*only->path.index)) : " subject order";
  const auto parameter = [](const std::optional<std::uint32_t>& number) {
    return number ? StrCat(" ?", *number) : std::string();
  };
  for (std::size_t i = 0; i < only->prefix.size(); ++i) {
    text += StrCat(" = ", DescribeValue(only->prefix[i]));
    if (!parameters.prefix.empty()) text += parameter(parameters.prefix[i]);
  }
  if (only->lower) text += DescribeBound(*only->lower, ">=", ">") + parameter(parameters.lower);
  if (only->upper) text += DescribeBound(*only->upper, "<=", "<") + parameter(parameters.upper);
  return text;
}

Result<std::unique_ptr<Operator>> Input::Make(BuildContext& context) const {
  if (kinds.size() != relation.columns.size()) {
    return InvalidArgument("an input has one kind for each column");
  }
  if (only && (!only->after.empty() || only->reverse)) {
    return InvalidArgument("the range of an input has a prefix and bounds only");
  }
  auto input = std::make_unique<InputOperator>(*this, context.source());
  if (only) {
    if (Status set = input->SetRange(*only, parameters); !set) return std::move(set).error();
  }
  context.WakeOn(relation);
  return input;
}

}  // namespace trefoil::dataflow
