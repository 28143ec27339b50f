#include "db/row_facts.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <string>

#include "base/check.h"
#include "schema/key_codec.h"
#include "schema/keys.h"

namespace trefoil::db {

namespace {

constexpr AttributeId kLastAttribute{std::numeric_limits<std::uint32_t>::max()};

}  // namespace

Status ForRowFacts(const ReadView& view, TypeId type, Slice subject,
                   FunctionRef<void(Slice, Slice)> visit) {
  const std::string start = schema::PrefixLimit(schema::FactPrefix(type, schema::kRowCell));
  const std::unique_ptr<lsm::Iterator> facts =
      view.NewIterator({.start = start, .limit = schema::PrefixLimit(schema::TypePrefix(type))});
  // The attributes of a table mostly have neighbouring numbers, so each is sought as the one behind
  // the last; what is found instead names the next that there is.
  AttributeId attribute{ToNumber(schema::kRowCell) + 1};
  for (;;) {
    const std::string row = schema::FactKey(type, attribute, subject);
    for (facts->Seek(Slice(row)); facts->Valid() && facts->key().StartsWith(Slice(row));
         facts->Next()) {
      visit(facts->key(), facts->value());
    }
    if (!facts->Valid() || attribute == kLastAttribute) return facts->status();
    schema::FactName name;
    const bool reads = schema::ParseFactKey(facts->key(), &name);
    Check(reads, "the space of facts holds keys of facts");
    attribute = std::max(name.attribute, AttributeId{ToNumber(attribute) + 1});
  }
}

}  // namespace trefoil::db
