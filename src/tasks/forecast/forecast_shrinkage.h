// forecast_shrinkage.h: keeps of what a network has learnt as much as chance does not explain.
//
// On the validation part a trained network is better than the linear start by a mean gain g, known up to its standard
// error s (diebold_mariano). What it adds to the linear start is multiplied by
//   share = max(0, 1 - (s / g)^2),   0 if g <= 0
// the factor of the positive-part estimator of James and Stein (1961): of a gain of one standard error nothing is kept,
// of two 3/4, of five 24/25.
#pragma once

#include <span>

#include "tasks/forecast/forecast_data.h"
#include "tasks/forecast/forecast_model.h"

namespace carousel {

// start - trained, summed over the windows where both are known.
double summed_gain(std::span<const double> trained, std::span<const double> start);

// `trained`, `start`: losses of the same windows, sorted by series and origin, NaN where not known. Where there are too
// few for the test: 1 if their mean is smaller after training, else 0.
double share_beyond_chance(std::span<const double> trained, std::span<const double> start,
                           const std::vector<WindowAt>& windows, const ForecastInfo& info);

// Weights and biases of the output layers of a forecaster, layer by layer; copies.
std::vector<Tensor> output_weights(Sequential& network);

// Moves the output layers to start + share x (now - start), and with them all that the network puts out. `start` as
// output_weights() gave it.
void keep_share(Sequential& network, const std::vector<Tensor>& start, double share);

}  // namespace carousel
