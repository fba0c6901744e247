// forecast_report.h: the page and the pictures of a forecaster (--report, --plots), of training and of evaluation.
#pragma once

#include "tasks/forecast/forecast_score.h"
#include "tasks/training_run.h"

namespace carousel {

// Scores of the test part, else of the validation part, pictures of its forecasts, learning curves. `options` is
// resolved.
void write_forecast_report(const Options& options, const Model& model, const ForecastData& data,
                           const ForecastInfo& info, const CurveRecorder& curves);

// The same of what was scored: `result` is that of the model and these baselines. `part` says what the windows are:
// "test part".
void write_evaluation_report(const Options& options, const Model& model, std::vector<NamedForecasts> baselines,
                             const ForecastScoring& scoring, const EvaluateResult& result, const std::string& part);

}  // namespace carousel
