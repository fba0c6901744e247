// forecasts.h: what a model or a baseline says about the values after an origin.
//
// The one form in which a forecast goes from a model to scores, tables and pictures: a point for each step and target
// and, where the method knows how sure it is, quantiles of the same value. A value object.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "tasks/baselines/forecast_baselines.h"
#include "tasks/forecast/forecast_data.h"

namespace carousel {

struct Forecasts {
  BasicTensor<double> point;      // [windows, horizon x targets], step after step
  std::vector<double> levels;     // rising, each in (0, 1); empty: points only
  BasicTensor<double> quantiles;  // [windows, horizon x targets, levels], rising in the last axis; empty: points only
  bool scaled = true;             // false: in the units of the data, and in_units() changes nothing

  std::int64_t windows() const noexcept { return point.shape()[0]; }
  std::int64_t values() const noexcept { return point.shape()[1]; }  // horizon x targets
};

using ForecastBaselines = std::vector<std::unique_ptr<ForecastBaseline>>;

// Those that forecasts are compared with, fitted on the training parts; or on others, one for each series.
ForecastBaselines make_forecast_baselines(const ForecastData& data, const ForecastInfo& info);
ForecastBaselines make_forecast_baselines(const ForecastData& data, const ForecastInfo& info,
                                          std::span<const TrainingRange> parts);

// Those that a trained model is compared with. Where no series has a training part, its linear start stands for linear
// autoregression. Borrows the model.
ForecastBaselines make_forecast_baselines(const Model& model, const ForecastData& data, const ForecastInfo& info);

// Forecasts of windows, each with info.window rows before its origin: those of the model in scaled units, those of a
// baseline in the units that it was fitted in. With data.carried a recursive forecaster takes windows of one series
// only. With info.members they are those of the ensemble.
Forecasts model_forecasts(const Model& model, const ForecastData& data, std::span<const WindowAt> windows,
                          const ForecastInfo& info);
Forecasts baseline_forecasts(const ForecastBaseline& baseline, const ForecastData& data,
                             std::span<const WindowAt> windows, const ForecastInfo& info);

struct NamedForecasts {
  std::string name;
  Forecasts forecasts;
};
std::vector<NamedForecasts> all_forecasts(const ForecastBaselines& baselines, const ForecastData& data,
                                          std::span<const WindowAt> windows, const ForecastInfo& info);

// The windows by their place among those of their series: the first ones of all series, the second ones ...
std::vector<std::vector<std::size_t>> origin_rounds(std::span<const WindowAt> windows, std::size_t series);

// The same of every baseline fitted again at each origin (DataOptions::refit "expanding" or "sliding"). Those whose
// data are not enough at the first origins are left out.
std::vector<NamedForecasts> refitted_forecasts(const ForecastData& data, std::span<const WindowAt> windows,
                                               const ForecastInfo& info, bool sliding);

// Scaled units to the units of the data, each window with the scaling of its series.
Forecasts in_units(Forecasts scaled, const ForecastData& data, std::span<const WindowAt> windows,
                   const ForecastInfo& info);

// `steps` steps from the end of a series, in the units of the data: one window, [1, steps x targets]. Steps beyond the
// horizon go on from the forecasts themselves, so all columns must be targets then, and have quantiles only if sampled
// paths give them (a recursive distribution). Throws Error{kUsage} if they are not, Error{kData} if the series is
// shorter than the window.
Forecasts forecast_ahead(const Model& model, const ForecastData& data, const ForecastInfo& info, std::int64_t series,
                         std::int64_t steps);

// Throws Error{kUsage} unless the model samples paths: it is recursive and has a distribution.
void require_paths(const ForecastInfo& info);

// Sampled futures from the end of a series, in the units of the data: [1, paths, steps x targets]; the same every time,
// each series its own. Throws as require_paths() and forecast_ahead() do.
struct PathOptions {
  std::int64_t steps = 1, paths = 1;
};
BasicTensor<double> paths_ahead(const Model& model, const ForecastData& data, const ForecastInfo& info,
                                std::int64_t series, const PathOptions& options);

}  // namespace carousel
