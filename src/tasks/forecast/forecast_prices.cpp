#include "tasks/forecast/forecast_prices.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/fail.h"
#include "tasks/significance.h"

namespace carousel {
namespace {

double price(double value, const Series& series, const std::string& column, std::int64_t row) {
  if (value > 0 || std::isnan(value)) return value;
  fail(Code::kData, "--prices: {}column '{}' is {} in row {}; a price is above 0",
       series.id.empty() ? "" : "series '" + series.id + "', ", column, value, row + 1);
}

}  // namespace

void PriceErrors::add(const Forecasts& forecasts, const BasicTensor<double>& actual, const ForecastData& data,
                      std::span<const WindowAt> windows, const ForecastInfo& info) {
  const std::vector<std::int64_t> targets = info.target_positions();
  const auto K = static_cast<std::int64_t>(targets.size());
  hits.resize(targets.size());
  moves.resize(targets.size());
  for (std::size_t n = 0; n < windows.size(); ++n) {
    const Series& series = data.series[static_cast<std::size_t>(windows[n].series)];
    double here = 0, known_here = 0;
    for (std::int64_t i = 0; i < forecasts.values(); ++i) {
      const auto j = static_cast<std::size_t>(i % K);
      const std::int64_t at = static_cast<std::int64_t>(n) * forecasts.values() + i, row = windows[n].origin - 1;
      const double last = price(series.at(row, targets[j]), series, info.targets[j], row);
      const double truth = price(actual[at], series, info.targets[j], windows[n].origin + i / K);
      if (std::isnan(truth) || std::isnan(last)) continue;
      const double error = (forecasts.point[at] - truth) / last;
      here += error * error;
      sizes += std::abs(error);
      known_here += 1;
      if (i >= K || truth == last) continue;
      ++moves[j];
      has_directions = has_directions || forecasts.point[at] != last;
      if (forecasts.point[at] != last && (forecasts.point[at] > last) == (truth > last)) ++hits[j];
    }
    losses.push_back(known_here > 0 ? here / known_here : std::numeric_limits<double>::quiet_NaN());
    squares += here;
    known += known_here;
  }
}

std::vector<std::string> price_notes(const EvaluateResult& result, const PriceErrors& model, const ForecastInfo& info) {
  std::vector<std::string> notes;
  for (std::size_t j = 0; j < model.moves.size(); ++j) {
    if (model.moves[j] == 0) continue;
    const Interval interval = wilson_interval(model.hits[j], model.moves[j]);
    const char* verdict = interval.low > 0.5    ? "better than a coin"
                          : interval.high < 0.5 ? "worse than a coin"
                                                : "no better than a coin";
    notes.push_back(
        fmt::format("Direction of {}: {:.1f} % of {} moves foretold (95 % interval {:.1f} to {:.1f} %): {}.",
                    info.targets[j], 100 * static_cast<double>(model.hits[j]) / static_cast<double>(model.moves[j]),
                    model.moves[j], 100 * interval.low, 100 * interval.high, verdict));
  }
  const auto walk = std::find_if(result.baselines.begin(), result.baselines.end(),
                                 [](const Baseline& baseline) { return baseline.name == "last_value"; });
  const double mine = *find_metric(result.metrics, "return_rmse");
  const double theirs = *find_metric(walk->metrics, "return_rmse");
  const bool beats = mine < theirs && walk->p.value_or(1) < 0.05;
  notes.push_back(fmt::format("The model {} the random walk: errors of returns {:.3g} % against {:.3g} %{}.",
                              beats ? "beats" : "does not beat", 100 * mine, 100 * theirs,
                              walk->p ? fmt::format(", p = {:.2g}", *walk->p) : ""));
  return notes;
}

}  // namespace carousel
