// Dates and times, all in UTC. Units are 'year', 'quarter', 'month', 'week' (ISO), 'day', 'hour',
// 'minute', 'second', 'millisecond', 'microsecond'.
#include <algorithm>
#include <cstdint>
#include <string>

#include "base/ascii.h"
#include "base/time_text.h"
#include "query/functions.h"

namespace trefoil::query {

namespace {

using Arguments = std::span<const Value>;
using Answer = std::optional<Value>;

constexpr std::int64_t kSecondMicros = 1'000'000;
constexpr std::int64_t kDayMicros = 86'400 * kSecondMicros;

enum class Unit { kYear, kQuarter, kMonth, kWeek, kDay, kHour, kMinute, kSecond, kMilli, kMicro };

std::optional<Unit> UnitOf(const Value& name) {
  constexpr std::string_view kNames[] = {"year", "quarter", "month",  "week",        "day",
                                         "hour", "minute",  "second", "millisecond", "microsecond"};
  std::string lower = ToLowerAscii(name.AsText());
  if (lower.ends_with('s')) lower.pop_back();
  const auto* const found = std::ranges::find(kNames, lower);
  if (found == std::end(kNames)) return std::nullopt;
  return static_cast<Unit>(found - std::begin(kNames));
}

// Length of the units that always have the same; 0 for the others.
std::int64_t MicrosOfUnit(Unit unit) {
  switch (unit) {
    case Unit::kWeek:
      return 7 * kDayMicros;
    case Unit::kDay:
      return kDayMicros;
    case Unit::kHour:
      return 3600 * kSecondMicros;
    case Unit::kMinute:
      return 60 * kSecondMicros;
    case Unit::kSecond:
      return kSecondMicros;
    case Unit::kMilli:
      return 1000;
    case Unit::kMicro:
      return 1;
    default:
      return 0;
  }
}

std::int64_t FloorDivide(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

// A moment as days and microseconds of the day.
struct Moment {
  std::int64_t days = 0;
  std::int64_t micros = 0;
};
Moment MomentOf(const Value& value) {
  if (value.kind() == ValueKind::kDate) return {value.AsInt(), 0};
  const std::int64_t days = FloorDivide(value.AsInt(), kDayMicros);
  return {days, value.AsInt() - days * kDayMicros};
}

Answer TimestampOf(Moment moment) {
  std::int64_t micros = 0;
  if (__builtin_mul_overflow(moment.days, kDayMicros, &micros) ||
      __builtin_add_overflow(micros, moment.micros, &micros)) {
    return std::nullopt;
  }
  return Value::Timestamp(micros);
}

// A result of the kind of `like`: a DATE keeps being a date.
Answer Like(const Value& like, Moment moment) {
  return like.kind() == ValueKind::kDate ? Value::Date(moment.days) : TimestampOf(moment);
}

int DayOfWeek(std::int64_t days) {  // 1 = Monday
  return static_cast<int>(days - FloorDivide(days + 3, 7) * 7 + 3) + 1;
}

std::int64_t IsoWeek(std::int64_t days) {
  const std::int64_t thursday = days - DayOfWeek(days) + 4;
  const CivilDate civil = CivilFromDays(thursday);
  const std::optional<std::int64_t> first = DaysFromCivil({civil.year, 1, 1});
  return first ? (thursday - *first) / 7 + 1 : 0;
}

Answer DateTrunc(Arguments in) {
  const std::optional<Unit> unit = UnitOf(in[0]);
  if (!unit || !Accepts('d', in[1].kind())) return std::nullopt;
  Moment moment = MomentOf(in[1]);
  CivilDate civil = CivilFromDays(moment.days);
  switch (*unit) {
    case Unit::kYear:
      civil.month = 1;
      [[fallthrough]];
    case Unit::kQuarter:
      civil.month = (civil.month - 1) / 3 * 3 + 1;
      [[fallthrough]];
    case Unit::kMonth: {
      civil.day = 1;
      const std::optional<std::int64_t> days = DaysFromCivil(civil);
      if (!days) return std::nullopt;
      return Like(in[1], {*days, 0});
    }
    case Unit::kWeek:
      return Like(in[1], {moment.days - DayOfWeek(moment.days) + 1, 0});
    case Unit::kDay:
      return Like(in[1], {moment.days, 0});
    default:
      moment.micros -= moment.micros % MicrosOfUnit(*unit);
      return Like(in[1], moment);
  }
}

std::int64_t PartOf(Unit unit, Moment moment) {
  const CivilDate civil = CivilFromDays(moment.days);
  switch (unit) {
    case Unit::kYear:
      return civil.year;
    case Unit::kQuarter:
      return (civil.month - 1) / 3 + 1;
    case Unit::kMonth:
      return civil.month;
    case Unit::kWeek:
      return IsoWeek(moment.days);
    case Unit::kDay:
      return civil.day;
    case Unit::kHour:
      return moment.micros / (3600 * kSecondMicros);
    case Unit::kMinute:
      return moment.micros / (60 * kSecondMicros) % 60;
    case Unit::kSecond:
      return moment.micros / kSecondMicros % 60;
    case Unit::kMilli:
      return moment.micros / 1000 % 60'000;
    case Unit::kMicro:
      return moment.micros % (60 * kSecondMicros);
  }
  return 0;
}

Answer DatePart(Arguments in) {
  if (!Accepts('d', in[1].kind())) return std::nullopt;
  const std::string lower = ToLowerAscii(in[0].AsText());
  const Moment moment = MomentOf(in[1]);
  if (lower == "dow") return Value::Int(DayOfWeek(moment.days) % 7);
  if (lower == "isodow") return Value::Int(DayOfWeek(moment.days));
  if (lower == "doy") {
    const CivilDate civil = CivilFromDays(moment.days);
    return Value::Int(moment.days - DaysFromCivil({civil.year, 1, 1}).value_or(0) + 1);
  }
  const std::optional<Unit> unit = UnitOf(in[0]);
  return unit ? Value::Int(PartOf(*unit, moment)) : Answer();
}

template <int unit>
Answer Part(Arguments in) {
  if (!Accepts('d', in[0].kind())) return std::nullopt;
  return Value::Int(PartOf(static_cast<Unit>(unit), MomentOf(in[0])));
}

Answer AddMonths(const Value& value, std::int64_t months) {
  const Moment moment = MomentOf(value);
  CivilDate civil = CivilFromDays(moment.days);
  std::int64_t total = 0;
  if (__builtin_add_overflow(civil.year * 12 + civil.month - 1, months, &total)) {
    return std::nullopt;
  }
  civil.year = FloorDivide(total, 12);
  civil.month = static_cast<int>(total - civil.year * 12) + 1;
  std::optional<std::int64_t> days = DaysFromCivil(civil);
  while (!days && civil.day > 28) {  // the last day of a shorter month
    --civil.day;
    days = DaysFromCivil(civil);
  }
  return days ? Like(value, {*days, moment.micros}) : Answer();
}

// date_add(time, count, unit)
Answer DateAdd(Arguments in) {
  const std::optional<Unit> unit = UnitOf(in[2]);
  if (!unit || !Accepts('d', in[0].kind())) return std::nullopt;
  const std::int64_t months = *unit == Unit::kYear      ? 12
                              : *unit == Unit::kQuarter ? 3
                              : *unit == Unit::kMonth   ? 1
                                                        : 0;
  std::int64_t count = in[1].AsInt();
  if (months != 0) {
    if (__builtin_mul_overflow(count, months, &count)) return std::nullopt;
    return AddMonths(in[0], count);
  }
  const bool is_date = in[0].kind() == ValueKind::kDate;
  const std::int64_t length = MicrosOfUnit(*unit);
  if (is_date && length % kDayMicros == 0) {
    std::int64_t days = 0;
    if (__builtin_mul_overflow(count, length / kDayMicros, &count) ||
        __builtin_add_overflow(in[0].AsInt(), count, &days)) {
      return std::nullopt;
    }
    return Value::Date(days);
  }
  const Answer from = TimestampOf(MomentOf(in[0]));
  std::int64_t micros = 0;
  if (!from || __builtin_mul_overflow(count, length, &count) ||
      __builtin_add_overflow(from->AsInt(), count, &micros)) {
    return std::nullopt;
  }
  return Value::Timestamp(micros);
}

// date_diff(unit, from, to): how many whole units lie between.
Answer DateDiff(Arguments in) {
  const std::optional<Unit> unit = UnitOf(in[0]);
  if (!unit || !Accepts('d', in[1].kind()) || !Accepts('d', in[2].kind())) return std::nullopt;
  const Answer from = TimestampOf(MomentOf(in[1]));
  const Answer to = TimestampOf(MomentOf(in[2]));
  std::int64_t micros = 0;
  if (!from || !to || __builtin_sub_overflow(to->AsInt(), from->AsInt(), &micros)) {
    return std::nullopt;
  }
  if (const std::int64_t length = MicrosOfUnit(*unit); length != 0) {
    return Value::Int(micros / length);
  }
  const std::int64_t length = *unit == Unit::kYear ? 12 : *unit == Unit::kQuarter ? 3 : 1;
  const Moment a = MomentOf(*from);
  const Moment b = MomentOf(*to);
  const CivilDate x = CivilFromDays(a.days);
  const CivilDate y = CivilFromDays(b.days);
  std::int64_t months = (y.year - x.year) * 12 + y.month - x.month;
  const bool late_in_month = std::pair(y.day, b.micros) < std::pair(x.day, a.micros);
  const bool early_in_month = std::pair(y.day, b.micros) > std::pair(x.day, a.micros);
  if (months > 0 && late_in_month) --months;
  if (months < 0 && early_in_month) ++months;
  return Value::Int(months / length);
}

std::string TwoDigits(std::int64_t number) {
  const std::string digits = std::to_string(number);
  return digits.size() < 2 ? "0" + digits : digits;
}

// strftime(format, time): %Y %m %d %H %M %S %f (six digits) %j %w %W (ISO week) %s %%
Answer Strftime(Arguments in) {
  if (!Accepts('d', in[1].kind())) return std::nullopt;
  const std::string_view format = in[0].AsText();
  const Moment moment = MomentOf(in[1]);
  std::string date;
  AppendDate(date, moment.days);
  std::string result;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      result += format[i];
      continue;
    }
    if (++i == format.size()) return std::nullopt;
    switch (format[i]) {
      case 'Y':
        result += date.substr(0, date.size() - 6);
        break;
      case 'm':
        result += TwoDigits(PartOf(Unit::kMonth, moment));
        break;
      case 'd':
        result += TwoDigits(PartOf(Unit::kDay, moment));
        break;
      case 'H':
        result += TwoDigits(PartOf(Unit::kHour, moment));
        break;
      case 'M':
        result += TwoDigits(PartOf(Unit::kMinute, moment));
        break;
      case 'S':
        result += TwoDigits(PartOf(Unit::kSecond, moment));
        break;
      case 'f':
        result += std::to_string(kSecondMicros + moment.micros % kSecondMicros).substr(1);
        break;
      case 'j':
        result +=
            std::to_string(1000 + DatePart(std::vector<Value>{Value::Text("doy"), in[1]})->AsInt())
                .substr(1);
        break;
      case 'w':
        result += std::to_string(DayOfWeek(moment.days) % 7);
        break;
      case 'W':
        result += TwoDigits(IsoWeek(moment.days));
        break;
      case 's':
        result += std::to_string(moment.days * 86'400 + moment.micros / kSecondMicros);
        break;
      case '%':
        result += '%';
        break;
      default:
        return std::nullopt;
    }
  }
  return Value::Text(result);
}

// epoch(time): seconds since 1970; from_epoch(seconds) back.
Answer Epoch(Arguments in) {
  if (!Accepts('d', in[0].kind())) return std::nullopt;
  const Moment moment = MomentOf(in[0]);
  std::int64_t seconds = 0;
  if (__builtin_mul_overflow(moment.days, 86'400, &seconds)) return std::nullopt;
  return Value::Int(seconds + moment.micros / kSecondMicros);
}
Answer FromEpoch(Arguments in) {
  std::int64_t micros = 0;
  if (__builtin_mul_overflow(in[0].AsInt(), kSecondMicros, &micros)) return std::nullopt;
  return Value::Timestamp(micros);
}

constexpr Function kFunctions[] = {
    {"date_add", "dit:0", false, DateAdd},
    {"date_diff", "tdd:i", false, DateDiff},
    {"date_part", "td:i", false, DatePart},
    {"date_trunc", "td:1", false, DateTrunc},
    {"day", "d:i", false, Part<static_cast<int>(Unit::kDay)>},
    {"epoch", "d:i", false, Epoch},
    {"from_epoch", "i:T", false, FromEpoch},
    {"hour", "d:i", false, Part<static_cast<int>(Unit::kHour)>},
    {"minute", "d:i", false, Part<static_cast<int>(Unit::kMinute)>},
    {"month", "d:i", false, Part<static_cast<int>(Unit::kMonth)>},
    {"second", "d:i", false, Part<static_cast<int>(Unit::kSecond)>},
    {"strftime", "td:t", false, Strftime},
    {"year", "d:i", false, Part<static_cast<int>(Unit::kYear)>},
};

}  // namespace

std::span<const Function> TimeFunctions() { return kFunctions; }

}  // namespace trefoil::query
