#include "schema/migration.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "base/errors.h"
#include "base/str_cat.h"
#include "schema/acyclic.h"
#include "schema/convert.h"
#include "schema/ids.h"

namespace trefoil::schema {

namespace {

constexpr int kMaxReferenceDepth = 16;  // REF to a type whose key is a REF to a type whose key ...

Error Conflict(std::string message, std::string hint = {}) {
  return MakeError(ErrorCode::kSchemaConflict, std::move(message), std::move(hint));
}

Error UnknownTable(std::string_view name) {
  return MakeError(ErrorCode::kUnknownTable, StrCat("there is no table \"", name, "\""));
}

template <typename List>
auto FindByName(List& list, std::string_view name) {
  return std::ranges::find_if(list,
                              [&](const auto& item) { return EqualIgnoringCase(item.name, name); });
}

// Columns of an automatic index (of UNIQUE, INDEX) stand in its name behind a dot, which a declared
// name never has.
bool IsAutomatic(const Index& index) { return index.name.find('.') != std::string::npos; }

class Migrator {
 public:
  explicit Migrator(const Schema& current)
      : current_(current),
        types_(current.types()),
        retired_(current.retired_types()),
        indexes_(current.indexes()) {}

  Result<Migration> Run(std::span<const Declaration> declarations) {
    // Identities first, so that references may point forward.
    for (const Declaration& declaration : declarations) {
      if (const auto* type = std::get_if<TypeDeclaration>(&declaration)) {
        if (Status status = Identify(*type); !status) return std::move(status).error();
      }
    }
    for (const Declaration& declaration : declarations) {
      const Status status = std::visit([&](const auto& d) { return Apply(d); }, declaration);
      if (!status) return Error(status.error());
    }
    if (Status status = ResolveReferences(); !status) return std::move(status).error();
    if (Status status = CompareWithCurrent(); !status) return std::move(status).error();
    return Finish();
  }

 private:
  // --- identity of a type ---

  Status Identify(const TypeDeclaration& declaration) {
    if (declaration.name.empty()) return InvalidArgument("a table needs a name");
    if (ToLowerAscii(declaration.name).starts_with("sys.")) {
      return Conflict(StrCat("\"", declaration.name, "\": names in sys. belong to the system"));
    }
    Result<TypeId> id = ChooseId(declaration);
    if (!id) return std::move(id).error();
    const auto named = FindByName(types_, declaration.name);
    if (named != types_.end() && named->id != *id) {
      return Conflict(StrCat("the name \"", declaration.name, "\" belongs to table number ",
                             ToNumber(named->id)),
                      "rename that table first");
    }
    if (const auto back = std::ranges::find(retired_, *id, &Type::id); back != retired_.end()) {
      types_.push_back(std::move(*back));
      retired_.erase(back);
    }
    auto type = std::ranges::find(types_, *id, &Type::id);
    if (type == types_.end()) type = types_.insert(types_.end(), Type{.id = *id});
    type->name = declaration.name;
    return Ok();
  }

  Result<TypeId> ChooseId(const TypeDeclaration& declaration) const {
    if (declaration.id) {
      if (ToNumber(*declaration.id) == 0 || ToNumber(*declaration.id) >= kTypeLimit) {
        return InvalidArgument(StrCat("the number of table \"", declaration.name,
                                      "\" must be between 1 and ", kTypeLimit - 1));
      }
      const auto named = FindByName(types_, declaration.name);
      if (named != types_.end() && named->id != *declaration.id) {
        return Conflict(StrCat("table \"", declaration.name, "\" has number ", ToNumber(named->id),
                               ", not ", ToNumber(*declaration.id)),
                        "a number never changes; leave it out or give the one it has");
      }
      return *declaration.id;
    }
    if (const auto named = FindByName(types_, declaration.name); named != types_.end()) {
      return named->id;
    }
    if (!declaration.was.empty()) {
      const auto old = FindByName(types_, declaration.was);
      if (old == types_.end()) return UnknownTable(declaration.was);
      return old->id;
    }
    if (const auto back = FindByName(retired_, declaration.name); back != retired_.end()) {
      return back->id;
    }
    const TypeId id = TypeIdOf(declaration.name);
    for (const std::vector<Type>* list : {&types_, &retired_}) {
      const auto taken = std::ranges::find(*list, id, &Type::id);
      if (taken == list->end()) continue;
      return Conflict(
          StrCat("the number that the name \"", declaration.name,
                 "\" stands for is taken by table \"", taken->name, "\""),
          StrCat("give it a number of its own: TABLE ", declaration.name, " = 7 (...)"));
    }
    return id;
  }

  // --- one TABLE ---

  Status Apply(const TypeDeclaration& declaration) {
    const auto found = FindByName(types_, declaration.name);
    if (found == types_.end()) return UnknownTable(declaration.name);  // dropped in the same call
    Type& type = *found;
    const Type before = type;
    type.strict = declaration.strict;
    type.attributes.clear();
    type.unique.clear();
    if (Status status = DeclareFields(declaration, before, type); !status) return status;
    if (Status status = DeclareKey(declaration, before, type); !status) return status;
    RetireLeavers(before, type);
    for (const AttributeId number : declaration.reserved) {
      if (type.Find(number) != nullptr && !IsUndeclared(number)) {
        return InvalidArgument(StrCat("table \"", type.name, "\": number ", ToNumber(number),
                                      " is reserved and used"));
      }
      if (std::ranges::find(type.reserved, number) == type.reserved.end()) {
        type.reserved.push_back(number);
      }
    }
    std::ranges::sort(type.reserved);
    return DeclareTypeIndexes(declaration, type);
  }

  Status DeclareFields(const TypeDeclaration& declaration, const Type& before, Type& type) {
    for (const FieldDeclaration& field : declaration.fields) {
      Attribute attribute = field.attribute;
      if (attribute.name.empty()) return InvalidArgument("a field needs a name");
      if (FindByName(type.attributes, attribute.name) != type.attributes.end()) {
        return InvalidArgument(
            StrCat("table \"", type.name, "\" declares the field \"", attribute.name, "\" twice"));
      }
      if (ToNumber(attribute.id) == 0) {
        attribute.id = ChooseNumber(declaration, before, type, field);
      }
      if (Status status = CheckNumber(declaration, before, type, attribute); !status) {
        return status;
      }
      type.attributes.push_back(std::move(attribute));
      if (!field.reference.empty()) {
        references_.push_back(
            {.type = type.id, .field = type.attributes.back().id, .target = field.reference});
      }
    }
    return Ok();
  }

  // The number of the field that had the name, else the next one above all ever used.
  AttributeId ChooseNumber(const TypeDeclaration& declaration, const Type& before, const Type& type,
                           const FieldDeclaration& field) const {
    const std::string& name = field.attribute.name;
    const auto free = [&](AttributeId id) {
      return std::ranges::none_of(declaration.fields, [&](const FieldDeclaration& other) {
        return other.attribute.id == id;
      });
    };
    const auto same = FindByName(before.attributes, name);
    if (same != before.attributes.end() && free(same->id)) return same->id;
    const auto back = FindByName(before.retired, name);
    if (back != before.retired.end() && free(back->id) && !IsReserved(before, back->id) &&
        SameKind(*back, field) && back->merge == field.attribute.merge) {
      return back->id;
    }
    std::uint32_t highest = 0;
    const auto see = [&](AttributeId id) {
      if (!IsUndeclared(id)) highest = std::max(highest, ToNumber(id));
    };
    for (const Attribute& a : before.attributes) see(a.id);
    for (const Attribute& a : before.retired) see(a.id);
    for (const Attribute& a : type.attributes) see(a.id);
    for (const AttributeId id : before.reserved) see(id);
    for (const AttributeId id : declaration.reserved) see(id);
    for (const FieldDeclaration& other : declaration.fields) see(other.attribute.id);
    return AttributeId{highest + 1};
  }

  static bool SameKind(const Attribute& old, const FieldDeclaration& field) {
    if (!field.reference.empty()) return old.type.target.has_value();
    return old.type == field.attribute.type;
  }

  static bool IsReserved(const Type& type, AttributeId id) {
    return std::ranges::find(type.reserved, id) != type.reserved.end();
  }

  static Status CheckNumber(const TypeDeclaration& declaration, const Type& before,
                            const Type& type, const Attribute& attribute) {
    const std::string place = StrCat("field \"", type.name, ".", attribute.name, "\"");
    if (IsUndeclared(attribute.id)) {
      return InvalidArgument(
          StrCat(place, " has a number that is not between 1 and ", kFieldLimit - 1));
    }
    for (const Attribute& other : type.attributes) {
      if (other.id == attribute.id) {
        return InvalidArgument(StrCat(place, " and \"", other.name, "\" have the same number ",
                                      ToNumber(attribute.id)));
      }
    }
    const bool reserved_here =
        std::ranges::find(declaration.reserved, attribute.id) != declaration.reserved.end();
    if (reserved_here || IsReserved(before, attribute.id)) {
      return Conflict(
          StrCat(place, " takes number ", ToNumber(attribute.id), ", which is reserved"),
          "take a new number");
    }
    return Ok();
  }

  Status DeclareKey(const TypeDeclaration& declaration, const Type& before, Type& type) {
    std::vector<AttributeId> key;
    std::vector<std::string> names = declaration.key;
    for (const FieldDeclaration& field : declaration.fields) {
      if (!field.key) continue;
      if (!declaration.key.empty()) {
        return InvalidArgument(StrCat("table \"", type.name, "\" declares its key twice"));
      }
      names.push_back(field.attribute.name);
    }
    type.generated_key = names.empty();
    if (type.generated_key) AddGeneratedKey(before, type, names);
    for (const std::string& name : names) {
      const auto field = FindByName(type.attributes, name);
      if (field == type.attributes.end()) return UnknownField(type, name);
      if (field->merge != MergeKind::kRegister) {
        return InvalidArgument(
            StrCat("field \"", type.name, ".", name, "\" is a key and cannot merge"));
      }
      if (std::ranges::find(key, field->id) != key.end()) {
        return InvalidArgument(
            StrCat("table \"", type.name, "\" has \"", name, "\" twice in its key"));
      }
      field->not_null = true;
      key.push_back(field->id);
    }
    if (!before.key.empty() && before.key != key) {
      return Conflict(StrCat("the key of table \"", type.name, "\" cannot change"),
                      "declare a new table and copy the rows");
    }
    type.key = std::move(key);
    return Ok();
  }

  // `id UUID`, first in order; it keeps the number that it got once.
  static void AddGeneratedKey(const Type& before, Type& type, std::vector<std::string>& names) {
    names.push_back("id");
    if (FindByName(type.attributes, "id") != type.attributes.end()) {
      type.generated_key = false;
      return;
    }
    std::uint32_t number = 0;
    if (before.generated_key) {
      number = ToNumber(before.key.front());
    } else {
      for (const Attribute& a : type.attributes) number = std::max(number, ToNumber(a.id));
      for (const Attribute& a : before.retired) {
        if (!IsUndeclared(a.id)) number = std::max(number, ToNumber(a.id));
      }
      ++number;
    }
    type.attributes.insert(type.attributes.begin(), Attribute{.id = AttributeId{number},
                                                              .name = "id",
                                                              .type = {.kind = ValueKind::kUuid},
                                                              .not_null = true});
  }

  static void RetireLeavers(const Type& before, Type& type) {
    type.retired.clear();
    for (const std::vector<Attribute>* list : {&before.attributes, &before.retired}) {
      for (const Attribute& a : *list) {
        if (type.Find(a.id) == nullptr) type.retired.push_back(a);
      }
    }
    std::ranges::sort(type.retired, {}, &Attribute::id);
  }

  static Error UnknownField(const Type& type, std::string_view name) {
    return MakeError(ErrorCode::kUnknownColumn,
                     StrCat("table \"", type.name, "\" has no column \"", name, "\""));
  }

  // --- indexes ---

  Status DeclareTypeIndexes(const TypeDeclaration& declaration, Type& type) {
    std::vector<IndexDeclaration> wanted;
    for (const FieldDeclaration& field : declaration.fields) {
      if (!field.unique && !field.indexed) continue;
      wanted.push_back(
          {.type = type.name, .columns = {{.name = field.attribute.name}}, .unique = field.unique});
    }
    for (const std::vector<std::string>& names : declaration.unique) {
      IndexDeclaration index = {.type = type.name, .unique = true};
      for (const std::string& name : names) index.columns.push_back({.name = name});
      wanted.push_back(std::move(index));
    }
    std::vector<IndexId> kept;
    for (IndexDeclaration& index : wanted) {
      index.name = AutomaticName(index);
      Result<IndexId> id = Declare(index, type);
      if (!id) return std::move(id).error();
      kept.push_back(*id);
      if (!index.unique) continue;
      std::vector<AttributeId>& fields = type.unique.emplace_back();
      const auto made = std::ranges::find(indexes_, *id, &Index::id);
      for (const IndexColumn& column : made->columns) fields.push_back(column.attribute);
    }
    std::erase_if(indexes_, [&](const Index& index) {
      return index.type == type.id && IsAutomatic(index) &&
             std::ranges::find(kept, index.id) == kept.end();
    });
    return Ok();
  }

  static std::string AutomaticName(const IndexDeclaration& index) {
    std::string name = index.type;
    for (const IndexColumnDeclaration& column : index.columns) {
      name += StrCat(&column == &index.columns.front() ? "." : ",", column.name);
    }
    return name;
  }

  Status Apply(const IndexDeclaration& declaration) {
    const auto type = FindByName(types_, declaration.type);
    if (type == types_.end() || IsSystemType(type->id)) return UnknownTable(declaration.type);
    if (declaration.name.empty() || declaration.name.find('.') != std::string::npos) {
      return InvalidArgument(StrCat("\"", declaration.name, "\" is no name for an index"));
    }
    Result<IndexId> id = Declare(declaration, *type);
    return id ? Ok() : Status(std::move(id).error());
  }

  Result<IndexId> Declare(const IndexDeclaration& declaration, const Type& type) {
    Index index = {.name = declaration.name, .type = type.id, .unique = declaration.unique};
    if (declaration.columns.empty()) {
      return InvalidArgument(StrCat("index \"", index.name, "\" has no column"));
    }
    for (const IndexColumnDeclaration& column : declaration.columns) {
      const Attribute* attribute = type.Find(column.name);
      if (attribute == nullptr) return UnknownField(type, column.name);
      if (attribute->merge == MergeKind::kSet) {
        return Unsupported(StrCat("index \"", index.name, "\": the column \"", column.name,
                                  "\" is a SET, which no index can order"));
      }
      index.columns.push_back({.attribute = attribute->id, .descending = column.descending});
    }
    for (const std::string& name : declaration.include) {
      const Attribute* attribute = type.Find(name);
      if (attribute == nullptr) return UnknownField(type, name);
      if (attribute->merge == MergeKind::kSet) {
        return Unsupported(StrCat("index \"", index.name, "\": the column \"", name,
                                  "\" is a SET, which no index can hold"));
      }
      index.include.push_back(attribute->id);
    }
    return Insert(std::move(index));
  }

  // Names an automatic index by its numbers, which survive a renaming of its fields.
  static std::string ShapeName(const Index& index) {
    std::string name = StrCat("#", ToNumber(index.type), index.unique ? " unique" : "");
    for (const IndexColumn& column : index.columns) name += StrCat(" ", ToNumber(column.attribute));
    return name;
  }

  Result<IndexId> Insert(Index index) {
    const auto same_shape = [&](const Index& other) {
      return other.type == index.type && other.columns == index.columns &&
             other.include == index.include && other.unique == index.unique;
    };
    const bool automatic = IsAutomatic(index);
    for (Index& other : indexes_) {
      const bool same_name = EqualIgnoringCase(other.name, index.name);
      if (same_shape(other) && (same_name || (automatic && IsAutomatic(other)))) {
        other.name = index.name;
        return other.id;
      }
      if (!same_name) continue;
      if (!automatic || other.type != index.type) {
        return Conflict(StrCat("index \"", other.name, "\" exists with other columns"),
                        StrCat("DROP INDEX ", other.name, " first, or take another name"));
      }
    }
    index.id = IndexIdOf(automatic ? ShapeName(index) : index.name);
    const auto taken = std::ranges::find(indexes_, index.id, &Index::id);
    if (taken != indexes_.end()) {
      return Conflict(StrCat("the number that the name \"", index.name,
                             "\" stands for is taken by index \"", taken->name, "\""),
                      "take another name");
    }
    indexes_.push_back(std::move(index));
    return indexes_.back().id;
  }

  Status Apply(const DropType& drop) {
    const auto type = FindByName(types_, drop.name);
    if (type == types_.end() || IsSystemType(type->id)) return UnknownTable(drop.name);
    for (const Type& other : types_) {
      if (other.id == type->id) continue;
      for (const Attribute& a : other.attributes) {
        if (a.type.target != type->id) continue;
        return Conflict(
            StrCat("column \"", other.name, ".", a.name, "\" refers to table \"", drop.name, "\""),
            "drop the column or its table first");
      }
    }
    std::erase_if(indexes_, [&](const Index& index) { return index.type == type->id; });
    retired_.push_back(std::move(*type));
    types_.erase(type);
    return Ok();
  }

  Status Apply(const DropIndex& drop) {
    const auto index = FindByName(indexes_, drop.name);
    if (index == indexes_.end()) {
      return MakeError(ErrorCode::kUnknownIndex, StrCat("there is no index \"", drop.name, "\""));
    }
    if (IsAutomatic(*index)) {
      return Conflict(StrCat("index \"", drop.name, "\" is declared by its table"),
                      "declare the table without it");
    }
    indexes_.erase(index);
    return Ok();
  }

  // --- references ---

  struct Reference {
    TypeId type{};
    AttributeId field{};
    std::string target;
  };

  Attribute* FindField(TypeId type_id, AttributeId field) {
    const auto type = std::ranges::find(types_, type_id, &Type::id);
    if (type == types_.end()) return nullptr;
    const auto found = std::ranges::find(type->attributes, field, &Attribute::id);
    return found == type->attributes.end() ? nullptr : &*found;
  }

  Status ResolveReferences() {
    for (const Reference& reference : references_) {
      Attribute* field = FindField(reference.type, reference.field);
      if (field == nullptr) continue;
      const auto target = FindByName(types_, reference.target);
      if (target == types_.end() || IsSystemType(target->id)) {
        Error error = UnknownTable(reference.target);
        error.hint = StrCat("declare it before, or together with, the field \"", field->name, "\"");
        return error;
      }
      field->type = {.target = target->id};
    }
    for (const Reference& reference : references_) {
      Attribute* field = FindField(reference.type, reference.field);
      if (field == nullptr) continue;
      Result<ValueType> type = TypeOfReference(*field->type.target, 0);
      if (!type) return std::move(type).error();
      field->type.kind = type->kind;
      field->type.precision = type->precision;
      field->type.scale = type->scale;
    }
    for (const Type& type : types_) {
      if (Status trees = CheckAcyclic(type); !trees) return trees;
    }
    return Ok();
  }

  // The value that refers to a row of `target`.
  Result<ValueType> TypeOfReference(TypeId target, int depth) const {
    const auto type = std::ranges::find(types_, target, &Type::id);
    if (type->key.size() != 1) return ValueType{.kind = ValueKind::kRef};
    if (depth == kMaxReferenceDepth) {
      return InvalidArgument(
          StrCat("the key of table \"", type->name, "\" refers to itself without end"));
    }
    const Attribute& key = *type->Find(type->key.front());
    // Only keys that are still to be resolved have a target and no kind.
    if (key.type.target && key.type.is_any()) return TypeOfReference(*key.type.target, depth + 1);
    return key.type;
  }

  // --- against the schema in force ---

  Status CompareWithCurrent() const {
    for (const Type& type : types_) {
      const Type* before = current_.FindType(type.id);
      if (before == nullptr) {
        const auto back = std::ranges::find(current_.retired_types(), type.id, &Type::id);
        if (back != current_.retired_types().end()) before = &*back;
      }
      if (before == nullptr) continue;
      for (const std::vector<Attribute>* list : {&before->attributes, &before->retired}) {
        for (const Attribute& old : *list) {
          const auto now = std::ranges::find(type.attributes, old.id, &Attribute::id);
          if (now == type.attributes.end()) continue;
          if (now->type == old.type && now->merge == old.merge) continue;
          return Conflict(StrCat("field \"", type.name, ".", now->name, "\" has number ",
                                 ToNumber(old.id), ", under which the catalogue knows \"", old.name,
                                 "\" as ", TypeName(old.type)),
                          "a number keeps its type; give the changed field a new number");
        }
      }
    }
    return Ok();
  }

  Migration Finish() {
    // An index goes with its attributes.
    std::erase_if(indexes_, [&](const Index& index) {
      const auto type = std::ranges::find(types_, index.type, &Type::id);
      const auto gone = [&](AttributeId id) { return type->Find(id) == nullptr; };
      return type == types_.end() ||
             std::ranges::any_of(index.columns, gone, &IndexColumn::attribute) ||
             std::ranges::any_of(index.include, gone);
    });
    Migration migration;
    for (const Index& index : indexes_) {
      if (current_.FindIndex(index.id) == nullptr) migration.build.push_back(index.id);
    }
    for (const Index& index : current_.indexes()) {
      if (std::ranges::find(indexes_, index.id, &Index::id) == indexes_.end()) {
        migration.drop.push_back(index.id);
      }
    }
    migration.schema = Schema(std::move(types_), std::move(indexes_), std::move(retired_));
    return migration;
  }

  const Schema& current_;
  std::vector<Type> types_;
  std::vector<Type> retired_;
  std::vector<Index> indexes_;
  std::vector<Reference> references_;
};

}  // namespace

Result<Migration> Migrate(const Schema& current, std::span<const Declaration> declarations) {
  return Migrator(current).Run(declarations);
}

Schema WithUndeclared(const Schema& current, TypeId type, const Attribute& attribute) {
  std::vector<Type> types = current.types();
  const auto found = std::ranges::find(types, type, &Type::id);
  if (found->Find(attribute.id) == nullptr) found->undeclared.push_back(attribute);
  return Schema(std::move(types), current.indexes(), current.retired_types());
}

Schema WithIndexReady(const Schema& current, IndexId index) {
  std::vector<Index> indexes = current.indexes();
  std::ranges::find(indexes, index, &Index::id)->ready = true;
  return Schema(current.types(), std::move(indexes), current.retired_types());
}

Schema WithoutIndex(const Schema& current, IndexId id) {
  std::vector<Index> indexes = current.indexes();
  std::vector<Type> types = current.types();
  const auto index = std::ranges::find(indexes, id, &Index::id);
  if (index == indexes.end()) return current;
  std::vector<AttributeId> columns;
  for (const IndexColumn& column : index->columns) columns.push_back(column.attribute);
  const auto type = std::ranges::find(types, index->type, &Type::id);
  if (index->unique && type != types.end()) std::erase(type->unique, columns);
  indexes.erase(index);
  return Schema(std::move(types), std::move(indexes), current.retired_types());
}

}  // namespace trefoil::schema
