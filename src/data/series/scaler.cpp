#include "data/series/scaler.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "base/fail.h"
#include "data/nearest.h"

namespace carousel {
namespace {

constexpr double kLargestLambda = 2;
const std::vector<std::string> kScalings{"standard", "min-max", "robust", "mean", "none"};
const std::vector<std::string> kTransforms{"none", "log", "box-cox", "difference", "seasonal-difference"};

std::size_t place_of(std::string_view name, const std::vector<std::string>& names, const char* what) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) fail(Code::kUsage, "{} is '{}', expected one of {}", what, name, listed(names));
  return static_cast<std::size_t>(found - names.begin());
}

bool needs_positive(Transform transform) { return transform == Transform::kLog || transform == Transform::kBoxCox; }

double transformed(double value, const ColumnScaling& column) {
  if (column.transform == Transform::kLog) return std::log(value);
  if (column.transform != Transform::kBoxCox) return value;
  // expm1: the digits of a small lambda are not lost.
  return column.lambda > 0 ? std::expm1(column.lambda * std::log(value)) / column.lambda : std::log(value);
}

// The transformed value of a row; missing where it or the one that it differs from is.
double value_at(const Series& series, std::int64_t t, std::int64_t c, const ColumnScaling& column) {
  if (column.lag == 0) return transformed(series.at(t, c), column);
  return t < column.lag ? std::numeric_limits<double>::quiet_NaN() : series.at(t, c) - series.at(t - column.lag, c);
}

void check_positive(const Series& series, std::int64_t c, const Range& range) {
  for (std::int64_t t = range.begin; t < range.end; ++t) {
    if (!(series.at(t, c) <= 0)) continue;  // missing ones pass
    fail(Code::kData,
         "series '{}': column '{}' has value {} at step {}{}; its logarithm is learnt, which needs values above 0 "
         "(train with another --transform, as none)",
         series.id, series.columns[static_cast<std::size_t>(c)], series.at(t, c), t,
         series.times.understood() ? fmt::format(" ('{}')", series.times.text(t)) : "");
  }
}

// The quantile at `share`, between neighbours in a straight line (the usual one, type 7 of Hyndman and Fan 1996).
double quantile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<std::size_t>(place);
  const std::size_t high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (place - static_cast<double>(low)) * (sorted[high] - sorted[low]);
}

struct MeanAndDeviation {
  double mean = 0, deviation = 0;
};

MeanAndDeviation mean_and_deviation(const std::vector<double>& values) {
  const auto count = static_cast<double>(values.size());
  double sum = 0, squares = 0;
  for (double value : values) sum += value;
  const double mean = sum / count;
  for (double value : values) squares += (value - mean) * (value - mean);
  return {mean, std::sqrt(squares / count)};
}

// Of values in any order, at least one.
void fit_scale(std::vector<double> values, Scaling scaling, ColumnScaling& column) {
  double largest = 0, absolute = 0;
  for (double value : values) {
    largest = std::max(largest, std::abs(value));
    absolute += std::abs(value) / static_cast<double>(values.size());
  }
  if (scaling == Scaling::kStandard) {
    const MeanAndDeviation fitted = mean_and_deviation(values);
    column.shift = fitted.mean;
    column.factor = fitted.deviation;
  } else if (scaling == Scaling::kMean) {
    column.factor = absolute;
  } else if (scaling != Scaling::kNone) {
    std::sort(values.begin(), values.end());
    const bool robust = scaling == Scaling::kRobust;
    column.shift = robust ? quantile(values, 0.5) : values.front();
    column.factor = robust ? quantile(values, 0.75) - quantile(values, 0.25) : values.back() - values.front();
  }
  // A constant column leaves a factor of rounding size: n additions err by about n ulp of the sum at most.
  constexpr double kRounding = 1e-13;
  if (!(column.factor > kRounding * largest)) column.factor = 1;
}

// The logarithm of the likelihood of normal transformed values, up to a constant (Box and Cox 1964).
double likelihood(const std::vector<double>& values, double sum_of_logarithms, double lambda) {
  const ColumnScaling column{0, 1, Transform::kBoxCox, lambda, 0};
  std::vector<double> mapped;
  for (double value : values) mapped.push_back(transformed(value, column));
  const double deviation = mean_and_deviation(mapped).deviation;
  const auto count = static_cast<double>(values.size());
  return -count * std::log(std::max(deviation, 1e-300)) + (lambda - 1) * sum_of_logarithms;
}

// Golden section: the likelihood has one maximum.
double fit_lambda(const std::vector<double>& values) {
  double logarithms = 0;
  for (double value : values) logarithms += std::log(value);
  constexpr double kGolden = 0.6180339887498949;
  double low = 0, high = kLargestLambda;
  while (high - low > 1e-6) {
    const double left = high - kGolden * (high - low), right = low + kGolden * (high - low);
    if (likelihood(values, logarithms, left) < likelihood(values, logarithms, right)) {
      low = left;
    } else {
      high = right;
    }
  }
  return low < 1e-5 ? 0 : (low + high) / 2;
}

std::vector<double> training_values(std::span<const Series> series, std::span<const SeriesSplit> splits, std::int64_t c,
                                    const ColumnScaling& column) {
  std::vector<double> values;
  for (std::size_t k = 0; k < series.size(); ++k) {
    const Range range = splits[k].train;
    if (needs_positive(column.transform)) check_positive(series[k], c, range);
    for (std::int64_t t = range.begin; t < range.end; ++t) {
      const double value = value_at(series[k], t, c, column);
      if (!std::isnan(value)) values.push_back(value);
    }
  }
  return values;
}

}  // namespace

Scaling parse_scaling(std::string_view name) { return static_cast<Scaling>(place_of(name, kScalings, "--scaling")); }

Transform parse_transform(std::string_view name) {
  return static_cast<Transform>(place_of(name, kTransforms, "--transform"));
}

Scaler::Scaler(std::vector<ColumnScaling> columns) : columns_(std::move(columns)) {
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    const ColumnScaling& column = columns_[c];
    const bool finite = std::isfinite(column.shift) && std::isfinite(column.factor) && column.factor > 0;
    const bool differs =
        column.transform == Transform::kDifference || column.transform == Transform::kSeasonalDifference;
    constexpr std::int64_t kLongest = 1 << 20;
    if (finite && column.lambda >= 0 && column.lambda <= kLargestLambda && column.lag >= (differs ? 1 : 0) &&
        column.lag <= (differs ? kLongest : 0)) {
      continue;
    }
    fail(Code::kModel, "scaler: column {} has shift {}, factor {}, lambda {}, lag {}: a number is out of range", c,
         column.shift, column.factor, column.lambda, column.lag);
  }
}

Scaler Scaler::fit(const Series& series, const TrainingRange& training, const ScalerOptions& options) {
  const SeriesSplit split{training, {}, {}};
  return fit(std::span(&series, 1), std::span(&split, 1), options);
}

Scaler Scaler::fit(std::span<const Series> series, std::span<const SeriesSplit> splits, const ScalerOptions& options) {
  std::int64_t rows = 0;
  for (const SeriesSplit& split : splits) rows += split.train.size();
  if (rows <= 0) fail(Code::kData, "series '{}': the training part is empty", series.front().id);
  Scaler scaler;
  for (std::int64_t c = 0; c < series.front().column_count(); ++c) {
    ColumnScaling& column = scaler.columns_.emplace_back();
    if (c < options.transformed) column.transform = options.transform;
    if (column.transform == Transform::kDifference) column.lag = 1;
    if (column.transform == Transform::kSeasonalDifference) column.lag = options.season;
    if (column.transform == Transform::kBoxCox) {
      column.transform = Transform::kNone;
      const std::vector<double> values = training_values(series, splits, c, column);
      column.transform = Transform::kBoxCox;
      for (std::size_t k = 0; k < series.size(); ++k) check_positive(series[k], c, splits[k].train);
      if (!values.empty()) column.lambda = fit_lambda(values);
    }
    std::vector<double> values = training_values(series, splits, c, column);
    if (!values.empty()) fit_scale(std::move(values), options.scaling, column);
  }
  return scaler;
}

Series Scaler::transform(const Series& series) const {
  if (series.column_count() != column_count()) {
    fail(Code::kUsage, "scaler: series '{}' has {} columns, expected {}", series.id, series.column_count(),
         column_count());
  }
  Series scaled = series;
  for (std::int64_t c = 0; c < column_count(); ++c) {
    const ColumnScaling& column = columns_[static_cast<std::size_t>(c)];
    if (needs_positive(column.transform)) check_positive(series, c, {0, series.time_steps()});
    for (std::int64_t t = 0; t < series.time_steps(); ++t) {
      scaled.values[static_cast<std::size_t>(t * column_count() + c)] =
          (value_at(series, t, c, column) - column.shift) / column.factor;
    }
  }
  return scaled;
}

double Scaler::inverse(double scaled, std::int64_t column) const noexcept {
  const ColumnScaling& how = columns_[static_cast<std::size_t>(column)];
  const double value = scaled * how.factor + how.shift;
  if (how.transform == Transform::kLog || (how.transform == Transform::kBoxCox && how.lambda == 0)) {
    return std::exp(value);
  }
  if (how.transform != Transform::kBoxCox) return value;
  // Below the transform of 0 there is no value: 0 is the nearest.
  const double power = how.lambda * value;
  return power > -1 ? std::exp(std::log1p(power) / how.lambda) : 0;
}

void Scaler::add_up(const Series& series, std::int64_t origin, std::span<const std::int64_t> columns,
                    std::span<double> path) const {
  const auto width = static_cast<std::int64_t>(columns.size());
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(path.size()); ++i) {
    const std::int64_t column = columns[static_cast<std::size_t>(i % width)];
    const std::int64_t lag = columns_[static_cast<std::size_t>(column)].lag;
    if (lag == 0) continue;
    std::int64_t from = origin + i / width - lag;
    if (from >= origin) {
      path[static_cast<std::size_t>(i)] += path[static_cast<std::size_t>(i - lag * width)];
      continue;
    }
    while (from > 0 && std::isnan(series.at(from, column))) --from;  // the last known one
    path[static_cast<std::size_t>(i)] +=
        from >= 0 && !std::isnan(series.at(from, column)) ? series.at(from, column) : 0;
  }
}

}  // namespace carousel
