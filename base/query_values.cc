// The parts of trefoil/query.h that need no engine.
#include <algorithm>

#include "trefoil/query.h"

namespace trefoil {

Params& Params::Set(std::string name, Value value) {
  named_.emplace_back(std::move(name), std::move(value));
  return *this;
}

Params& Params::Add(Value value) {
  positional_.push_back(std::move(value));
  return *this;
}

const Value* Params::Find(std::string_view name) const {
  const auto found = std::ranges::find(named_, name, &std::pair<std::string, Value>::first);
  return found == named_.end() ? nullptr : &found->second;
}

const Value* Params::Find(std::size_t position) const {
  return position < positional_.size() ? &positional_[position] : nullptr;
}

std::string Rows::ToJson() const {
  std::string out = "[";
  for (std::size_t i = 0; i < size(); ++i) {
    if (i > 0) out += ',';
    const std::span<const Value> row = (*this)[i];
    AppendJson(out, Value::Object(names_, std::vector<Value>(row.begin(), row.end())));
  }
  return out + "]";
}

}  // namespace trefoil
