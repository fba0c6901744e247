#include "tasks/regress/regress_score.h"

#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "tasks/baselines/regression_baselines.h"
#include "tasks/baselines/text_baselines.h"
#include "tasks/metrics.h"

namespace carousel {
namespace {

// Features of the linear baseline, [samples, F], or at every step [sum of lengths, F].
BasicTensor<double> linear_features(const RegressData& data, std::span<const std::int64_t> samples) {
  std::vector<double> values;
  std::int64_t rows = 0;
  for (const std::int64_t n : samples) {
    const Tensor& sample = data.samples.sequences[static_cast<std::size_t>(n)].values;
    if (data.is_table() || data.columns.per_step) {
      values.insert(values.end(), sample.span().begin(), sample.span().end());
      rows += sample.shape()[0];
    } else {
      const std::vector<double> summary = sequence_summary(sample.view());
      values.insert(values.end(), summary.begin(), summary.end());
      ++rows;
    }
  }
  return {Shape{rows, std::ssize(values) / rows}, values};
}

}  // namespace

Metrics score_values(std::span<const double> predicted, std::span<const double> actual) {
  return {{"rmse", root_mean_squared_error(predicted, actual)},
          {"mae", mean_absolute_error(predicted, actual)},
          {"mse", mean_squared_error(predicted, actual)}};
}

Metrics score_binary(std::span<const double> logits, std::span<const double> actual, std::int64_t outputs) {
  CAROUSEL_ASSERT(logits.size() == actual.size());
  double sum = 0, right = 0;
  for (std::size_t j = 0; j < logits.size(); ++j) {
    const double z = logits[j], t = actual[j];
    sum += std::max(z, 0.0) + std::log1p(std::exp(-std::abs(z))) - t * z;
    right += (z > 0) == (t > 0.5);
  }
  const auto values = static_cast<double>(logits.size());
  return {{"nll", sum / values * static_cast<double>(outputs)}, {"accuracy", right / values}};
}

Metrics score_regression(Sequential& network, const RegressData& data, const RegressInfo& info,
                         std::span<const std::int64_t> scored) {
  LayerChain core = regress_core(network);
  const Tensor output =
      info.binary ? predict_samples(core, data.samples, scored) : predict_samples(network, data.samples, scored);
  const std::vector<double> values(output.span().begin(), output.span().end());
  const std::vector<double> actual = targets_of(data, scored);
  return info.binary ? score_binary(values, actual, data.target_count()) : score_values(values, actual);
}

Baseline mean_baseline(const RegressData& data, const RegressInfo& info, std::span<const std::int64_t> scored) {
  const std::vector<double> actual = targets_of(data, scored);
  std::vector<double> row = info.target_means(), predicted;
  for (double& mean : row) mean = info.binary ? std::log(mean / (1 - mean)) : mean;
  while (predicted.size() < actual.size()) predicted.insert(predicted.end(), row.begin(), row.end());
  if (info.binary) return {"frequency", score_binary(predicted, actual, data.target_count())};
  return {"mean", score_values(predicted, actual)};
}

Baseline linear_baseline(const RegressData& data, std::span<const std::int64_t> training,
                         std::span<const std::int64_t> scored) {
  const BasicTensor<double> features = linear_features(data, training);
  const BasicTensor<double> targets({features.shape()[0], data.target_count()}, targets_of(data, training));
  const LinearBaseline linear = LinearBaseline::fit(features.view(), targets.view());
  const BasicTensor<double> predicted = linear.predict(linear_features(data, scored).view());
  return {"linear", score_values(predicted.span(), targets_of(data, scored))};
}

}  // namespace carousel
