#include "tasks/baselines/regression_baselines.h"

#include <algorithm>
#include <cmath>

#include "base/fail.h"

namespace carousel {
namespace {

// The rows whose index modulo 5 is 4 (`every_fifth`), or the others.
BasicTensor<double> some_rows(View<const double> rows, bool every_fifth) {
  const std::int64_t width = rows.shape.back();
  std::vector<double> values;
  for (std::int64_t n = 0; n < rows.shape.rows(); ++n) {
    if ((n % 5 == 4) == every_fifth) values.insert(values.end(), rows.row(n), rows.row(n) + width);
  }
  return {Shape{static_cast<std::int64_t>(values.size()) / width, width}, values};
}

}  // namespace

std::vector<double> mean_target(View<const double> targets) {
  if (targets.shape.rows() < 1) fail(Code::kUsage, "mean baseline: there are no targets");
  std::vector<double> mean(static_cast<std::size_t>(targets.shape.back()), 0.0);
  for (std::int64_t n = 0; n < targets.shape.rows(); ++n) {
    for (std::size_t k = 0; k < mean.size(); ++k) mean[k] += targets.row(n)[k];
  }
  for (double& value : mean) value /= static_cast<double>(targets.shape.rows());
  return mean;
}

LinearBaseline LinearBaseline::fit(View<const double> features, View<const double> targets) {
  const std::int64_t samples = features.shape.rows();
  if (samples < 1 || targets.shape.rows() != samples) {
    fail(Code::kUsage, "linear regression: {} rows of features and {} of targets, expected as many of both, at least 1",
         samples, targets.shape.rows());
  }
  LinearBaseline baseline;
  baseline.mean_ = mean_target(features);
  for (std::size_t f = 0; f < baseline.mean_.size(); ++f) {
    double squares = 0;
    for (std::int64_t n = 0; n < samples; ++n) {
      const double distance = features.row(n)[f] - baseline.mean_[f];
      squares += distance * distance;
    }
    const double deviation = std::sqrt(squares / static_cast<double>(samples));
    baseline.deviation_.push_back(deviation > 1e-13 * std::abs(baseline.mean_[f]) ? deviation : 1.0);
  }
  const BasicTensor<double> scaled = baseline.standardised(features);
  const Moments whole = moments_of(scaled.view(), targets);
  PenaltyChoice choice;
  if (samples >= 5) {
    const auto part = [&](bool every_fifth) {
      return moments_of(some_rows(scaled.view(), every_fifth).view(), some_rows(targets, every_fifth).view());
    };
    choice = choose_penalty(part(false), part(true));
  }
  baseline.map_ = fit_ridge(whole, choice.penalty);
  return baseline;
}

BasicTensor<double> LinearBaseline::standardised(View<const double> features) const {
  if (features.shape.back() != static_cast<std::int64_t>(mean_.size())) {
    fail(Code::kUsage, "linear regression: rows of {} features, expected {}", features.shape.back(), mean_.size());
  }
  BasicTensor<double> scaled(features);
  for (std::int64_t i = 0; i < scaled.elements(); ++i) {
    const auto f = static_cast<std::size_t>(i % features.shape.back());
    scaled[i] = (scaled[i] - mean_[f]) / deviation_[f];
  }
  return scaled;
}

BasicTensor<double> LinearBaseline::predict(View<const double> features) const {
  const BasicTensor<double> scaled = standardised(features);
  const auto outputs = static_cast<std::int64_t>(map_.intercept.size());
  BasicTensor<double> predicted(Shape{features.shape.rows(), outputs});
  for (std::int64_t n = 0; n < features.shape.rows(); ++n) {
    map_.apply({scaled.view().row(n), mean_.size()}, {predicted.view().row(n), map_.intercept.size()});
  }
  return predicted;
}

}  // namespace carousel
