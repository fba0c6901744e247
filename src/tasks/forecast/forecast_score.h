// forecast_score.h: how good forecasts are, beside those of the baselines.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "tasks/forecast/forecast_prices.h"
#include "tasks/forecast/forecasts.h"
#include "tasks/metrics.h"
#include "tasks/task.h"

namespace carousel {

// Losses as a sequence of observations for a test, and how many of them overlap one another: of one series those of its
// windows; of several the mean loss of each, where there are more series than origins, else of each origin.
struct LossSample {
  std::vector<double> losses;  // NaN: not known
  std::int64_t overlap = 1;
};

// `losses`: one for each of `windows`, which are sorted by series and origin.
LossSample sample_losses(std::span<const double> losses, const std::vector<WindowAt>& windows,
                         const ForecastInfo& info);

// rmse, mae, mse, mase and smape, the most important first: mase of several series. Without mase if no value has one.
Metrics error_metrics(const ForecastScore& errors, const ForecastInfo& info);
// Where the result has no mase, a note that says why.
void note_missing_mase(const ForecastInfo& info, EvaluateResult& result);

// The errors of the forecasts of one method.
struct ForecastErrors {
  Metrics metrics;
  HorizonErrors by_horizon;
  // [windows], what the first metric is made of: the mean squared error of each window, of series with scalings of
  // their own the mean absolute scaled error, of prices the mean squared error of returns. NaN where nothing is known.
  std::vector<double> losses;
  PriceErrors prices;
};

// What is scored, and against what.
struct ForecastScoring {
  const ForecastData& data;
  const ForecastInfo& info;
  const std::vector<WindowAt>& windows;
  const std::vector<Series>* actual = nullptr;  // a test file, from its first row on; null: the series themselves
  // Errors over the deviation of the training part, as the long-horizon benchmarks give them.
  bool scaled = false;
  bool prices = false;  // with the errors of returns, before all others

  // One row per window; missing values have no error.
  ForecastErrors errors(const Forecasts& forecasts) const;
  // The same of forecasts that are made for some windows at a time, in their order: the quantiles of all of them, which
  // may take gigabytes, are never held at once.
  using Forecaster = std::function<Forecasts(std::span<const WindowAt>)>;
  ForecastErrors errors(const Forecaster& forecaster) const;
  Metrics score(const Forecasts& forecasts) const { return errors(forecasts).metrics; }
  // What happened, in the units of the data: [some, horizon x targets].
  BasicTensor<double> actual_values(std::span<const WindowAt> some) const;
};

// The result of an evaluation, method by method: the model, then the baselines, each with the test of its difference
// from the model (diebold_mariano): over the origins, or over the series where there are more of them, each with its
// mean loss. `scoring` must outlive it.
class ForecastTable {
 public:
  ForecastTable(const ForecastScoring& scoring, ForecastErrors model);
  void add(std::string baseline, ForecastErrors errors);
  // With OWA (overall weighted average), the score of the M4 competition, where naive2 is among the baselines.
  EvaluateResult finish();

 private:
  const ForecastScoring& scoring_;
  EvaluateResult result_;
  ForecastErrors model_;
};

// The errors of a model: of all windows at once where its forecasts depend on which are asked for together (stateful
// forecasters, sampled paths), which members of an ensemble may be.
ForecastErrors model_errors(const Model& model, const ForecastScoring& scoring);

// The model and every baseline on the same windows.
EvaluateResult score_forecasts(const Model& model, const ForecastBaselines& baselines, const ForecastScoring& scoring);

}  // namespace carousel
