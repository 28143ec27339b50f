// Dates and times as text, ISO 8601 in the proleptic Gregorian calendar, UTC. Years of 0000 to 9999
// have four digits; others a sign and at least four (+12345, -0044; year 0000 is 1 BC).
//
//   date       2026-01-02
//   timestamp  2026-01-02T03:04:05Z   2026-01-02T03:04:05.000006Z
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace trefoil {

struct CivilDate {
  std::int64_t year = 1970;
  int month = 1;  // 1..12
  int day = 1;    // 1..31

  friend bool operator==(const CivilDate&, const CivilDate&) = default;
};

// Days since 1970-01-01, any number of them, and back.
CivilDate CivilFromDays(std::int64_t days);
// Nothing when there is no such day or it is out of range.
std::optional<std::int64_t> DaysFromCivil(const CivilDate& date);

void AppendDate(std::string& out, std::int64_t days);
// Microseconds since 1970-01-01T00:00:00Z; a fraction is printed with six digits, if there is one.
void AppendTimestamp(std::string& out, std::int64_t micros);

// The form of AppendDate. Total over any bytes.
std::optional<std::int64_t> ParseDate(std::string_view text);
// A date, alone (midnight) or followed by 'T' or a blank and HH:MM[:SS[.digits]], then Z, an offset
// (+HH, +HHMM, +HH:MM) or nothing, which means UTC. Digits after the sixth are dropped. Total over
// any bytes.
std::optional<std::int64_t> ParseTimestamp(std::string_view text);

}  // namespace trefoil
