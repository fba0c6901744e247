// time_axis.h: the times of the rows of a series: one regular step, or a list.
//
// A time is a count of steps of one kind: whole numbers, seconds, business days (Monday to Friday) or months. Months,
// quarters and years keep the day that they are written with, the last day of the month stays the last (31 January,
// 28 February). A value object.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/series/time_text.h"

namespace carousel {

// The usual distance between neighbours: `count` of the unit.
struct TimeStep {
  enum class Unit { kInteger, kSecond, kBusinessDay, kMonth };
  Unit unit = Unit::kInteger;
  std::int64_t count = 1;
  std::int64_t day = 1, seconds = 0;  // kMonth: day of the month (31: its last) and time of day

  // The place of a time on the axis of the unit, and the time of a place. A time that does not fit (a Sunday, another
  // day of the month) is put on the place before it.
  std::int64_t place(std::int64_t begin) const;
  std::int64_t begin(std::int64_t place) const;
  // "hour", "30 minutes", "business day", "month", "quarter", "step", "2 steps" ...
  std::string name() const;
  bool operator==(const TimeStep&) const noexcept = default;
};

// Judged by the distance that is most frequent (of equals the shortest). `begins`: TimeSpan::begin in ascending order.
// Business days: whole days, none on a weekend, over at least a week. REQUIRES: at least one time.
TimeStep find_time_step(std::span<const std::int64_t> begins, const TimeWriting& writing);

class TimeAxis {
 public:
  TimeAxis() = default;  // no times
  // As read, one text a row; irregular where the distances are. For small data: it keeps a number for every row.
  explicit TimeAxis(const std::vector<std::string>& texts);
  static TimeAxis labels(std::vector<std::string> texts);  // without meaning
  // Row t at first + t * step.count; `first` is a place on the axis of the step.
  static TimeAxis regular(const TimeStep& step, const TimeWriting& writing, std::int64_t first, std::int64_t rows);
  static TimeAxis irregular(const TimeStep& step, const TimeWriting& writing, std::vector<std::int64_t> places);

  void resize(std::int64_t rows);  // to fewer rows
  bool empty() const noexcept { return rows_ == 0; }
  std::int64_t size() const noexcept { return rows_; }
  bool understood() const noexcept { return rows_ > 0 && labels_.empty(); }
  bool is_date() const noexcept { return understood() && writing_.is_date(); }
  const TimeStep& step() const noexcept { return step_; }

  // The time of a row, written as in the file. Rows behind the last go on in steps; labels have none: "".
  std::string text(std::int64_t row) const;
  std::vector<std::string> texts(std::int64_t first, std::int64_t end) const;  // of rows first .. end-1
  // Its TimeSpan::begin. REQUIRES: understood().
  std::int64_t begin(std::int64_t row) const;

  std::string step_name() const { return understood() ? step_.name() : ""; }
  // The periods, in steps, that the step suggests, the likeliest first: month 12; quarter 4; week 52; day 7, 365;
  // business day 5; shorter than a day: the steps of a day, then of a week. Else empty.
  std::vector<std::int64_t> natural_seasons() const;

 private:
  std::int64_t place(std::int64_t row) const;

  std::int64_t rows_ = 0, first_ = 0;
  TimeStep step_;
  TimeWriting writing_;
  std::vector<std::int64_t> places_;  // irregular: of each row
  std::vector<std::string> labels_;
};

}  // namespace carousel
