#include "db/local_frame.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/errors.h"
#include "crdt/log_frame.h"
#include "crdt/merge.h"
#include "db/row_facts.h"
#include "db/row_layout.h"
#include "schema/cell.h"
#include "schema/keys.h"

namespace trefoil::db {

using crdt::FactOp;
using crdt::FactState;
using crdt::FrameOp;
using schema::MergeKind;
using schema::Type;

namespace {

MergeKind KindOf(const Type* type, AttributeId id) {
  if (type == nullptr || id == schema::kRowCell) return MergeKind::kRegister;
  for (const auto* list : {&type->attributes, &type->undeclared, &type->retired}) {
    const auto found = std::ranges::find(*list, id, &schema::Attribute::id);
    if (found != list->end()) return found->merge;
  }
  return MergeKind::kRegister;
}

class Stamper {
 public:
  Stamper(const ReadView& latest, const schema::Schema& schema, schema::Stamp stamp,
          const SiteLog& log, std::size_t writes)
      : latest_(latest), schema_(schema), stamp_(stamp), log_(log) {
    ops_.reserve(writes);
  }

  // Stamps the cell at `at` in place and notes its write.
  Status Add(WriteSet& writes, WriteSet::Iterator at) {
    const Slice key = at->first.slice();
    schema::FactName name;
    const bool reads = schema::ParseFactKey(key, &name);
    Check(reads, "a transaction writes facts under keys of facts");
    EnterAttribute(name);
    schema::Cell cell;
    const bool whole = schema::DecodeCell(at->second.slice(), &cell);
    Check(whole, "a transaction writes cells");
    FrameOp& op = ops_.emplace_back();
    op.type = name.type;
    op.attribute = name.attribute;
    Slice element;
    if (kind_ == MergeKind::kSet) {
      element = name.subject;
      for (const schema::KeyPart& part : parts_) {
        const bool skipped = schema::SkipKeyPart(element, part);
        Check(skipped, "a fact that was just written has a subject");
      }
      op.element = element.ToString();
    }
    op.subject = name.subject.Prefix(name.subject.size() - element.size()).view();
    if (name.attribute == schema::kRowCell && cell.causal_length > 1) {
      reborn_.emplace_back(name.type, op.subject);
    }
    op.op.kind = kind_;
    op.op.causal_length = cell.causal_length;
    op.op.retracted = cell.retracted;
    if (kind_ == MergeKind::kRegister && stamp_.site == 0) {  // as it was encoded
      op.op.value = std::move(cell.value);
      schema::SetCellTime({writes.MutableBytes(at), at->second.slice().size()}, stamp_.time);
      return Ok();
    }
    op.op.value = cell.value;
    cell.stamp = stamp_;
    if (kind_ != MergeKind::kRegister) {
      if (Status joined = Join(key, op.op, cell); !joined) return joined;
    }
    const std::string bytes = schema::EncodeCell(cell);
    writes.Replace(at, Slice(bytes));
    return Ok();
  }

  // Deletes from `writes` what the store holds of former lives of rows.
  Status DropFormerLives(WriteSet& writes) const {
    for (const auto& [type, subject] : reborn_) {
      Status walked = ForRowFacts(latest_, type, Slice(subject), [&](Slice key, Slice bytes) {
        schema::Cell cell;
        if (schema::DecodeCell(bytes, &cell) && crdt::HoldsMoves(cell)) return;
        writes.DeleteUnlessWritten(key);
      });
      if (!walked) return walked;
    }
    return Ok();
  }

  crdt::Frame MakeFrame() {
    crdt::Frame frame = {.dot = log_.NextDot(), .time = stamp_.time, .deps = log_.new_deps()};
    std::map<crdt::SiteId, schema::SiteOrdinal> places;
    for (const FrameOp& op : ops_) {
      for (const schema::Stamp& stamp : op.op.observed) places[log_.sites().Of(stamp.site)] = 0;
    }
    for (auto& [site, place] : places) {
      place = static_cast<schema::SiteOrdinal>(frame.sites.size());
      frame.sites.push_back(site);
    }
    for (FrameOp& op : ops_) {
      for (schema::Stamp& stamp : op.op.observed) stamp.site = places[log_.sites().Of(stamp.site)];
    }
    frame.ops = std::move(ops_);
    return frame;
  }

  bool empty() const { return ops_.empty(); }

 private:
  // What is known of the attribute that the next write is of.
  void EnterAttribute(const schema::FactName& name) {
    if (type_id_ != name.type || type_ == nullptr) {
      type_id_ = name.type;
      type_ = schema_.FindType(name.type);
      attribute_.reset();
      if (type_ != nullptr) parts_ = SubjectParts(*type_);
    }
    if (attribute_ == name.attribute) return;
    attribute_ = name.attribute;
    kind_ = KindOf(type_, name.attribute);
  }

  // Completes the write with what the replica has there, and makes the cell what the write makes of
  // it.
  Status Join(Slice key, FactOp& op, schema::Cell& cell) {
    FactState state;
    Result<std::optional<std::string>> stored = latest_.Get(key);
    if (!stored) return std::move(stored).error();
    if (*stored) {
      schema::Cell before;
      if (!schema::DecodeCell(Slice(**stored), &before) ||
          !crdt::FromCell(before, log_.sites(), &state)) {
        return Corruption("a cell does not read", "run `trefoil check`");
      }
    }
    const bool same_life = state.causal_length == op.causal_length;
    if (kind_ == MergeKind::kCounter) {
      // What is assigned is the difference to what is there; NULL is a count of nothing.
      const std::int64_t now = op.value.is_null() ? 0 : op.value.AsInt();
      const bool counts = same_life && !state.value.is_null();
      op.total = crdt::Int128{now} - (counts ? state.value.AsInt() : 0);
      for (const crdt::Shard& shard : state.shards) {
        if (same_life && shard.stamp.site == stamp_.site) op.total += shard.total;
      }
      op.value = Value();
      op.retracted = false;
    } else if (same_life) {  // MV, SET
      for (const crdt::Alternative& a : state.alternatives) op.observed.push_back(a.stamp);
    }
    crdt::MergeOp(state, op, stamp_, log_.sites());
    if (kind_ == MergeKind::kTree) crdt::ShowParent(state, op.causal_length);
    if (state.causal_length != 0) cell = crdt::ToCell(state);
    return Ok();
  }

  const ReadView& latest_;
  const schema::Schema& schema_;
  schema::Stamp stamp_;
  const SiteLog& log_;
  TypeId type_id_{};
  const Type* type_ = nullptr;
  std::vector<schema::KeyPart> parts_;
  std::optional<AttributeId> attribute_;
  MergeKind kind_ = MergeKind::kRegister;
  std::vector<FrameOp> ops_;
  std::vector<std::pair<TypeId, std::string>> reborn_;
};

}  // namespace

Result<std::optional<crdt::Dot>> StampLocal(WriteSet& writes, const ReadView& latest,
                                            const schema::Schema& schema, std::uint64_t time,
                                            SiteLog& log) {
  Stamper stamper(latest, schema, {.time = time, .site = log.own()}, log, writes.size());
  const std::string first(1, schema::kFactSpace);
  const std::string limit = schema::PrefixLimit(first);
  const WriteSet::Iterator end = writes.LowerBound(Slice(limit));
  for (WriteSet::Iterator at = writes.LowerBound(Slice(first)); at != end; ++at) {
    if (at->second.deletes()) continue;  // what a deleted row leaves; its row cell says so
    if (Status added = stamper.Add(writes, at); !added) return std::move(added).error();
  }
  if (stamper.empty()) return std::optional<crdt::Dot>();
  if (Status dropped = stamper.DropFormerLives(writes); !dropped) {
    return std::move(dropped).error();
  }
  const crdt::Frame frame = stamper.MakeFrame();
  const std::string bytes = crdt::EncodeFrame(frame);
  log.Put(writes, frame.dot, Slice(bytes));
  return std::optional<crdt::Dot>(frame.dot);
}

}  // namespace trefoil::db
