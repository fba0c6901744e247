// forecast_diagnostics.h: how far forecasts are from what happened, as charts: by step of the horizon, over time, and
// how often the truth lies below a quantile or inside an interval.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tasks/forecast/forecast_score.h"
#include "tasks/report/chart.h"

namespace carousel {

// The forecasts of one method for the windows that are scored, in the units of the data.
struct MethodForecasts {
  std::string name;
  Forecasts forecasts;
};

// What the charts are made of. Borrows what `scoring` borrows.
struct PicturedForecasts {
  ForecastScoring scoring;
  std::vector<MethodForecasts> methods;  // the model, then the baselines
  std::size_t best_baseline = 0;         // among the methods; 0: there is none

  const Forecasts& model() const { return methods.front().forecasts; }
  std::int64_t targets() const { return std::ssize(scoring.info.targets); }
  // What happened `step` steps (from 0) after the origin of a window; NaN if it is missing.
  double happened(const WindowAt& window, std::int64_t step, std::int64_t target) const;
};

// Two levels as far from 0 as from 1: the interval between their quantiles should hold `share` of all values.
struct CentralInterval {
  std::size_t low = 0, high = 0;  // among the levels
  double share = 0;
};
// Those nearest to 80 % and to 50 %, the wider first; of one pair of levels one, without a pair none.
std::vector<CentralInterval> central_intervals(const std::vector<double>& levels);

// The error of every method at each step of the horizon, for one target: the mean absolute error, of several series
// that divided by mase_scale.
LineChart step_error_chart(const PicturedForecasts& pictured, std::int64_t target);

// The share of all values of a target that lie below each quantile of the model, over its level.
// REQUIRES: the model has quantiles.
LineChart calibration_chart(const PicturedForecasts& pictured, std::int64_t target);
// At each step the share of the values inside central_intervals. REQUIRES: there is one.
LineChart coverage_chart(const PicturedForecasts& pictured, std::int64_t target);

// Errors (what happened - forecast) of the first step after consecutive origins.
struct StepErrors {
  Range rows;
  std::vector<double> values;  // of each row; NaN: not known
};
LineChart error_chart(const StepErrors& errors, const Series& series, const std::string& target);
// The correlation of errors `lag` rows apart, with the band that holds 95 % of them if the errors are independent:
// +-1.96 / sqrt(n). What is not known counts as the mean. REQUIRES: some error is known.
LineChart autocorrelation_chart(const StepErrors& errors, std::int64_t season);
// With the normal distribution of the same mean and deviation. REQUIRES: some error is known.
LineChart histogram_chart(std::vector<double> values, const std::string& unit);

// (series, MASE) of the model, the largest first; a series that does not change in its training part has none.
std::vector<std::pair<std::int64_t, double>> series_by_error(const PicturedForecasts& pictured);

}  // namespace carousel
