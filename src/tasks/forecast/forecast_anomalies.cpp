#include "tasks/forecast/forecast_anomalies.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/fail.h"
#include "tasks/forecast/forecast_outputs.h"
#include "tasks/forecast/forecast_training.h"

namespace carousel {
namespace {

constexpr double kLeastDeviation = 1e-6;  // forecasts are float, so no error can be told from none below this
constexpr double kLeastLevel = 1e-14;     // of a quantile, and its distance from 1

// A network that is fed with its own forecasts needs none of them for one step.
ForecastInfo one_step(const ForecastInfo& info) {
  ForecastInfo one = info.of_network();
  one.recursive = false;
  return one;
}

// Scores of the first step of windows of one series, [windows, targets]; NaN where the value is not known.
class Surprises {
 public:
  Surprises(const Model& model, const ForecastData& data, const ForecastInfo& info)
      : model_(model), data_(data), info_(one_step(info)), head_(make_forecast_head(info_)) {
    if (info.distribution == "quantile") head_.reset();
    if (!head_ && info.error_deviation.empty()) {
      fail(Code::kData,
           "--anomalies: the model does not know how far its forecasts err; train it with a validation part");
    }
  }

  // The forecasts of the windows in the units of the data, as in_units() has them, and their scores.
  Forecasts judge(std::span<const WindowAt> windows, std::vector<double>& scores) const {
    const Tensor outputs = predict_windows(model_.network(), data_.scaled, windows, info_, data_.carried);
    const Forecasts scaled = read_outputs(outputs, data_, windows, info_);
    const std::vector<std::int64_t> targets = info_.target_positions();
    const std::int64_t values = scaled.values(), width = outputs.shape()[1] / values;
    scores.clear();
    std::vector<double> x(static_cast<std::size_t>(width));
    for (std::int64_t n = 0; n < scaled.windows(); ++n) {
      const WindowAt& window = windows[static_cast<std::size_t>(n)];
      const auto k = static_cast<std::size_t>(window.series);
      for (std::size_t j = 0; j < targets.size(); ++j) {
        const double value = data_.scaled[k].at(window.origin, targets[j]);
        const std::int64_t at = n * values + static_cast<std::int64_t>(j);
        if (!head_ || std::isnan(value)) {
          const double error = std::abs(value - scaled.point[at]);
          scores.push_back(head_ ? error : surprise_of(error / info_.error_deviation[j]));  // a NaN stays one
          continue;
        }
        for (std::int64_t p = 0; p < width; ++p) {
          x[static_cast<std::size_t>(p)] = outputs[n * width * values + p * values + static_cast<std::int64_t>(j)];
        }
        scores.push_back(surprise_under(*head_, x, units_of(data_.scalers[k], targets[j]), value));
      }
    }
    return in_units(scaled, data_, windows, info_);
  }

 private:
  const Model& model_;
  const ForecastData& data_;
  ForecastInfo info_;
  std::unique_ptr<ForecastHead> head_;  // null: normal about the point
};

}  // namespace

std::vector<double> one_step_deviation(const Model& model, const ForecastData& data, std::span<const WindowAt> windows,
                                       const ForecastInfo& info) {
  const ForecastInfo one = one_step(info);
  const Forecasts forecasts =
      read_outputs(predict_windows(model.network(), data.scaled, windows, one), data, windows, one);
  const std::vector<std::int64_t> targets = info.target_positions();
  std::vector<double> deviation;
  for (std::size_t j = 0; j < targets.size(); ++j) {
    double squares = 0;
    std::int64_t count = 0;
    for (std::size_t n = 0; n < windows.size(); ++n) {
      const Series& scaled = data.scaled[static_cast<std::size_t>(windows[n].series)];
      const double error =
          scaled.at(windows[n].origin, targets[j]) -
          forecasts.point[static_cast<std::int64_t>(n) * forecasts.values() + static_cast<std::int64_t>(j)];
      if (std::isnan(error)) continue;
      squares += error * error;
      ++count;
    }
    if (count == 0) return {};
    deviation.push_back(std::max(kLeastDeviation, std::sqrt(squares / static_cast<double>(count))));
  }
  return deviation;
}

double surprise_of(double z) {
  constexpr double kTail = 25;  // from here on P is the density over z, to a part in 600
  if (z < kTail) return -std::log10(std::erfc(z / std::numbers::sqrt2));
  return (z * z / 2 + std::log(z * std::sqrt(std::numbers::pi / 2))) / std::numbers::ln10;
}

double surprise_under(const ForecastHead& head, std::span<const double> x, const ValueUnits& units, double value) {
  // The highest level whose quantile is below `limit`.
  const auto level_below = [&](double limit) {
    double low = kLeastLevel, high = 1 - kLeastLevel;
    if (head.quantile(x, units, low) >= limit) return low;
    if (head.quantile(x, units, high) < limit) return high;
    for (int halving = 0; halving < 50; ++halving) {
      const double middle = (low + high) / 2;
      (head.quantile(x, units, middle) < limit ? low : high) = middle;
    }
    return low;
  };
  const double rounding = 1e-9 * (1 + std::abs(value));  // a count that was scaled is not quite itself
  const double at_most = level_below(value + rounding), under = level_below(value - rounding);
  return -std::log10(std::min(1.0, 2 * std::min(at_most, 1 - under)));
}

void write_anomalies(const Model& model, const Options& options, const ForecastData& data, const ForecastInfo& info,
                     RowSink& sink) {
  const Surprises surprises(model, data, info);
  const double limit = -std::log10(options.data.threshold);
  const std::vector<std::int64_t> targets = info.target_positions();
  const bool timed = !data.series.front().times.empty();
  std::vector<std::string> columns{timed ? "time" : "row", "target", "value", "forecast", "score", "anomaly"};
  if (info.several) columns.insert(columns.begin(), "id");
  sink.header(columns);
  std::vector<double> scores;
  for (std::size_t k = 0; k < data.series.size(); ++k) {
    const Series& series = data.series[k];
    const std::int64_t before = options.data.update ? data.carried[k].rows + 1 : 0;
    std::vector<WindowAt> windows;
    for (std::int64_t t = std::max(before, info.window); t < series.known_steps(); ++t) {
      windows.push_back({static_cast<std::int64_t>(k), t});
    }
    if (windows.empty()) continue;
    const Forecasts forecasts = surprises.judge(windows, scores);
    for (std::size_t i = 0; i < scores.size(); ++i) {
      const std::size_t n = i / targets.size(), j = i % targets.size();
      const std::int64_t t = windows[n].origin;
      const double value = series.at(t, targets[j]);
      const double forecast =
          forecasts.point[static_cast<std::int64_t>(n) * forecasts.values() + static_cast<std::int64_t>(j)];
      std::vector<std::string> cells{
          timed ? series.times.text(t) : std::to_string(t - before + 1), info.targets[j],
          std::isnan(value) ? "" : fmt::format("{:.7g}", value),         fmt::format("{:.7g}", forecast),
          std::isnan(scores[i]) ? "" : fmt::format("{:.4g}", scores[i]), scores[i] > limit ? "1" : "0"};
      if (info.several) cells.insert(cells.begin(), series.id);
      sink.row(cells);
    }
  }
}

}  // namespace carousel
