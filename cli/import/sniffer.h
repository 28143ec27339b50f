// Guesses the type of each column of a text table from all its values: the narrowest of BOOL, INT,
// DECIMAL (the same number of digits behind the point in every value), FLOAT, DATE, TIMESTAMP, UUID
// that fits every one of them, TEXT otherwise. Numbers with leading zeros are text.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

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

// Sees the values of one column one by one.
class ColumnSniffer {
 public:
  void See(const std::optional<std::string>& field);

  SniffedType type() const;
  bool has_nulls() const { return has_nulls_; }
  // Every value so far was there once: the column can be a key.
  bool is_unique() const { return unique_ && !has_nulls_ && seen_ > 0; }
  // The distinct values, or null once there are too many to follow.
  const std::set<std::string, std::less<>>* values() const {
    return follows_values_ ? &values_ : nullptr;
  }

 private:
  void SeeNumber(std::string_view text);

  static constexpr std::size_t kValuesMax = 2'000'000;

  std::size_t seen_ = 0;
  bool has_nulls_ = false;
  bool unique_ = true;
  bool follows_values_ = true;
  std::set<std::string, std::less<>> values_;

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
