#include "db/local_frame.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/errors.h"
#include "crdt/frame_writer.h"
#include "crdt/merge.h"
#include "db/row_facts.h"
#include "db/row_layout.h"
#include "schema/cell.h"
#include "schema/keys.h"

namespace trefoil::db {

using crdt::FactOp;
using crdt::FactState;
using schema::MergeKind;
using schema::Type;

namespace {

class Stamper {
 public:
  Stamper(const ReadView& latest, const schema::Schema& schema, schema::Stamp stamp,
          const SiteLog& log, std::size_t writes)
      : latest_(latest), schema_(schema), stamp_(stamp), log_(log), frame_(writes) {}

  // Stamps the cell at `at` in place and notes its write.
  Status Add(WriteSet& writes, WriteSet::Iterator at) {
    const Slice key = at->first.slice();
    if (prefix_.empty() || !key.StartsWith(prefix_)) EnterAttribute(key);
    schema::CellParts cell;
    const bool whole = schema::SplitCell(at->second.slice(), &cell);
    Check(whole, "a transaction writes cells");
    const crdt::WriteName name = NameOf(key);
    if (attribute_ == schema::kRowCell) NoteRow(key, cell);
    if (kind_ == MergeKind::kRegister) {
      frame_.AddRegister(name, cell);
      if (stamp_.site == 0) {  // as it was encoded
        schema::SetCellTime({writes.MutableBytes(at), at->second.slice().size()}, stamp_.time);
        return Ok();
      }
    }
    schema::Cell stamped;
    const bool reads = schema::DecodeCell(at->second.slice(), &stamped);
    Check(reads, "a transaction writes cells");
    stamped.stamp = stamp_;
    if (kind_ != MergeKind::kRegister) {
      FactOp op = {.kind = kind_,
                   .causal_length = stamped.causal_length,
                   .retracted = stamped.retracted,
                   .value = stamped.value};
      if (Status joined = Join(key, op, stamped); !joined) return joined;
      frame_.Add(name, op);
    }
    const std::string bytes = schema::EncodeCell(stamped);
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

  std::string EncodeFrame(const crdt::Dot& dot) {
    const crdt::FrameHead head = {.dot = dot, .time = stamp_.time, .deps = log_.new_deps()};
    if (frame_.observed().empty()) return frame_.Encode(head, {});
    std::map<crdt::SiteId, schema::SiteOrdinal> places;
    for (const schema::Stamp& stamp : frame_.observed()) places[log_.sites().Of(stamp.site)] = 0;
    std::vector<crdt::SiteId> sites;
    for (auto& [site, place] : places) {
      place = static_cast<schema::SiteOrdinal>(sites.size());
      sites.push_back(site);
    }
    for (schema::Stamp& stamp : frame_.observed()) stamp.site = places[log_.sites().Of(stamp.site)];
    return frame_.Encode(head, sites);
  }

  bool empty() const { return frame_.empty(); }
  LocalFrame Done(const crdt::Dot& dot) {
    rows_.dot = dot;
    return std::move(rows_);
  }

 private:
  // Of a row cell.
  void NoteRow(Slice key, const schema::CellParts& cell) {
    if (rows_.last_rows.empty() || rows_.last_rows.back().first != type_id_) {
      rows_.last_rows.emplace_back(type_id_, key);
    }
    rows_.last_rows.back().second = key;
    if (cell.retracted) rows_.deleted_rows.push_back(key);
    if (cell.causal_length > 1 && !WriterKnowsAllFacts()) {
      reborn_.emplace_back(type_id_, key.Without(prefix_.size()).ToString());
    }
  }

  // Works out what all facts of the attribute that `key` is of have in common.
  void EnterAttribute(Slice key) {
    schema::FactName name;
    const bool reads = schema::ParseFactKey(key, &name);
    Check(reads, "a transaction writes facts under keys of facts");
    prefix_ = key.Prefix(key.size() - name.subject.size());
    if (type_id_ != name.type || type_ == nullptr) {
      type_id_ = name.type;
      type_ = schema_.FindType(name.type);
      next_ = 0;
    }
    attribute_ = name.attribute;
    kind_ = KindOfAttribute();
    if (kind_ == MergeKind::kSet) parts_ = SubjectParts(*type_);
  }

  MergeKind KindOfAttribute() {
    if (type_ == nullptr || attribute_ == schema::kRowCell) return MergeKind::kRegister;
    const std::vector<schema::Attribute>& declared = type_->attributes;
    // The key has no facts.
    while (next_ < declared.size() && declared[next_].id < attribute_) ++next_;
    if (next_ < declared.size() && declared[next_].id == attribute_) return declared[next_].merge;
    for (const auto* list : {&type_->attributes, &type_->undeclared, &type_->retired}) {
      const auto found = std::ranges::find(*list, attribute_, &schema::Attribute::id);
      if (found != list->end()) return found->merge;
    }
    return MergeKind::kRegister;
  }

  // Whether RowWriter, which deletes what it finds of a row, finds all that a former life has left:
  // of a type whose attributes are one fact each, unless a replica with another schema may have
  // written facts that this schema does not name.
  bool WriterKnowsAllFacts() const {
    if (type_ == nullptr) return false;
    const auto is_one_fact = [](const schema::Attribute& attribute) {
      return attribute.merge != MergeKind::kSet && attribute.merge != MergeKind::kTree;
    };
    return log_.sites().size() == 1 && std::ranges::all_of(type_->attributes, is_one_fact) &&
           std::ranges::all_of(type_->undeclared, is_one_fact) &&
           std::ranges::all_of(type_->retired, is_one_fact);
  }

  crdt::WriteName NameOf(Slice key) const {
    crdt::WriteName name = {
        .type = type_id_, .attribute = attribute_, .subject = key.Without(prefix_.size())};
    if (kind_ != MergeKind::kSet) return name;
    name.element = name.subject;
    for (const schema::KeyPart& part : parts_) {
      const bool skipped = schema::SkipKeyPart(name.element, part);
      Check(skipped, "a fact that was just written has a subject");
    }
    name.subject = name.subject.Prefix(name.subject.size() - name.element.size());
    return name;
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
  crdt::FrameWriter frame_;
  // Of the attribute that the writes have reached.
  Slice prefix_;  // of its facts' keys, in one of them, which stays where it is; empty: none yet
  TypeId type_id_{};
  const Type* type_ = nullptr;
  std::size_t next_ = 0;  // of its declared attributes, whose numbers mostly ascend as writes do
  std::vector<schema::KeyPart> parts_;  // of its subjects, for the facts of a SET
  AttributeId attribute_{};
  MergeKind kind_ = MergeKind::kRegister;
  std::vector<std::pair<TypeId, std::string>> reborn_;
  LocalFrame rows_;
};

}  // namespace

Result<LocalFrame> StampLocal(WriteSet& writes, const ReadView& latest,
                              const schema::Schema& schema, std::uint64_t time, SiteLog& log) {
  Stamper stamper(latest, schema, {.time = time, .site = log.own()}, log, writes.size());
  constexpr char kFirst = schema::kFactSpace;
  const WriteSet::Iterator end = writes.end();
  for (WriteSet::Iterator at = writes.LowerBound({&kFirst, 1}); at != end; ++at) {
    if (at->first.slice()[0] != kFirst) break;
    if (at->second.deletes()) continue;  // what a deleted row leaves; its row cell says so
    if (Status added = stamper.Add(writes, at); !added) return std::move(added).error();
  }
  if (stamper.empty()) return LocalFrame();
  if (Status dropped = stamper.DropFormerLives(writes); !dropped) {
    return std::move(dropped).error();
  }
  const crdt::Dot dot = log.NextDot();
  const std::string bytes = stamper.EncodeFrame(dot);
  log.Put(writes, dot, Slice(bytes));
  return stamper.Done(dot);
}

}  // namespace trefoil::db
