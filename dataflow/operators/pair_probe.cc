// PairProbe.
#include "dataflow/operators/pair_probe.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace trefoil::dataflow {

Result<PairProbe> PairProbe::Make(const std::vector<Join::Equality>& on,
                                  const std::optional<Expression>& condition,
                                  BuildContext& context) {
  if (Status fits = CheckEqualities(on, context.inputs()); !fits) return std::move(fits).error();
  PairProbe probe;
  // The left column first in every equality.
  const std::size_t left_width = context.inputs()[0]->columns().size();
  for (Join::Equality equality : on) {
    if (equality.left >= left_width) std::swap(equality.left, equality.right);
    probe.on_.push_back(equality);
  }
  const std::vector<ValueKind> kinds = AllKinds(context.inputs());
  if (condition) {
    Result<Program> compiled = Program::Compile({&*condition, 1}, kinds, context.functions());
    if (!compiled) return std::move(compiled).error();
    probe.condition_ = *std::move(compiled);
  }
  Result<std::vector<JoinStage>> there = PlanPath(0, probe.on_, context);
  if (!there) return std::move(there).error();
  probe.stage_ = std::move((*there)[0]);
  probe.checks_ = probe.stage_.checks;
  if (!context.is_once()) {
    Result<std::vector<JoinStage>> back = PlanPath(1, probe.on_, context);
    if (!back) return std::move(back).error();
    probe.back_ = std::move((*back)[0]);
    probe.checks_.insert(probe.checks_.end(), probe.back_.checks.begin(), probe.back_.checks.end());
  }
  probe.left_width_ = left_width;
  probe.width_ = kinds.size();
  probe.right_may_be_negative_ = context.inputs()[1]->may_show_negative();
  return probe;
}

bool PairProbe::MakeKey(const JoinStage& stage, const Row& bound, Row& key) const {
  key.resize(stage.key.size());
  for (std::size_t i = 0; i < key.size(); ++i) {
    key[i] = bound[stage.key[i].from];
    if (key[i].is_null() && !stage.key[i].nulls_equal) return false;
  }
  return true;
}

bool PairProbe::PassesBound(const Row& bound, Context& context) {
  for (const Join::Equality& check : checks_) {
    if (!(bound[check.left] == bound[check.right])) return false;
    if (bound[check.left].is_null() && !check.nulls_equal) return false;
  }
  return !condition_ || condition_->IsTrue(bound, context.counters.lossy_values);
}

bool PairProbe::Passes(RowView left, RowView right, Context& context) {
  if (always_passes()) return true;
  auto frame = frames_.Take();
  frame->bound.resize(width_);
  std::ranges::copy(left, frame->bound.begin());
  std::ranges::copy(right, frame->bound.begin() + static_cast<std::ptrdiff_t>(left_width_));
  return PassesBound(frame->bound, context);
}

void PairProbe::MatchesOfEach(const Batch& lefts, When when, Context& context, ManySink sink) {
  auto frame = frames_.Take();
  frame->bound.resize(width_);
  frame->keys.clear();
  frame->asked.clear();
  for (std::uint32_t i = 0; i < lefts.size(); ++i) {
    std::ranges::copy(lefts.row(i), frame->bound.begin());
    if (!MakeKey(stage_, frame->bound, frame->key)) continue;
    frame->keys.insert(frame->keys.end(), frame->key.begin(), frame->key.end());
    frame->asked.push_back(i);
  }
  const ManyPulls pulls = {.keys = frame->keys, .count = frame->asked.size(), .when = when};
  stage_.port.ReadMany(pulls, context, [&](std::size_t n, RowView right, Weight weight) {
    const std::size_t i = frame->asked[n];
    if (!always_passes()) {
      std::ranges::copy(lefts.row(i), frame->bound.begin());
      std::ranges::copy(right, frame->bound.begin() + static_cast<std::ptrdiff_t>(left_width_));
      if (!PassesBound(frame->bound, context)) return true;
    }
    return sink(i, right, weight);
  });
}

bool PairProbe::Has(RowView left, When when, Context& context) {
  auto frame = frames_.Take();
  frame->bound.resize(width_);
  std::ranges::copy(left, frame->bound.begin());
  if (!MakeKey(stage_, frame->bound, frame->key)) return false;
  Weight sum = 0;
  stage_.port.Read({.key = frame->key, .when = when}, context, [&](RowView right, Weight weight) {
    if (!always_passes()) {
      std::ranges::copy(right, frame->bound.begin() + static_cast<std::ptrdiff_t>(left_width_));
      if (!PassesBound(frame->bound, context)) return true;
    }
    sum += weight;
    return right_may_be_negative_ || sum <= 0;
  });
  return sum > 0;
}

void PairProbe::HasEach(const Batch& lefts, When when, Context& context, std::vector<bool>& has) {
  has.assign(lefts.size(), false);
  if (lefts.size() == 1) {
    has[0] = Has(lefts.row(0), when, context);
    return;
  }
  auto frame = frames_.Take();
  std::vector<Weight>& sums = frame->sums;
  sums.assign(lefts.size(), 0);
  MatchesOfEach(lefts, when, context, [&](std::size_t i, RowView, Weight weight) {
    sums[i] += weight;
    return right_may_be_negative_ || sums[i] <= 0;
  });
  for (std::size_t i = 0; i < sums.size(); ++i) has[i] = sums[i] > 0;
}

void PairProbe::ForEachAffected(const Batch& right_changes, Visit which, Context& context,
                                FunctionRef<void(const Affected&)> visit) {
  order_.resize(right_changes.size());
  std::iota(order_.begin(), order_.end(), 0);
  const auto key_order = [&](std::uint32_t a, std::uint32_t b) {
    for (const JoinStage::KeyPart& part : back_.key) {
      const std::size_t column = part.from - left_width_;
      const auto order = CompareValues(right_changes.row(a)[column], right_changes.row(b)[column]);
      if (order != 0) return order < 0;
    }
    return false;
  };
  std::ranges::stable_sort(order_, key_order);
  for (std::size_t start = 0; start < order_.size();) {
    std::size_t end = start + 1;
    while (end < order_.size() && !key_order(order_[start], order_[end])) ++end;
    VisitGroup(right_changes, std::span(order_).subspan(start, end - start), which, context, visit);
    start = end;
  }
}

void PairProbe::VisitGroup(const Batch& right_changes, std::span<const std::uint32_t> group,
                           Visit which, Context& context,
                           FunctionRef<void(const Affected&)> visit) {
  auto frame = frames_.Take();
  frame->bound.resize(width_);
  const RowView right = right_changes.row(group[0]);
  std::ranges::copy(right, frame->bound.begin() + static_cast<std::ptrdiff_t>(left_width_));
  if (!MakeKey(back_, frame->bound, frame->key)) return;
  // Without further conditions all left rows of the key share one answer.
  bool had = false;
  bool has = false;
  if (always_passes()) {
    for (const Join::Equality& equality : on_) {
      frame->bound[equality.left] = frame->bound[equality.right];
    }
    const RowView left(frame->bound.data(), left_width_);
    // A right row that goes was there, and one that comes is there now.
    const auto any_goes = [&](std::uint32_t i) { return right_changes.weight(i) < 0; };
    const auto any_comes = [&](std::uint32_t i) { return right_changes.weight(i) > 0; };
    const bool counts = !right_may_be_negative_;
    had = (counts && std::ranges::any_of(group, any_goes)) || Has(left, When::kOld, context);
    has = (counts && std::ranges::any_of(group, any_comes)) || Has(left, When::kNew, context);
    if (had == has && which == Visit::kFlips) return;
  }
  back_.port.Read({.key = frame->key, .when = When::kOld}, context,
                  [&](RowView left, Weight weight) {
                    if (!always_passes()) {
                      had = Has(left, When::kOld, context);
                      has = Has(left, When::kNew, context);
                    }
                    visit({left, weight, had, has, group});
                    return true;
                  });
}

}  // namespace trefoil::dataflow
