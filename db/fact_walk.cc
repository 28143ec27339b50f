#include "db/fact_walk.h"

#include <memory>
#include <string>

#include "base/errors.h"
#include "schema/cell.h"
#include "schema/key_codec.h"
#include "schema/keys.h"

namespace trefoil::db {

Status ForFacts(const ReadView& view, const crdt::SiteTable& sites,
                FunctionRef<void(Slice key, const crdt::FactState& state)> visit) {
  const std::string start(1, schema::kFactSpace);
  const std::unique_ptr<lsm::Iterator> facts =
      view.NewIterator({.start = start, .limit = schema::PrefixLimit(start)});
  for (facts->SeekToFirst(); facts->Valid(); facts->Next()) {
    schema::Cell cell;
    crdt::FactState state;
    if (!schema::DecodeCell(facts->value(), &cell) || !crdt::FromCell(cell, sites, &state)) {
      return Corruption("a cell does not read", "run `trefoil check`");
    }
    visit(facts->key(), state);
  }
  return facts->status();
}

}  // namespace trefoil::db
