// metrics.h: how good a prediction is. Formulas with their source; every function works on plain numbers.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "data/series/series_split.h"

namespace carousel {

// mean |f - a|, mean (f - a)^2, sqrt of it; 0 for nothing. REQUIRES: as many forecasts as actuals.
double mean_absolute_error(std::span<const double> forecast, std::span<const double> actual);
double mean_squared_error(std::span<const double> forecast, std::span<const double> actual);
double root_mean_squared_error(std::span<const double> forecast, std::span<const double> actual);

// mean 200 |f - a| / (|f| + |a|) in percent, a term 0/0 counting 0 (Makridakis et al. 2020, the M4 competition).
double symmetric_mape(std::span<const double> forecast, std::span<const double> actual);

// The mean of |x_t - x_(t-season)| over the training part (Hyndman and Koehler 2006): MASE is the mean absolute error
// divided by it, so that 1 is as good as repeating the last season within the training part. A training part not
// longer than a season is judged with season 1; missing values (NaN) are left out; the result is 0 only if nothing
// changes there.
double mase_scale(const Series& series, const TrainingRange& training, std::int64_t column, std::int64_t season);
// The same mean over the training parts of several series. REQUIRES: as many parts as series.
double mase_scale(std::span<const Series> series, std::span<const SeriesSplit> splits, std::int64_t column,
                  std::int64_t season);

// The errors of forecasts, collected window by window.
class ForecastScore {
 public:
  // forecast and actual [horizon, targets], scales [targets] from mase_scale. A target whose scale is 0 has no MASE; an
  // actual value that is missing (NaN) has no error.
  void add(std::span<const double> forecast, std::span<const double> actual, std::span<const double> scales);
  std::int64_t windows() const noexcept { return windows_; }
  double mae() const noexcept { return ratio(absolute_, values_); }
  double mse() const noexcept { return ratio(squared_, values_); }
  double rmse() const noexcept;
  double mase() const noexcept;  // the mean over all values that have one; NaN if none has
  double smape() const noexcept { return ratio(symmetric_, values_); }

 private:
  static double ratio(double sum, std::int64_t count) noexcept {
    return count == 0 ? 0 : sum / static_cast<double>(count);
  }
  double absolute_ = 0, squared_ = 0, scaled_ = 0, symmetric_ = 0;
  std::int64_t values_ = 0, scaled_values_ = 0, windows_ = 0;
};

// How often label a was taken for p: counts [classes, classes], row a, column p.
// REQUIRES: as many predicted as actual labels, all in 0 .. classes-1.
std::vector<std::int64_t> confusion_counts(std::span<const std::int32_t> predicted,
                                           std::span<const std::int32_t> actual, std::int64_t classes);

double accuracy(std::span<const std::int32_t> predicted, std::span<const std::int32_t> actual);

// The mean over the classes of F1 = 2 tp / (2 tp + fp + fn); a class that neither occurs nor is predicted is left out.
double macro_f1(std::span<const std::int32_t> predicted, std::span<const std::int32_t> actual, std::int64_t classes);

// Whether more is better: accuracies, F1, BLEU, coverage; errors, perplexity and the rest are better when lower.
bool higher_is_better(std::string_view metric);

}  // namespace carousel
