#include "tasks/classify/class_metrics.h"

#include <algorithm>
#include <cmath>

namespace carousel {
namespace {

double share(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

std::vector<ClassScore> class_scores(std::span<const std::int64_t> counts, std::int64_t classes) {
  std::vector<ClassScore> scores;
  for (std::int64_t k = 0; k < classes; ++k) {
    std::int64_t actual = 0, predicted = 0;
    for (std::int64_t other = 0; other < classes; ++other) {
      actual += counts[static_cast<std::size_t>(k * classes + other)];
      predicted += counts[static_cast<std::size_t>(other * classes + k)];
    }
    const std::int64_t right = counts[static_cast<std::size_t>(k * classes + k)];
    scores.push_back({share(right, predicted), share(right, actual), share(2 * right, predicted + actual), actual});
  }
  return scores;
}

std::vector<CalibrationBin> calibration_bins(const Tensor& probabilities, std::span<const std::int32_t> labels,
                                             std::int64_t bins) {
  std::vector<CalibrationBin> list(static_cast<std::size_t>(bins));
  const std::int64_t K = probabilities.shape()[1];
  for (std::size_t n = 0; n < labels.size(); ++n) {
    const float* row = probabilities.data() + static_cast<std::int64_t>(n) * K;
    const float* most = std::max_element(row, row + K);
    const auto place = static_cast<std::int64_t>(std::ceil(static_cast<double>(*most) * static_cast<double>(bins))) - 1;
    CalibrationBin& bin = list[static_cast<std::size_t>(std::clamp<std::int64_t>(place, 0, bins - 1))];
    ++bin.count;
    bin.confidence += *most;
    bin.accuracy += most - row == labels[n] ? 1 : 0;
  }
  for (CalibrationBin& bin : list) {
    if (bin.count == 0) continue;
    bin.confidence /= static_cast<double>(bin.count);
    bin.accuracy /= static_cast<double>(bin.count);
  }
  return list;
}

double expected_calibration_error(std::span<const CalibrationBin> bins) {
  double error = 0;
  std::int64_t samples = 0;
  for (const CalibrationBin& bin : bins) {
    samples += bin.count;
    error += static_cast<double>(bin.count) * std::abs(bin.accuracy - bin.confidence);
  }
  return samples == 0 ? 0 : error / static_cast<double>(samples);
}

double negative_log_likelihood(const Tensor& probabilities, std::span<const std::int32_t> labels) {
  constexpr double kLeast = 1e-38;  // of a float above 0: a probability that was rounded to 0
  double sum = 0;
  const std::int64_t K = probabilities.shape()[1];
  for (std::size_t n = 0; n < labels.size(); ++n) {
    sum -= std::log(std::max<double>(probabilities[static_cast<std::int64_t>(n) * K + labels[n]], kLeast));
  }
  return labels.empty() ? 0 : sum / static_cast<double>(labels.size());
}

}  // namespace carousel
