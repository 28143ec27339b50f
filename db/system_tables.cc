#include "db/system_tables.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/coding.h"
#include "base/errors.h"
#include "crdt/hybrid_clock.h"
#include "crdt/stability.h"
#include "db/engine.h"
#include "db/row_layout.h"
#include "db/site_log.h"
#include "db/violations.h"
#include "schema/cell.h"
#include "schema/keys.h"

namespace trefoil::db {

using schema::Attribute;
using schema::Type;

namespace {

Error BadEntry(const char* what) {
  return Corruption(std::string("the store holds ") + what + " that does not read",
                    "run `trefoil check`");
}

const Type* FindAnyType(const schema::Schema& schema, TypeId id) {
  if (const Type* type = schema.FindType(id)) return type;
  const auto retired = std::ranges::find(schema.retired_types(), id, &Type::id);
  return retired == schema.retired_types().end() ? nullptr : &*retired;
}

const Attribute* FindAnyAttribute(const Type& type, AttributeId id) {
  if (const Attribute* attribute = type.Find(id)) return attribute;
  const auto retired = std::ranges::find(type.retired, id, &Attribute::id);
  return retired == type.retired.end() ? nullptr : &*retired;
}

// The key of the row as text, and the element of a SET as value; what cannot be read stays NULL.
struct SubjectText {
  Value key;
  Value element;
};

SubjectText Describe(const Type* type, const Attribute* attribute, Slice subject) {
  SubjectText text;
  if (type == nullptr) return text;
  std::vector<Value> key;
  for (const schema::KeyPart& part : SubjectParts(*type)) {
    if (!schema::TakeKeyPart(subject, part, &key.emplace_back())) return text;
  }
  text.key = Value::Text(key.size() == 1 ? ToText(key.front()) : DescribeKey(key));
  if (attribute != nullptr && attribute->merge == schema::MergeKind::kSet) {
    if (!schema::TakeKeyPart(subject, ElementPart(*attribute), &text.element)) return text;
  }
  return text;
}

Status ScanTriples(const ReadView& view, const schema::Schema& schema, const VisitRow& visit) {
  const std::string prefix(1, schema::kFactSpace);
  const std::unique_ptr<lsm::Iterator> facts =
      view.NewIterator({.start = prefix, .limit = schema::PrefixLimit(prefix)});
  for (facts->SeekToFirst(); facts->Valid(); facts->Next()) {
    schema::FactName name;
    schema::Cell cell;
    if (!schema::ParseFactKey(facts->key(), &name)) return BadEntry("a key");
    if (schema::IsSystemType(name.type)) continue;
    if (!schema::DecodeCell(facts->value(), &cell)) return BadEntry("a cell");
    const Type* type = FindAnyType(schema, name.type);
    const Attribute* attribute =
        type == nullptr ? nullptr : FindAnyAttribute(*type, name.attribute);
    const SubjectText subject = Describe(type, attribute, name.subject);
    const Value row[] = {
        Value::Int(ToNumber(name.type)),
        Value::Int(ToNumber(name.attribute)),
        Value::Bytes(name.subject.view()),
        type == nullptr ? Value() : Value::Text(type->name),
        attribute == nullptr ? Value() : Value::Text(attribute->name),
        subject.key,
        subject.element.is_null() ? cell.value : subject.element,
        Value::Bool(cell.retracted),
        Value::Timestamp(crdt::WallMicrosOf(cell.stamp.time)),
        Value::Int(cell.stamp.site),
    };
    if (!visit(row)) return Ok();
  }
  return facts->status();
}

Status ScanCommits(const ReadView& view, const VisitRow& visit) {
  const std::string prefix(1, schema::kCommitSpace);
  const std::unique_ptr<lsm::Iterator> commits =
      view.NewIterator({.start = prefix, .limit = schema::PrefixLimit(prefix)});
  for (commits->SeekToFirst(); commits->Valid(); commits->Next()) {
    Version version;
    if (!schema::ParseCommitKey(commits->key(), &version) || commits->value().size() != 8) {
      return BadEntry("a commit record");
    }
    const auto micros = static_cast<std::int64_t>(LoadFixed64(commits->value().data()));
    const Value row[] = {Value::Int(static_cast<std::int64_t>(ToNumber(version))),
                         Value::Timestamp(micros)};
    if (!visit(row)) return Ok();
  }
  return commits->status();
}

Value TimeOf(const crdt::HeadTimes& times, const crdt::SiteId& site) {
  const auto found = times.find(site);
  return found == times.end() ? Value() : Value::Timestamp(crdt::WallMicrosOf(found->second));
}

Value NumberOf(std::uint64_t number) { return Value::Int(static_cast<std::int64_t>(number)); }

Status ScanSites(const SystemState& state, const VisitRow& visit) {
  const crdt::SiteId own = state.engine->own_site();
  const Result<SiteLog> log = SiteLog::Read(state.view, own);
  if (!log) return log.error();
  const Result<crdt::Peers> peers = ReadPeers(state.view);
  if (!peers) return peers.error();
  std::vector<crdt::SiteOrdinal> ordinals(log->sites().size());
  std::iota(ordinals.begin(), ordinals.end(), crdt::SiteOrdinal{0});
  std::ranges::sort(ordinals, {}, [&](crdt::SiteOrdinal i) { return log->sites().Of(i); });
  for (const crdt::SiteOrdinal ordinal : ordinals) {
    const crdt::SiteId& site = log->sites().Of(ordinal);
    const auto peer = peers->find(site.uuid);
    const Value row[] = {
        Value::Uuid({reinterpret_cast<const char*>(site.uuid.data()), site.uuid.size()}),
        Value::Int(site.incarnation),
        Value::Int(ordinal),
        NumberOf(crdt::HeadOf(log->heads(), site)),
        NumberOf(crdt::HeadOf(log->floors(), site)),
        TimeOf(log->times(), site),
        Value::Bool(site == own),
        peer == peers->end() ? Value() : Value::Timestamp(peer->second.heard_micros),
    };
    if (!visit(row)) break;
  }
  return Ok();
}

Status ScanLevels(const Engine& engine, const VisitRow& visit) {
  std::int64_t number = 0;
  for (const lsm::LevelStats& level : engine.store().Stats().levels) {
    const Value row[] = {Value::Int(number++), NumberOf(level.files), NumberOf(level.bytes),
                         NumberOf(level.entries)};
    if (!visit(row)) break;
  }
  return Ok();
}

}  // namespace

Status ScanComputed(const SystemState& state, TypeId type, const VisitRow& visit) {
  Check(schema::IsComputed(type), "only computed tables are read off the keys");
  if (type == schema::kSysTriple) return ScanTriples(state.view, state.schema, visit);
  if (type == schema::kSysCommit) return ScanCommits(state.view, visit);
  if (type == schema::kSysViolation) return ScanViolations(state.view, state.schema, visit);
  Check(state.engine != nullptr, "what shows the process is read with its engine");
  if (type == schema::kSysSite) return ScanSites(state, visit);
  if (type == schema::kSysLevel) return ScanLevels(*state.engine, visit);
  state.engine->ScanLive(type, visit);
  return Ok();
}

Status AppendSiteChanges(const Engine& engine, const CommitDelta& delta,
                         std::span<const AttributeId> columns, dataflow::Batch& batch) {
  const auto append = [&](const Pinned& pinned, dataflow::Weight weight) {
    return ScanSites({&engine, pinned.view(), *pinned.schema()}, [&](std::span<const Value> row) {
      const std::span<Value> cut = batch.AddRow(weight);
      for (std::size_t i = 0; i < cut.size(); ++i) cut[i] = row[ToNumber(columns[i]) - 1];
      return true;
    });
  };
  if (Status before = append(*delta.before, -1); !before) return before;
  return append(*delta.after, 1);
}

}  // namespace trefoil::db
