// forecast_outputs.h: from the numbers of a network to points and quantiles, and back to what it starts with.
#pragma once

#include <span>

#include "tasks/forecast/forecast_head.h"
#include "tasks/forecast/forecasts.h"
#include "tasks/task.h"

namespace carousel {

// The levels that are learnt, scored at and written unless others are given.
std::vector<double> default_levels();

// What scaled values of a column stand for, where the scaling is a straight line.
ValueUnits units_of(const Scaler& scaler, std::int64_t column);

// `outputs` [windows, network_outputs(info)] in scaled units, as predict_windows() gives them. A network of points has
// quantiles if info.residuals are known. REQUIRES: data.scalers.
Forecasts read_outputs(const Tensor& outputs, const ForecastData& data, std::span<const WindowAt> windows,
                       const ForecastInfo& info);

// The same at other levels, between those that it has on straight lines; nothing changes for none. A quantile that is
// not known (NaN) stays so. Throws Error{kUsage} for a level beyond the outer ones.
Forecasts at_levels(Forecasts forecasts, const std::vector<double>& levels);

// Sets the biases of the numbers behind the locations, so that the untrained network, which is the linear start, is as
// sure of itself as its errors on the training windows allow. Nothing for points.
void calibrate_start(Sequential& network, const ForecastData& data, const ForecastInfo& info);

// The value of rank level (n + 1) among n sorted ones (Hyndman and Fan 1996, type 6): the next one like them stays
// below it with that probability. REQUIRES: not empty.
double next_quantile(std::span<const double> sorted, double level) noexcept;

// The quantiles at info.levels (next_quantile) of the errors of the forecasts of `windows`, in scaled units: of points
// only. Steps share a set until it has kLeastResiduals errors or more. The observer is told.
inline constexpr std::int64_t kLeastResiduals = 100;
ResidualQuantiles fit_residuals(const Forecasts& forecasts, const ForecastData& data, std::span<const WindowAt> windows,
                                const ForecastInfo& info, Observer& observer);

// How good quantiles are, collected from some windows at a time: crps, the mean of crps_from_quantiles() over the known
// values; wql, the weighted quantile loss (2 x the sum of the pinball losses, averaged over the levels, over the sum of
// |actual|); and coverage_80, the share of values between the quantiles 0.1 and 0.9, both included, if there are those.
class QuantileScore {
 public:
  // actual [windows, values], NaN where not known, in the units of the forecasts, whose levels are always the same.
  void add(const Forecasts& forecasts, const BasicTensor<double>& actual);
  void add_metrics(Metrics& metrics) const;  // none for points

 private:
  std::size_t place_of(double level) const;  // levels_.size() if it is none of them

  std::vector<double> levels_;
  double crps_ = 0, known_ = 0, losses_ = 0, sizes_ = 0, inside_ = 0;
};

}  // namespace carousel
