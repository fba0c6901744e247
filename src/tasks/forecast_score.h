// forecast_score.h: how good forecasts are, beside those of the baselines.
#pragma once

#include <span>
#include <vector>

#include "tasks/forecasts.h"
#include "tasks/task.h"

namespace carousel {

// What is scored, and against what.
struct ForecastScoring {
  const ForecastData& data;
  const ForecastInfo& info;
  const std::vector<WindowAt>& windows;
  const std::vector<Series>* actual = nullptr;  // a test file, from its first row on; null: the series themselves
  bool scaled = false;                          // errors in scaled units, as the long-horizon benchmarks give them

  // `forecasts` in scaled units, one row per window.
  Metrics score(const Forecasts& forecasts) const;
};

// The model and every baseline on the same windows.
EvaluateResult score_forecasts(const Model& model, const ForecastBaselines& baselines, const ForecastScoring& scoring);

}  // namespace carousel
