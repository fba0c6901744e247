#include "layers/fuzzy/fuzzy_memberships.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/fail.h"

namespace carousel {

void require_fuzzifier(double fuzzifier) {
  if (!(fuzzifier > 1) || !std::isfinite(fuzzifier)) {
    fail(Code::kUsage, "the fuzzifier is {}, expected a number above 1", fuzzifier);
  }
}

template <class T>
void memberships(View<const T> points, View<const T> centers, double fuzzifier, View<T> out) {
  const std::int64_t N = points.shape[0], D = points.shape[1], K = centers.shape[0];
  std::vector<double> distances(static_cast<std::size_t>(K));  // squared
  for (std::int64_t n = 0; n < N; ++n) {
    for (std::int64_t k = 0; k < K; ++k) {
      double sum = 0;
      for (std::int64_t d = 0; d < D; ++d) {
        const double difference = static_cast<double>(points.data[n * D + d]) - centers.data[k * D + d];
        sum += difference * difference;
      }
      distances[static_cast<std::size_t>(k)] = sum;
    }
    // Relative to the nearest center, so that no power overflows.
    const double nearest = *std::min_element(distances.begin(), distances.end());
    double total = 0;
    for (double& distance : distances) {
      distance = distance == nearest ? 1 : nearest == 0 ? 0 : std::pow(nearest / distance, 1 / (fuzzifier - 1));
      total += distance;
    }
    for (std::int64_t k = 0; k < K; ++k) {
      out.data[n * K + k] = static_cast<T>(distances[static_cast<std::size_t>(k)] / total);
    }
  }
}

template void memberships<float>(View<const float>, View<const float>, double, View<float>);
template void memberships<double>(View<const double>, View<const double>, double, View<double>);

}  // namespace carousel
