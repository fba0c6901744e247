// time_axis.h: what the text of a time column says.
//
// Understood: ISO 8601 with its usual shortenings (`1983`, `1983-07`, `1983-07-14`, `1983-07-14 05:00`, with seconds,
// with `T`, with `/` for `-`); the year may have one to four digits, so that `3-12` (year 3, month 12) is a month.
// Anything else is a label without meaning. Proleptic Gregorian calendar, no time zones.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace carousel {

// The stretch of time that a text names, in seconds since 1970-01-01: `1983-07` is the whole of July 1983.
struct TimeSpan {
  std::int64_t begin = 0, end = 0;  // end excluded
};

std::optional<TimeSpan> parse_time(std::string_view text);

// The usual distance between neighbours, judged by the median: "year", "quarter", "month", "week", "day", "hour",
// "30 minutes" ...; empty if the times are not understood or there are fewer than three.
std::string time_step_name(std::span<const std::string> times);

// The periods, in steps, that this distance suggests, the likeliest first: month 12; quarter 4; week 52; day 7, 365;
// shorter than a day: the steps of a day, then of a week. Empty for years and for what is not understood.
std::vector<std::int64_t> natural_seasons(std::span<const std::string> times);

}  // namespace carousel
