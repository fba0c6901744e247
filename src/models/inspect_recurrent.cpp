#include "models/inspect_recurrent.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cells/cell.h"
#include "layers/recurrent/recurrent_structure.h"

namespace carousel {
namespace {

std::string width_axis(const Recurrent& layer) { return layer.options().proj_size > 0 ? "projected" : "hidden"; }

std::string direction_name(const Recurrent& layer, int direction) {
  return layer.directions() == 1 ? "" : direction == 0 ? ", forward" : ", backward";
}

// "h_n[0] is layer 0, forward; h_n[1] ...", at most the first few.
std::string final_state_entries(const Recurrent& layer) {
  constexpr std::int64_t kShown = 4;
  const std::int64_t D = layer.directions(), count = layer.options().layers * D;
  std::vector<std::string> list;
  for (std::int64_t k = 0; k < count && k < kShown; ++k) {
    list.push_back(fmt::format("h_n[{}] layer {}{}", k, k / D, direction_name(layer, static_cast<int>(k % D))));
  }
  return fmt::format("{}{}", fmt::join(list, "; "), count > kShown ? "; ..." : "");
}

}  // namespace

void describe_recurrent_parameter(const Recurrent& layer, TensorInfo& info) {
  const Cell& cell = find_cell(layer.options().cell);
  if (info.name.starts_with("initial_")) {
    info.axes = {"state"};
    info.meaning = "learned: what a sequence starts with, if no state is given";
    return;
  }
  if (info.name == "weight_in" || info.name == "bias_in") {
    info.axes = {"state x hidden", "feature"};
    info.axes.resize(info.shape.size());
    info.meaning = fmt::format("makes {} of x_t for the lowest layer", fmt::join(cell.states.first(2), " and "));
    return;
  }
  if (info.name.find("_highway") != std::string::npos) {
    info.axes = {recurrent_output_axis(layer), recurrent_output_axis(layer)};
    info.axes.resize(info.shape.size());
    info.meaning = "of the gate g = sigmoid(W x + b): the layer gives g y + (1 - g) x";
    return;
  }
  const std::string layer_number = info.name.substr(info.name.find("_l") + 2);
  const bool first = std::stoll(layer_number) == 0;
  if (info.name.starts_with("bias_hr")) {
    info.axes = {"projected"};
    info.meaning = "added to W_hr u";
    return;
  }
  if (info.name.starts_with("weight_hr")) {
    info.axes = {"projected", "hidden"};
    info.meaning = "h' = W_hr times the unprojected output";
    return;
  }
  if (info.name.starts_with("weight_ph")) {
    info.axes = {"unit weight x hidden"};
    info.meaning = fmt::format("one number a unit; rows {}", fmt::join(cell.unit_weights, ", "));
    return;
  }
  info.axes = {"gate x hidden"};
  if (info.name.starts_with("weight_ih")) {
    info.axes.push_back(first ? "feature" : recurrent_output_axis(layer));
    info.meaning = first ? "W, for x_t" : "W, for the layer below";
  } else if (info.name.starts_with("weight_hh")) {
    info.axes.push_back(cell.recurrent_states.size() == 1 ? width_axis(layer) : "state x hidden");
    const bool later = info.name.find("_t") != std::string::npos;  // weight_hh_l0_t1: within a step
    info.meaning = later ? "R, for h of the cell before" : "R, for h_(t-1)";
  } else {
    info.meaning = info.name.starts_with("bias_ih") ? "added to W x" : "added to R h";
  }
  const bool recurrent = info.name.starts_with("weight_hh") || info.name.starts_with("bias_hh");
  const auto gates = recurrent ? cell.gates.first(static_cast<std::size_t>(cell.recurrent_gates())) : cell.gates;
  info.meaning += fmt::format("; rows {}", fmt::join(gates, ", "));
}

std::string recurrent_output_axis(const Recurrent& layer) {
  const bool apart = layer.directions() == 2 && layer.options().merge == "concat";
  return apart ? "direction x " + width_axis(layer) : width_axis(layer);
}

std::vector<TensorInfo> recurrent_states(const Recurrent& layer, std::int64_t samples) {
  const Cell& cell = find_cell(layer.options().cell);
  std::vector<TensorInfo> states;
  for (int k = 0; k < cell.state_count(); ++k) {
    const Shape shape = layer.state_shape(k, 0);
    TensorInfo info;
    info.name = cell.states[static_cast<std::size_t>(k)];
    const char* matrix_axes[] = {"hidden", "head x value x key", "hidden", "head"};
    const std::string axis = k == 0 || cell.output_layer ? width_axis(layer)
                             : cell.has_matrix()         ? matrix_axes[k]
                                                         : "hidden";
    info.axes = {"layer x direction", "sample", axis};
    info.shape = {shape[0], samples, shape[2]};
    info.meaning = "after the last valid step of each sample";
    states.push_back(std::move(info));
  }
  return states;
}

namespace {

// Where the outputs of the directions stand, and the last ones.
void add_direction_notes(const Recurrent& layer, std::vector<std::string>& notes) {
  const std::int64_t width = layer.output_size() / 2;
  if (layer.directions() == 1) {
    notes.push_back("the last: output[length-1] of each sample has read the whole sample");
  } else if (layer.options().merge != "concat") {
    notes.push_back(fmt::format(
        "directions: every layer gives the {} of what its two directions give at a step; none of its outputs has read "
        "the whole sample in both",
        layer.options().merge));
  } else {
    notes.push_back(
        fmt::format("directions: columns 0 to {} of output are the forward direction, {} to {} the backward "
                    "one, which reads from the last valid step to step 0",
                    width - 1, width, 2 * width - 1));
    notes.push_back(
        "the last: the forward direction has read the whole sample at output[length-1], the backward one "
        "at output[0]; the backward half of output[length-1] has read one step only");
  }
}

// How h_n stands to the output.
std::string last_state_note(const Recurrent& layer) {
  const RecurrentOptions& o = layer.options();
  if (o.connection == "residual") return "a layer gives x + h: h_n is without the x that went past it";
  if (o.connection == "highway") return "a layer gives g h + (1 - g) x: h_n is without the x that went past it";
  if (!o.bidirectional) return "h_n[-1] equals output[length-1]; it equals output[-1] only for samples without padding";
  if (o.merge != "concat") return "h_n[-2] and h_n[-1] are the directions of the top layer, each at its own last step";
  return "h_n[-1] is the backward direction of the top layer, so it equals that half of output[0]; "
         "h_n[-2] equals the forward half of output[length-1]; output[-1] is neither";
}

}  // namespace

std::vector<std::string> recurrent_notes(const Recurrent& layer) {
  const RecurrentOptions& o = layer.options();
  const Cell& cell = find_cell(o.cell);
  const bool both = layer.directions() == 2;
  std::vector<std::string> notes;
  add_direction_notes(layer, notes);
  notes.push_back(fmt::format("final state: {}, each after the last valid step of its sample{}",
                              final_state_entries(layer),
                              both ? "; entry k is layer k / 2, direction k % 2" : "; entry k is layer k"));
  notes.push_back(last_state_note(layer));
  if (o.tied) notes.push_back("all layers share the weights of layer 0");
  notes.push_back(
      "padding: steps from length on are not computed and influence nothing, output is 0 there; a sample of "
      "length 0 gives back its initial state");
  std::vector<std::string> gates;
  for (int k = 0; k < cell.gate_count(); ++k) {
    const auto row = [&](int gate) { return cell.first_row(gate, o.hidden_size, o.heads); };
    gates.push_back(fmt::format("{} rows {} to {}", cell.gates[static_cast<std::size_t>(k)], row(k), row(k + 1) - 1));
  }
  if (mean_zoneout(o).active()) {
    notes.push_back(
        fmt::format("zoneout: a step keeps {} of h and {} of the other states as they were before it; in "
                    "training these are the probabilities that a unit does",
                    o.zoneout, o.zoneout_memory));
  }
  if (o.transitions > 1) {
    notes.push_back(
        fmt::format("a step is {} cells, one after another: the first reads x, each other one (_t1 ...) only the "
                    "states that the cell before it made; no step is worked through",
                    o.transitions));
  }
  if (cell.has_matrix()) notes.push_back("no step is worked through: the memory of the cell is a matrix");
  notes.push_back(fmt::format("gates, in weight_ih{}{}: {}", cell.recurrent_gates() > 0 ? ", weight_hh" : "",
                              o.bias ? " and the biases" : "", fmt::join(gates, ", ")));
  return notes;
}

}  // namespace carousel
