#include "tests/support/query_generator.h"

#include <algorithm>

#include "base/str_cat.h"
#include "query/printer.h"

namespace trefoil::testing {

namespace {

constexpr std::uint32_t kKeysMax = 7;

Value RandomValue(Choices& choices, const GeneratedColumn& column, bool is_key) {
  static const std::vector<std::string> kTexts = {"a", "b", "", "ab", "B", "a%", "_", "ba"};
  if (!is_key && choices.OneIn(4)) return {};
  if (is_key) {
    const std::uint32_t number = choices.Pick(kKeysMax);
    return column.kind == ValueKind::kText ? Value::Text(StrCat("k", number)) : Value::Int(number);
  }
  switch (column.kind) {
    case ValueKind::kInt:
      return Value::Int(static_cast<int>(choices.Pick(column.target ? kKeysMax + 1 : 5)) -
                        (!column.target && choices.OneIn(5) ? 3 : 0));
    case ValueKind::kFloat:
      return Value::Float(choices.Pick(7) * 0.5 - 1);
    case ValueKind::kBool:
      return Value::Bool(choices.Pick(2) == 1);
    case ValueKind::kDate:
      return Value::Date(19000 + choices.Pick(4));
    case ValueKind::kDecimal:
      return Value::Decimal(static_cast<int>(choices.Pick(5)) * 50 - 50, 2);
    default:
      if (column.target) return Value::Text(StrCat("k", choices.Pick(kKeysMax + 1)));
      return Value::Text(kTexts[choices.Pick(static_cast<std::uint32_t>(kTexts.size()))]);
  }
}

GeneratedTable MakeTable(Choices& choices, std::size_t number,
                         const std::vector<GeneratedTable>& others, bool plain_sql) {
  GeneratedTable table{.name = StrCat("t", number), .columns = {}, .declarations = {}};
  table.key_count = 1 + (choices.OneIn(4) ? 1 : 0);
  for (std::size_t i = 0; i < table.key_count; ++i) {
    table.columns.push_back(
        {.name = StrCat("k", i), .kind = choices.OneIn(4) ? ValueKind::kText : ValueKind::kInt});
  }
  using enum ValueKind;
  static const std::vector<ValueKind> kKinds = {kInt, kText, kInt, kFloat, kBool, kDate, kDecimal};
  const std::uint32_t kind_count = plain_sql ? 5 : 7;
  const std::size_t count = 2 + choices.Pick(3);
  for (std::size_t i = 0; i < count; ++i) {
    table.columns.push_back(
        {.name = StrCat(static_cast<char>('a' + i)), .kind = kKinds[choices.Pick(kind_count)]});
  }
  for (std::size_t target = 0; target <= others.size(); ++target) {
    const GeneratedTable& to = target < others.size() ? others[target] : table;
    if (to.key_count != 1 || choices.Pick(2) == 0) continue;
    table.columns.push_back(
        {.name = StrCat("r", target), .kind = to.columns[0].kind, .target = target});
  }
  return table;
}

void Declare(Choices& choices, const std::vector<GeneratedTable>& tables, GeneratedTable& table) {
  std::string text = StrCat("TABLE ", table.name, " (");
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const GeneratedColumn& column = table.columns[i];
    const std::string type = column.target ? StrCat("REF ", tables[*column.target].name)
                             : column.kind == ValueKind::kDecimal
                                 ? "DECIMAL(8,2)"
                                 : std::string(KindName(column.kind));
    text += StrCat(i == 0 ? "" : ", ", column.name, " ", type);
    if (i >= table.key_count && choices.OneIn(4)) text += " INDEX";
  }
  text += ", KEY (k0";
  if (table.key_count == 2) text += ", k1";
  table.declarations.push_back(text + "))");
  if (!choices.OneIn(3)) return;
  const auto some_column = [&] {
    return table.columns[choices.Pick(static_cast<std::uint32_t>(table.columns.size()))].name;
  };
  const std::string first = some_column();
  const std::string second = some_column();
  text = StrCat("INDEX i_", table.name, " ON ", table.name, " (", first);
  if (choices.OneIn(2)) text += " DESC";
  if (second != first) text += StrCat(", ", second);
  if (second != first && choices.OneIn(2)) text += " DESC";
  table.declarations.push_back(text + ")");
}

std::string Literals(const std::vector<Value>& values) {
  std::string text;
  for (const Value& value : values) {
    text += StrCat(text.empty() ? "" : ", ", query::PrintLiteral(value));
  }
  return text;
}

// Remembers which rows there are, so that each statement says what it means.
class Writer {
 public:
  Writer(Choices& choices, const std::vector<GeneratedTable>& tables)
      : choices_(choices), tables_(tables) {}

  GeneratedWrite Write() {
    const std::size_t number = choices_.Pick(static_cast<std::uint32_t>(tables_.size()));
    const GeneratedTable& table = tables_[number];
    GeneratedWrite write{.table = number, .key = {}, .row = {}, .statement = {}};
    std::vector<Value> row;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      row.push_back(RandomValue(choices_, table.columns[i], i < table.key_count));
    }
    write.key.assign(row.begin(), row.begin() + static_cast<std::ptrdiff_t>(table.key_count));
    const auto known = rows_.find({number, write.key});
    if (known == rows_.end()) {
      write.statement = StrCat("INSERT INTO ", table.name, " VALUES (", Literals(row), ")");
    } else if (choices_.OneIn(3)) {
      write.statement = StrCat("DELETE FROM ", table.name, WhereKey(table, write.key));
      rows_.erase(known);
      return write;
    } else if (choices_.OneIn(4)) {
      write.statement = StrCat("UPSERT INTO ", table.name, " VALUES (", Literals(row), ")");
    } else {
      row = Update(table, known->second, row, write);
    }
    rows_[{number, write.key}] = row;
    write.row = std::move(row);
    return write;
  }

 private:
  static std::string WhereKey(const GeneratedTable& table, const std::vector<Value>& key) {
    std::string text;
    for (std::size_t i = 0; i < key.size(); ++i) {
      text += StrCat(i == 0 ? " WHERE " : " AND ", table.columns[i].name, " = ",
                     query::PrintLiteral(key[i]));
    }
    return text;
  }

  // Some columns take the values of `wanted`.
  std::vector<Value> Update(const GeneratedTable& table, std::vector<Value> row,
                            const std::vector<Value>& wanted, GeneratedWrite& write) {
    std::string assignments;
    for (std::size_t i = table.key_count; i < row.size(); ++i) {
      const bool is_last = i + 1 == row.size() && assignments.empty();
      if (!is_last && choices_.OneIn(2)) continue;
      row[i] = wanted[i];
      assignments += StrCat(assignments.empty() ? "" : ", ", table.columns[i].name, " = ",
                            query::PrintLiteral(row[i]));
    }
    write.statement =
        StrCat("UPDATE ", table.name, " SET ", assignments, WhereKey(table, write.key));
    return row;
  }

  Choices& choices_;
  const std::vector<GeneratedTable>& tables_;
  std::map<std::pair<std::size_t, std::vector<Value>>, std::vector<Value>> rows_;
};

}  // namespace

std::string GeneratedTable::ColumnList() const {
  std::string text;
  for (const GeneratedColumn& column : columns) {
    text += StrCat(text.empty() ? "" : ", ", column.name, " ", KindName(column.kind));
  }
  return text;
}

std::string GeneratedCase::Declarations() const {
  std::string text;
  for (const GeneratedTable& table : tables) {
    for (const std::string& declaration : table.declarations) text += declaration + ";\n";
  }
  return text;
}

std::string GeneratedCase::ToText() const {
  std::string text = Declarations();
  for (const GeneratedWrite& write : rows) text += write.statement + ";\n";
  for (const std::string& query : queries) text += "-- query\n" + query + ";\n";
  for (const std::vector<GeneratedWrite>& transaction : transactions) {
    text += "-- transaction\n";
    for (const GeneratedWrite& write : transaction) text += write.statement + ";\n";
  }
  return text;
}

GeneratedCase GenerateCase(Choices& choices, const GeneratorOptions& options) {
  GeneratedCase made;
  const std::size_t table_count = 1 + choices.Pick(3);
  for (std::size_t i = 0; i < table_count; ++i) {
    made.tables.push_back(MakeTable(choices, i, made.tables, options.plain_sql));
  }
  for (GeneratedTable& table : made.tables) Declare(choices, made.tables, table);
  for (std::size_t i = 0; i < options.query_count; ++i) {
    made.queries.push_back(GenerateQuery(choices, made.tables, options));
  }
  Writer writer(choices, made.tables);
  for (std::size_t i = choices.Pick(20); i > 0; --i) made.rows.push_back(writer.Write());
  for (std::size_t i = 0; i < options.transaction_count; ++i) {
    std::vector<GeneratedWrite>& transaction = made.transactions.emplace_back();
    const std::size_t count = 1 + (choices.OneIn(3) ? choices.Pick(6) : 0);
    for (std::size_t j = 0; j < count; ++j) transaction.push_back(writer.Write());
  }
  return made;
}

}  // namespace trefoil::testing
