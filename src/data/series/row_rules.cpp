#include "data/series/row_rules.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "base/fail.h"

namespace carousel {
namespace {

constexpr double kMissingValue = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kRun = 8;  // so many equal distances one after another are a step of their own

std::span<double> row_of(Series& series, std::size_t row) {
  const auto width = static_cast<std::size_t>(series.column_count());
  return std::span(series.values).subspan(row * width, width);
}

// Keeps the rows `kept`, in that order.
void choose_rows(SeriesRows& rows, const std::vector<std::size_t>& kept) {
  SeriesRows chosen;
  chosen.lines.reserve(kept.size());
  chosen.begins.reserve(kept.size());
  std::vector<double> values;
  values.reserve(kept.size() * static_cast<std::size_t>(rows.series.column_count()));
  for (const std::size_t row : kept) {
    chosen.lines.push_back(rows.lines[row]);
    chosen.begins.push_back(rows.begins[row]);
    const auto cells = row_of(rows.series, row);
    values.insert(values.end(), cells.begin(), cells.end());
  }
  rows.lines = std::move(chosen.lines);
  rows.begins = std::move(chosen.begins);
  rows.series.values = std::move(values);
}

// The mean of what is known in rows first .. end-1, into row `first`.
void take_mean(Series& series, std::size_t first, std::size_t end) {
  for (std::size_t c = 0; c < static_cast<std::size_t>(series.column_count()); ++c) {
    double sum = 0, count = 0;
    for (std::size_t t = first; t < end; ++t) {
      const double value = row_of(series, t)[c];
      if (std::isnan(value)) continue;
      sum += value;
      ++count;
    }
    row_of(series, first)[c] = count > 0 ? sum / count : kMissingValue;
  }
}

}  // namespace

void RowRules::Done::add(std::int64_t more, const std::string& place) {
  if (count == 0) first = place;
  count += more;
}

RowRules::RowRules(const SeriesOptions& options, TimeWriting writing, std::string path)
    : options_(options), writing_(std::move(writing)), path_(std::move(path)) {}

std::string RowRules::place(const SeriesRows& rows, std::size_t row) const {
  return fmt::format("{}:{}: {}", path_, rows.lines[row],
                     rows.series.id.empty() ? "" : fmt::format("series '{}': ", rows.series.id));
}

// Where clocks are put forward and back: early on a Sunday of these months.
std::string RowRules::clock_change(std::int64_t begin) const {
  if (writing_.form() != TimeForm::kClock || writing_.zoned()) return "";
  const std::int64_t days = days_of(begin), hour = (begin - days * kDaySeconds) / kHourSeconds;
  const std::int64_t month = date_from_days(days).month;
  const bool sunday = weekday(days) == 6, changes = month == 3 || month == 4 || (month >= 9 && month <= 11);
  return sunday && changes && hour <= 3
             ? " (perhaps a change to or from daylight saving time: give the times with their zone, +01:00, or in UTC)"
             : "";
}

void RowRules::sort(SeriesRows& rows) {
  for (std::size_t t = 1; t < rows.begins.size(); ++t) {
    if (rows.begins[t] >= rows.begins[t - 1]) continue;
    if (!options_.sort) {
      fail(Code::kData, "{}time '{}' comes before '{}' in the row above{}; sort the rows by time or say --sort{}",
           place(rows, t), writing_.write(rows.begins[t]), writing_.write(rows.begins[t - 1]),
           clock_change(rows.begins[t]),
           rows.series.id.empty() ? " (several series in one file need --id-column)" : "");
    }
    sorted_.add(1, fmt::format("line {}", rows.lines[t]));
    std::vector<std::size_t> order(rows.begins.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return rows.begins[a] < rows.begins[b]; });
    return choose_rows(rows, order);
  }
}

void RowRules::merge(SeriesRows& rows) {
  std::vector<std::size_t> kept;
  for (std::size_t first = 0, end = 0; first < rows.begins.size(); first = end) {
    while (end < rows.begins.size() && rows.begins[end] == rows.begins[first]) ++end;
    kept.push_back(options_.duplicates == "last" ? end - 1 : first);
    if (end - first == 1) continue;
    const std::string time = writing_.write(rows.begins[first]);
    if (options_.duplicates == "refuse") {
      fail(Code::kData,
           "{}time '{}' stands in line {} as well{}; delete one of them or say --duplicates first, last or mean{}",
           place(rows, first + 1), time, rows.lines[first], clock_change(rows.begins[first]),
           rows.series.id.empty() ? " (several series in one file need --id-column)" : "");
    }
    merged_.add(static_cast<std::int64_t>(end - first) - 1,
                fmt::format("'{}' in line {}", time, rows.lines[first + 1]));
    if (options_.duplicates == "mean") take_mean(rows.series, first, end);
  }
  if (kept.size() < rows.begins.size()) choose_rows(rows, kept);
}

TimeStep RowRules::common_step(std::span<const SeriesRows> all) const {
  std::vector<TimeStep> steps;
  std::vector<const SeriesRows*> owners;
  for (const SeriesRows& rows : all) {
    if (rows.begins.size() < 3 && all.size() > 1) continue;  // too few to tell
    steps.push_back(find_time_step(rows.begins, writing_));
    owners.push_back(&rows);
  }
  if (steps.empty()) return find_time_step(all.front().begins, writing_);
  const auto is_business = [](const TimeStep& step) { return step.unit == TimeStep::Unit::kBusinessDay; };
  if (!std::all_of(steps.begin(), steps.end(), is_business)) {  // a week without a weekend among weeks with one
    for (TimeStep& step : steps) {
      if (is_business(step)) step = {TimeStep::Unit::kSecond, kDaySeconds, 1, 0};
    }
  }
  for (std::size_t k = 1; k < steps.size(); ++k) {
    if (steps[k] == steps[0] || options_.gaps == "ignore") continue;
    fail(Code::kData,
         "{}: mixed frequencies: series '{}' has a step of one {}, series '{}' (line {}) of one {}; give files of one "
         "frequency, or say --gaps ignore to take every row for a step",
         path_, owners[0]->series.id, steps[0].name(), owners[k]->series.id, owners[k]->lines.front(), steps[k].name());
  }
  return steps.front();
}

void RowRules::insert(SeriesRows& rows, const TimeStep& step) {
  std::vector<std::int64_t> places;
  for (const std::int64_t begin : rows.begins) places.push_back(step.place(begin));
  const std::int64_t first = places.front(), count = step.count;
  const bool holidays = options_.gaps.empty() && step.unit == TimeStep::Unit::kBusinessDay;
  const bool ignore = holidays || options_.gaps == "ignore";
  std::int64_t missing = 0, run = 0;
  for (std::size_t t = 1; t < places.size(); ++t) {
    const std::int64_t distance = places[t] - places[t - 1];
    if (distance == count) continue;
    const std::string before = writing_.write(rows.begins[t - 1]);
    if (!ignore && distance % count != 0) {
      fail(Code::kData,
           "{}time '{}' follows '{}', which is no multiple of the usual step of one {}; give times at even distances, "
           "or say --gaps ignore to take every row for a step",
           place(rows, t), writing_.write(rows.begins[t]), before, step.name());
    }
    run = t >= 2 && distance == places[t - 1] - places[t - 2] ? run + 1 : 1;
    if (!ignore && run == kRun) {
      TimeStep other = step;
      other.count = distance;
      fail(Code::kData,
           "{}mixed frequencies: the step is one {} here and one {} elsewhere; give files of one frequency, or say "
           "--gaps ignore to take every row for a step",
           place(rows, t + 1 - static_cast<std::size_t>(kRun)), other.name(), step.name());
    }
    if (options_.gaps == "refuse") {
      fail(Code::kData, "{}a gap: time '{}' follows '{}' at a step of one {}{}; fill it or say --gaps mask or ignore",
           place(rows, t), writing_.write(rows.begins[t]), before, step.name(), clock_change(rows.begins[t]));
    }
    const std::int64_t gap = distance / count - 1;
    missing += gap;
    if (ignore && !holidays) continue;
    (holidays ? holidays_ : inserted_)
        .add(gap, fmt::format("after '{}' in line {}{}", before, rows.lines[t - 1], clock_change(rows.begins[t])));
  }
  if (ignore && missing > 0) {
    rows.series.times = TimeAxis::irregular(step, writing_, std::move(places));
    return;
  }
  const auto read = static_cast<std::int64_t>(places.size()), total = read + missing;
  if (missing > read) {
    fail(Code::kData,
         "{}{} times are missing between the {} that are there, at a step of one {}; say --gaps ignore to take every "
         "row for a step",
         place(rows, 0), missing, read, step.name());
  }
  rows.series.times = TimeAxis::regular(step, writing_, first, total);
  if (missing == 0) return;
  Series& series = rows.series;
  std::vector<double> values(static_cast<std::size_t>(total * series.column_count()), kMissingValue);
  for (std::size_t t = 0; t < places.size(); ++t) {
    const auto cells = row_of(series, t);
    std::copy(cells.begin(), cells.end(), values.begin() + (places[t] - first) / count * series.column_count());
  }
  series.values = std::move(values);
  std::vector<std::int64_t> lines;  // an inserted row has the line of the row before
  for (std::size_t t = 0; t < places.size(); ++t) {
    lines.resize(static_cast<std::size_t>((places[t] - first) / count), lines.empty() ? 0 : lines.back());
    lines.push_back(rows.lines[t]);
  }
  rows.lines = std::move(lines);
}

void RowRules::apply(std::span<SeriesRows> all) {
  if (all.empty() || all.front().begins.empty()) return;
  for (SeriesRows& rows : all) {
    sort(rows);
    merge(rows);
  }
  const TimeStep step = common_step(all);
  for (SeriesRows& rows : all) insert(rows, step);
}

void RowRules::refuse_missing(const SeriesRows& rows) const {
  const Series& series = rows.series;
  for (std::int64_t t = 0; t < series.known_steps(); ++t) {
    for (std::int64_t c = 0; c < series.column_count(); ++c) {
      if (!std::isnan(series.at(t, c))) continue;
      const std::string time = series.times.text(t);
      fail(Code::kData, "{}column '{}' has no value{}; fill it or say --missing mask, last or interpolate",
           place(rows, static_cast<std::size_t>(t)), series.columns[static_cast<std::size_t>(c)],
           time.empty() ? "" : fmt::format(" for '{}'", time));
    }
  }
}

void RowRules::fill_column(Series& series, std::size_t column) {
  const auto steps = static_cast<std::size_t>(series.time_steps());
  std::size_t known = steps;  // the last known row; none yet
  for (std::size_t t = 0; t < steps; ++t) {
    const double value = row_of(series, t)[column];
    if (std::isnan(value)) continue;
    for (std::size_t gap = known + 1; gap < t; ++gap) {
      const double last = row_of(series, known)[column];
      const double share = static_cast<double>(gap - known) / static_cast<double>(t - known);
      row_of(series, gap)[column] = options_.missing == "last" ? last : last + share * (value - last);
      ++filled_;
    }
    known = t;
  }
}

void RowRules::fill(std::span<SeriesRows> all) {
  if (options_.missing == "mask") return;
  for (SeriesRows& rows : all) {
    if (options_.missing == "refuse") {
      refuse_missing(rows);
    } else {
      for (std::size_t c = 0; c < rows.series.columns.size(); ++c) fill_column(rows.series, c);
    }
  }
}

void RowRules::add_notes(std::vector<std::string>& notes) const {
  if (sorted_.count > 0) notes.push_back(fmt::format("the rows were not in order of time ({}): sorted", sorted_.first));
  if (merged_.count > 0) {
    notes.push_back(
        fmt::format("{} repeated times, the first {}: {} taken", merged_.count, merged_.first,
                    options_.duplicates == "mean" ? "their mean is" : "the " + options_.duplicates + " row is"));
  }
  if (inserted_.count > 0) {
    notes.push_back(fmt::format("{} missing times, the first {}: taken for rows of missing values", inserted_.count,
                                inserted_.first));
  }
  if (holidays_.count > 0) {
    notes.push_back(fmt::format("{} business days without a row, the first {}: taken for holidays, not for gaps",
                                holidays_.count, holidays_.first));
  }
}

std::vector<SeriesRows> separate_columns(const SeriesRows& all, std::size_t targets) {
  const std::vector<std::string>& columns = all.series.columns;
  const std::size_t width = columns.size();
  std::vector<SeriesRows> list;
  for (std::size_t k = 0; k < targets; ++k) {
    SeriesRows& one = list.emplace_back();
    one.series.id = columns[k];
    one.series.columns = {"value"};
    one.series.columns.insert(one.series.columns.end(), columns.begin() + static_cast<std::ptrdiff_t>(targets),
                              columns.end());
    for (std::size_t row = 0; row < all.lines.size(); ++row) {
      one.series.values.push_back(all.series.values[row * width + k]);
      for (std::size_t c = targets; c < width; ++c) one.series.values.push_back(all.series.values[row * width + c]);
    }
    one.lines = all.lines;
    one.begins = all.begins;
  }
  return list;
}

}  // namespace carousel
