#include "retention/date.hpp"

#include <fmt/format.h>

#include <array>
#include <limits>
#include <optional>
#include <vector>

#include "base/parse.hpp"

namespace evojail {
namespace {

constexpr std::int64_t kDay = 86'400;
// struct tm counts years from 1900, and years, months and days in ints.
constexpr std::int64_t kYearBase = 1900;
constexpr std::int64_t kMostInt = std::numeric_limits<int>::max();
constexpr std::int64_t kLeastInt = std::numeric_limits<int>::min();

bool fits_int(std::int64_t value) { return value >= kLeastInt && value <= kMostInt; }

struct Number {
  std::int64_t value = 0;
  std::size_t digits = 0;
};

/// The numbers of a reference in the order in which date(1) meets them. Dashes stand between them:
/// only a sign as far as date(1) is concerned, so that several count as one.
struct Numbers {
  bool first_signed = false;  ///< a dash stands before the first number
  std::vector<Number> all;
};

std::optional<Numbers> read_numbers(std::string_view reference) {
  Numbers numbers{.first_signed = reference.starts_with('-'), .all = {}};
  for (const std::string_view word : split_words(reference, "-")) {
    const auto value =
        parse_number<std::int64_t>(word, 0, std::numeric_limits<std::int64_t>::max());
    if (!value) return std::nullopt;
    numbers.all.push_back({.value = *value, .digits = word.size()});
  }
  return numbers;
}

/// Years, months and days that are added to a date.
struct Span {
  std::int64_t years = 0;
  std::int64_t months = 0;
  std::int64_t days = 0;
};

std::optional<Span> to_span(const Jump& jump) {
  switch (jump.unit) {
    case Jump::Unit::year:
      return Span{.years = jump.count};
    case Jump::Unit::month:
      return Span{.months = jump.count};
    case Jump::Unit::day:
      return Span{.days = jump.count};
    case Jump::Unit::week: {
      std::int64_t days = 0;
      if (__builtin_mul_overflow(jump.count, 7, &days)) return std::nullopt;
      return Span{.days = days};
    }
  }
  return std::nullopt;
}

/// A reference as date(1) reads it, before it is known to exist.
struct Reading {
  std::int64_t year = 0;
  std::int64_t month = 0;
  std::int64_t day = 0;
  std::int64_t hour = 0;
  std::int64_t minute = 0;
  std::int64_t second = 0;
  std::optional<bool> summer{};  ///< known only where the reference is this moment
  Span span;
};

/// A year of two digits is one of 1969 to 2068 (POSIX).
std::int64_t full_year(const Number& year) {
  if (year.digits != 2) return year.value;
  return year.value + (year.value < 69 ? 2000 : 1900);
}

std::optional<Reading> read_single(const Number& number, const Span& span, const CivilDate& today) {
  if (number.digits > 4) {
    const Number year{.value = number.value / 10'000, .digits = number.digits - 4};
    return Reading{.year = full_year(year),
                   .month = number.value / 100 % 100,
                   .day = number.value % 100,
                   .span = span};
  }
  const bool hours_alone = number.digits <= 2;
  return Reading{.year = today.year,
                 .month = today.month,
                 .day = today.day,
                 .hour = hours_alone ? number.value : number.value / 100,
                 .minute = hours_alone ? 0 : number.value % 100,
                 .span = span};
}

std::optional<Reading> read_reference(const Numbers& numbers, const Jump& jump,
                                      const LocalTime& now) {
  const auto span = to_span(jump);
  if (!span) return std::nullopt;
  if (numbers.all.empty()) {
    return Reading{.year = now.date.year,
                   .month = now.date.month,
                   .day = now.date.day,
                   .hour = now.seconds / 3600,
                   .minute = now.seconds / 60 % 60,
                   .second = now.seconds % 60,
                   .summer = now.summer,
                   .span = *span};
  }
  if (numbers.first_signed) return std::nullopt;
  const Number& first = numbers.all.front();
  switch (numbers.all.size()) {
    case 1:
      return read_single(first, *span, now.date);
    case 2:
      // The parser prefers a date of three numbers, so it takes the jump's for the day. Numbers of
      // a date stand behind dashes: one behind a plus comes out negative, or zero.
      if (jump.count >= 0 || jump.count == std::numeric_limits<std::int64_t>::min()) {
        return std::nullopt;
      }
      return Reading{.year = full_year(first),
                     .month = numbers.all[1].value,
                     .day = -jump.count,
                     .span = to_span({.count = 1, .unit = jump.unit}).value_or(Span{})};
    case 3:
      return Reading{.year = full_year(first),
                     .month = numbers.all[1].value,
                     .day = numbers.all[2].value,
                     .span = *span};
    default:
      return std::nullopt;
  }
}

bool in_calendar(const Reading& reading) {
  return fits_int(reading.year - kYearBase) && reading.month >= 1 && reading.month <= 12 &&
         reading.day >= 1 && reading.day <= 31 && reading.hour < 24 && reading.minute < 60 &&
         exists({reading.year, static_cast<unsigned>(reading.month),
                 static_cast<unsigned>(reading.day)});
}

/// The day that `span` leads to, as local seconds at the reading's time of day; nothing where an
/// int of struct tm overflows on the way.
std::optional<std::int64_t> add_span(const Reading& reading) {
  std::int64_t year = 0;
  std::int64_t month = 0;
  std::int64_t day = 0;
  if (__builtin_add_overflow(reading.year - kYearBase, reading.span.years, &year) ||
      __builtin_add_overflow(reading.month - 1, reading.span.months, &month) ||
      __builtin_add_overflow(reading.day, reading.span.days, &day) || !fits_int(year) ||
      !fits_int(month) || !fits_int(day)) {
    return std::nullopt;
  }
  const std::int64_t month_of_year = ((month % 12) + 12) % 12;
  year += kYearBase + (month - month_of_year) / 12;
  const std::int64_t days = days_from_civil(year, static_cast<unsigned>(month_of_year) + 1, day);
  if (!fits_int(from_days(days).year - kYearBase)) return std::nullopt;
  return days * kDay + reading.hour * 3600 + reading.minute * 60 + reading.second;
}

}  // namespace

std::string format_date(std::string_view format, const CivilDate& today) {
  std::string text;
  while (!format.empty()) {
    const std::string_view field = format.substr(0, 2);
    if (field == "%Y") {
      text += fmt::format("{:04}", today.year);
    } else if (field == "%m") {
      text += fmt::format("{:02}", today.month);
    } else if (field == "%d") {
      text += fmt::format("{:02}", today.day);
    } else {
      text += format.front();
    }
    format.remove_prefix(format.front() == '%' ? field.size() : 1);
  }
  return text;
}

Result<CivilDate> resolve_date(std::string_view reference, const Jump& jump, const LocalTime& now,
                               const Zone& zone) {
  const auto numbers = read_numbers(reference);
  const auto reading = numbers ? read_reference(*numbers, jump, now) : std::nullopt;
  if (!reading) return fail(fmt::format("date(1) takes '{}' for no date", reference));
  if (!in_calendar(*reading)) return fail(fmt::format("there is no date or time '{}'", reference));

  Reading unmoved = *reading;
  unmoved.span = {};
  const std::int64_t wanted = add_span(unmoved).value_or(0);
  const auto start = find_instant(wanted, zone, 0, reading->summer);
  if (!start || start->utc + zone(start->utc).seconds_east != wanted) {
    return fail(fmt::format("'{}' does not exist in the local time zone", reference));
  }
  const auto moved = add_span(*reading);
  const auto end = moved ? find_instant(*moved, zone, start->guess, reading->summer) : std::nullopt;
  if (!end) return fail(fmt::format("the jump from '{}' leads out of range", reference));
  return to_local(end->utc, zone).date;
}

bool date_takes(std::string_view format, const Jump& jump) {
  // The form of a reference is the same on every day with a year of four digits.
  const LocalTime day{.date = {2001, 1, 1}};
  const auto numbers = read_numbers(format_date(format, day.date));
  return numbers && read_reference(*numbers, jump, day).has_value();
}

}  // namespace evojail
