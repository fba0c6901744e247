#include "layers/fuzzy/fuzzy_cmeans.h"

#include <algorithm>
#include <cmath>

#include "base/fail.h"

namespace carousel {

double FuzzyClusters::partition_coefficient() const {
  double sum = 0;
  for (std::int64_t i = 0; i < memberships.elements(); ++i) sum += memberships[i] * memberships[i];
  return sum / static_cast<double>(memberships.shape()[0]);
}

namespace {

// The centers of these memberships; returns J of both.
double move_centers(View<const double> points, double fuzzifier, FuzzyClusters& clusters) {
  const std::int64_t N = points.shape[0], D = points.shape[1], K = clusters.centers.shape()[0];
  std::vector<double> weights(static_cast<std::size_t>(N));
  double objective = 0;
  for (std::int64_t k = 0; k < K; ++k) {
    double* center = clusters.centers.data() + k * D;
    std::fill_n(center, D, 0.0);
    double total = 0;
    for (std::int64_t n = 0; n < N; ++n) {
      const double weight = std::pow(clusters.memberships[n * K + k], fuzzifier);
      weights[static_cast<std::size_t>(n)] = weight;
      total += weight;
      for (std::int64_t d = 0; d < D; ++d) center[d] += weight * points.data[n * D + d];
    }
    for (std::int64_t d = 0; d < D && total > 0; ++d) center[d] /= total;
    for (std::int64_t n = 0; n < N; ++n) {
      double squared = 0;
      for (std::int64_t d = 0; d < D; ++d) {
        const double difference = points.data[n * D + d] - center[d];
        squared += difference * difference;
      }
      objective += weights[static_cast<std::size_t>(n)] * squared;
    }
  }
  return objective;
}

}  // namespace

FuzzyClusters fuzzy_cmeans(View<const double> points, const BasicTensor<double>& start, double fuzzifier,
                           std::int64_t rounds, double tolerance) {
  require_fuzzifier(fuzzifier);
  if (points.shape.rank() != 2 || start.shape().rank() != 2 || start.shape()[0] != points.shape[0]) {
    fail(Code::kUsage, "fuzzy_cmeans: points {} and memberships {}, expected [N, D] and [N, clusters]",
         points.shape.to_string(), start.shape().to_string());
  }
  const std::int64_t N = points.shape[0], D = points.shape[1], K = start.shape()[1];
  FuzzyClusters clusters{BasicTensor<double>({K, D}), start, {}};
  BasicTensor<double> next({N, K});
  for (std::int64_t round = 0; round < rounds; ++round) {
    clusters.objective.push_back(move_centers(points, fuzzifier, clusters));
    memberships<double>(points, static_cast<const BasicTensor<double>&>(clusters.centers).view(), fuzzifier,
                        next.view());
    double change = 0;
    for (std::int64_t i = 0; i < N * K; ++i) change = std::max(change, std::abs(next[i] - clusters.memberships[i]));
    std::swap(next, clusters.memberships);
    if (change < tolerance) break;
  }
  return clusters;
}

double fuzzifier_for(std::int64_t points, std::int64_t values) {
  const auto N = static_cast<double>(points), D = static_cast<double>(values);
  return 1 + (1418 / N + 22.05) / (D * D) + (12.33 / N + 0.243) * std::pow(D, -0.0406 * std::log(N) - 0.1134);
}

}  // namespace carousel
