#include "tasks/forecast/forecast_outputs.h"

#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "base/thread_pool.h"
#include "tasks/forecast/forecast_metrics.h"
#include "tasks/forecast/forecast_training.h"

namespace carousel {

std::vector<double> default_levels() { return {0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95}; }

ValueUnits units_of(const Scaler& scaler, std::int64_t column) {
  const double shift = scaler.inverse(0, column);
  return {shift, scaler.inverse(1, column) - shift};
}

namespace {

// Where the set of quantiles of value i = step x targets + target begins.
std::int64_t residual_place(const ForecastInfo& info, std::int64_t i) {
  const std::int64_t K = std::ssize(info.targets), set = i / K / info.residuals.steps;
  return (set * K + i % K) * std::ssize(info.levels);
}

void read_points(const Tensor& outputs, const ForecastInfo& info, Forecasts& forecasts) {
  std::copy_n(outputs.data(), outputs.elements(), forecasts.point.data());
  const std::int64_t Q = std::ssize(forecasts.levels), values = forecasts.values();
  for (std::int64_t at = 0; Q > 0 && at < outputs.elements(); ++at) {
    const double* residual = info.residuals.values.data() + residual_place(info, at % values);
    for (std::int64_t q = 0; q < Q; ++q) forecasts.quantiles[at * Q + q] = forecasts.point[at] + residual[q];
  }
}

}  // namespace

Forecasts read_outputs(const Tensor& outputs, const ForecastData& data, std::span<const WindowAt> windows,
                       const ForecastInfo& info) {
  const std::int64_t N = std::ssize(windows), values = info.horizon * std::ssize(info.targets);
  const std::unique_ptr<ForecastHead> head = make_forecast_head(info);
  Forecasts forecasts{BasicTensor<double>({N, values}), {}, {}};
  if (head || !info.residuals.values.empty()) {
    forecasts.levels = info.levels;
    forecasts.quantiles = BasicTensor<double>({N, values, std::ssize(info.levels)});
  }
  if (!head) {
    read_points(outputs, info, forecasts);
    return forecasts;
  }
  const std::vector<std::int64_t> columns = info.target_positions();
  parallel_for(N, [&](std::int64_t n) {
    const Scaler& scaler = data.scalers[static_cast<std::size_t>(windows[static_cast<std::size_t>(n)].series)];
    std::vector<double> x(static_cast<std::size_t>(head->width()));
    for (std::int64_t i = 0; i < values; ++i) {
      for (std::size_t p = 0; p < x.size(); ++p) {
        x[p] = outputs[(n * std::ssize(x) + static_cast<std::int64_t>(p)) * values + i];
      }
      const ValueUnits units = units_of(scaler, columns[static_cast<std::size_t>(i) % columns.size()]);
      const std::int64_t at = n * values + i;
      forecasts.point[at] = head->point(x, units);
      for (std::size_t q = 0; q < info.levels.size(); ++q) {
        forecasts.quantiles[at * std::ssize(info.levels) + static_cast<std::int64_t>(q)] =
            head->quantile(x, units, info.levels[q]);
      }
    }
  });
  return forecasts;
}

Forecasts at_levels(Forecasts forecasts, const std::vector<double>& levels) {
  if (levels.empty() || levels == forecasts.levels) return forecasts;
  for (const double level : levels) {
    if (level >= forecasts.levels.front() && level <= forecasts.levels.back()) continue;
    fail(Code::kUsage,
         "--quantiles {}: the model knows the levels from {} to {}; train it with --quantiles to have more", level,
         forecasts.levels.front(), forecasts.levels.back());
  }
  const std::size_t known = forecasts.levels.size();
  BasicTensor<double> quantiles({forecasts.windows(), forecasts.values(), std::ssize(levels)});
  for (std::int64_t i = 0; i < forecasts.point.elements(); ++i) {
    const std::span<const double> here(forecasts.quantiles.data() + i * static_cast<std::int64_t>(known), known);
    for (std::size_t q = 0; q < levels.size(); ++q) {
      quantiles[i * std::ssize(levels) + static_cast<std::int64_t>(q)] = quantile_at(forecasts.levels, here, levels[q]);
    }
  }
  forecasts.levels = levels;
  forecasts.quantiles = std::move(quantiles);
  return forecasts;
}

namespace {

// What is added at last to the numbers of the recurrent branch, for each cluster one for each number.
std::vector<Tensor*> output_biases(Sequential& network) {
  Sequential& recurrent = dynamic_cast<Sum&>(forecast_core(network)).branches().front();
  if (auto* start = dynamic_cast<Scale*>(recurrent.modules().back().second.get())) return {&start->offset.value};
  std::vector<Tensor*> biases;
  for (Linear* layer : output_layers(network)) biases.push_back(&layer->bias.value);
  return biases;
}

// About `most` of the windows, at even distances.
std::vector<WindowAt> some_of(const std::vector<WindowAt>& windows, std::size_t most) {
  std::vector<WindowAt> some;
  const std::size_t count = std::min(most, windows.size());
  for (std::size_t k = 0; k < count; ++k) some.push_back(windows[k * windows.size() / count]);
  return some;
}

}  // namespace

void calibrate_start(Sequential& network, const ForecastData& data, const ForecastInfo& info) {
  const std::unique_ptr<ForecastHead> head = make_forecast_head(info);
  if (!head) return;
  constexpr std::size_t kWindows = 4096;
  const std::vector<WindowAt> windows = some_of(data.training_windows(info.shape()), kWindows);
  const Tensor outputs = predict_windows(network, data.scaled, windows, info);
  const std::vector<std::int64_t> columns = info.target_positions();
  const std::int64_t K = std::ssize(columns), values = info.horizon * K;
  for (std::int64_t i = 0; i < values; ++i) {
    std::vector<HeadStart> pairs;
    for (std::size_t n = 0; n < windows.size(); ++n) {
      const auto s = static_cast<std::size_t>(windows[n].series);
      const std::int64_t column = columns[static_cast<std::size_t>(i % K)];
      const double actual = data.scaled[s].at(windows[n].origin + i / K, column);
      if (std::isnan(actual)) continue;
      const double forecast = outputs[static_cast<std::int64_t>(n) * outputs.shape()[1] + i];
      pairs.push_back({forecast, actual, units_of(data.scalers[s], column)});
    }
    if (pairs.empty()) continue;
    const std::vector<double> start = head->start(pairs);
    for (Tensor* bias : output_biases(network)) {
      for (std::size_t p = 0; p < start.size(); ++p) {
        (*bias)[static_cast<std::int64_t>(p + 1) * values + i] = static_cast<float>(start[p]);
      }
    }
  }
}

double next_quantile(std::span<const double> sorted, double level) noexcept {
  const double rank =
      std::clamp(level * static_cast<double>(sorted.size() + 1), 1.0, static_cast<double>(sorted.size()));
  const auto below = static_cast<std::size_t>(rank) - 1;
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (rank - std::floor(rank)) * (sorted[above] - sorted[below]);
}

ResidualQuantiles fit_residuals(const Forecasts& forecasts, const ForecastData& data, std::span<const WindowAt> windows,
                                const ForecastInfo& info, Observer& observer) {
  if (windows.empty()) {
    observer.note("quantiles: none, since there is no validation part with errors to take them from");
    return {};
  }
  const std::vector<std::int64_t> columns = info.target_positions();
  const std::int64_t K = std::ssize(columns), N = std::ssize(windows);
  ResidualQuantiles result;
  result.steps = std::min(info.horizon, (kLeastResiduals + N - 1) / N);
  for (std::int64_t first = 0; first < info.horizon; first += result.steps) {
    const std::int64_t end = std::min(first + result.steps, info.horizon);
    for (std::int64_t k = 0; k < K; ++k) {
      std::vector<double> errors;
      for (std::int64_t n = 0; n < N; ++n) {
        const WindowAt& window = windows[static_cast<std::size_t>(n)];
        const Series& series = data.scaled[static_cast<std::size_t>(window.series)];
        for (std::int64_t h = first; h < end; ++h) {
          const double actual = series.at(window.origin + h, columns[static_cast<std::size_t>(k)]);
          if (!std::isnan(actual)) errors.push_back(actual - forecasts.point[(n * info.horizon + h) * K + k]);
        }
      }
      if (errors.empty()) errors.push_back(0);  // nothing is known of this target there
      std::sort(errors.begin(), errors.end());
      for (const double level : info.levels) result.values.push_back(next_quantile(errors, level));
    }
  }
  observer.note(fmt::format("quantiles: of the errors of {} forecasts of the validation part, {}", N,
                            result.steps == 1 ? "step by step" : fmt::format("{} steps sharing theirs", result.steps)));
  return result;
}

void QuantileScore::add(const Forecasts& forecasts, const BasicTensor<double>& actual) {
  levels_ = forecasts.levels;
  if (levels_.empty()) return;
  const std::size_t Q = levels_.size(), low = place_of(0.1), high = place_of(0.9);
  for (std::int64_t i = 0; i < actual.elements(); ++i) {
    if (std::isnan(actual[i])) continue;
    const std::span<const double> quantiles(forecasts.quantiles.data() + i * static_cast<std::int64_t>(Q), Q);
    crps_ += crps_from_quantiles(levels_, quantiles, actual[i]);
    known_ += 1;
    sizes_ += std::abs(actual[i]);
    for (std::size_t q = 0; q < Q; ++q) losses_ += 2 * pinball(quantiles[q], actual[i], levels_[q]);
    if (low < Q && high < Q) inside_ += quantiles[low] <= actual[i] && actual[i] <= quantiles[high];
  }
}

void QuantileScore::add_metrics(Metrics& metrics) const {
  const std::size_t Q = levels_.size();
  if (Q == 0) return;
  metrics.emplace_back("crps", known_ > 0 ? crps_ / known_ : 0);
  metrics.emplace_back("wql", sizes_ > 0 ? losses_ / static_cast<double>(Q) / sizes_ : 0);
  if (place_of(0.1) < Q && place_of(0.9) < Q) metrics.emplace_back("coverage_80", known_ > 0 ? inside_ / known_ : 0);
}

std::size_t QuantileScore::place_of(double level) const {
  return static_cast<std::size_t>(std::ranges::find(levels_, level) - levels_.begin());
}
}  // namespace carousel
