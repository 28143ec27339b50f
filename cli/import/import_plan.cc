#include "cli/import/import_plan.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "cli/import/distinct_values.h"
#include "cli/import/name_hints.h"
#include "cli/progress.h"

namespace trefoil::cli {

namespace {

constexpr std::uint64_t kRowsPerProgress = 1024;

// Sees every value of one column, typed or not.
class ColumnScout {
 public:
  // `follows`: whether it matters which values there are.
  explicit ColumnScout(bool follows) : follows_(follows) {}

  void See(const Value& value, bool untyped) {
    if (value.is_null()) {
      has_nulls_ = true;
      return;
    }
    has_values_ = true;
    kinds_ |= KindBit(untyped ? ValueKind::kNull : value.kind());
    if (value.kind() == ValueKind::kText) {
      type_.See(value.AsText());
      if (follows_) values_.See(value.AsText());
    } else if (follows_) {
      values_.See(ToText(value));
    }
  }

  ColumnPlan Plan(std::string name) const {
    return {.name = std::move(name),
            .type = TypeOf(),
            .references = {},
            .unique = follows_ && has_values_ && !has_nulls_ && values_.all_distinct()};
  }
  const DistinctValues& values() const { return values_; }
  bool follows() const { return follows_; }

 private:
  static std::uint32_t KindBit(ValueKind kind) { return 1U << static_cast<unsigned>(kind); }

  // Texts of a typed format are never numbers or booleans; they may be times and identifiers.
  SniffedType TypeOf() const {
    if (kinds_ == 0 || kinds_ == KindBit(ValueKind::kNull)) return type_.type();
    if (kinds_ == KindBit(ValueKind::kText)) {
      const SniffedType guess = type_.type();
      const bool is_number = guess.kind == ValueKind::kInt || guess.kind == ValueKind::kFloat ||
                             guess.kind == ValueKind::kDecimal || guess.kind == ValueKind::kBool;
      return is_number ? SniffedType{} : guess;
    }
    if (std::has_single_bit(kinds_)) {
      return {.kind = static_cast<ValueKind>(std::countr_zero(kinds_))};
    }
    if (kinds_ == (KindBit(ValueKind::kInt) | KindBit(ValueKind::kFloat))) {
      return {.kind = ValueKind::kFloat};
    }
    return {};
  }

  bool follows_;
  bool has_nulls_ = false;
  bool has_values_ = false;
  std::uint32_t kinds_ = 0;  // one bit a kind; that of kNull stands for an untyped text
  TypeSniffer type_;
  DistinctValues values_;
};

// The sources with all that was seen of them.
struct Scouted {
  std::vector<TablePlan> plans;
  std::vector<std::vector<ColumnScout>> scouts;  // by source and column
};

Error BadRecord(const RecordReader& reader, std::string message) {
  return {.code = ErrorCode::kDuplicateKey, .message = reader.Place() + ": " + std::move(message)};
}

std::vector<std::string> TablesOf(std::span<const ImportSource> sources) {
  std::vector<std::string> tables;
  for (const ImportSource& source : sources) tables.push_back(source.table);
  return tables;
}

bool MayBeKey(const ImportSource& source, std::size_t column) {
  return column == 0 || LooksLikeKeyOf(source.reader->columns()[column], source.table);
}

// Whether it can matter which values a column holds: following them costs memory and time.
bool MustFollow(std::span<const ImportSource> sources, const ImportSource& source,
                std::size_t column, const ImportHints& hints) {
  const std::string& name = source.reader->columns()[column];
  if (MayBeKey(source, column) || Lower(name) == Lower(hints.key)) return true;
  if (!HintedTables(name, source.table, TablesOf(sources)).empty()) return true;
  return std::ranges::any_of(sources, [&](const ImportSource& other) {
    const std::vector<std::string>& names = other.reader->columns();
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (MayBeKey(other, i) && Lower(names[i]) == Lower(name)) return true;
    }
    return false;
  });
}

Result<TablePlan> Scout(ImportSource& source, std::vector<ColumnScout>& scouts) {
  RecordReader& reader = *source.reader;
  Progress progress("reading " + source.table, reader.Total());
  TablePlan plan{.table = source.table};
  const bool untyped = reader.is_untyped();
  std::vector<Value> record;
  while (true) {
    const Result<bool> more = reader.Next(&record);
    if (!more) return more.error();
    if (!*more) break;
    if (++plan.rows % kRowsPerProgress == 0) progress.Update(reader.Done(), plan.rows);
    for (std::size_t i = 0; i < record.size(); ++i) scouts[i].See(record[i], untyped);
  }
  for (std::size_t i = 0; i < scouts.size(); ++i) {
    plan.columns.push_back(scouts[i].Plan(reader.columns()[i]));
  }
  if (Status rewound = reader.Rewind(); !rewound) return std::move(rewound).error();
  return plan;
}

enum class Unique { kYes, kNo, kUnknown };

// Whether the values of these columns together are there, and once, in every record. At kNo the
// reader stands at the record that shows it.
Result<Unique> IsUniqueTogether(RecordReader& reader, const std::vector<std::size_t>& columns) {
  DistinctValues seen;
  std::vector<Value> record;
  std::string together;
  std::uint64_t count = 0;
  while (++count <= DistinctValues::kValuesMax) {
    const Result<bool> more = reader.Next(&record);
    if (!more) return more.error();
    if (!*more) return Unique::kYes;
    together.clear();
    for (const std::size_t column : columns) {
      if (record[column].is_null()) return Unique::kNo;
      const std::string text = ToText(record[column]);
      together += std::to_string(text.size()) + ":" + text;
    }
    seen.See(together);
    if (!seen.all_distinct()) return Unique::kNo;
  }
  return Unique::kUnknown;
}

bool CanBeKey(const ColumnPlan& column) {
  return column.unique && column.type.kind != ValueKind::kFloat &&
         column.type.kind != ValueKind::kJson;
}

Result<std::vector<std::size_t>> FindKey(const TablePlan& plan, RecordReader& reader) {
  for (std::size_t i = 0; i < plan.columns.size(); ++i) {
    if (LooksLikeKeyOf(plan.columns[i].name, plan.table) && CanBeKey(plan.columns[i])) {
      return std::vector<std::size_t>{i};
    }
  }
  // A junction table: nothing but references, unique together.
  std::vector<std::size_t> all(plan.columns.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  const bool junction = all.size() >= 2 && std::ranges::all_of(plan.columns, [](const auto& c) {
                          return EndsLikeReference(c.name);
                        });
  if (junction) {
    const Result<Unique> unique = IsUniqueTogether(reader, all);
    if (!unique) return unique.error();
    if (Status rewound = reader.Rewind(); !rewound) return std::move(rewound).error();
    if (*unique == Unique::kYes) return all;
  }
  if (!plan.columns.empty() && plan.rows > 1 && CanBeKey(plan.columns[0]) &&
      plan.columns[0].type.kind == ValueKind::kInt) {
    return std::vector<std::size_t>{0};
  }
  return std::vector<std::size_t>{};
}

Result<std::vector<std::size_t>> HintedKey(const TablePlan& plan, RecordReader& reader,
                                           std::string_view names) {
  std::vector<std::size_t> key;
  while (!names.empty()) {
    const std::size_t comma = std::min(names.find(','), names.size());
    const std::string name(names.substr(0, comma));
    names.remove_prefix(std::min(comma + 1, names.size()));
    const auto found = std::ranges::find_if(
        plan.columns, [&](const ColumnPlan& column) { return Lower(column.name) == Lower(name); });
    if (found == plan.columns.end()) {
      return Error{
          .code = ErrorCode::kUnknownColumn,
          .message = reader.Place() + ": no column of " + plan.table + " is named '" + name + "'"};
    }
    key.push_back(static_cast<std::size_t>(found - plan.columns.begin()));
  }
  const Result<Unique> unique = IsUniqueTogether(reader, key);
  if (!unique) return unique.error();
  if (*unique == Unique::kNo) {
    return BadRecord(reader, "the key of " + plan.table + " is missing, or stands there twice");
  }
  if (Status rewound = reader.Rewind(); !rewound) return std::move(rewound).error();
  return key;
}

// The first table at which the column's name hints and whose keys hold all its values.
std::string FindReference(const Scouted& scouted, std::size_t table, std::size_t column,
                          std::span<const std::string> tables) {
  const TablePlan& owner = scouted.plans[table];
  const ColumnPlan& plan = owner.columns[column];
  const ColumnScout& scout = scouted.scouts[table][column];
  if (!scout.follows()) return {};
  std::vector<std::string> candidates = HintedTables(plan.name, owner.table, tables);
  // A column named as another table's key.
  const std::string name = Lower(plan.name);
  for (const TablePlan& target : scouted.plans) {
    if (target.key.size() != 1 || name == "id" || name == "key") continue;
    if (Lower(target.columns[target.key[0]].name) == name) candidates.push_back(target.table);
  }
  for (const std::string& candidate : candidates) {
    const auto target = std::ranges::find(scouted.plans, candidate, &TablePlan::table);
    if (target == scouted.plans.end() || target->key.size() != 1) continue;
    const std::size_t key = target->key[0];
    const bool is_own_key = candidate == owner.table && key == column;
    if (is_own_key || target->columns[key].type.kind != plan.type.kind) continue;
    const auto place = static_cast<std::size_t>(target - scouted.plans.begin());
    if (scouted.scouts[place][key].values().Includes(scout.values())) return candidate;
  }
  return {};
}

// Whether a row refers to one of the same table that stands behind it.
Result<bool> RefersForward(const TablePlan& plan, RecordReader& reader) {
  std::vector<std::size_t> own;
  for (std::size_t i = 0; i < plan.columns.size(); ++i) {
    if (plan.columns[i].references == plan.table) own.push_back(i);
  }
  if (own.empty()) return false;
  DistinctValues seen;
  std::vector<Value> record;
  bool forward = false;
  while (!forward) {
    const Result<bool> more = reader.Next(&record);
    if (!more) return more.error();
    if (!*more) break;
    seen.See(ToText(record[plan.key[0]]));
    forward = std::ranges::any_of(own, [&](std::size_t column) {
      return !record[column].is_null() && !seen.Contains(ToText(record[column]));
    });
  }
  if (Status rewound = reader.Rewind(); !rewound) return std::move(rewound).error();
  return forward;
}

}  // namespace

Result<std::vector<TablePlan>> PlanImport(std::span<ImportSource> sources,
                                          const ImportHints& hints) {
  const std::vector<std::string> tables = TablesOf(sources);
  Scouted scouted;
  for (ImportSource& source : sources) {
    std::vector<ColumnScout>& scouts = scouted.scouts.emplace_back();
    for (std::size_t i = 0; i < source.reader->columns().size(); ++i) {
      scouts.emplace_back(MustFollow(sources, source, i, hints));
    }
    Result<TablePlan> plan = Scout(source, scouts);
    if (!plan) return std::move(plan).error();
    Result<std::vector<std::size_t>> key = hints.key.empty()
                                               ? FindKey(*plan, *source.reader)
                                               : HintedKey(*plan, *source.reader, hints.key);
    if (!key) return std::move(key).error();
    plan->key = *std::move(key);
    scouted.plans.push_back(*std::move(plan));
  }
  for (std::size_t table = 0; table < scouted.plans.size(); ++table) {
    TablePlan& plan = scouted.plans[table];
    for (std::size_t i = 0; i < plan.columns.size(); ++i) {
      plan.columns[i].references = FindReference(scouted, table, i, tables);
    }
    const Result<bool> forward = RefersForward(plan, *sources[table].reader);
    if (!forward) return forward.error();
    plan.refers_forward = *forward;
  }
  return std::move(scouted.plans);
}

std::vector<std::size_t> LoadOrder(std::span<const TablePlan> plans) {
  std::vector<std::size_t> order;
  std::vector<bool> placed(plans.size(), false);
  const auto is_ready = [&](const TablePlan& plan) {
    return std::ranges::all_of(plan.columns, [&](const ColumnPlan& column) {
      if (column.references.empty() || column.references == plan.table) return true;
      const auto target = std::ranges::find(plans, column.references, &TablePlan::table);
      return target == plans.end() || placed[static_cast<std::size_t>(target - plans.begin())];
    });
  };
  while (order.size() < plans.size()) {
    const std::size_t before = order.size();
    for (std::size_t i = 0; i < plans.size(); ++i) {
      if (placed[i] || !is_ready(plans[i])) continue;
      placed[i] = true;
      order.push_back(i);
    }
    if (order.size() > before) continue;
    // Tables that refer to each other in a circle: in the order given.
    const auto next = std::ranges::find(placed, false);
    *next = true;
    order.push_back(static_cast<std::size_t>(next - placed.begin()));
  }
  return order;
}

std::string QuotedName(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

std::string Declaration(const TablePlan& plan) {
  std::string text = "TABLE " + QuotedName(plan.table) + " (";
  for (std::size_t i = 0; i < plan.columns.size(); ++i) {
    const ColumnPlan& column = plan.columns[i];
    if (i > 0) text += ", ";
    text += QuotedName(column.name) + " ";
    text +=
        column.references.empty() ? TypeText(column.type) : "REF " + QuotedName(column.references);
    if (plan.key == std::vector{i}) text += " KEY";
  }
  if (plan.key.size() > 1) {
    text += ", KEY (";
    for (std::size_t i = 0; i < plan.key.size(); ++i) {
      if (i > 0) text += ", ";
      text += QuotedName(plan.columns[plan.key[i]].name);
    }
    text += ")";
  }
  return text + ")";
}

}  // namespace trefoil::cli
