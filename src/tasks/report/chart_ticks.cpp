#include "tasks/report/chart_ticks.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>

#include "base/fail.h"
#include "data/series/time_axis.h"

namespace carousel {
namespace {

// 1, 2 or 5 times a power of ten, at least `step`.
double nice_step(double step) {
  const double power = std::pow(10, std::floor(std::log10(step)));
  for (double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= step * (1 - 1e-9)) return factor * power;
  }
  return 10 * power;
}

constexpr std::int64_t kMinute = 60, kHour = 60 * kMinute, kDay = 24 * kHour, kMonth = 28 * kDay, kYear = 365 * kDay;

// A division of time: `count` of `unit` (kMonth and kYear stand for those of the calendar).
struct Division {
  std::int64_t unit, count;
};

constexpr Division kDivisions[] = {{kMinute, 1}, {kMinute, 5}, {kMinute, 15}, {kMinute, 30}, {kHour, 1},  {kHour, 3},
                                   {kHour, 6},   {kHour, 12},  {kDay, 1},     {kDay, 7},     {kMonth, 1}, {kMonth, 3},
                                   {kMonth, 6},  {kYear, 1},   {kYear, 2},    {kYear, 5},    {kYear, 10}, {kYear, 20},
                                   {kYear, 50},  {kYear, 100}, {kYear, 200},  {kYear, 500}};

std::int64_t floor_divide(std::int64_t value, std::int64_t by) { return (value - (value < 0 ? by - 1 : 0)) / by; }

std::chrono::year_month_day date_of(std::int64_t seconds) {
  return std::chrono::sys_days(std::chrono::days(floor_divide(seconds, kDay)));
}

// Which stretch of the division a time (seconds since 1970) falls into.
std::int64_t stretch_of(std::int64_t seconds, const Division& division) {
  if (division.unit < kMonth) {
    const bool weeks = division.unit == kDay && division.count == 7;  // they begin on Monday, 1970 on a Thursday
    return floor_divide(seconds + (weeks ? 3 * kDay : 0), division.unit * division.count);
  }
  const std::chrono::year_month_day date = date_of(seconds);
  const std::int64_t year = int{date.year()}, month = unsigned{date.month()};
  return floor_divide(division.unit == kYear ? year : year * 12 + month - 1, division.count);
}

// "1990", "1990-03", "1990-03-05", "06:00" (at midnight the date).
std::string time_text(std::int64_t seconds, const Division& division) {
  const std::chrono::year_month_day date = date_of(seconds);
  const std::int64_t second = seconds - floor_divide(seconds, kDay) * kDay;
  if (division.unit < kDay && second != 0) return fmt::format("{:02}:{:02}", second / kHour, second / kMinute % 60);
  std::string text = std::to_string(int{date.year()});
  if (division.unit < kYear) text += fmt::format("-{:02}", unsigned{date.month()});
  if (division.unit < kMonth) text += fmt::format("-{:02}", unsigned{date.day()});
  return text;
}

}  // namespace

std::vector<Tick> number_ticks(double low, double high, int about) {
  const double step = nice_step(0.7 * (high - low) / about);
  const double largest = std::max(std::abs(low), std::abs(high));
  const bool millions = largest >= 1e6 && largest < 1e10;
  const double unit = millions ? 1e6 : 1;
  const int decimals = std::clamp(static_cast<int>(-std::floor(std::log10(step / unit) + 1e-9)), 0, 9);
  std::vector<Tick> ticks;
  for (double at = std::ceil(low / step - 1e-9) * step; at <= high + step * 1e-9; at += step) {
    const double value = std::abs(at) < step * 1e-6 ? 0 : at;
    std::string text = fmt::format("{:.{}f}{}", value / unit, decimals, millions && value != 0 ? " M" : "");
    if (text.size() > 8) text = fmt::format("{:g}", value);
    ticks.push_back({value, std::move(text)});
  }
  return ticks;
}

std::vector<Tick> log_ticks(double low, double high, int about) {
  std::vector<Tick> ticks;
  if (high - low < 1) {
    ticks = number_ticks(std::pow(10, low), std::pow(10, high), about);
    for (Tick& tick : ticks) tick.at = std::log10(tick.at);
    return ticks;
  }
  if (3 * (high - low) <= about + 2) {  // 1, 2 and 5 times each power
    for (double power = std::floor(low); power <= high; ++power) {
      for (const double factor : {1.0, 2.0, 5.0}) {
        const double at = power + std::log10(factor);
        if (at >= low && at <= high) ticks.push_back({at, fmt::format("{:g}", factor * std::pow(10, power))});
      }
    }
    return ticks;
  }
  const double every = std::max(1.0, std::ceil((high - low) / about));
  for (double power = std::ceil(low / every) * every; power <= high; power += every) {
    ticks.push_back({power, fmt::format("{:g}", std::pow(10, power))});
  }
  return ticks;
}

std::vector<Tick> time_ticks(std::span<const std::string> names, double low, double high, int about) {
  const auto first = static_cast<std::size_t>(std::max(0.0, std::ceil(low)));
  const auto last = std::min(names.size(), static_cast<std::size_t>(std::max(0.0, high)) + 1);
  std::vector<TimeSpan> times;
  for (std::size_t i = first; i < last; ++i) {
    const auto time = parse_time(names[i]);
    if (!time) return {};
    times.push_back(*time);
  }
  if (times.empty()) return {};
  for (const Division& division : kDivisions) {
    // Nothing finer than what the texts say: years have no months.
    if (10 * division.unit * division.count < 9 * (times.front().end - times.front().begin)) continue;
    std::vector<Tick> ticks;
    for (std::size_t i = 0; i < times.size() && std::ssize(ticks) <= about; ++i) {
      const std::int64_t before = i > 0 ? times[i - 1].begin : times[i].begin - 1;
      if (stretch_of(times[i].begin, division) == stretch_of(before, division)) continue;
      ticks.push_back({static_cast<double>(first + i), time_text(times[i].begin, division)});
    }
    if (std::ssize(ticks) > about) continue;
    if (ticks.size() < 2) return {};
    return ticks;
  }
  return {};
}

}  // namespace carousel
