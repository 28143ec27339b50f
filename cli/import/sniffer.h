// Guesses the type of each column of a text table from all its values: the narrowest of BOOL, INT,
// DECIMAL (the same number of digits behind the point in every value), FLOAT, DATE, TIMESTAMP, UUID
// that fits every one of them, TEXT otherwise. Numbers with leading zeros are text.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "trefoil/value.h"

namespace trefoil::cli {

struct SniffedType {
  ValueKind kind = ValueKind::kText;
  int precision = 0;  // DECIMAL only
  int scale = 0;

  friend bool operator==(const SniffedType&, const SniffedType&) = default;
};

// "INT", "DECIMAL(10, 2)": as in a TABLE declaration.
std::string TypeText(const SniffedType& type);

// Sees the values of one column that are not NULL, one by one. Allocates nothing.
class TypeSniffer {
 public:
  void See(std::string_view text);

  // TEXT if nothing was seen.
  SniffedType type() const;

 private:
  void SeeNumber(std::string_view text);
  void SeeOther(std::string_view text);

  bool seen_ = false;
  bool may_be_bool_ = true;
  bool may_be_int_ = true;
  bool may_be_decimal_ = true;
  bool may_be_float_ = true;
  bool may_be_date_ = true;
  bool may_be_timestamp_ = true;
  bool may_be_uuid_ = true;
  std::optional<int> scale_;
  int whole_digits_ = 0;
};

}  // namespace trefoil::cli
