// The first step of a commit: every reference that the transaction has written names a row.
#include <algorithm>
#include <boost/container/small_vector.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <utility>

#include "base/errors.h"
#include "base/str_cat.h"
#include "crdt/move_tree.h"
#include "db/engine.h"
#include "schema/cell.h"
#include "schema/convert.h"
#include "schema/keys.h"

namespace trefoil::db {

namespace {

constexpr std::size_t kFew = 16;  // references that are asked for as they come, once or not

// The key that a reference holds.
std::span<const Value> KeyOf(const Value& reference) {
  return reference.kind() == ValueKind::kRef ? reference.items() : std::span(&reference, 1);
}

struct TargetHash {
  std::size_t operator()(const std::pair<TypeId, Value>& target) const {
    return target.second.Hash() + ToNumber(target.first);
  }
};

// The rows on a cycle, as far as a message can hold them.
std::string DescribeRows(const schema::Type& type, std::span<const std::string> subjects) {
  constexpr std::size_t kShownMax = 8;
  std::string text;
  for (const std::string& subject : subjects.first(std::min(subjects.size(), kShownMax))) {
    const Result<std::vector<Value>> key = DecodeSubject(type, Slice(subject));
    text += StrCat(text.empty() ? "" : ", ", key ? DescribeKey(*key) : "?");
  }
  return subjects.size() > kShownMax ? text + ", ..." : text;
}

// The row must not lie on its own way up. The way is the one that moves have made, whatever readers
// see of it, because every replica replays it so (crdt/move_tree.h).
Status CheckAcyclic(const ReadView& view, const schema::Type& type,
                    const schema::Attribute& attribute, const std::string& row) {
  std::vector<std::string> way = {row};
  for (;;) {
    const std::string key = schema::FactKey(type.id, attribute.id, Slice(way.back()));
    Result<std::optional<std::string>> cell = view.Get(Slice(key));
    if (!cell) return std::move(cell).error();
    if (!*cell) return Ok();
    Value parent;
    if (!crdt::DecodeParent(Slice(**cell), &parent)) {
      return Corruption("a cell does not read", "run `trefoil check`");
    }
    std::string up = crdt::SubjectOfParent(parent);
    if (up.empty()) return Ok();
    if (up == row) break;
    way.push_back(std::move(up));
  }
  return MakeError(
      ErrorCode::kReferenceViolation,
      StrCat("column \"", type.name, ".", attribute.name,
             "\" is ACYCLIC, and each of these rows would lie below the next, the last "
             "below the first: ",
             DescribeRows(type, way)),
      "move one of them elsewhere first");
}

Error DanglingReference(const schema::Schema& schema, const ReferenceCheck& check) {
  const schema::Type* from = schema.FindType(check.from);
  const schema::Attribute* attribute = from == nullptr ? nullptr : from->Find(check.attribute);
  return MakeError(ErrorCode::kReferenceViolation,
                   StrCat("column \"", from == nullptr ? "?" : from->name, ".",
                          attribute == nullptr ? "?" : attribute->name, "\" refers to ",
                          DescribeKey(KeyOf(check.value)), ", which is no row of table \"",
                          schema.FindType(check.target)->name, "\""),
                   "insert the row first, or in the same transaction");
}

// The keys of the row cells that references name, one after the other.
struct RowCells {
  Slice operator[](std::size_t i) const {
    const std::size_t start = i == 0 ? 0 : ends[i - 1];
    return {bytes.data() + start, ends[i] - start};
  }

  std::string bytes;
  boost::container::small_vector<std::size_t, kFew> ends;
  boost::container::small_vector<std::size_t, kFew> of_check;  // which one each reference names
};

}  // namespace

// A reference in a row that was deleted again, or overwritten, still has to name a row. The rows
// that nobody knows are asked for together, each once, so that their look-ups overlap.
Status Engine::CheckReferences(WriteTransaction& transaction) const {
  const std::vector<ReferenceCheck>& checks = transaction.writer_.references();
  if (checks.empty()) return Ok();
  RowCells cells;
  boost::unordered_flat_map<std::pair<TypeId, Value>, std::size_t, TargetHash> asked;
  for (const ReferenceCheck& check : checks) {
    cells.of_check.push_back(cells.ends.size());
    if (checks.size() > kFew) {
      const auto [at, is_new] = asked.try_emplace({check.target, check.value}, cells.ends.size());
      cells.of_check.back() = at->second;
      if (!is_new) continue;
    }
    // The key of a type that is not declared any more is empty, and that of a row beyond the part:
    // those check it who hold it.
    if (const schema::Type* target = transaction.schema_->FindType(check.target)) {
      Result<std::string> subject = EncodeSubject(*target, KeyOf(check.value));
      if (!subject) return std::move(subject).error();
      if (part_.Holds(target->id, Slice(*subject))) {
        cells.bytes.append(transaction.layouts_->Of(*target).row_cell_prefix).append(*subject);
      }
    }
    cells.ends.push_back(cells.bytes.size());
  }
  boost::container::small_vector<bool, kFew> exists(cells.ends.size());
  boost::container::small_vector<Slice, kFew> unknown;
  boost::container::small_vector<std::size_t, kFew> places;  // of the unknown ones
  const OverlayView& view = transaction.view_;
  const Version base = transaction.base_->version();
  for (std::size_t i = 0; i < cells.ends.size(); ++i) {
    const Slice key = cells[i];
    exists[i] = key.empty() || (known_rows_.Has(key, base) && view.NoteReadOfBase(key));
    if (exists[i]) continue;
    unknown.push_back(key);
    places.push_back(i);
  }
  Status read = view.MultiGet({unknown.data(), unknown.size()},
                              [&](std::size_t i, std::optional<Slice> cell) {
                                if (!cell || schema::IsRetracted(*cell)) return;
                                exists[places[i]] = true;
                                if (view.writes().Find(unknown[i]) == nullptr)
                                  known_rows_.Add(unknown[i], base);
                              });
  if (!read) return read;
  for (std::size_t i = 0; i < checks.size(); ++i) {
    if (!exists[cells.of_check[i]]) return DanglingReference(*transaction.schema_, checks[i]);
    if (!checks[i].acyclic) continue;
    const schema::Type* from = transaction.schema_->FindType(checks[i].from);
    const schema::Attribute* attribute =
        from == nullptr ? nullptr : from->Find(checks[i].attribute);
    if (attribute == nullptr) continue;
    Status checked = CheckAcyclic(transaction.view_, *from, *attribute, checks[i].subject);
    if (!checked) return checked;
  }
  return Ok();
}

}  // namespace trefoil::db
