#include "tasks/forecast/forecast_cluster_pictures.h"

#include <algorithm>

#include "base/fail.h"
#include "layers/mixture.h"

namespace carousel {
namespace {

constexpr std::int64_t kTargetsDrawn = 3;
constexpr std::size_t kMostWindows = 4096;  // that shares are told of

// What gives the memberships; null if there are no clusters.
Sequential* gate_of(Sequential& network) {
  Sequential& recurrent = dynamic_cast<Sum&>(forecast_core(network)).branches().front();
  auto* mixture = dynamic_cast<Mixture*>(recurrent.modules().back().second.get());
  return mixture ? &mixture->branches().front() : nullptr;
}

// There are five; from the sixth cluster on lines are dashed.
int colour_of(std::int64_t cluster) { return static_cast<int>(1 + cluster % 5); }

std::string name_of(std::int64_t cluster) { return fmt::format("cluster {}", cluster + 1); }

LineChart center_chart(const Tensor& centers, const std::vector<double>& shares, const ForecastInfo& info,
                       std::int64_t target) {
  const std::int64_t column = info.target_positions()[static_cast<std::size_t>(target)], C = std::ssize(info.columns);
  const std::string& name = info.targets[static_cast<std::size_t>(target)];
  LineChart chart{"step of the window; the last one is 0", name + ", scaled", "Centres of the clusters"};
  for (std::int64_t k = 0; k < std::ssize(shares); ++k) {
    ChartLine& line = chart.lines.emplace_back();
    line.name = fmt::format("{} ({:.3g} %)", name_of(k), 100 * shares[static_cast<std::size_t>(k)]);
    line.colour = colour_of(k);
    line.dashed = k / 5 % 2 == 1;
    for (std::int64_t t = 0; t < info.window; ++t) {
      line.x.push_back(static_cast<double>(t + 1 - info.window));
      line.y.push_back(centers[(k * info.window + t) * C + column]);
    }
  }
  return chart;
}

}  // namespace

Tensor window_memberships(Sequential& network, std::span<const Series> scaled, std::span<const WindowAt> windows,
                          const ForecastInfo& info) {
  Sequential* gate = gate_of(network);
  if (!gate || windows.empty()) return {};
  constexpr std::size_t kBatch = 256;
  std::vector<float> shares;
  Tensor inputs;
  for (std::size_t first = 0; first < windows.size(); first += kBatch) {
    gather_inputs(scaled, windows.subspan(first, std::min(kBatch, windows.size() - first)), info.window, inputs);
    const Tensor some = gate->predict(inputs);
    shares.insert(shares.end(), some.data(), some.data() + some.elements());
  }
  Tensor all({std::ssize(windows), std::ssize(shares) / std::ssize(windows)});
  std::ranges::copy(shares, all.data());
  return all;
}

std::vector<double> cluster_shares(const Tensor& memberships) {
  const std::int64_t N = memberships.shape()[0], K = memberships.shape()[1];
  std::vector<double> shares(static_cast<std::size_t>(K));
  for (std::int64_t i = 0; i < N * K; ++i) shares[static_cast<std::size_t>(i % K)] += memberships[i];
  for (double& share : shares) share /= static_cast<double>(N);
  return shares;
}

LineChart membership_chart(const Tensor& memberships, const Series& series, std::int64_t first) {
  const std::int64_t N = memberships.shape()[0], K = memberships.shape()[1];
  LineChart chart{series.times.empty() ? "row" : "time", "membership", "Memberships of the windows over time"};
  if (!series.times.empty()) chart.x_names = series.times.texts(first, first + N);
  std::vector<double> base(static_cast<std::size_t>(N));
  for (std::int64_t k = 0; k < K; ++k) {
    ChartBand& band = chart.bands.emplace_back();
    band.name = name_of(k);
    band.colour = colour_of(k);
    band.low = base;
    for (std::int64_t n = 0; n < N; ++n) {
      band.x.push_back(static_cast<double>(chart.x_names.empty() ? first + n : n));
      base[static_cast<std::size_t>(n)] += memberships[n * K + k];
    }
    band.high = base;
  }
  return chart;
}

void add_cluster_figures(Sequential& network, const ForecastScoring& scoring, std::int64_t series, Range held_back,
                         std::vector<Figure>& figures) {
  Sequential* gate = gate_of(network);
  if (!gate) return;
  const ForecastInfo& info = scoring.info;
  std::vector<WindowAt> windows = scoring.data.training_windows(info.shape());
  const bool trained = !windows.empty();
  if (!trained) windows = scoring.windows;
  const std::size_t stride = (windows.size() + kMostWindows - 1) / kMostWindows;
  std::vector<WindowAt> counted;
  for (std::size_t n = 0; n < windows.size(); n += stride) counted.push_back(windows[n]);
  const std::vector<double> shares = cluster_shares(window_memberships(network, scoring.data.scaled, counted, info));
  const Tensor& centers = dynamic_cast<Memberships&>(*gate->modules().back().second).centers.value;
  std::vector<LineChart> panels;
  for (std::int64_t j = 0; j < std::min(kTargetsDrawn, std::ssize(info.targets)); ++j) {
    panels.push_back(center_chart(centers, shares, info, j));
  }
  figures.push_back({"Clusters",
                     fmt::format("The centre of each fuzzy cluster: the window that it stands for. In brackets its "
                                 "share of the {} windows, the sum of the memberships",
                                 trained ? "training" : "scored"),
                     panels_svg(std::move(panels), 1)});

  const Series& drawn = scoring.data.series[static_cast<std::size_t>(series)];
  const std::int64_t first = info.window - 1;
  std::vector<WindowAt> all;
  for (std::int64_t origin = info.window; origin <= drawn.known_steps(); ++origin) all.push_back({series, origin});
  LineChart above = forecast_chart(drawn, info.target_positions().front(), {first, drawn.known_steps()}, held_back, {});
  LineChart below = membership_chart(window_memberships(network, scoring.data.scaled, all, info), drawn, first);
  above.height = 200;
  below.height = 220;
  figures.push_back({"Memberships",
                     fmt::format("How much the window that ends at each time, {} long, belongs to each cluster",
                                 count_text(info.window, "step")),
                     panels_svg({std::move(above), std::move(below)}, 1)});
}

}  // namespace carousel
