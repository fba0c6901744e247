#include "tasks/forecast/forecast_shrinkage.h"

#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "tasks/forecast/forecast_score.h"
#include "tasks/significance.h"

namespace carousel {

double summed_gain(std::span<const double> trained, std::span<const double> start) {
  double gain = 0;
  for (std::size_t n = 0; n < trained.size(); ++n) {
    if (!std::isnan(start[n] - trained[n])) gain += start[n] - trained[n];
  }
  return gain;
}

double share_beyond_chance(std::span<const double> trained, std::span<const double> start,
                           const std::vector<WindowAt>& windows, const ForecastInfo& info) {
  CAROUSEL_ASSERT(trained.size() == windows.size() && start.size() == windows.size());
  if (summed_gain(trained, start) <= 0) return 0;
  const LossSample mine = sample_losses(trained, windows, info), theirs = sample_losses(start, windows, info);
  const auto test = diebold_mariano(mine.losses, theirs.losses, mine.overlap);
  if (!test) return 1;
  if (test->statistic >= 0) return 0;  // the mean of each series counts alike: it may differ from that of the windows
  return std::max(0.0, 1 - 1 / (test->statistic * test->statistic));
}

std::vector<Tensor> output_weights(Sequential& network) {
  std::vector<Tensor> weights;
  for (Linear* layer : output_layers(network)) {
    for (const Parameter* parameter : layer->parameters()) weights.push_back(parameter->value);
  }
  return weights;
}

void keep_share(Sequential& network, const std::vector<Tensor>& start, double share) {
  auto from = start.begin();
  for (Linear* layer : output_layers(network)) {
    for (Parameter* parameter : layer->parameters()) {
      for (std::int64_t i = 0; i < from->elements(); ++i) {
        parameter->value[i] = static_cast<float>((*from)[i] + share * (parameter->value[i] - (*from)[i]));
      }
      ++from;
    }
  }
}

}  // namespace carousel
