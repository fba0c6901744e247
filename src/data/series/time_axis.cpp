#include "data/series/time_axis.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "base/fail.h"

namespace carousel {
namespace {

std::int64_t floor_divide(std::int64_t value, std::int64_t by) {
  return value / by - (value % by != 0 && (value < 0) != (by < 0) ? 1 : 0);
}

std::int64_t month_of(const Date& date) { return date.year * 12 + date.month - 1; }

// The distance that most neighbours have; 0 if there is none.
std::int64_t most_frequent(const std::vector<std::int64_t>& places) {
  std::map<std::int64_t, std::int64_t> counts;
  for (std::size_t t = 1; t < places.size(); ++t) {
    if (places[t] > places[t - 1]) ++counts[places[t] - places[t - 1]];
  }
  std::int64_t best = 0, most = 0;
  for (const auto& [distance, count] : counts) {
    if (count > most) {
      best = distance;
      most = count;
    }
  }
  return best;
}

std::int64_t most_frequent(std::span<const std::int64_t> begins, const TimeStep& step) {
  std::vector<std::int64_t> places;
  for (const std::int64_t begin : begins) places.push_back(step.place(begin));
  return most_frequent(places);
}

// Days that stand once in a month, always at the same place of it, are months. Fills day and seconds.
bool are_months(std::span<const std::int64_t> begins, TimeStep& step) {
  step = {TimeStep::Unit::kMonth, 1, 1, 0};
  for (const std::int64_t begin : begins) {
    step.day = std::max(step.day, date_from_days(days_of(begin)).day);
  }
  step.seconds = begins[0] - days_of(begins[0]) * kDaySeconds;
  bool last_days = true;
  for (const std::int64_t begin : begins) {
    const Date date = date_from_days(days_of(begin));
    last_days = last_days && date.day == days_in_month(date.year, date.month);
  }
  if (last_days) step.day = 31;
  for (std::size_t t = 0; t < begins.size(); ++t) {
    if (step.begin(step.place(begins[t])) != begins[t]) return false;
    if (t > 0 && step.place(begins[t]) == step.place(begins[t - 1])) return false;
  }
  return begins.size() > 1;
}

bool are_business_days(std::span<const std::int64_t> begins) {
  if (begins.back() - begins.front() < 7 * kDaySeconds) return false;
  return std::none_of(begins.begin(), begins.end(), [](std::int64_t begin) { return weekday(days_of(begin)) >= 5; });
}

std::string counted(std::int64_t count, const char* unit) {
  return count == 1 ? std::string(unit) : fmt::format("{} {}s", count, unit);
}

}  // namespace

std::int64_t TimeStep::place(std::int64_t begin) const {
  if (unit == Unit::kMonth) return month_of(date_from_days(days_of(begin)));
  if (unit != Unit::kBusinessDay) return begin;
  const std::int64_t days = days_of(begin) + 3;  // since a Monday
  return 5 * floor_divide(days, 7) + std::min<std::int64_t>(days - 7 * floor_divide(days, 7), 4);
}

std::int64_t TimeStep::begin(std::int64_t place) const {
  if (unit == Unit::kMonth) {
    const std::int64_t year = floor_divide(place, 12), month = place - 12 * year + 1;
    return days_from_date({year, month, std::min(day, days_in_month(year, month))}) * kDaySeconds + seconds;
  }
  if (unit != Unit::kBusinessDay) return place;
  const std::int64_t weeks = floor_divide(place, 5);
  return (7 * weeks + place - 5 * weeks - 3) * kDaySeconds;
}

std::string TimeStep::name() const {
  if (unit == Unit::kInteger) return counted(count, "step");
  if (unit == Unit::kBusinessDay) return counted(count, "business day");
  if (unit == Unit::kMonth) {
    if (count % 12 == 0) return counted(count / 12, "year");
    return count == 3 ? "quarter" : counted(count, "month");
  }
  if (count == 7 * kDaySeconds) return "week";
  if (count % kDaySeconds == 0) return counted(count / kDaySeconds, "day");
  if (count % kHourSeconds == 0) return counted(count / kHourSeconds, "hour");
  return count % kMinuteSeconds == 0 ? counted(count / kMinuteSeconds, "minute") : counted(count, "second");
}

TimeStep find_time_step(std::span<const std::int64_t> begins, const TimeWriting& writing) {
  TimeStep step;
  std::int64_t alone = 1;  // the step of a single time
  const TimeForm form = writing.form();
  if (form == TimeForm::kYear || form == TimeForm::kQuarter || form == TimeForm::kMonth) {
    step.unit = TimeStep::Unit::kMonth;
    alone = form == TimeForm::kYear ? 12 : form == TimeForm::kQuarter ? 3 : 1;
  } else if (form != TimeForm::kInteger) {
    alone = form == TimeForm::kDay ? kDaySeconds : 1;
    if (!are_months(begins, step)) step = {TimeStep::Unit::kSecond, 1, 1, 0};
  }
  const std::int64_t distance = most_frequent(begins, step);
  step.count = distance > 0 ? distance : alone;
  if (form == TimeForm::kDay && step == TimeStep{TimeStep::Unit::kSecond, kDaySeconds, 1, 0} &&
      are_business_days(begins)) {
    step = {TimeStep::Unit::kBusinessDay, 1, 1, 0};
  }
  return step;
}

TimeAxis::TimeAxis(const std::vector<std::string>& texts) : rows_(static_cast<std::int64_t>(texts.size())) {
  TimeReader reader;
  std::vector<std::int64_t> begins;
  for (const std::string& text : texts) {
    std::string problem;
    const auto span = reader.read(text, problem);
    if (!span) fail(Code::kData, "{}", problem);
    begins.push_back(span->begin);
  }
  if (!reader.understood()) {
    labels_ = texts;
    return;
  }
  writing_ = reader.writing();
  step_ = find_time_step(begins, writing_);
  for (const std::int64_t begin : begins) places_.push_back(step_.place(begin));
}

TimeAxis TimeAxis::labels(std::vector<std::string> texts) {
  TimeAxis axis;
  axis.rows_ = static_cast<std::int64_t>(texts.size());
  axis.labels_ = std::move(texts);
  return axis;
}

TimeAxis TimeAxis::regular(const TimeStep& step, const TimeWriting& writing, std::int64_t first, std::int64_t rows) {
  TimeAxis axis;
  axis.rows_ = rows;
  axis.first_ = first;
  axis.step_ = step;
  axis.writing_ = writing;
  return axis;
}

TimeAxis TimeAxis::irregular(const TimeStep& step, const TimeWriting& writing, std::vector<std::int64_t> places) {
  TimeAxis axis = regular(step, writing, 0, static_cast<std::int64_t>(places.size()));
  axis.places_ = std::move(places);
  return axis;
}

void TimeAxis::resize(std::int64_t rows) {
  rows_ = std::min(rows_, rows);
  if (!places_.empty()) places_.resize(static_cast<std::size_t>(rows_));
  if (!labels_.empty()) labels_.resize(static_cast<std::size_t>(rows_));
}

std::int64_t TimeAxis::place(std::int64_t row) const {
  if (places_.empty()) return first_ + row * step_.count;
  if (row < rows_) return places_[static_cast<std::size_t>(row)];
  return places_.back() + (row - rows_ + 1) * step_.count;
}

std::int64_t TimeAxis::begin(std::int64_t row) const { return step_.begin(place(row)); }

std::string TimeAxis::text(std::int64_t row) const {
  if (understood()) return writing_.write(begin(row));
  return row < rows_ ? labels_[static_cast<std::size_t>(row)] : "";
}

std::vector<std::string> TimeAxis::texts(std::int64_t first, std::int64_t end) const {
  std::vector<std::string> list;
  for (std::int64_t row = first; row < end; ++row) list.push_back(text(row));
  return list;
}

std::vector<std::int64_t> TimeAxis::natural_seasons() const {
  if (!understood() || step_.unit == TimeStep::Unit::kInteger) return {};
  const std::int64_t count = step_.count;
  if (step_.unit == TimeStep::Unit::kBusinessDay) return {5};
  if (step_.unit == TimeStep::Unit::kMonth) {
    return count < 12 && 12 % count == 0 ? std::vector<std::int64_t>{12 / count} : std::vector<std::int64_t>{};
  }
  if (count == 7 * kDaySeconds) return {52};
  if (count == kDaySeconds) return {7, 365};
  if (count < kDaySeconds && kDaySeconds % count == 0) return {kDaySeconds / count, 7 * (kDaySeconds / count)};
  return {};
}

}  // namespace carousel
