// step_jacobian.h: the Jacobian of one time step of a recurrent layer, by its states.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "carousel/layers.h"
#include "layers/scan/scan.h"

namespace carousel {

// The weights of the cells of a step, of one layer and direction of a stack, as constants of a tape.
std::vector<ScanWeights<float>> constant_weights(Tape<float>& tape, const Recurrent& layer, std::int64_t index,
                                                 bool reverse);

// What one sample gets in a step.
struct StepInput {
  std::span<const float> x;      // [C]
  std::span<const float> lower;  // [H]: the second state of the layer below, for a cell that reads it
};

// ds_t/ds_(t-1) of one sample, [S, S] row after row, S the units of all states side by side; `before` are the states
// before the step. One pass of a batch of S copies, of which copy i is asked for its element i.
std::vector<double> step_jacobian(const Recurrent& layer, std::int64_t index, bool reverse, const StepInput& step,
                                  std::span<const std::vector<float>> before);

// The largest singular value of a matrix A [rows, columns], row after row: by Lanczos iteration on A^T A (1950) from a
// fixed random vector, which needs a few dozen products where power iteration needs hundreds.
double largest_singular_value(std::span<const double> matrix, std::int64_t columns);

}  // namespace carousel
