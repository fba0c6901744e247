#include "tasks/forecast/forecast_head.h"

#include <algorithm>
#include <cmath>

#include "autograd/ops/distribution_loss.h"
#include "autograd/ops/gaussian_loss.h"
#include "autograd/ops/negative_binomial_loss.h"
#include "autograd/ops/quantile_loss.h"
#include "autograd/ops/student_t_loss.h"
#include "base/fail.h"
#include "tasks/forecast/distributions.h"
#include "tasks/forecast/forecast_metrics.h"
#include "tasks/rank_statistics.h"

namespace carousel {
namespace {

// The mean and the moments around it of the errors of a start.
struct Errors {
  double variance = 0, fourth = 0;  // E e^2, E e^4
};

Errors errors_of(std::span<const HeadStart> pairs) {
  Errors errors;
  for (const HeadStart& pair : pairs) {
    const double square = (pair.actual - pair.forecast) * (pair.actual - pair.forecast);
    errors.variance += square / static_cast<double>(pairs.size());
    errors.fourth += square * square / static_cast<double>(pairs.size());
  }
  return errors;
}

double positive_of(double x, double floor) { return detail::positive(x, floor).value; }

// The raw number of a positive parameter, kept clear of its floor, below which there is no way back.
double raw_of(double value, double floor) { return detail::positive_inverse(std::max(value, 2 * floor), floor); }

class GaussianHead final : public ForecastHead {
 public:
  std::int64_t width() const override { return 2; }
  Variable loss(Variable x, const HeadTargets& targets) const override {
    return gaussian_loss(x, targets.values.view());
  }
  double point(std::span<const double> x, const ValueUnits&) const override { return x[0]; }
  double quantile(std::span<const double> x, const ValueUnits&, double level) const override {
    return x[0] + positive_of(x[1], kLeastDeviation) * normal_quantile(level);
  }
  std::vector<double> start(std::span<const HeadStart> pairs) const override {
    return {raw_of(std::sqrt(errors_of(pairs).variance), kLeastDeviation)};
  }
};

class StudentHead final : public ForecastHead {
 public:
  std::int64_t width() const override { return 3; }
  Variable loss(Variable x, const HeadTargets& targets) const override {
    return student_t_loss(x, targets.values.view());
  }
  double point(std::span<const double> x, const ValueUnits&) const override { return x[0]; }
  double quantile(std::span<const double> x, const ValueUnits&, double level) const override {
    const double freedom = positive_of(x[2], kLeastFreedom);
    return x[0] + positive_of(x[1], kLeastDeviation) * student_t_quantile(level, freedom);
  }
  // Degrees of freedom from the excess kurtosis 6 / (v - 4), the scale from the variance d^2 v / (v - 2).
  std::vector<double> start(std::span<const HeadStart> pairs) const override {
    const Errors errors = errors_of(pairs);
    const double excess = errors.variance > 0 ? errors.fourth / (errors.variance * errors.variance) - 3 : 0;
    const double freedom = std::min(4 + 6 / std::max(excess, 1e-3), 30.0);
    const double scale = std::sqrt(errors.variance * (freedom - 2) / freedom);
    return {raw_of(scale, kLeastDeviation), raw_of(freedom, kLeastFreedom)};
  }
};

class NegativeBinomialHead final : public ForecastHead {
 public:
  std::int64_t width() const override { return 2; }
  bool counts() const override { return true; }
  Variable loss(Variable x, const HeadTargets& targets) const override {
    return negative_binomial_loss<float>(x, targets.values.view(), {targets.shift.view(), targets.slope.view()});
  }
  double point(std::span<const double> x, const ValueUnits& units) const override {
    return scaled(count_mean(x[0], units.shift, units.slope).value, units);
  }
  double quantile(std::span<const double> x, const ValueUnits& units, double level) const override {
    const double mean = count_mean(x[0], units.shift, units.slope).value;
    return scaled(negative_binomial_quantile(level, mean, positive_of(x[1], kLeastDispersion)), units);
  }
  // From E (t - m)^2 = E m + a E m^2.
  std::vector<double> start(std::span<const HeadStart> pairs) const override {
    double excess = 0, squares = 0;
    for (const HeadStart& pair : pairs) {
      const double mean = count_mean(pair.forecast, pair.units.shift, pair.units.slope).value;
      const double error = pair.units.shift + pair.units.slope * pair.actual - mean;
      excess += error * error - mean;
      squares += mean * mean;
    }
    return {raw_of(excess / squares, kLeastDispersion)};
  }

 private:
  static double scaled(double count, const ValueUnits& units) { return (count - units.shift) / units.slope; }
};

class QuantileHead final : public ForecastHead {
 public:
  explicit QuantileHead(std::vector<double> levels) : levels_(std::move(levels)) {
    middle_ = static_cast<std::size_t>(middle_level(levels_));
  }
  std::int64_t width() const override { return std::ssize(levels_); }
  std::string_view metric() const override { return "pinball"; }
  Variable loss(Variable x, const HeadTargets& targets) const override {
    return quantile_loss(x, targets.values.view(), std::span<const double>(levels_));
  }
  double point(std::span<const double> x, const ValueUnits& units) const override { return quantile(x, units, 0.5); }
  double quantile(std::span<const double> x, const ValueUnits&, double level) const override {
    std::vector<double> quantiles(levels_.size(), x[0]);
    for (std::size_t k = middle_ + 1; k < levels_.size(); ++k) {
      quantiles[k] = quantiles[k - 1] + positive_of(x[k - middle_], 0);
    }
    for (std::size_t k = middle_; k-- > 0;) {
      quantiles[k] = quantiles[k + 1] - positive_of(x[levels_.size() - 1 - k], 0);
    }
    return quantile_at(levels_, quantiles, level);
  }
  // The steps between the quantiles of the errors.
  std::vector<double> start(std::span<const HeadStart> pairs) const override {
    constexpr double kLeastStep = 1e-3;
    std::vector<double> errors, at;
    for (const HeadStart& pair : pairs) errors.push_back(pair.actual - pair.forecast);
    for (const double level : levels_) at.push_back(carousel::quantile(errors, level));
    std::vector<double> steps;
    for (std::size_t k = middle_ + 1; k < at.size(); ++k) steps.push_back(at[k] - at[k - 1]);
    for (std::size_t k = middle_; k-- > 0;) steps.push_back(at[k + 1] - at[k]);
    for (double& step : steps) step = detail::positive_inverse(std::max(step, kLeastStep), 0);
    return steps;
  }

 private:
  std::vector<double> levels_;
  std::size_t middle_ = 0;
};

}  // namespace

std::int64_t network_outputs(const ForecastInfo& info) {
  const std::unique_ptr<ForecastHead> head = make_forecast_head(info);
  return (head ? head->width() : 1) * info.horizon * std::ssize(info.targets);
}

std::unique_ptr<ForecastHead> make_forecast_head(const ForecastInfo& info) {
  if (info.distribution == "point") return nullptr;
  if (info.distribution == "quantile") return std::make_unique<QuantileHead>(info.levels);
  if (info.distribution == "student_t") return std::make_unique<StudentHead>();
  if (info.distribution == "negative_binomial") return std::make_unique<NegativeBinomialHead>();
  // The logarithms of a log-normal variable are normal: the scaling takes them.
  if (info.distribution == "gaussian" || info.distribution == "log_normal") return std::make_unique<GaussianHead>();
  fail(Code::kModel, "the forecaster puts out '{}', which is not known here", info.distribution);
}

}  // namespace carousel
