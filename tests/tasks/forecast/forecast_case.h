// forecast_case.h: a forecaster whose weights are all random, the output layer's too, which training starts at 0.
#pragma once

#include "base/random.h"
#include "tasks/forecast/forecast_head.h"
#include "tasks/forecast/forecast_model.h"

namespace carousel {

// For one sort of recurrent layers, or cell "none"; no dropout. The same weights every time.
inline Sequential random_forecaster(const ForecastInfo& info, const std::string& cell, std::int64_t hidden_size,
                                    std::int64_t layers, const std::string& strategy = "direct") {
  ModelOptions options;
  options.cell = cell;
  options.hidden_size = hidden_size;
  options.layers = layers;
  options.dropout = 0;
  options.bidirectional = "false";
  options.strategy = strategy;
  if (strategy == "seq2seq") {
    options.attention = "general";
  } else {
    options.pool = "last";
  }
  options.activation = "tanh";
  options.series_embedding = info.derived.series.empty() ? 0 : 3;
  const ForecastInfo one = info.of_network();
  const std::int64_t values = one.horizon * std::ssize(one.targets);
  LinearStart start{Tensor({values, one.window * std::ssize(one.columns)}), Tensor({values}), ""};
  start.width = network_outputs(one) / values;
  Sequential network = build_forecaster(options, one, start, {}, 1);
  std::uint64_t seed = 9;
  for (const auto& [name, tensor] : network.named_tensors()) {
    if (name.starts_with("forecast")) fill_uniform({seed++, Purpose::kWeights, 0}, -0.4F, 0.4F, tensor->value.span());
  }
  return network;
}

}  // namespace carousel
