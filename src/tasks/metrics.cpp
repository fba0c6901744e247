#include "tasks/metrics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/fail.h"

namespace carousel {
namespace {

double symmetric_term(double forecast, double actual) {
  const double size = std::abs(forecast) + std::abs(actual);
  return size > 0 ? 200 * std::abs(forecast - actual) / size : 0;
}

template <class Term>
double mean_of(std::span<const double> forecast, std::span<const double> actual, Term term) {
  CAROUSEL_ASSERT(forecast.size() == actual.size());
  double sum = 0;
  for (std::size_t i = 0; i < forecast.size(); ++i) sum += term(forecast[i], actual[i]);
  return forecast.empty() ? 0 : sum / static_cast<double>(forecast.size());
}

}  // namespace

double mean_absolute_error(std::span<const double> forecast, std::span<const double> actual) {
  return mean_of(forecast, actual, [](double f, double a) { return std::abs(f - a); });
}

double mean_squared_error(std::span<const double> forecast, std::span<const double> actual) {
  return mean_of(forecast, actual, [](double f, double a) { return (f - a) * (f - a); });
}

double root_mean_squared_error(std::span<const double> forecast, std::span<const double> actual) {
  return std::sqrt(mean_squared_error(forecast, actual));
}

double symmetric_mape(std::span<const double> forecast, std::span<const double> actual) {
  return mean_of(forecast, actual, symmetric_term);
}

double mase_scale(const Series& series, const TrainingRange& training, std::int64_t column, std::int64_t season) {
  const SeriesSplit split{training, {}, {}};
  return mase_scale(std::span(&series, 1), std::span(&split, 1), column, season);
}

double mase_scale(std::span<const Series> series, std::span<const SeriesSplit> splits, std::int64_t column,
                  std::int64_t season) {
  CAROUSEL_ASSERT(series.size() == splits.size());
  double sum = 0, count = 0;
  for (std::size_t k = 0; k < series.size(); ++k) {
    const TrainingRange& training = splits[k].train;
    std::int64_t lag = std::max<std::int64_t>(season, 1);
    if (training.size() <= lag) lag = 1;
    for (std::int64_t t = training.begin() + lag; t < training.end(); ++t) {
      const double change = std::abs(series[k].at(t, column) - series[k].at(t - lag, column));
      if (std::isnan(change)) continue;
      sum += change;
      ++count;
    }
  }
  return count > 0 ? sum / count : 0;
}

void ForecastScore::add(std::span<const double> forecast, std::span<const double> actual,
                        std::span<const double> scales) {
  CAROUSEL_ASSERT(forecast.size() == actual.size() && !scales.empty());
  for (std::size_t i = 0; i < forecast.size(); ++i) {
    if (std::isnan(actual[i])) continue;
    const double error = std::abs(forecast[i] - actual[i]);
    ++values_;
    const double scale = scales[i % scales.size()];
    absolute_ += error;
    squared_ += error * error;
    symmetric_ += symmetric_term(forecast[i], actual[i]);
    if (scale > 0) {
      scaled_ += error / scale;
      ++scaled_values_;
    }
  }
  ++windows_;
}

double ForecastScore::mase() const noexcept {
  return scaled_values_ > 0 ? ratio(scaled_, scaled_values_) : std::numeric_limits<double>::quiet_NaN();
}

double ForecastScore::rmse() const noexcept { return std::sqrt(mse()); }

std::vector<std::int64_t> confusion_counts(std::span<const std::int32_t> predicted,
                                           std::span<const std::int32_t> actual, std::int64_t classes) {
  CAROUSEL_ASSERT(predicted.size() == actual.size());
  std::vector<std::int64_t> counts(static_cast<std::size_t>(classes * classes), 0);
  for (std::size_t i = 0; i < actual.size(); ++i) {
    ++counts[static_cast<std::size_t>(actual[i] * classes + predicted[i])];
  }
  return counts;
}

double accuracy(std::span<const std::int32_t> predicted, std::span<const std::int32_t> actual) {
  std::int64_t right = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) right += predicted[i] == actual[i] ? 1 : 0;
  return actual.empty() ? 0 : static_cast<double>(right) / static_cast<double>(actual.size());
}

double macro_f1(std::span<const std::int32_t> predicted, std::span<const std::int32_t> actual, std::int64_t classes) {
  const auto counts = confusion_counts(predicted, actual, classes);
  double sum = 0;
  std::int64_t occurring = 0;
  for (std::int64_t k = 0; k < classes; ++k) {
    std::int64_t in_row = 0, in_column = 0;
    for (std::int64_t other = 0; other < classes; ++other) {
      in_row += counts[static_cast<std::size_t>(k * classes + other)];
      in_column += counts[static_cast<std::size_t>(other * classes + k)];
    }
    if (in_row + in_column == 0) continue;
    ++occurring;  // in_row + in_column = 2 tp + fn + fp
    sum += 2 * static_cast<double>(counts[static_cast<std::size_t>(k * classes + k)]) /
           static_cast<double>(in_row + in_column);
  }
  return occurring == 0 ? 0 : sum / static_cast<double>(occurring);
}

bool higher_is_better(std::string_view metric) {
  constexpr std::array<std::string_view, 13> kHigher = {"accuracy",
                                                        "macro_f1",
                                                        "span_f1",
                                                        "token_accuracy",
                                                        "bleu",
                                                        "r2",
                                                        "corr",
                                                        "coverage_80",
                                                        "recall",
                                                        "precision",
                                                        "intent_accuracy",
                                                        "sentence_accuracy",
                                                        "direction_accuracy"};
  return std::find(kHigher.begin(), kHigher.end(), metric) != kHigher.end();
}

}  // namespace carousel
