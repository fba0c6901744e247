#include "tasks/baselines/seasonal_indices.h"

namespace carousel {

std::vector<double> seasonal_indices(std::span<const double> values, std::int64_t season, SeasonKind kind) {
  const auto m = static_cast<std::size_t>(season), half = m / 2;
  const auto size = static_cast<double>(m);
  const bool multiplicative = kind == SeasonKind::kMultiplicative;
  std::vector<double> indices(m), counts(m);
  for (std::size_t t = half; t + half < values.size(); ++t) {
    double sum = 0;  // of an even season the two ends count half
    for (std::size_t i = t - half; i <= t + half; ++i) {
      sum += m % 2 == 0 && (i == t - half || i == t + half) ? values[i] / 2 : values[i];
    }
    indices[t % m] += multiplicative ? values[t] * size / sum : values[t] - sum / size;
    counts[t % m] += 1;
  }
  double mean = 0;
  for (std::size_t phase = 0; phase < m; ++phase) mean += (indices[phase] /= counts[phase]) / size;
  for (double& index : indices) index = multiplicative ? index / mean : index - mean;
  return indices;
}

}  // namespace carousel
