// The calendar arithmetic counts days in eras of 400 years that begin on 1 March (the algorithm is
// described in H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").
#include "base/time_text.h"

#include <limits>

#include "base/str_cat.h"

namespace trefoil {

namespace {

using Int128 = __int128;

constexpr std::int64_t kDaysPerEra = 146'097;
constexpr std::int64_t kDaysFromEraToEpoch = 719'468;  // 0000-03-01 to 1970-01-01
constexpr std::int64_t kMicrosPerSecond = 1'000'000;
constexpr std::int64_t kSecondsPerDay = 86'400;
constexpr std::int64_t kMicrosPerDay = kSecondsPerDay * kMicrosPerSecond;
constexpr std::size_t kYearDigitsMax = 17;  // more than 64 bits of days hold

constexpr Int128 FloorDivide(Int128 a, Int128 b) { return a / b - (a % b < 0 ? 1 : 0); }

std::optional<std::int64_t> Narrow(Int128 number) {
  if (number < std::numeric_limits<std::int64_t>::min() ||
      number > std::numeric_limits<std::int64_t>::max()) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(number);
}

constexpr bool IsLeap(std::int64_t year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

constexpr int DaysInMonth(std::int64_t year, int month) {
  if (month == 2) return IsLeap(year) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

void AppendPadded(std::string& out, std::uint64_t number, std::size_t digits) {
  const std::string text = StrCat(number);
  if (text.size() < digits) out.append(digits - text.size(), '0');
  out.append(text);
}

// Reads the parts of a date or time from the front of a text; remembers the first failure.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool Take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void Expect(char c) { good_ = Take(c) && good_; }
  // Exactly two digits, at most `max`.
  int TwoDigits(int max) {
    const std::string_view digits = TakeDigits(2);
    if (digits.size() < 2) {
      good_ = false;
      return 0;
    }
    const int number = (digits[0] - '0') * 10 + (digits[1] - '0');
    good_ = good_ && number <= max;
    return number;
  }
  std::string_view TakeDigits(std::size_t max) {
    std::size_t count = 0;
    while (count < max && count < rest_.size() && rest_[count] >= '0' && rest_[count] <= '9') {
      ++count;
    }
    const std::string_view digits = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return digits;
  }
  bool at_end() const { return rest_.empty(); }
  bool good() const { return good_; }
  void Fail() { good_ = false; }

 private:
  std::string_view rest_;
  bool good_ = true;
};

// Days of the date at the front.
std::optional<std::int64_t> ReadDate(Reader& reader) {
  const bool negative = reader.Take('-');
  const bool is_signed = negative || reader.Take('+');
  const std::string_view digits = reader.TakeDigits(is_signed ? kYearDigitsMax : 4);
  if (digits.size() < 4) return std::nullopt;
  CivilDate date{.year = 0};
  for (const char digit : digits) date.year = date.year * 10 + (digit - '0');
  if (negative) date.year = -date.year;
  reader.Expect('-');
  date.month = reader.TwoDigits(12);
  reader.Expect('-');
  date.day = reader.TwoDigits(31);
  if (!reader.good()) return std::nullopt;
  return DaysFromCivil(date);
}

// Microseconds since midnight of HH:MM[:SS[.digits]] at the front.
std::int64_t ReadTimeOfDay(Reader& reader) {
  std::int64_t seconds = reader.TwoDigits(23) * 3600;
  reader.Expect(':');
  seconds += reader.TwoDigits(59) * 60;
  if (!reader.Take(':')) return seconds * kMicrosPerSecond;
  seconds += reader.TwoDigits(59);
  std::int64_t micros = 0;
  if (reader.Take('.')) {
    const std::string_view digits = reader.TakeDigits(std::string_view::npos);
    if (digits.empty()) reader.Fail();
    for (std::size_t i = 0; i < 6; ++i) {
      micros = micros * 10 + (i < digits.size() ? digits[i] - '0' : 0);
    }
  }
  return seconds * kMicrosPerSecond + micros;
}

// Microseconds east of UTC of the zone at the front.
std::int64_t ReadZone(Reader& reader) {
  if (reader.at_end() || reader.Take('Z') || reader.Take('z')) return 0;
  const bool west = reader.Take('-');
  if (!west) reader.Expect('+');
  std::int64_t minutes = reader.TwoDigits(23) * 60;
  if (reader.Take(':') || !reader.at_end()) minutes += reader.TwoDigits(59);
  return (west ? -minutes : minutes) * 60 * kMicrosPerSecond;
}

}  // namespace

CivilDate CivilFromDays(std::int64_t days) {
  const Int128 shifted = Int128{days} + kDaysFromEraToEpoch;
  const Int128 era = FloorDivide(shifted, kDaysPerEra);
  const auto day_of_era = static_cast<std::int64_t>(shifted - era * kDaysPerEra);
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const auto month_from_march = static_cast<int>((5 * day_of_year + 2) / 153);
  CivilDate date;
  date.day = static_cast<int>(day_of_year) - (153 * month_from_march + 2) / 5 + 1;
  date.month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  date.year = static_cast<std::int64_t>(era * 400) + year_of_era + (date.month <= 2 ? 1 : 0);
  return date;
}

std::optional<std::int64_t> DaysFromCivil(const CivilDate& date) {
  if (date.month < 1 || date.month > 12) return std::nullopt;
  if (date.day < 1 || date.day > DaysInMonth(date.year, date.month)) return std::nullopt;
  const Int128 year = Int128{date.year} - (date.month <= 2 ? 1 : 0);
  const Int128 era = FloorDivide(year, 400);
  const auto year_of_era = static_cast<std::int64_t>(year - era * 400);
  const int month_from_march = date.month > 2 ? date.month - 3 : date.month + 9;
  const std::int64_t day_of_year = (153 * month_from_march + 2) / 5 + date.day - 1;
  const std::int64_t day_of_era =
      year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return Narrow(era * kDaysPerEra + day_of_era - kDaysFromEraToEpoch);
}

void AppendDate(std::string& out, std::int64_t days) {
  const CivilDate date = CivilFromDays(days);
  if (date.year < 0) out.push_back('-');
  if (date.year > 9'999) out.push_back('+');
  AppendPadded(out, static_cast<std::uint64_t>(date.year < 0 ? -date.year : date.year), 4);
  out.push_back('-');
  AppendPadded(out, static_cast<std::uint64_t>(date.month), 2);
  out.push_back('-');
  AppendPadded(out, static_cast<std::uint64_t>(date.day), 2);
}

void AppendTimestamp(std::string& out, std::int64_t micros) {
  const auto days = static_cast<std::int64_t>(FloorDivide(micros, kMicrosPerDay));
  const auto in_day = static_cast<std::uint64_t>(Int128{micros} - Int128{days} * kMicrosPerDay);
  const std::uint64_t seconds = in_day / kMicrosPerSecond;
  const std::uint64_t fraction = in_day % kMicrosPerSecond;
  AppendDate(out, days);
  out.push_back('T');
  AppendPadded(out, seconds / 3600, 2);
  out.push_back(':');
  AppendPadded(out, seconds / 60 % 60, 2);
  out.push_back(':');
  AppendPadded(out, seconds % 60, 2);
  if (fraction != 0) {
    out.push_back('.');
    AppendPadded(out, fraction, 6);
  }
  out.push_back('Z');
}

std::optional<std::int64_t> ParseDate(std::string_view text) {
  Reader reader(text);
  const std::optional<std::int64_t> days = ReadDate(reader);
  return reader.at_end() ? days : std::nullopt;
}

std::optional<std::int64_t> ParseTimestamp(std::string_view text) {
  Reader reader(text);
  const std::optional<std::int64_t> days = ReadDate(reader);
  if (!days) return std::nullopt;
  Int128 micros = Int128{*days} * kMicrosPerDay;
  if (!reader.at_end()) {
    if (!reader.Take('T') && !reader.Take('t')) reader.Expect(' ');
    micros += ReadTimeOfDay(reader);
    micros -= ReadZone(reader);
  }
  if (!reader.good() || !reader.at_end()) return std::nullopt;
  return Narrow(micros);
}

}  // namespace trefoil
