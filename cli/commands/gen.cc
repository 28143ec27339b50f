// `trefoil gen cpp`: a struct for each table, with a reader from result rows whose columns are
// checked once, when the query is prepared.
#include <cctype>
#include <optional>
#include <utility>

#include "cli/commands/commands.h"
#include "cli/file_text.h"
#include "cli/import/import_plan.h"

namespace trefoil::cli {

namespace {

struct Field {
  std::string name;
  ValueKind kind;
};

// The C++ type of a column and the accessor that yields it.
struct CppType {
  std::string_view type;
  std::string_view accessor;
};

CppType CppTypeOf(ValueKind kind) {
  switch (kind) {
    case ValueKind::kBool:
      return {"bool", "AsBool()"};
    case ValueKind::kInt:
    case ValueKind::kDate:
    case ValueKind::kTimestamp:
      return {"std::int64_t", "AsInt()"};
    case ValueKind::kFloat:
      return {"double", "AsFloat()"};
    case ValueKind::kDecimal:
      return {"trefoil::Decimal", "AsDecimal()"};
    case ValueKind::kText:
    case ValueKind::kBytes:
    case ValueKind::kUuid:
    case ValueKind::kJson:
      return {"std::string", "AsText()"};
    default:
      return {"trefoil::Value", ""};
  }
}

// A C++ identifier for a name of the database.
std::string Identifier(std::string_view name) {
  std::string identifier;
  for (const char c : name) {
    identifier += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  }
  if (identifier.empty() || std::isdigit(static_cast<unsigned char>(identifier[0])) != 0) {
    identifier = "_" + identifier;
  }
  return identifier;
}

std::string StructOf(const std::string& table, const std::vector<Field>& fields) {
  const std::string name = Identifier(table);
  std::string text = "// One row of " + table + ".\nstruct " + name + " {\n";
  for (const Field& field : fields) {
    text += "  std::optional<" + std::string(CppTypeOf(field.kind).type) + "> " +
            Identifier(field.name) + ";\n";
  }
  text += "\n  // Reads rows of a query that yields these columns.\n";
  text += "  class Reader {\n   public:\n";
  text += "    // Error kTypeMismatch names a column that is missing or of another kind.\n";
  text += "    static trefoil::Result<Reader> Make(const trefoil::Query& query) {\n";
  text += "      Reader reader;\n";
  for (std::size_t i = 0; i < fields.size(); ++i) {
    text += "      if (auto found = Find(query, \"" + fields[i].name + "\", trefoil::ValueKind{" +
            std::to_string(static_cast<int>(fields[i].kind)) + "}, &reader.at_[" +
            std::to_string(i) + "]); !found) return std::move(found).error();\n";
  }
  text += "      return reader;\n    }\n";
  text += "    " + name + " Read(std::span<const trefoil::Value> row) const {\n";
  text += "      " + name + " result;\n";
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const CppType type = CppTypeOf(fields[i].kind);
    const std::string cell = "row[at_[" + std::to_string(i) + "]]";
    const std::string value = type.accessor.empty() ? cell
                              : type.type == "std::string"
                                  ? "std::string(" + cell + ".AsText())"
                                  : cell + "." + std::string(type.accessor);
    text += "      if (!" + cell + ".is_null()) result." + Identifier(fields[i].name) + " = " +
            value + ";\n";
  }
  text += "      return result;\n    }\n\n   private:\n    std::size_t at_[" +
          std::to_string(fields.size()) + "] = {};\n  };\n};\n\n";
  return text;
}

constexpr std::string_view kHead = R"(// Written by `trefoil gen cpp`; do not edit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "trefoil/query.h"
#include "trefoil/result.h"
#include "trefoil/value.h"

)";

constexpr std::string_view kFind =
    R"(inline trefoil::Status Find(const trefoil::Query& query, const std::string& name,
                            trefoil::ValueKind kind, std::size_t* at) {
  for (std::size_t i = 0; i < query.names().size(); ++i) {
    if (query.names()[i] != name) continue;
    if (query.kinds()[i] != kind && query.kinds()[i] != trefoil::ValueKind::kNull) {
      return trefoil::Error{.code = trefoil::ErrorCode::kTypeMismatch,
                            .message = "column " + name + " is of another kind than its struct's"};
    }
    *at = i;
    return trefoil::Ok();
  }
  return trefoil::Error{.code = trefoil::ErrorCode::kTypeMismatch,
                        .message = "the query has no column " + name};
}

)";

Result<std::vector<Field>> FieldsOf(const Database& database, const std::string& table) {
  const Result<Query> query = database.Prepare("SELECT * FROM " + QuotedName(table));
  if (!query) return query.error();
  std::vector<Field> fields;
  for (std::size_t i = 0; i < query->names().size(); ++i) {
    fields.push_back({query->names()[i], query->kinds()[i]});
  }
  return fields;
}

Result<std::string> Generate(const Database& database, const std::string& space) {
  const Result<Query> types = database.Prepare("SELECT name FROM sys.type ORDER BY name");
  if (!types) return types.error();
  const Result<Rows> names = database.snapshot().Run(*types);
  if (!names) return names.error();
  std::string text = std::string(kHead) + "namespace " + space + " {\n\n" + std::string(kFind);
  for (std::size_t i = 0; i < names->size(); ++i) {
    const std::string table = ToText((*names)[i][0]);
    if (table.starts_with("sys.")) continue;
    const Result<std::vector<Field>> fields = FieldsOf(database, table);
    if (!fields) return fields.error();
    text += StructOf(table, *fields);
  }
  return text + "}  // namespace " + space + "\n";
}

}  // namespace

int RunGen(const Arguments& arguments) {
  if (arguments.positional()[0] != "cpp") {
    return FailUsage("gen", {.message = "it writes cpp, not '" + arguments.positional()[0] + "'"});
  }
  const Result<Database> database = OpenDatabase(arguments.positional()[1], Access::kRead);
  if (!database) return Fail(database.error());
  const Result<std::string> text =
      Generate(*database, arguments.Get("namespace").value_or("schema"));
  if (!text) return Fail(text.error());
  const Status written = WriteFile(arguments.Get("output").value_or("-"), *text);
  return written ? kExitOk : Fail(written.error());
}

}  // namespace trefoil::cli
