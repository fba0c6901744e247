#include "tasks/forecast_score.h"

#include <algorithm>

#include "tasks/forecast_outputs.h"
#include "tasks/metrics.h"

namespace carousel {
namespace {

// What happened after the origin: [horizon, targets], of a series from `row` on.
std::vector<double> actual_values(const Series& series, std::int64_t row, const ForecastInfo& info,
                                  const std::vector<std::int64_t>& columns) {
  std::vector<double> values;
  for (std::int64_t h = 0; h < info.horizon; ++h) {
    for (const std::int64_t column : columns) values.push_back(series.at(row + h, column));
  }
  return values;
}

}  // namespace

Metrics ForecastScoring::score(const Forecasts& forecasts) const {
  const std::vector<std::int64_t> targets = info.target_positions();
  const Forecasts mine = scaled ? forecasts : in_units(forecasts, data, windows, info);
  ForecastScore total;
  BasicTensor<double> known(mine.point.shape());
  for (std::size_t n = 0; n < windows.size(); ++n) {
    const auto k = static_cast<std::size_t>(windows[n].series);
    const Series& measured = scaled ? data.scaled[k] : data.series[k];
    const Series& truth = actual ? (*actual)[k] : measured;
    std::vector<double> scales;
    for (const std::int64_t target : targets) {
      scales.push_back(mase_scale(measured, data.splits[k].train, target, info.season));
    }
    const std::span<const double> point(mine.point.data() + static_cast<std::int64_t>(n) * mine.values(),
                                        static_cast<std::size_t>(mine.values()));
    const std::vector<double> values = actual_values(truth, actual ? 0 : windows[n].origin, info, targets);
    std::copy(values.begin(), values.end(), known.data() + static_cast<std::int64_t>(n) * mine.values());
    total.add(point, values, scales);
  }
  Metrics metrics{{"rmse", total.rmse()},
                  {"mae", total.mae()},
                  {"mse", total.mse()},
                  {"mase", total.mase()},
                  {"smape", total.smape()}};
  add_quantile_metrics(mine, known, metrics);
  return metrics;
}

EvaluateResult score_forecasts(const Model& model, const ForecastBaselines& baselines, const ForecastScoring& scoring) {
  EvaluateResult result;
  result.task = "forecast";
  result.samples = std::ssize(scoring.windows);
  result.metrics = scoring.score(model_forecasts(model, scoring.data, scoring.windows, scoring.info));
  for (const auto& baseline : baselines) {
    result.baselines.push_back(
        {std::string(baseline->name()),
         scoring.score(baseline_forecasts(*baseline, scoring.data, scoring.windows, scoring.info))});
  }
  return result;
}

}  // namespace carousel
