#include "cli/import/import_plan.h"

#include <algorithm>
#include <utility>

namespace trefoil::cli {

namespace {

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

// Sees every value of one column, typed or not.
class ColumnScout {
 public:
  void See(const Value& value, bool untyped) {
    if (value.is_null()) {
      text_.See(std::nullopt);
      return;
    }
    text_.See(ToText(value));
    kinds_.insert(untyped ? ValueKind::kNull : value.kind());
  }

  ColumnPlan Plan(std::string name) const {
    ColumnPlan plan{.name = std::move(name)};
    plan.unique = text_.is_unique();
    if (text_.values() != nullptr) plan.values = *text_.values();
    plan.type = TypeOf();
    plan.is_json = plan.type.kind == ValueKind::kJson;
    return plan;
  }

 private:
  // Texts of a typed format are never numbers or booleans; they may be times and identifiers.
  SniffedType TypeOf() const {
    if (kinds_.empty() || kinds_.contains(ValueKind::kNull)) return text_.type();
    if (kinds_.size() == 1) {
      const ValueKind kind = *kinds_.begin();
      if (kind != ValueKind::kText) return {.kind = kind};
      const SniffedType guess = text_.type();
      const bool is_number = guess.kind == ValueKind::kInt || guess.kind == ValueKind::kFloat ||
                             guess.kind == ValueKind::kDecimal || guess.kind == ValueKind::kBool;
      return is_number ? SniffedType{} : guess;
    }
    if (kinds_ == std::set{ValueKind::kInt, ValueKind::kFloat}) return {.kind = ValueKind::kFloat};
    return {};
  }

  ColumnSniffer text_;
  std::set<ValueKind> kinds_;  // kNull stands for an untyped text
};

Error BadRecord(const RecordReader& reader, std::string message) {
  return {.code = ErrorCode::kDuplicateKey, .message = reader.Place() + ": " + std::move(message)};
}

Result<TablePlan> Scout(ImportSource& source) {
  RecordReader& reader = *source.reader;
  std::vector<ColumnScout> scouts(reader.columns().size());
  TablePlan plan{.table = source.table};
  std::vector<Value> record;
  while (true) {
    const Result<bool> more = reader.Next(&record);
    if (!more) return more.error();
    if (!*more) break;
    ++plan.rows;
    for (std::size_t i = 0; i < record.size(); ++i) {
      scouts[i].See(record[i], reader.is_untyped());
    }
  }
  for (std::size_t i = 0; i < scouts.size(); ++i) {
    plan.columns.push_back(scouts[i].Plan(reader.columns()[i]));
  }
  if (Status rewound = reader.Rewind(); !rewound) return std::move(rewound).error();
  return plan;
}

// Whether the values of these columns together are unique in the source.
Result<bool> IsUniqueTogether(RecordReader& reader, const std::vector<std::size_t>& columns) {
  std::set<std::vector<Value>> seen;
  std::vector<Value> record;
  bool unique = true;
  while (unique) {
    const Result<bool> more = reader.Next(&record);
    if (!more) return more.error();
    if (!*more) break;
    std::vector<Value> key;
    for (const std::size_t column : columns) key.push_back(record[column]);
    unique = std::ranges::none_of(key, &Value::is_null) && seen.insert(std::move(key)).second;
  }
  if (Status rewound = reader.Rewind(); !rewound) return std::move(rewound).error();
  return unique;
}

// `id`, `track_id` or `TrackId` for a table Track.
bool LooksLikeKeyOf(std::string_view column, std::string_view table) {
  const std::string name = Lower(column);
  const std::string owner = Lower(table);
  return name == "id" || name == owner + "id" || name == owner + "_id" || name == "key" ||
         name == "uuid";
}

bool CanBeKey(const ColumnPlan& column) {
  return column.unique && column.type.kind != ValueKind::kFloat &&
         column.type.kind != ValueKind::kJson;
}

bool EndsLikeReference(std::string_view column) {
  const std::string name = Lower(column);
  return name.ends_with("id") && name.size() > 2;
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
    const Result<bool> unique = IsUniqueTogether(reader, all);
    if (!unique) return unique.error();
    if (*unique) return all;
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
    const std::string name = Lower(names.substr(0, comma));
    names.remove_prefix(std::min(comma + 1, names.size()));
    const auto found = std::ranges::find_if(
        plan.columns, [&](const ColumnPlan& column) { return Lower(column.name) == name; });
    if (found == plan.columns.end()) {
      return Error{.code = ErrorCode::kUnknownColumn,
                   .message = "table " + plan.table + " has no column '" + name + "'"};
    }
    key.push_back(static_cast<std::size_t>(found - plan.columns.begin()));
  }
  const Result<bool> unique = IsUniqueTogether(reader, key);
  if (!unique) return unique.error();
  if (!*unique) return BadRecord(reader, "the key of " + plan.table + " is missing or not unique");
  return key;
}

// Table whose one-column key `column` is named after and whose keys hold all its values.
std::string FindReference(const ColumnPlan& column, const TablePlan& owner,
                          std::span<const TablePlan> plans) {
  for (const TablePlan& target : plans) {
    if (target.key.size() != 1) continue;
    const ColumnPlan& key = target.columns[target.key[0]];
    const bool own_key = target.table == owner.table && key.name == column.name;
    const std::string name = Lower(column.name);
    const std::string table = Lower(target.table);
    const bool named = (name == Lower(key.name) && name != "id" && name != "key") ||
                       name == table + "id" || name == table + "_id" || name == table;
    if (own_key || !named || key.type.kind != column.type.kind) continue;
    if (!column.values || !key.values) continue;
    if (std::ranges::includes(*key.values, *column.values)) return target.table;
  }
  return {};
}

}  // namespace

Result<std::vector<TablePlan>> PlanImport(std::span<ImportSource> sources,
                                          const ImportHints& hints) {
  std::vector<TablePlan> plans;
  for (ImportSource& source : sources) {
    Result<TablePlan> plan = Scout(source);
    if (!plan) return std::move(plan).error();
    Result<std::vector<std::size_t>> key = hints.key.empty()
                                               ? FindKey(*plan, *source.reader)
                                               : HintedKey(*plan, *source.reader, hints.key);
    if (!key) return std::move(key).error();
    plan->key = *std::move(key);
    plans.push_back(*std::move(plan));
  }
  for (TablePlan& plan : plans) {
    for (ColumnPlan& column : plan.columns) {
      column.references = FindReference(column, plan, plans);
    }
  }
  return plans;
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
