// inspect.h: what goes into a network and what comes out: every tensor with its axes named and sized, layer by layer,
// and one time step worked through with numbers.
//
// Without values the sizes that no layer fixes are kAnySize: the number of time steps (T) and of samples (N). With
// values all sizes are those of this input, lengths and mask say which steps are padding, and a step of the first
// recurrent layer is computed once more in double from the weights and compared with what the network gave. The result
// is plain data and owns everything in it.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "carousel/layers.h"

namespace carousel {

struct WordPieces;

inline constexpr std::int64_t kAnySize = -1;

struct TensorInfo {
  std::string name;
  std::string type = "float32";
  std::vector<std::string> axes;  // "time", "sample", "feature", "hidden", "layer x direction", "gate x hidden" ...
  std::vector<std::int64_t> shape;
  std::string meaning;  // in words; may be empty
};

struct LayerInfo {
  std::string name;      // "recurrent"; in a branch of a Sum "forecast.0.recurrent"
  std::string type;      // as LayerDescription has it
  std::string settings;  // "cell lstm, hidden_size 5, ..."
  std::vector<TensorInfo> inputs, outputs;
  std::vector<TensorInfo> parameters;  // names as in the model file, behind the layer's name; fixed numbers as well
  std::int64_t parameter_count = 0;    // trained numbers
  std::vector<std::string> notes;      // how to read its outputs: what "last" is, padding, gates
};

// One gate of one unit. The cell adds the two parts, unless its equations say otherwise (Cell::split_gates).
struct GateValue {
  std::string name;
  double from_input = 0, from_state = 0;  // W x + b_ih, R h + b_hh; of a normalised cell LN(W x) + b_ih, LN(R h) + b_hh
  double value = 0;                       // after the activation
};

struct WorkedStep {
  std::string layer, cell, equations;
  std::int64_t sample = 0, time_step = 0, unit = 0;  // of layer 0, forward direction
  bool adds_parts = true;                            // a gate's pre-activation is from_input + from_state
  bool normalised = false;                           // the parts are those after layer normalisation
  std::vector<double> x, h_before;                   // x_t [C], h_(t-1) [H or P]
  std::vector<GateValue> gates;                      // in the order of the weights
  std::vector<std::string> states;                   // "h", "c"
  std::vector<double> before, after, network;        // of the unit, per state: at t-1, at t, as the network gave it
  std::optional<double> unprojected;                 // with projection: o tanh(c') of the unit
  double largest_difference = 0;                     // |double - network| over all units and states
};

struct InspectInput {
  const Tensor* values = nullptr;              // [T, N, C]; or
  const IdTensor* ids = nullptr;               // [T, N]; both null: sizes only
  std::span<const std::int32_t> lengths = {};  // [N]; empty: all T
  std::int64_t time_step = 0;                  // the step to work through
  const WordPieces* unseen = nullptr;          // words beyond the vocabulary (layers/tokens/token_inputs.h); null: none
  const Tensor* memory = nullptr;              // [S, N, E], with lengths [N]: of a network that looks at one
  std::span<const std::int32_t> memory_lengths = {};
  const State* initial = nullptr;  // before the first step; null: zero
};

struct InspectResult {
  std::vector<TensorInfo> inputs, outputs, states;
  std::vector<LayerInfo> layers;
  std::int64_t parameter_count = 0;   // trained numbers
  std::vector<std::int32_t> lengths;  // per sample; empty without values
  IdTensor mask;                      // [time, sample]: 1 a step of the sample, 0 padding; no element without values
  // Nothing without values, recurrent layer or a sample that is long enough, if the layer has a matrix memory or
  // several transitions, or if one below it looks at several steps at once.
  std::optional<WorkedStep> step;
};

// Throws Error{kUsage} if the input does not fit the network (rank, features, lengths, token ids).
InspectResult inspect_network(Sequential& network, const InspectInput& input = {});

// The worked step alone: of the first sample with more than input.time_step steps. REQUIRES: values or ids.
std::optional<WorkedStep> work_through_step(Sequential& network, const InspectInput& input);

// For people, at most 100 columns wide; T and N stand for sizes that are free.
std::string inspect_text(const InspectResult& result);

// {"inputs": [{"name", "type", "axes", "shape", ...}], "outputs", "states", "layers", "parameters", "padding",
// "worked_step"}; in a shape -1 stands for a size that is free. "padding" and "worked_step" are null without values.
nlohmann::ordered_json inspect_json(const InspectResult& result);

}  // namespace carousel
