// gradient_flow.h: how the gradient of a loss runs back through the time steps of a network, so that vanishing and
// exploding can be seen, for any cell.
//
// It is watched from outside: the recurrent layers run step by step, as scans of one step, with the states between the
// steps as variables of the tape. Their gradients are dL/dh_t and dL/dc_t. Time steps count from 0, and the state s_t
// is the one after step t.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "autograd/tape.h"
#include "carousel/layers.h"
#include "layers/sequence_layout.h"

namespace carousel {

struct StateGradient {
  std::string state;          // "h", "c"
  std::vector<double> norms;  // [T]: |dL/ds_t|, the Euclidean norm over units and the samples that have a step t
};

// One layer in one direction.
struct ScanGradient {
  std::string layer, cell;  // name in the network, as in "recurrent" or "forecast.0.recurrent"; "lstm"
  std::int64_t index = 0;   // of the layer within its stack
  bool reverse = false;     // from the last step to the first: gradients then run to the end of the sequence
  std::vector<StateGradient> states;
  // [T]: the largest singular value of ds_t/ds_(t-1) (reverse: ds_t/ds_(t+1)), all states of the cell side by side, for
  // the longest sample: how much longer this step can make a gradient.
  std::vector<double> jacobian_norms;
};

struct GradientFlow {
  double loss = 0;
  std::vector<ScanGradient> scans;  // in the order of the layers; the forward direction first
};

// Computes the loss (one element) of a batch with the network that it is given, which is the one to be watched with
// other recurrent layers in it, on this tape. What the tape borrows must live until gradient_flow() returns.
using WatchedLoss = std::function<Variable(Sequential& watched, Tape<float>& tape, SequenceLayout& layout)>;

// One forward and one backward pass without dropout from the initial states; the network's parameters get no gradients
// from recurrent layers, and none is changed. Throws Error{kUsage} if no recurrent layer stands behind the loss.
GradientFlow gradient_flow(Sequential& network, const WatchedLoss& loss);

// For people: a line for every so many steps, at most 100 columns wide.
std::string gradient_flow_text(const GradientFlow& flow);

// {"loss", "scans": [{"layer", "cell", "index", "direction", "gradient_norms": {"h": [...]}, "jacobian_norms"}]}
nlohmann::ordered_json gradient_flow_json(const GradientFlow& flow);

}  // namespace carousel
