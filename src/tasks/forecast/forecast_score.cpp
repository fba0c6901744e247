#include "tasks/forecast/forecast_score.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "tasks/forecast/error_scales.h"
#include "tasks/forecast/forecast_outputs.h"
#include "tasks/significance.h"

namespace carousel {
namespace {

// Sums of the values of a column, forecast and actual, for the errors relative to what the values do themselves.
struct Spread {
  double count = 0, forecast = 0, actual = 0, forecast2 = 0, actual2 = 0, product = 0, error2 = 0;

  void add(double f, double a) {
    count += 1;
    forecast += f;
    actual += a;
    forecast2 += f * f;
    actual2 += a * a;
    product += f * a;
    error2 += (f - a) * (f - a);
  }
  double actual_squares() const { return actual2 - actual * actual / count; }
  double correlation() const {
    const double squares = actual_squares() * (forecast2 - forecast * forecast / count);
    return squares > 0 ? (product - forecast * actual / count) / std::sqrt(squares) : 0;
  }
};

// Means by step ahead.
class ErrorsByStep {
 public:
  explicit ErrorsByStep(std::int64_t horizon)
      : absolute_(size(horizon)), squared_(size(horizon)), count_(size(horizon)) {}
  void add(std::size_t step, double error) {
    absolute_[step] += std::abs(error);
    squared_[step] += error * error;
    count_[step] += 1;
  }
  HorizonErrors means() const {
    HorizonErrors errors;
    for (std::size_t h = 0; h < count_.size(); ++h) {
      const double count = std::max(count_[h], 1.0);
      errors.rmse.push_back(std::sqrt(squared_[h] / count));
      errors.mae.push_back(absolute_[h] / count);
    }
    return errors;
  }

 private:
  static std::size_t size(std::int64_t horizon) { return static_cast<std::size_t>(horizon); }
  std::vector<double> absolute_, squared_, count_;
};

double mean_or_nan(double sum, double count) {
  return count > 0 ? sum / count : std::numeric_limits<double>::quiet_NaN();
}

void add_price_metrics(ForecastErrors& errors) {
  const PriceErrors& prices = errors.prices;
  const double known = std::max(prices.known, 1.0);
  const std::pair<std::string, double> first[] = {{"return_rmse", std::sqrt(prices.squares / known)},
                                                  {"return_mae", prices.sizes / known}};
  errors.metrics.insert(errors.metrics.begin(), std::begin(first), std::end(first));
  if (prices.has_directions) {
    double hits = 0, moves = 0;
    for (std::size_t j = 0; j < prices.hits.size(); ++j) {
      hits += static_cast<double>(prices.hits[j]);
      moves += static_cast<double>(prices.moves[j]);
    }
    errors.metrics.emplace_back("direction_accuracy", hits / std::max(moves, 1.0));
  }
  errors.losses = prices.losses;
}

}  // namespace

BasicTensor<double> ForecastScoring::actual_values(std::span<const WindowAt> some) const {
  const std::vector<std::int64_t> targets = info.target_positions();
  BasicTensor<double> values({std::ssize(some), info.horizon * std::ssize(targets)});
  double* next = values.data();
  for (const WindowAt& window : some) {
    const auto k = static_cast<std::size_t>(window.series);
    const Series& series = actual ? (*actual)[k] : data.series[k];
    for (std::int64_t h = 0; h < info.horizon; ++h) {
      for (const std::int64_t column : targets) *next++ = series.at((actual ? 0 : window.origin) + h, column);
    }
  }
  return values;
}

namespace {

// Values and quantiles in units of the measures.
void measure_in(const std::vector<ErrorScales>& measures, std::span<const WindowAt> windows, Forecasts& forecasts,
                BasicTensor<double>& actual) {
  const std::int64_t levels = std::ssize(forecasts.levels);
  for (std::int64_t i = 0; i < actual.elements(); ++i) {
    const ErrorScales& measure =
        measures[static_cast<std::size_t>(windows[static_cast<std::size_t>(i / forecasts.values())].series)];
    const std::size_t j = static_cast<std::size_t>(i % forecasts.values()) % measure.mean.size();
    const auto measured = [&](double value) { return (value - measure.mean[j]) / measure.deviation[j]; };
    forecasts.point[i] = measured(forecasts.point[i]);
    actual[i] = measured(actual[i]);
    for (std::int64_t q = i * levels; q < (i + 1) * levels; ++q) {
      forecasts.quantiles[q] = measured(forecasts.quantiles[q]);
    }
  }
}

}  // namespace

Metrics error_metrics(const ForecastScore& errors, const ForecastInfo& info) {
  Metrics metrics{{"rmse", errors.rmse()},
                  {"mae", errors.mae()},
                  {"mse", errors.mse()},
                  {"mase", errors.mase()},
                  {"smape", errors.smape()}};
  if (info.own_scaling()) {  // errors of several series have no common unit
    std::swap(metrics[0], metrics[3]);
    std::swap(metrics[1], metrics[4]);
  }
  if (std::isnan(errors.mase())) std::erase_if(metrics, [](const auto& one) { return one.first == "mase"; });
  return metrics;
}

void note_missing_mase(const ForecastInfo& info, EvaluateResult& result) {
  if (find_metric(result.metrics, "mase")) return;
  result.notes.push_back(
      info.by_series && info.held_back.mase.empty()
          ? "MASE: not known, the model file does not say how much its training series change; train it again."
          : "MASE: none, since repeating the last season makes no error in the training part, by which it is "
            "measured.");
}

namespace {

// Collects the errors of the forecasts of one method.
class ErrorSums {
 public:
  explicit ErrorSums(const ForecastScoring& scoring)
      : scoring_(scoring),
        targets_(scoring.info.target_positions()),
        steps_(scoring.info.horizon),
        columns_(targets_.size()) {
    for (std::size_t k = 0; k < scoring.data.series.size(); ++k) {
      measures_.push_back(error_scales(scoring.data, scoring.info, k, scoring.scaled));
    }
  }

  void add(std::span<const WindowAt> windows, Forecasts forecasts) {
    forecasts = in_units(std::move(forecasts), scoring_.data, windows, scoring_.info);
    BasicTensor<double> truth = scoring_.actual_values(windows);
    if (scoring_.prices) result_.prices.add(forecasts, truth, scoring_.data, windows, scoring_.info);
    if (scoring_.scaled) measure_in(measures_, windows, forecasts, truth);
    const auto width = static_cast<std::size_t>(forecasts.values());
    for (std::size_t n = 0; n < windows.size(); ++n) {
      add_window({forecasts.point.data() + n * width, width}, {truth.data() + n * width, width},
                 measures_[static_cast<std::size_t>(windows[n].series)].mase);
    }
    quantiles_.add(forecasts, truth);
  }

  ForecastErrors finish() {
    const ForecastInfo& info = scoring_.info;
    result_.by_horizon = steps_.means();
    result_.metrics = error_metrics(total_, info);
    if (!info.own_scaling()) {
      double correlation = 0;
      for (const Spread& column : columns_) correlation += column.correlation() / static_cast<double>(columns_.size());
      const double squares = all_.actual_squares();
      result_.metrics.emplace_back("rse", squares > 0 ? std::sqrt(all_.error2 / squares) : 0);
      result_.metrics.emplace_back("corr", correlation);
    }
    quantiles_.add_metrics(result_.metrics);
    if (scoring_.prices) add_price_metrics(result_);
    return std::move(result_);
  }

 private:
  // point and known [horizon x targets], scales [targets]
  void add_window(std::span<const double> point, std::span<const double> known, const std::vector<double>& scales) {
    double squares = 0, scaled_errors = 0, count = 0, with_scale = 0;
    for (std::size_t i = 0; i < point.size(); ++i) {
      if (std::isnan(known[i])) continue;
      const std::size_t j = i % targets_.size();
      const double error = point[i] - known[i];
      steps_.add(i / targets_.size(), error);
      all_.add(point[i], known[i]);
      columns_[j].add(point[i], known[i]);
      squares += error * error;
      count += 1;
      if (scales[j] > 0) {
        scaled_errors += std::abs(error) / scales[j];
        with_scale += 1;
      }
    }
    result_.losses.push_back(scoring_.info.own_scaling() ? mean_or_nan(scaled_errors, with_scale)
                                                         : mean_or_nan(squares, count));
    total_.add(point, known, scales);
  }

  const ForecastScoring& scoring_;
  std::vector<std::int64_t> targets_;
  std::vector<ErrorScales> measures_;  // of each series
  ForecastScore total_;
  ErrorsByStep steps_;
  Spread all_;
  std::vector<Spread> columns_;
  QuantileScore quantiles_;
  ForecastErrors result_;
};

}  // namespace

ForecastErrors ForecastScoring::errors(const Forecasts& forecasts) const {
  ErrorSums sums(*this);
  sums.add(windows, forecasts);
  return sums.finish();
}

ForecastErrors ForecastScoring::errors(const Forecaster& forecaster) const {
  constexpr std::int64_t kValues = 1 << 20, kBatch = 256;  // what a network answers at once
  const std::int64_t values =
      info.horizon * std::ssize(info.targets) * std::max<std::int64_t>(1, std::ssize(info.levels));
  const auto some = static_cast<std::size_t>(kBatch * std::max<std::int64_t>(1, kValues / (values * kBatch)));
  ErrorSums sums(*this);
  const std::span<const WindowAt> all(windows);
  for (std::size_t first = 0; first < all.size(); first += some) {
    const std::span<const WindowAt> here = all.subspan(first, std::min(some, all.size() - first));
    sums.add(here, forecaster(here));
  }
  return sums.finish();
}

LossSample sample_losses(std::span<const double> losses, const std::vector<WindowAt>& windows,
                         const ForecastInfo& info) {
  if (!info.several) {
    std::int64_t stride = info.horizon;
    if (windows.size() > 1) stride = windows[1].origin - windows[0].origin;
    return {{losses.begin(), losses.end()}, (info.horizon + stride - 1) / stride};
  }
  std::map<std::int64_t, std::vector<double>> of_series;
  for (std::size_t n = 0; n < losses.size(); ++n) of_series[windows[n].series].push_back(losses[n]);
  std::size_t origins = 0;
  for (const auto& [series, list] : of_series) origins = std::max(origins, list.size());
  const bool over_series = of_series.size() >= origins;
  std::vector<double> sums(over_series ? of_series.size() : origins), counts(sums.size());
  std::size_t place = 0;
  for (const auto& [series, list] : of_series) {
    for (std::size_t n = 0; n < list.size(); ++n) {
      if (std::isnan(list[n])) continue;
      sums[over_series ? place : n] += list[n];
      counts[over_series ? place : n] += 1;
    }
    ++place;
  }
  LossSample sample;
  for (std::size_t i = 0; i < sums.size(); ++i) sample.losses.push_back(mean_or_nan(sums[i], counts[i]));
  if (over_series) return sample;
  std::int64_t stride = info.horizon;
  for (std::size_t n = 1; n < windows.size(); ++n) {
    if (windows[n].series == windows[n - 1].series) {
      stride = windows[n].origin - windows[n - 1].origin;
    }
  }
  sample.overlap = (info.horizon + stride - 1) / stride;
  return sample;
}

namespace {

// sMAPE and MASE over those of naive2, averaged.
void add_owa(const Metrics& naive2, Metrics& metrics) {
  const double smape = *find_metric(naive2, "smape");
  const double *mase = find_metric(naive2, "mase"), *mine = find_metric(metrics, "mase");
  if (!(smape > 0 && mase && *mase > 0)) return;
  metrics.emplace_back("owa", (*find_metric(metrics, "smape") / smape + *mine / *mase) / 2);
}

}  // namespace

ForecastTable::ForecastTable(const ForecastScoring& scoring, ForecastErrors model)
    : scoring_(scoring), model_(std::move(model)) {
  result_.task = "forecast";
  result_.samples = std::ssize(scoring.windows);
  result_.metrics = model_.metrics;
  result_.by_horizon = model_.by_horizon;
}

void ForecastTable::add(std::string baseline, ForecastErrors errors) {
  const LossSample mine = sample_losses(model_.losses, scoring_.windows, scoring_.info),
                   theirs = sample_losses(errors.losses, scoring_.windows, scoring_.info);
  const auto test = diebold_mariano(mine.losses, theirs.losses, mine.overlap);
  result_.baselines.push_back({std::move(baseline), std::move(errors.metrics), std::move(errors.by_horizon),
                               test ? std::optional(test->p) : std::nullopt});
}

EvaluateResult ForecastTable::finish() {
  const auto found = std::find_if(result_.baselines.begin(), result_.baselines.end(),
                                  [](const Baseline& baseline) { return baseline.name == "naive2"; });
  if (found != result_.baselines.end()) {
    const Metrics naive2 = found->metrics;
    add_owa(naive2, result_.metrics);
    for (Baseline& baseline : result_.baselines) add_owa(naive2, baseline.metrics);
  }
  if (scoring_.prices) result_.notes = price_notes(result_, model_.prices, scoring_.info);
  note_missing_mase(scoring_.info, result_);
  return std::move(result_);
}

ForecastErrors model_errors(const Model& model, const ForecastScoring& scoring) {
  const ForecastInfo& info = scoring.info;
  const auto forecaster = [&](std::span<const WindowAt> some) {
    return model_forecasts(model, scoring.data, some, info);
  };
  const bool together = info.stateful || info.samples_paths() || !info.members.empty();
  return together ? scoring.errors(forecaster(scoring.windows)) : scoring.errors(forecaster);
}

EvaluateResult score_forecasts(const Model& model, const ForecastBaselines& baselines, const ForecastScoring& scoring) {
  ForecastTable table(scoring, model_errors(model, scoring));
  for (const auto& baseline : baselines) {
    table.add(std::string(baseline->name()), scoring.errors([&](std::span<const WindowAt> some) {
      return baseline_forecasts(*baseline, scoring.data, some, scoring.info);
    }));
  }
  return table.finish();
}

}  // namespace carousel
