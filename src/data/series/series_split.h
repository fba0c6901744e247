// series_split.h: training, validation and test part of a series, in time order.
//
// A Range is a run of rows. A TrainingRange is a Range that only the functions below make: what is fitted (scaler,
// season, baselines) asks for one, so that it cannot be given a validation or test part by mistake.
#pragma once

#include <cstdint>
#include <string>

#include "data/series/series.h"

namespace carousel {

struct Range {
  std::int64_t begin = 0, end = 0;  // rows begin .. end-1

  std::int64_t size() const noexcept { return end - begin; }
  bool operator==(const Range&) const noexcept = default;
};

struct SeriesSplit;

class TrainingRange {
 public:
  TrainingRange() = default;  // empty
  std::int64_t begin() const noexcept { return range_.begin; }
  std::int64_t end() const noexcept { return range_.end; }
  std::int64_t size() const noexcept { return range_.size(); }
  operator Range() const noexcept { return range_; }  // NOLINT: a training range is a range

 private:
  explicit TrainingRange(Range range) : range_(range) {}
  friend SeriesSplit split_series(const Series& series, const std::string& parts);
  friend SeriesSplit split_last(const Series& series, double valid_fraction, std::int64_t at_least);
  friend SeriesSplit train_on_all(const Series& series);
  friend TrainingRange known_at(const TrainingRange& training, std::int64_t origin, bool sliding);
  Range range_;
};

// Adjoining, in this order; a part may be empty, the training part is not. Rows after the last part belong to none.
struct SeriesSplit {
  TrainingRange train;
  Range valid, test;
};

// `parts` is "A,B" or "A,B,C" for training, validation and test part, all of one kind:
//   rows      8640,2880,2880   how many each part has
//   fractions 0.7,0.1,0.2      of the rows, rounded down; at least one is written with a point
//   dates     2016-12,2017-06,2018-01-15   the last time of each part, itself included (parse_time's forms, not a bare
//             year, which would be a number of rows); needs a time column
// Throws Error{kUsage} for anything else, a part beyond the end of the series, dates out of order, no training rows.
SeriesSplit split_series(const Series& series, const std::string& parts);

// The last `valid_fraction` of the rows, at least `at_least` (a horizon), for validation; the rest for training.
// Throws Error{kUsage} unless 0 <= valid_fraction < 1, Error{kData} if no training row is left.
SeriesSplit split_last(const Series& series, double valid_fraction, std::int64_t at_least);

// Everything is training part: forecasts from the end of the file, scored on another one.
SeriesSplit train_on_all(const Series& series);

// What is known at an origin (the first row that is not), to fit again in a backtest: the rows from the beginning of
// the training part on (expanding), or only as many of the last ones as the training part has (sliding).
TrainingRange known_at(const TrainingRange& training, std::int64_t origin, bool sliding);

}  // namespace carousel
