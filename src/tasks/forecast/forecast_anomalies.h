// forecast_anomalies.h: how surprising each value of a series is, judged by what was forecast one step before.
//
// p is how often a value that follows the forecast lies as far out, on either side: 2 min(P(X <= x), P(X >= x)). The
// score is -log10 p: 3 for one in a thousand. X has the distribution that the forecaster gives (--distribution); of
// points and of quantiles, which end before the tails, it is normal about the point, with the deviation that the errors
// had in the validation part of training.
#pragma once

#include <vector>

#include "tasks/forecast/forecast_head.h"
#include "tasks/forecast/forecasts.h"
#include "tasks/task.h"

namespace carousel {

// ForecastInfo::error_deviation: root mean square of the errors one step ahead over windows whose values are known, of
// each target, in scaled units. Empty without windows.
std::vector<double> one_step_deviation(const Model& model, const ForecastData& data, std::span<const WindowAt> windows,
                                       const ForecastInfo& info);

// -log10 P(|Z| > z) of a standard normal Z; z >= 0.
double surprise_of(double z);
// The score of a value under the distribution of a head with the numbers x, in scaled units; at most 14.
double surprise_under(const ForecastHead& head, std::span<const double> x, const ValueUnits& units, double value);

// A line for each value behind the first window of its series or, with options.data.update, behind the rows of the
// state: id (if several), time (or row, if there are none), target, value, forecast, score, and 1 if p is below
// options.data.threshold, else 0; value and score are empty where the value is missing. Throws Error{kData} if the
// model does not know its errors.
void write_anomalies(const Model& model, const Options& options, const ForecastData& data, const ForecastInfo& info,
                     RowSink& sink);

}  // namespace carousel
