#include "schema/catalogue.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <utility>

#include "base/errors.h"
#include "base/str_cat.h"

namespace trefoil::schema {

namespace {

constexpr std::string_view kMergeNames[] = {"register", "mv", "counter", "set", "max", "min"};
constexpr std::string_view kStandings[] = {"declared", "undeclared", "retired"};
enum class Standing { kDeclared, kUndeclared, kRetired };

struct Column {
  const char* name;
  ValueKind kind;
};

Type SystemType(TypeId id, const char* name, std::size_t key_fields,
                const std::vector<Column>& columns) {
  Type type = {.id = id, .name = name, .strict = true};
  for (const Column& column : columns) {
    const AttributeId attribute{static_cast<std::uint32_t>(type.attributes.size() + 1)};
    type.attributes.push_back(
        {.id = attribute, .name = column.name, .type = {.kind = column.kind}});
    if (type.key.size() < key_fields) type.key.push_back(attribute);
  }
  return type;
}

// Those that hold the schema.
std::vector<Type> MakeStoredTypes() {
  using enum ValueKind;
  return {
      SystemType(kSysType, "sys.type", 1,
                 {{"id", kInt},
                  {"name", kText},
                  {"strict", kBool},
                  {"key_fields", kText},
                  {"unique_fields", kText},
                  {"reserved", kText},
                  {"generated_key", kBool},
                  {"retired", kBool}}),
      SystemType(kSysAttribute, "sys.attribute", 2,
                 {{"type", kInt},
                  {"id", kInt},
                  {"name", kText},
                  {"kind", kText},
                  {"precision", kInt},
                  {"scale", kInt},
                  {"target", kInt},
                  {"merge", kText},
                  {"not_null", kBool},
                  {"acyclic", kBool},
                  {"default_expression", kText},
                  {"check_expression", kText},
                  {"position", kInt},
                  {"standing", kText}}),
      SystemType(kSysIndex, "sys.index", 1,
                 {{"id", kInt},
                  {"name", kText},
                  {"type", kInt},
                  {"columns", kText},
                  {"include", kText},
                  {"is_unique", kBool},
                  {"ready", kBool}}),
  };
}

std::vector<Type> MakeComputedTypes() {
  using enum ValueKind;
  return {
      SystemType(kSysTriple, "sys.triple", 3,
                 {{"type", kInt},
                  {"attribute", kInt},
                  {"subject", kBytes},
                  {"type_name", kText},
                  {"attribute_name", kText},
                  {"key", kText},
                  {"value", kNull},
                  {"retracted", kBool},
                  {"time", kTimestamp},
                  {"site", kInt}}),
      SystemType(kSysCommit, "sys.commit", 1, {{"version", kInt}, {"time", kTimestamp}}),
      SystemType(kSysViolation, "sys.violation", 4,
                 {{"type", kInt},
                  {"constraint", kText},
                  {"number", kInt},
                  {"subject", kBytes},
                  {"type_name", kText},
                  {"column", kText},
                  {"key", kText},
                  {"value", kNull},
                  {"owner", kText}}),
      SystemType(kSysSite, "sys.site", 2,
                 {{"id", kUuid},
                  {"incarnation", kInt},
                  {"ordinal", kInt},
                  {"head", kInt},
                  {"floor", kInt},
                  {"time", kTimestamp},
                  {"own", kBool},
                  {"heard", kTimestamp}}),
      SystemType(kSysLiveQuery, "sys.live_query", 2,
                 {{"plan", kInt},
                  {"binding", kInt},
                  {"text", kText},
                  {"parameters", kText},
                  {"subscriptions", kInt},
                  {"bindings", kInt},
                  {"rows", kInt},
                  {"bytes", kInt}}),
      SystemType(kSysOperator, "sys.operator", 2,
                 {{"plan", kInt},
                  {"id", kInt},
                  {"operator", kText},
                  {"inputs", kText},
                  {"steps", kInt},
                  {"changes", kInt},
                  {"rows", kInt},
                  {"bytes", kInt}}),
      SystemType(kSysLevel, "sys.level", 1,
                 {{"level", kInt}, {"files", kInt}, {"bytes", kInt}, {"entries", kInt}}),
  };
}

std::vector<Type> MakeSystemTypes() {
  std::vector<Type> types = MakeStoredTypes();
  for (Type& type : MakeComputedTypes()) types.push_back(std::move(type));
  return types;
}

// Lists of numbers are text such as "1,-2": commas between, a minus for descending.
std::string JoinNumbers(const std::vector<AttributeId>& ids) {
  std::string text;
  for (const AttributeId id : ids) {
    if (!text.empty()) text.push_back(',');
    text += StrCat(ToNumber(id));
  }
  return text;
}

bool ParseNumbers(std::string_view text, std::vector<std::int64_t>* numbers) {
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    std::int64_t number;
    const auto [end, error] = std::from_chars(text.data(), text.data() + comma, number);
    if (error != std::errc() || end != text.data() + comma) return false;
    numbers->push_back(number);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return true;
}

Value NumberOf(std::uint32_t number) { return Value::Int(number); }
Value TextOrNull(const std::string& text) { return text.empty() ? Value() : Value::Text(text); }

CatalogueRow TypeRow(const Type& type, bool retired) {
  std::string unique;
  for (const std::vector<AttributeId>& fields : type.unique) {
    if (!unique.empty()) unique.push_back(';');
    unique += JoinNumbers(fields);
  }
  return {kSysType,
          {NumberOf(ToNumber(type.id)), Value::Text(type.name), Value::Bool(type.strict),
           Value::Text(JoinNumbers(type.key)), TextOrNull(unique),
           TextOrNull(JoinNumbers(type.reserved)), Value::Bool(type.generated_key),
           Value::Bool(retired)}};
}

// An ACYCLIC attribute has a column of its own that says so.
std::string_view MergeName(MergeKind merge) {
  return kMergeNames[merge == MergeKind::kTree ? 0 : static_cast<std::size_t>(merge)];
}

CatalogueRow AttributeRow(const Type& type, const Attribute& a, std::size_t position,
                          Standing standing) {
  return {kSysAttribute,
          {NumberOf(ToNumber(type.id)), NumberOf(ToNumber(a.id)), Value::Text(a.name),
           Value::Text(a.type.is_any() ? "ANY" : KindName(a.type.kind)), NumberOf(a.type.precision),
           NumberOf(a.type.scale), a.type.target ? NumberOf(ToNumber(*a.type.target)) : Value(),
           Value::Text(MergeName(a.merge)), Value::Bool(a.not_null),
           Value::Bool(a.merge == MergeKind::kTree), TextOrNull(a.default_expression),
           TextOrNull(a.check_expression), Value::Int(static_cast<std::int64_t>(position)),
           Value::Text(kStandings[static_cast<std::size_t>(standing)])}};
}

CatalogueRow IndexRow(const Index& index) {
  std::string columns;
  for (const IndexColumn& column : index.columns) {
    if (!columns.empty()) columns.push_back(',');
    columns += StrCat(column.descending ? "-" : "", ToNumber(column.attribute));
  }
  return {kSysIndex,
          {NumberOf(ToNumber(index.id)), Value::Text(index.name), NumberOf(ToNumber(index.type)),
           Value::Text(columns), TextOrNull(JoinNumbers(index.include)), Value::Bool(index.unique),
           Value::Bool(index.ready)}};
}

void AppendTypeRows(std::vector<CatalogueRow>& rows, const Type& type, bool retired) {
  rows.push_back(TypeRow(type, retired));
  std::size_t position = 0;
  for (const Attribute& a : type.attributes) {
    rows.push_back(AttributeRow(type, a, position++, Standing::kDeclared));
  }
  for (const Attribute& a : type.undeclared) {
    rows.push_back(AttributeRow(type, a, position++, Standing::kUndeclared));
  }
  for (const Attribute& a : type.retired) {
    rows.push_back(AttributeRow(type, a, position++, Standing::kRetired));
  }
}

// Reads the columns of one catalogue row; any that do not fit make `ok` false. A missing fact
// reads as nothing, since a row from a peer may be older than the column.
class RowReader {
 public:
  explicit RowReader(const CatalogueRow& row) : row_(row) {}

  bool ok() const { return ok_; }
  std::uint32_t Number(std::size_t i) {
    const Value& value = At(i, ValueKind::kInt);
    if (value.is_null()) return 0;
    ok_ = ok_ && value.AsInt() >= 0 && value.AsInt() <= 0xFFFF'FFFF;
    return static_cast<std::uint32_t>(value.AsInt());
  }
  std::uint8_t SmallNumber(std::size_t i) {
    const std::uint32_t number = Number(i);
    ok_ = ok_ && number <= 18;
    return static_cast<std::uint8_t>(number);
  }
  std::string Text(std::size_t i) {
    const Value& value = At(i, ValueKind::kText);
    return value.is_null() ? std::string() : std::string(value.AsText());
  }
  bool Bool(std::size_t i) {
    const Value& value = At(i, ValueKind::kBool);
    return !value.is_null() && value.AsBool();
  }
  bool IsNull(std::size_t i) { return i >= row_.values.size() || row_.values[i].is_null(); }
  std::vector<std::int64_t> Signed(std::size_t i) {
    std::vector<std::int64_t> numbers;
    ok_ = ok_ && ParseNumbers(Text(i), &numbers);
    return numbers;
  }
  std::vector<AttributeId> Ids(std::string_view text) {
    std::vector<std::int64_t> numbers;
    ok_ = ok_ && ParseNumbers(text, &numbers);
    std::vector<AttributeId> ids;
    for (const std::int64_t number : numbers) {
      ok_ = ok_ && number > 0 && number <= 0xFFFF'FFFF;
      ids.push_back(AttributeId{static_cast<std::uint32_t>(number)});
    }
    return ids;
  }
  // Place of the text in `names`.
  std::size_t Choice(std::size_t i, std::span<const std::string_view> names) {
    const auto found = std::ranges::find(names, Text(i));
    if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
    ok_ = false;
    return 0;
  }

 private:
  const Value& At(std::size_t i, ValueKind kind) {
    static const Value kNothing;
    if (IsNull(i)) return kNothing;
    if (row_.values[i].kind() == kind) return row_.values[i];
    ok_ = false;
    return kNothing;
  }

  const CatalogueRow& row_;
  bool ok_ = true;
};

struct FoundType {
  Type type;
  bool retired = false;
  // By position, so that declaration order comes back.
  std::map<std::pair<std::uint32_t, AttributeId>, std::pair<Attribute, Standing>> attributes;
};

FoundType ReadType(RowReader& row) {
  FoundType found;
  found.type.id = TypeId{row.Number(0)};
  found.type.name = row.Text(1);
  found.type.strict = row.Bool(2);
  found.type.key = row.Ids(row.Text(3));
  const std::string unique = row.Text(4);
  for (std::size_t start = 0; start < unique.size();) {
    const std::size_t end = std::min(unique.find(';', start), unique.size());
    found.type.unique.push_back(row.Ids(std::string_view(unique).substr(start, end - start)));
    start = end + 1;
  }
  found.type.reserved = row.Ids(row.Text(5));
  found.type.generated_key = row.Bool(6);
  found.retired = row.Bool(7);
  return found;
}

ValueKind ReadKind(RowReader& row, std::size_t i) {
  const std::string name = row.Text(i);
  if (name == "ANY") return ValueKind::kNull;
  for (int k = static_cast<int>(ValueKind::kBool); k <= static_cast<int>(ValueKind::kJson); ++k) {
    if (KindName(static_cast<ValueKind>(k)) == name) return static_cast<ValueKind>(k);
  }
  row.Choice(i, {});
  return ValueKind::kNull;
}

Attribute ReadAttribute(RowReader& row) {
  Attribute attribute = {.id = AttributeId{row.Number(1)}, .name = row.Text(2)};
  attribute.type.kind = ReadKind(row, 3);
  attribute.type.precision = row.SmallNumber(4);
  attribute.type.scale = row.SmallNumber(5);
  if (!row.IsNull(6)) attribute.type.target = TypeId{row.Number(6)};
  attribute.merge = static_cast<MergeKind>(row.Choice(7, kMergeNames));
  attribute.not_null = row.Bool(8);
  if (row.Bool(9)) attribute.merge = MergeKind::kTree;
  attribute.default_expression = row.Text(10);
  attribute.check_expression = row.Text(11);
  return attribute;
}

Index ReadIndex(RowReader& row) {
  Index index = {.id = IndexId{row.Number(0)}, .name = row.Text(1), .type = TypeId{row.Number(2)}};
  for (const std::int64_t number : row.Signed(3)) {
    const std::int64_t magnitude = number < 0 ? -number : number;
    index.columns.push_back({.attribute = AttributeId{static_cast<std::uint32_t>(magnitude)},
                             .descending = number < 0});
  }
  index.include = row.Ids(row.Text(4));
  index.unique = row.Bool(5);
  index.ready = row.Bool(6);
  return index;
}

Type Assemble(FoundType& found) {
  for (auto& [position, entry] : found.attributes) {
    auto& [attribute, standing] = entry;
    switch (standing) {
      case Standing::kDeclared:
        found.type.attributes.push_back(std::move(attribute));
        break;
      case Standing::kUndeclared:
        found.type.undeclared.push_back(std::move(attribute));
        break;
      case Standing::kRetired:
        found.type.retired.push_back(std::move(attribute));
        break;
    }
  }
  return std::move(found.type);
}

// An index can be used only when its type and all its attributes are there.
bool IsComplete(const Index& index, const std::vector<Type>& types) {
  const auto type = std::ranges::find(types, index.type, &Type::id);
  if (type == types.end() || index.columns.empty()) return false;
  const auto known = [&](AttributeId id) { return type->Find(id) != nullptr; };
  return std::ranges::all_of(index.columns, known, &IndexColumn::attribute) &&
         std::ranges::all_of(index.include, known);
}

Error BadRow(const CatalogueRow& row) {
  std::string text;
  for (const Value& value : row.values) text += StrCat(text.empty() ? "" : ", ", ToText(value));
  return Corruption(StrCat("the catalogue has a row that does not read: (", text, ")"),
                    "run `trefoil check`");
}

}  // namespace

const std::vector<Type>& SystemTypes() {
  static const std::vector<Type> types = MakeSystemTypes();
  return types;
}

Schema EmptySchema() { return Schema(SystemTypes(), {}); }

std::vector<CatalogueRow> EncodeCatalogue(const Schema& schema) {
  std::vector<CatalogueRow> rows;
  for (const Type& type : schema.types()) {
    if (!IsSystemType(type.id)) AppendTypeRows(rows, type, false);
  }
  for (const Type& type : schema.retired_types()) AppendTypeRows(rows, type, true);
  for (const Index& index : schema.indexes()) rows.push_back(IndexRow(index));
  std::ranges::sort(rows, {}, [](const CatalogueRow& row) {
    return std::tuple(row.type, row.values[0], row.values[1]);
  });
  return rows;
}

Result<Schema> DecodeCatalogue(const std::vector<CatalogueRow>& rows) {
  std::map<TypeId, FoundType> found;
  for (const CatalogueRow& row : rows) {
    if (row.type != kSysType) continue;
    RowReader reader(row);
    FoundType type = ReadType(reader);
    if (!reader.ok() || type.type.name.empty()) return BadRow(row);
    found[type.type.id] = std::move(type);
  }
  std::vector<Index> indexes;
  for (const CatalogueRow& row : rows) {
    RowReader reader(row);
    if (row.type == kSysAttribute) {
      Attribute attribute = ReadAttribute(reader);
      const auto standing = static_cast<Standing>(reader.Choice(13, kStandings));
      const auto type = found.find(TypeId{reader.Number(0)});
      const std::pair place(reader.Number(12), attribute.id);
      if (!reader.ok()) return BadRow(row);
      if (type != found.end()) type->second.attributes[place] = {std::move(attribute), standing};
    } else if (row.type == kSysIndex) {
      indexes.push_back(ReadIndex(reader));
      if (!reader.ok()) return BadRow(row);
    }
  }
  std::vector<Type> types = SystemTypes();
  std::vector<Type> retired;
  for (auto& [id, type] : found) {
    std::vector<Type>& list = type.retired ? retired : types;
    list.push_back(Assemble(type));
  }
  std::erase_if(indexes, [&](const Index& index) { return !IsComplete(index, types); });
  return Schema(std::move(types), std::move(indexes), std::move(retired));
}

}  // namespace trefoil::schema
