// forecast_baselines.h: forecasts that any model must beat.
//
// A ForecastBaseline sees the last rows before the origin and gives horizon rows of the targets. It owns its numbers; a
// forecast changes nothing, so one object serves any number of threads.
//   last_value             every step repeats the last known value
//   seasonal               step h repeats the last known value of the same phase: x[o + h - season ceil((h+1)/season)]
//   linear_autoregression  step h is its own linear map of the window (direct forecast), fitted by ridge.h
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "carousel/tensor.h"
#include "data/series/series_split.h"

namespace carousel {

class ForecastBaseline {
 public:
  virtual ~ForecastBaseline() = default;
  virtual std::string_view name() const = 0;
  // Rows of history that forecast() looks at.
  virtual std::int64_t history() const = 0;
  // history [rows, C], the last row is the last known one; out [horizon, targets].
  // REQUIRES: at least one row (the seasonal one then repeats the last value where the phase is not known yet); the
  // autoregression needs history() rows and throws Error{kUsage} if there are fewer.
  virtual void forecast(View<const double> history, View<double> out) const = 0;
};

// Targets are columns of the series.
std::unique_ptr<ForecastBaseline> last_value_baseline(std::vector<std::int64_t> targets);
std::unique_ptr<ForecastBaseline> seasonal_baseline(std::vector<std::int64_t> targets, std::int64_t season);

// One series and the part of it to fit on.
struct TrainingSeries {
  const Series* series = nullptr;
  TrainingRange training;
};

struct AutoregressionOptions {
  std::int64_t window = 1, horizon = 1;
  std::vector<std::int64_t> targets{};
  std::int64_t largest = 600;  // window * C up to which a map of all columns is tried beside the targets' own past
};

// Fitted on all windows of the training parts (several series share the map: scale them first). The penalty, and
// whether a target is forecast from its own past or from all columns, are chosen on the last fifth of each training
// part, then everything is fitted again on the whole. Columns are standardised inside. Null if no window fits.
std::unique_ptr<ForecastBaseline> linear_autoregression(std::span<const TrainingSeries> series,
                                                        const AutoregressionOptions& options);

// The forecast of the baseline at an origin of the series, from the rows before it; a missing value counts as the last
// known one before it.
// REQUIRES: origin >= 1; out [horizon, targets].
void forecast_at(const ForecastBaseline& baseline, const Series& series, std::int64_t origin, View<double> out);

}  // namespace carousel
