// GroupBy: groups in slots, states in chunks beside them.
#include "dataflow/operators/group_by.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/check.h"
#include "base/errors.h"
#include "dataflow/describe.h"
#include "dataflow/row_table.h"

namespace trefoil::dataflow {

namespace {

// The states of all groups: blocks of equal size, by slot, that never move.
class GroupStates {
 public:
  // In front of the aggregates' states.
  struct Header {
    Weight rows = 0;
    bool touched = false;  // in the current step
  };

  explicit GroupStates(std::vector<std::unique_ptr<Aggregate>> aggregates)
      : aggregates_(std::move(aggregates)) {
    block_bytes_ = RoundUp(sizeof(Header));
    for (const auto& aggregate : aggregates_) {
      offsets_.push_back(block_bytes_);
      block_bytes_ += RoundUp(aggregate->state_size_bytes());
    }
  }

  // Memory for the slots up to this one. Before a key takes it, so that memory that runs out leaves
  // no key without states.
  void MakeRoom(RowTable::Slot slot) {
    while (slot / kBlocksPerChunk >= chunks_.size()) {
      chunks_.push_back(std::make_unique<Unit[]>(kBlocksPerChunk * block_bytes_ / sizeof(Unit)));
    }
  }
  // There is room.
  void Construct(RowTable::Slot slot) {
    new (At(slot)) Header();
    for (std::size_t i = 0; i < aggregates_.size(); ++i) aggregates_[i]->Construct(State(slot, i));
  }
  void Destroy(RowTable::Slot slot) {
    for (std::size_t i = 0; i < aggregates_.size(); ++i) aggregates_[i]->Destroy(State(slot, i));
  }

  // All blocks are destroyed.
  void Clear() { chunks_.clear(); }

  Header& header(RowTable::Slot slot) { return *reinterpret_cast<Header*>(At(slot)); }
  void* State(RowTable::Slot slot, std::size_t aggregate) { return At(slot) + offsets_[aggregate]; }
  const std::vector<std::unique_ptr<Aggregate>>& aggregates() const { return aggregates_; }
  std::size_t bytes() const { return chunks_.size() * kBlocksPerChunk * block_bytes_; }

 private:
  struct alignas(16) Unit {
    char bytes[16];
  };
  static constexpr std::size_t kBlocksPerChunk = 512;
  static constexpr std::size_t RoundUp(std::size_t bytes) { return (bytes + 15) / 16 * 16; }

  char* At(RowTable::Slot slot) {
    return reinterpret_cast<char*>(chunks_[slot / kBlocksPerChunk].get()) +
           slot % kBlocksPerChunk * block_bytes_;
  }

  std::vector<std::unique_ptr<Aggregate>> aggregates_;
  std::vector<std::size_t> offsets_;
  std::size_t block_bytes_ = 0;
  std::vector<std::unique_ptr<Unit[]>> chunks_;
};

class GroupByOperator final : public Operator {
 public:
  GroupByOperator(const GroupBy& spec, Operator& input, Port all, std::vector<ValueKind> kinds,
                  std::vector<std::unique_ptr<Aggregate>> aggregates)
      : Operator(std::move(kinds), {&input}),
        spec_(spec),
        all_(all),
        keys_(spec.key.size()),
        key_(spec.key.size()),
        states_(std::move(aggregates)) {
    if (spec_.key.empty()) FindOrAdd({});
  }
  ~GroupByOperator() override { DestroyStates(); }

  void Hydrate(Context& context) override {
    HydrateFrom(all_, context, [&](RowView row, Weight weight) {
      AddRow(row, weight);
      return true;
    });
    for (const RowTable::Slot slot : touched_) heap_bytes_ += HeapBytes(slot);
    DropEmptyGroups();
  }

  bool Forget() override {
    DestroyStates();
    states_.Clear();
    keys_ = RowTable(spec_.key.size());
    heap_bytes_ = 0;
    if (spec_.key.empty()) FindOrAdd({});
    return true;
  }

  bool may_show_negative() const override { return false; }
  std::size_t state_bytes() const override { return keys_.bytes() + states_.bytes() + heap_bytes_; }
  std::size_t state_rows() const override { return keys_.size(); }

 protected:
  void StepInto(Context&, Batch& out) override {
    const Batch& changes = inputs()[0]->delta();
    for (std::size_t i = 0; i < changes.size(); ++i) {
      const RowTable::Slot slot = FindOrAddFor(changes.row(i));
      Touch(slot, &out);
      AddToGroup(slot, changes.row(i), changes.weight(i));
    }
    for (const RowTable::Slot slot : touched_) {
      if (IsShown(slot)) WriteResult(slot, out.AddRow(1));
      heap_bytes_ += HeapBytes(slot);
    }
    DropEmptyGroups();
    out.Consolidate();
  }

  bool Prepare(const Ask& ask, std::uint32_t slot) override {
    if (ask.range || !ask.order.empty()) return false;
    order_of_key_.resize(slot + 1);
    if (ask.equal.empty()) return true;
    // The asked columns must be the key columns, each once, in any order.
    std::vector<Column> order(spec_.key.size(), kNone);
    for (Column i = 0; i < ask.equal.size(); ++i) {
      if (ask.equal[i] >= order.size() || order[ask.equal[i]] != kNone) return false;
      order[ask.equal[i]] = i;
    }
    if (ask.equal.size() != order.size()) return false;
    order_of_key_[slot] = std::move(order);
    return true;
  }

  bool PullRows(std::uint32_t slot, const Pull& pull, Context& context, RowSink sink) override {
    if (pull.when == When::kOld && !delta().empty()) {
      return PullOldFromNew(slot, pull, context, sink);
    }
    Row row(columns().size());
    if (!ask(slot).equal.empty()) {
      Row key;
      for (const Column place : order_of_key_[slot]) key.push_back(pull.key[place]);
      const RowTable::Slot group = keys_.Find(key);
      if (group == RowTable::kNone) return true;
      return Show(group, row, context, sink);
    }
    for (RowTable::Slot group = 0; group < keys_.slot_limit(); ++group) {
      if (keys_.InUse(group) && !Show(group, row, context, sink)) return false;
    }
    return true;
  }

 private:
  static constexpr Column kNone = 0xffffffff;

  void DestroyStates() {
    for (RowTable::Slot slot = 0; slot < keys_.slot_limit(); ++slot) {
      if (keys_.InUse(slot)) states_.Destroy(slot);
    }
  }

  bool IsShown(RowTable::Slot slot) { return states_.header(slot).rows != 0 || spec_.key.empty(); }

  bool Show(RowTable::Slot slot, Row& row, Context& context, RowSink sink) {
    if (!IsShown(slot)) return true;
    ++context.counters.pulled_rows;
    WriteResult(slot, row);
    return sink(row, 1);
  }

  RowTable::Slot FindOrAdd(RowView key) {
    const RowTable::Slot found = keys_.Find(key);
    if (found != RowTable::kNone) return found;
    states_.MakeRoom(keys_.slot_limit());
    const RowTable::Slot slot = keys_.Add(key, 1).slot;
    states_.Construct(slot);
    return slot;
  }
  RowTable::Slot FindOrAddFor(RowView row) {
    for (std::size_t i = 0; i < key_.size(); ++i) key_[i] = row[spec_.key[i]];
    return FindOrAdd(key_);
  }

  void AddRow(RowView row, Weight weight) {
    const RowTable::Slot slot = FindOrAddFor(row);
    Touch(slot, nullptr);
    AddToGroup(slot, row, weight);
  }

  // Remembers the group for the end of the step and takes back what it showed before.
  void Touch(RowTable::Slot slot, Batch* out) {
    GroupStates::Header& header = states_.header(slot);
    if (header.touched) return;
    header.touched = true;
    touched_.push_back(slot);
    if (out == nullptr) return;
    heap_bytes_ -= HeapBytes(slot);
    if (IsShown(slot)) WriteResult(slot, out->AddRow(-1));
  }

  void AddToGroup(RowTable::Slot slot, RowView row, Weight weight) {
    states_.header(slot).rows += weight;
    for (std::size_t i = 0; i < spec_.aggregates.size(); ++i) {
      const AggregateCall& call = spec_.aggregates[i];
      if (call.filter && row[*call.filter] != Value::Bool(true)) continue;
      const Aggregate& aggregate = *states_.aggregates()[i];
      if (call.arguments.size() == 1) {
        aggregate.Add(states_.State(slot, i), row.subspan(call.arguments[0], 1), weight);
        continue;
      }
      arguments_.clear();
      for (const Column column : call.arguments) arguments_.push_back(row[column]);
      aggregate.Add(states_.State(slot, i), arguments_, weight);
    }
  }

  void WriteResult(RowTable::Slot slot, std::span<Value> out) {
    std::ranges::copy(keys_.row(slot), out.begin());
    const auto results = out.subspan(spec_.key.size());
    for (std::size_t i = 0; i < results.size(); ++i) {
      results[i] = states_.aggregates()[i]->Result(states_.State(slot, i));
    }
  }

  std::size_t HeapBytes(RowTable::Slot slot) {
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < states_.aggregates().size(); ++i) {
      bytes += states_.aggregates()[i]->HeapBytes(states_.State(slot, i));
    }
    return bytes;
  }

  // The touched groups that have no row left go.
  void DropEmptyGroups() {
    for (const RowTable::Slot slot : touched_) {
      states_.header(slot).touched = false;
      if (IsShown(slot)) continue;
      heap_bytes_ -= HeapBytes(slot);
      states_.Destroy(slot);
      const RowView key = keys_.row(slot);
      key_.assign(key.begin(), key.end());
      keys_.Add(key_, -1);
    }
    touched_.clear();
  }

  GroupBy spec_;
  Port all_;
  RowTable keys_;  // weight 1 each
  Row key_;
  GroupStates states_;
  std::vector<RowTable::Slot> touched_;
  Row arguments_;
  std::size_t heap_bytes_ = 0;
  std::vector<std::vector<Column>> order_of_key_;  // by slot of the ask: where each key column is
};

}  // namespace

std::string GroupBy::Describe() const {
  std::string text = StrCat("group by ", DescribeColumns(key));
  for (const AggregateCall& call : aggregates) text += StrCat(" ", dataflow::Describe(call));
  return text;
}

Result<std::unique_ptr<Operator>> GroupBy::Make(BuildContext& context) const {
  Operator& input = *context.inputs()[0];
  const auto is_column = [&](Column column) { return column < input.columns().size(); };
  std::vector<ValueKind> kinds;
  for (const Column column : key) {
    if (!is_column(column)) return InvalidArgument("group by: no such key column");
    kinds.push_back(input.columns()[column]);
  }
  std::vector<std::unique_ptr<Aggregate>> made;
  for (const AggregateCall& call : aggregates) {
    if (!std::ranges::all_of(call.arguments, is_column) ||
        (call.filter && !is_column(*call.filter))) {
      return InvalidArgument("group by: no such argument column");
    }
    std::vector<ValueKind> arguments;
    for (const Column column : call.arguments) arguments.push_back(input.columns()[column]);
    Result<std::unique_ptr<Aggregate>> aggregate =
        MakeAggregate(call, arguments, context.functions());
    if (!aggregate) return std::move(aggregate).error();
    kinds.push_back((*aggregate)->result_kind());
    made.push_back(*std::move(aggregate));
  }
  Result<Port> all = context.Serve(input, {});
  if (!all) return std::move(all).error();
  return std::make_unique<GroupByOperator>(*this, input, *all, std::move(kinds), std::move(made));
}

}  // namespace trefoil::dataflow
