// forecast_linear.h: the linear branch of a forecaster, fitted before training by ridge regression.
//
// The forecast of step h is an anchor plus a linear map of what the window does around its last value:
//   y_h = x[a(h)] + b_h + sum_t w_(h,t) (x_t - x_last) + v_h x_last
// The anchor a(h) is the last row, or the last one of the same phase of the season. A strong penalty leaves the anchor
// alone (the naive forecast), a weak one is linear autoregression. Anchor, penalty, and whether a target sees only its
// own past or all columns, are chosen on the last fifth of the training windows and the windows of the validation part.
#pragma once

#include <memory>

#include "tasks/baselines/forecast_baselines.h"
#include "tasks/forecast/forecast_data.h"
#include "tasks/forecast/forecast_model.h"

namespace carousel {

LinearStart fit_linear_start(const ForecastData& data, const ForecastInfo& info);

// The linear branch of a trained network as a baseline of its own, "linear_start": for series that were held back as a
// whole, where those that linear autoregression would be fitted on are not at hand. A map of one step goes on from its
// own forecasts. Borrows the network. Forecasts scaled values; `info` is that of the model.
std::unique_ptr<ForecastBaseline> linear_start_baseline(Sequential& network, const ForecastInfo& info);

}  // namespace carousel
