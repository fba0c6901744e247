#include "data/series/time_axis.h"

#include <algorithm>
#include <array>

#include "base/fail.h"

namespace carousel {
namespace {

constexpr std::int64_t kMinute = 60, kHour = 60 * kMinute, kDay = 24 * kHour;

// Days since 1970-01-01. Years are counted from March, so that the leap day is the last of its year.
std::int64_t days_from_date(std::int64_t year, std::int64_t month, std::int64_t day) {
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

std::int64_t days_in_month(std::int64_t year, std::int64_t month) {
  return month == 12 ? 31 : days_from_date(year, month + 1, 1) - days_from_date(year, month, 1);
}

// Reads from the front of a text; each function says whether it found what it looked for.
struct Scanner {
  std::string_view rest;

  bool number(std::size_t at_least, std::size_t at_most, std::int64_t& value) {
    std::size_t count = 0;
    value = 0;
    while (count < rest.size() && count < at_most && rest[count] >= '0' && rest[count] <= '9') {
      value = value * 10 + (rest[count++] - '0');
    }
    rest.remove_prefix(count);
    return count >= at_least;
  }
  bool any_of(std::string_view characters) {
    if (rest.empty() || characters.find(rest[0]) == std::string_view::npos) return false;
    rest.remove_prefix(1);
    return true;
  }
};

// `hh:mm`, `hh:mm:ss`, `hh:mm:ss.sss`, an optional Z; the position within the day.
std::optional<TimeSpan> parse_clock(Scanner scan) {
  std::int64_t hour = 0, minute = 0, second = 0;
  if (!scan.number(1, 2, hour) || !scan.any_of(":") || !scan.number(2, 2, minute)) return std::nullopt;
  std::int64_t width = kMinute;
  if (scan.any_of(":")) {
    if (!scan.number(2, 2, second)) return std::nullopt;
    width = 1;
    std::int64_t fraction = 0;
    if (scan.any_of(".") && !scan.number(1, 9, fraction)) return std::nullopt;
  }
  scan.any_of("Z");
  if (!scan.rest.empty() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  const std::int64_t begin = hour * kHour + minute * kMinute + second;
  return TimeSpan{begin, begin + width};
}

// The median distance between neighbours, in seconds; 0 if some text is not understood or there are fewer than three.
std::int64_t median_step(std::span<const std::string> times) {
  constexpr std::size_t kFirstTimes = 1000;
  std::vector<std::int64_t> steps;
  std::int64_t before = 0;
  for (std::size_t i = 0; i < std::min(times.size(), kFirstTimes); ++i) {
    const auto span = parse_time(times[i]);
    if (!span) return 0;
    if (i > 0) steps.push_back(span->begin - before);
    before = span->begin;
  }
  if (steps.size() < 2) return 0;
  const auto middle = steps.begin() + static_cast<std::ptrdiff_t>(steps.size() / 2);
  std::nth_element(steps.begin(), middle, steps.end());
  return std::max<std::int64_t>(*middle, 0);
}

bool between(std::int64_t value, std::int64_t low, std::int64_t high) { return value >= low && value <= high; }

}  // namespace

std::optional<TimeSpan> parse_time(std::string_view text) {
  Scanner scan{text};
  std::int64_t year = 0, month = 1, day = 1;
  if (!scan.number(1, 4, year)) return std::nullopt;
  if (scan.rest.empty()) {
    if (text.size() != 4) return std::nullopt;  // a bare number is a year only if it looks like one
    return TimeSpan{days_from_date(year, 1, 1) * kDay, days_from_date(year + 1, 1, 1) * kDay};
  }
  if (!scan.any_of("-/") || !scan.number(1, 2, month) || !between(month, 1, 12)) return std::nullopt;
  const std::int64_t first = days_from_date(year, month, 1);
  if (scan.rest.empty()) return TimeSpan{first * kDay, (first + days_in_month(year, month)) * kDay};
  if (!scan.any_of("-/") || !scan.number(1, 2, day) || !between(day, 1, days_in_month(year, month))) {
    return std::nullopt;
  }
  const std::int64_t midnight = (first + day - 1) * kDay;
  if (scan.rest.empty()) return TimeSpan{midnight, midnight + kDay};
  if (!scan.any_of(" T")) return std::nullopt;
  const auto clock = parse_clock(scan);
  if (!clock) return std::nullopt;
  return TimeSpan{midnight + clock->begin, midnight + clock->end};
}

std::string time_step_name(std::span<const std::string> times) {
  const std::int64_t step = median_step(times);
  if (step <= 0) return "";
  struct Named {
    std::int64_t low, high;
    const char* name;
  };
  constexpr std::array kNamed = {Named{365 * kDay, 366 * kDay, "year"},
                                 Named{90 * kDay, 92 * kDay, "quarter"},
                                 Named{28 * kDay, 31 * kDay, "month"},
                                 Named{7 * kDay, 7 * kDay, "week"},
                                 Named{kDay, kDay, "day"},
                                 Named{kHour, kHour, "hour"},
                                 Named{kMinute, kMinute, "minute"},
                                 Named{1, 1, "second"}};
  for (const Named& named : kNamed) {
    if (between(step, named.low, named.high)) return named.name;
  }
  if (step % kDay == 0) return fmt::format("{} days", step / kDay);
  if (step % kHour == 0) return fmt::format("{} hours", step / kHour);
  if (step % kMinute == 0) return fmt::format("{} minutes", step / kMinute);
  return fmt::format("{} seconds", step);
}

std::vector<std::int64_t> natural_seasons(std::span<const std::string> times) {
  const std::int64_t step = median_step(times);
  if (step <= 0) return {};
  if (between(step, 90 * kDay, 92 * kDay)) return {4};
  if (between(step, 28 * kDay, 31 * kDay)) return {12};
  if (step == 7 * kDay) return {52};
  if (step == kDay) return {7, 365};
  if (step < kDay && kDay % step == 0) return {kDay / step, 7 * (kDay / step)};
  return {};
}

}  // namespace carousel
