// forecast_report.h: the page of a trained forecaster (train forecast --report).
#pragma once

#include "tasks/forecasts.h"
#include "tasks/training_run.h"

namespace carousel {

// Writes options.output.report: scores of the test part, else of the validation part, and pictures of its forecasts.
// `options` is resolved.
void write_forecast_report(const Options& options, const Model& model, const ForecastData& data,
                           const ForecastInfo& info, const CurveRecorder& curves);

}  // namespace carousel
