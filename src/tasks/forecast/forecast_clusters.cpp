#include "tasks/forecast/forecast_clusters.h"

#include <algorithm>

#include "base/fail.h"
#include "base/random.h"

namespace carousel {
namespace {

constexpr std::int64_t kMaxPoints = 4096;
constexpr std::int64_t kMaxRounds = 300;
constexpr double kTolerance = 1e-5;

// The windows as points, [N, window x columns].
BasicTensor<double> window_points(const ForecastData& data, const ForecastInfo& info) {
  const std::vector<WindowAt> all = data.training_windows(info.shape());
  const std::int64_t N = std::min(kMaxPoints, std::ssize(all)), C = std::ssize(info.columns);
  BasicTensor<double> points({N, info.window * C});
  Tensor window;
  for (std::int64_t n = 0; n < N; ++n) {
    const WindowAt at[]{all[static_cast<std::size_t>(n * std::ssize(all) / N)]};
    gather_inputs(data.scaled, at, info.window, window);
    std::copy_n(window.data(), info.window * C, points.data() + n * info.window * C);
    for (std::int64_t t = 0; t < info.window && info.value_columns() < C; ++t) {
      points[(n * info.window + t) * C + C - 1] = 0;  // the number of the series
    }
  }
  return points;
}

// Random memberships, rows adding up to 1.
BasicTensor<double> random_memberships(std::int64_t points, std::int64_t clusters, std::uint64_t seed) {
  BasicTensor<double> start({points, clusters});
  std::vector<float> draws(static_cast<std::size_t>(points * clusters));
  fill_uniform({seed, Purpose::kWeights, 0}, 0.05F, 1.0F, draws);
  for (std::int64_t n = 0; n < points; ++n) {
    double total = 0;
    for (std::int64_t k = 0; k < clusters; ++k) total += draws[static_cast<std::size_t>(n * clusters + k)];
    for (std::int64_t k = 0; k < clusters; ++k) {
      start[n * clusters + k] = draws[static_cast<std::size_t>(n * clusters + k)] / total;
    }
  }
  return start;
}

}  // namespace

WindowClusters cluster_windows(const ForecastData& data, const ForecastInfo& info, const ModelOptions& options,
                               std::uint64_t seed, Observer& observer) {
  const BasicTensor<double> points = window_points(data, info);
  const std::int64_t N = points.shape()[0], D = points.shape()[1];
  if (N < options.clusters) {
    fail(Code::kUsage, "--clusters {}: there are only {} training windows", options.clusters, N);
  }
  const double fuzzifier = options.fuzzifier > 0 ? options.fuzzifier : fuzzifier_for(N, D);
  const FuzzyClusters found =
      fuzzy_cmeans(static_cast<const BasicTensor<double>&>(points).view(),
                   random_memberships(N, options.clusters, seed), fuzzifier, kMaxRounds, kTolerance);
  observer.note(fmt::format(
      "clusters: {} of {} windows, fuzzifier {:.3g}, partition coefficient {:.3f} (1: each window in one cluster, "
      "{:.3f}: "
      "every window in all alike)",
      options.clusters, N, fuzzifier, found.partition_coefficient(), 1.0 / static_cast<double>(options.clusters)));
  WindowClusters clusters{Tensor({options.clusters, D}), fuzzifier};
  std::copy_n(found.centers.data(), found.centers.elements(), clusters.centers.data());
  return clusters;
}

}  // namespace carousel
