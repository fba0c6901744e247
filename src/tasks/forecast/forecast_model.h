// forecast_model.h: the network of a forecaster.
//
// The network is "scale" -> "forecast" -> "unscale". In the middle, in scaled units, two branches are added up: a
// recurrent one (its state after the last step of the window, then a linear layer; or an encoder of the window and a
// decoder of the steps ahead, sequence_to_sequence.h) and a linear one (the whole window at once; Lai et al. 2018 call
// it the autoregressive highway). One row per sample comes out, [horizon x targets], step after step. For several
// series the scaling is each series' own, so "scale" and "unscale" are left out.
#pragma once

#include <string>
#include <vector>

#include "tasks/forecast/forecast_info.h"
#include "train/observer.h"

namespace carousel {

// The linear branch before training: y = a + B x for a window x [window x columns] and y [horizon x targets].
struct LinearStart {
  Tensor weight, bias;
  std::string description;
  std::int64_t width = 1;  // numbers for each value (ForecastHead::width()); B x is added to the first of them
};

// Fuzzy clusters of the windows, one network for each; no centers: one network for all.
struct WindowClusters {
  Tensor centers;  // [clusters, window x columns], in scaled units
  double fuzzifier = 2;
};

// The model options with every "auto" replaced; the observer is told. Throws Error{kUsage} for options that contradict
// each other.
ModelOptions resolve_forecast_model(const ModelOptions& options, const ForecastInfo& info, std::int64_t windows,
                                    Observer& observer);

// `options` is resolved. The recurrent branch starts at zero, so that the untrained network is the linear one.
Sequential build_forecaster(const ModelOptions& options, const ForecastInfo& info, const LinearStart& start,
                            const WindowClusters& clusters, std::uint64_t seed);

// The networks of the recurrent branch: one for each cluster, else one. Their last layer is a Linear, where their
// numbers come from.
std::vector<Sequential*> recurrent_networks(Sequential& network);

// Weights as before training: random, but 0 in the last layers of the recurrent branch; those of `start` in the linear
// one. What is fixed stays: scaling, centres of clusters.
void reset_weights(Sequential& network, const LinearStart& start, std::uint64_t seed);

// Inputs [T, N, columns] in scaled units as the whole network takes them: where it scales by itself, in those of the
// data.
void unscale_inputs(const ForecastInfo& info, Tensor& inputs);

// The part of the network that works in scaled units: [window, N, columns] -> [N, width x horizon x targets].
Module& forecast_core(Sequential& network);

// The layers that the numbers of the recurrent branch come from, one for each cluster.
std::vector<Linear*> output_layers(Sequential& network);

// Of the recurrent branch the layers that read the window, [window, N, columns]: an encoder, else all.
Sequential& window_reader(Sequential& recurrent_branch);

}  // namespace carousel
