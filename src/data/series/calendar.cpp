#include "data/series/calendar.h"

#include <cmath>
#include <numbers>

#include "base/fail.h"

namespace carousel {

const std::vector<std::string>& calendar_features() {
  static const std::vector<std::string> names{"hour", "weekday", "monthday", "yearday", "month"};
  return names;
}

CyclePoint calendar_point(std::string_view feature, std::int64_t begin) {
  const std::int64_t days = days_of(begin);
  const Date date = date_from_days(days);
  const double clock = static_cast<double>(begin - days * kDaySeconds) / static_cast<double>(kDaySeconds);
  double passed = clock, length = 1;  // in days, of "month" in months
  if (feature == "weekday") {
    passed += static_cast<double>(weekday(days));
    length = 7;
  } else if (feature == "monthday") {
    passed += static_cast<double>(date.day - 1);
    length = static_cast<double>(days_in_month(date.year, date.month));
  } else if (feature == "yearday") {
    const std::int64_t first = days_from_date({date.year, 1, 1});
    passed += static_cast<double>(days - first);
    length = static_cast<double>(days_from_date({date.year + 1, 1, 1}) - first);
  } else if (feature == "month") {
    passed = static_cast<double>(date.month - 1);
    length = 12;
  } else {
    CAROUSEL_ASSERT(feature == "hour");
  }
  const double angle = 2 * std::numbers::pi * passed / length;
  return {std::sin(angle), std::cos(angle)};
}

std::vector<std::string> fitting_calendar_features(const TimeAxis& times, const TrainingRange& training) {
  if (!times.is_date() || training.size() < 2) return {};
  struct Cycle {
    const char* name;
    std::int64_t longest_step, length;  // seconds
  };
  constexpr std::int64_t kYear = 365 * kDaySeconds;
  constexpr Cycle kCycles[] = {{"hour", kDaySeconds / 2, kDaySeconds},
                               {"weekday", kDaySeconds, 7 * kDaySeconds},
                               {"yearday", 7 * kDaySeconds, kYear},
                               {"month", 183 * kDaySeconds, kYear}};
  const std::int64_t covered = times.begin(training.end() - 1) - times.begin(training.begin());
  const std::int64_t step = covered / (training.size() - 1);
  std::vector<std::string> names;
  for (const Cycle& cycle : kCycles) {
    const bool same_cycle = !names.empty() && names.back() == "yearday" && cycle.length == kYear;
    if (step <= cycle.longest_step && covered >= 2 * cycle.length && !same_cycle) names.emplace_back(cycle.name);
  }
  return names;
}

}  // namespace carousel
