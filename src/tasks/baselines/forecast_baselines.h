// forecast_baselines.h: forecasts that any model must beat.
//
// A ForecastBaseline is fitted on the training parts of a list of series and owns its numbers. A forecast at an origin
// sees the rows before it and nothing else; what was fitted stays, what goes along with the series (the last value, the
// level, the mean so far) goes on with the values observed until then. A forecast changes nothing, so one object serves
// any number of threads. Series have no gaps: see carry_forward().
//   last_value             every step repeats the last known value: the random walk
//   drift                  the last value and the mean step from the first training row to it: x + h (x - x_1) / (n -
//   1) mean                   the mean from the first training row on seasonal               step h repeats the last
//   known value of the same phase: x[o + h - season ceil((h+1)/season)] naive2                 the last value of the
//   seasonally adjusted series (naive2.cpp) exponential_smoothing  exponential_smoothing.h linear_autoregression  step
//   h is its own linear map of the window (direct forecast), fitted by ridge.h
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "carousel/tensor.h"
#include "data/series/series_split.h"

namespace carousel {

// Where forecasts are wanted: at rising origins (each >= 1) of series `index` of the list.
struct ForecastPlaces {
  std::int64_t index = 0;
  const Series& series;
  std::span<const std::int64_t> origins;
};

class ForecastBaseline {
 public:
  virtual ~ForecastBaseline() = default;
  virtual std::string_view name() const = 0;
  // Whether it was fitted on scaled series, which the several series of a shared map need, and forecasts those.
  virtual bool of_scaled_values() const { return false; }
  // out [origins x horizon, targets], origin after origin.
  // REQUIRES: at least one row before each origin (the seasonal one then repeats the last value where the phase is not
  // known yet); the autoregression needs its window and throws Error{kUsage} if there are fewer.
  virtual void forecast(const ForecastPlaces& places, View<double> out) const = 0;
};

// One series and the part of it to fit on.
struct TrainingSeries {
  const Series* series = nullptr;
  TrainingRange training;
};

// Targets are columns of the series.
std::unique_ptr<ForecastBaseline> last_value_baseline(std::vector<std::int64_t> targets);
std::unique_ptr<ForecastBaseline> seasonal_baseline(std::vector<std::int64_t> targets, std::int64_t season);
std::unique_ptr<ForecastBaseline> drift_baseline(std::span<const TrainingSeries> series,
                                                 std::vector<std::int64_t> targets);
std::unique_ptr<ForecastBaseline> mean_baseline(std::span<const TrainingSeries> series,
                                                std::vector<std::int64_t> targets);

std::unique_ptr<ForecastBaseline> naive2_baseline(std::span<const TrainingSeries> series,
                                                  std::vector<std::int64_t> targets, std::int64_t season);

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

}  // namespace carousel
