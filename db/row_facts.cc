#include "db/row_facts.h"

#include <memory>
#include <string>

#include "base/check.h"
#include "schema/key_codec.h"
#include "schema/keys.h"

namespace trefoil::db {

Status ForRowFacts(const ReadView& view, TypeId type, Slice subject,
                   FunctionRef<void(Slice, Slice)> visit) {
  const std::string start = schema::PrefixLimit(schema::FactPrefix(type, schema::kRowCell));
  const std::unique_ptr<lsm::Iterator> facts =
      view.NewIterator({.start = start, .limit = schema::PrefixLimit(schema::TypePrefix(type))});
  facts->SeekToFirst();
  while (facts->Valid()) {
    schema::FactName name;
    const bool reads = schema::ParseFactKey(facts->key(), &name);
    Check(reads, "the space of facts holds keys of facts");
    const AttributeId attribute = name.attribute;
    const std::string row = schema::FactKey(type, attribute, subject);
    for (facts->Seek(Slice(row)); facts->Valid() && facts->key().StartsWith(Slice(row));
         facts->Next()) {
      visit(facts->key(), facts->value());
    }
    const std::string next = schema::PrefixLimit(schema::FactPrefix(type, attribute));
    if (facts->Valid() && facts->key() < Slice(next)) facts->Seek(Slice(next));
  }
  return facts->status();
}

}  // namespace trefoil::db
