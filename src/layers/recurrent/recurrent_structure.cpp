#include "layers/recurrent/recurrent_structure.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>
#include <vector>

#include "base/fail.h"
#include "layers/recurrent/topology.h"

namespace carousel {
namespace {

// "1,2,4" in ascending order; a cell without modules has none.
std::vector<int> parse_periods(const RecurrentOptions& o) {
  std::vector<int> periods;
  for (std::string_view rest = o.periods; !rest.empty();) {
    const std::size_t end = std::min(rest.find(','), rest.size());
    int period = 0;
    const auto [stop, code] = std::from_chars(rest.data(), rest.data() + end, period);
    const bool whole = code == std::errc() && stop == rest.data() + end && !o.periods.ends_with(',');
    if (!whole || period < 1 || period > 1 << 20 || (!periods.empty() && period < periods.back())) {
      fail(Code::kUsage, "{}: periods are '{}', expected ascending whole numbers from 1 on, like 1,2,4,8", o.cell,
           o.periods);
    }
    periods.push_back(period);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return periods;
}

// The part, 0 .. parts - 1, that a unit belongs to.
std::int64_t part_of(const RecurrentOptions& o, std::int64_t unit, std::int64_t parts) {
  return unit * parts / o.hidden_size;
}

// Rows of gate g see h, the first columns, and no other state.
Tensor candidate_mask(const RecurrentOptions& o, const Cell& cell) {
  const std::int64_t H = o.hidden_size, width = cell.recurrent_size(cell_sizes(o));
  const std::int64_t P = cell_sizes(o).output_size;
  Tensor mask({cell.recurrent_gates() * H, width});
  mask.fill(1);
  const std::int64_t first = H * (std::find(cell.gates.begin(), cell.gates.end(), "g") - cell.gates.begin());
  for (std::int64_t row = first; row < first + H; ++row) {
    std::fill(mask.data() + row * width + P, mask.data() + (row + 1) * width, 0.0f);
  }
  return mask;
}

}  // namespace

CellSizes cell_sizes(const RecurrentOptions& o) {
  return {.hidden_size = o.hidden_size, .output_size = o.proj_size > 0 ? o.proj_size : o.hidden_size, .heads = o.heads};
}

Tensor make_recurrent_mask(const RecurrentOptions& o) {
  const Cell& cell = find_cell(o.cell);
  const bool modules = cell.blocks == RecurrentBlocks::kSlowerModules,
             heads = cell.blocks == RecurrentBlocks::kHeads || cell.has_matrix();
  if (!o.periods.empty() && !modules) fail(Code::kUsage, "cell '{}' has no modules: leave periods out", o.cell);
  if (o.heads != 1 && !heads) fail(Code::kUsage, "cell '{}' has no heads: leave heads out", o.cell);
  if (o.heads < 1) fail(Code::kUsage, "{}: heads is {}, expected at least 1", o.cell, o.heads);
  const std::int64_t H = o.hidden_size;
  const auto parts = modules ? std::ssize(parse_periods(o)) : o.heads;
  if (parts > H || (heads && H % parts != 0)) {
    fail(Code::kUsage, "{}: hidden_size {} cannot be divided into {} {}", o.cell, H, parts,
         modules ? "modules" : "heads of one size");
  }
  if (cell.blocks == RecurrentBlocks::kCandidateSeesH) return candidate_mask(o, cell);
  if (cell.blocks == RecurrentBlocks::kAll || parts == 1) return Tensor();
  Tensor mask({cell.recurrent_gates() * H, H});
  for (std::int64_t row = 0; row < mask.shape()[0]; ++row) {
    for (std::int64_t column = 0; column < H; ++column) {
      const std::int64_t to = part_of(o, row % H, parts), from = part_of(o, column, parts);
      mask[row * H + column] = (modules ? from >= to : from == to) ? 1.0f : 0.0f;
    }
  }
  return mask;
}

OutputLayer output_layer(const RecurrentOptions& o) { return {parse_output_activation(o.output_activation), o.decay}; }

Zoneout mean_zoneout(const RecurrentOptions& o) { return {.output = o.zoneout, .memory = o.zoneout_memory, .key = {}}; }

void set_fixed_unit_weights(const RecurrentOptions& o, Tensor& weight_ph) {
  const std::vector<int> periods = parse_periods(o);
  for (std::int64_t unit = 0; unit < o.hidden_size; ++unit) {
    weight_ph[unit] = static_cast<float>(periods[static_cast<std::size_t>(part_of(o, unit, std::ssize(periods)))]);
  }
}

void initialize_gate_biases(const RecurrentOptions& o, const Cell& cell, const RandomKey& key, Tensor& bias) {
  const auto longest = static_cast<float>(o.chrono - 1);
  for (int gate = 0; gate < cell.gate_count(); ++gate) {
    const std::int64_t first = cell.first_row(gate, o.hidden_size, o.heads);
    const std::int64_t end = cell.first_row(gate + 1, o.hidden_size, o.heads);
    const bool keeps = (cell.keep_gates >> gate & 1) != 0, writes = (cell.write_gates >> gate & 1) != 0;
    for (std::int64_t row = first; row < end; ++row) {
      if (kTraining && o.chrono > 0 && (keeps || writes)) {
        const float steps = 1 + (longest - 1) * uniform(key, static_cast<std::uint64_t>(row - first));
        const float log_steps = std::log(steps * static_cast<float>(o.transitions));
        bias[row] = keeps ? log_steps : -log_steps;
      } else if ((cell.forget_gates >> gate & 1) != 0) {
        bias[row] = 1;
      }
    }
  }
}

void initialize_unit_weights(const Cell& cell, const RandomKey& key, Tensor& weight_ph) {
  weight_ph.fill(0);
  if (cell.normalised) {
    const std::int64_t H = weight_ph.elements() / cell.unit_weight_count();
    std::fill_n(weight_ph.data(), (2 * cell.gate_count() + (cell.normalised_state > 0 ? 1 : 0)) * H, 1.0f);
  }
  if (cell.recurrent_gates() == 0 && cell.gate_count() == 1) fill_uniform(key, -1.0f, 1.0f, weight_ph.span());
}

std::string scan_suffix(std::int64_t layer, int direction, std::int64_t transition) {
  const std::string own = transition > 0 ? "_t" + std::to_string(transition) : "";
  return "_l" + std::to_string(layer) + (direction == 1 ? "_reverse" : "") + own;
}

Tensor masked_recurrent_weight(const Recurrent& recurrent, std::int64_t layer, int direction, std::int64_t transition) {
  const std::string suffix = weight_suffix(recurrent.options(), layer, direction, transition);
  const Parameter* weight = recurrent.parameter("weight_hh" + suffix);
  if (!weight) return Tensor();
  Tensor value(weight->value.shape(), weight->value.span());
  const Tensor& mask = recurrent.recurrent_mask();
  for (std::int64_t k = 0; k < mask.elements(); ++k) value[k] *= mask[k];
  return value;
}

StreamLayer make_stream_layer(const Recurrent& recurrent, std::int64_t layer, std::int64_t cell, WeightFormat format,
                              int rows) {
  const std::int64_t transitions = recurrent.options().transitions, transition = cell % transitions;
  const int direction = static_cast<int>(cell / transitions);
  const std::string suffix = weight_suffix(recurrent.options(), layer, direction, transition);
  const Parameter* input = recurrent.parameter("weight_ih" + suffix);  // only the first cell of a step has one
  const auto data = [&](const char* name) {
    const Parameter* parameter = recurrent.parameter(name + suffix);
    return parameter ? parameter->value.data() : nullptr;
  };
  const bool masked = recurrent.recurrent_mask().elements() > 0;
  const Tensor weight_hh = masked ? masked_recurrent_weight(recurrent, layer, direction, transition) : Tensor();
  return StreamLayer({.cell = &cell_of_layer(find_cell(recurrent.options().cell), layer),
                      .input_size = input ? input->value.shape()[1] : 0,
                      .output_size = cell_sizes(recurrent.options()).output_size,
                      .hidden_size = recurrent.options().hidden_size,
                      .heads = recurrent.options().heads,
                      .weight_ih = data("weight_ih"),
                      .weight_hh = masked ? weight_hh.data() : data("weight_hh"),
                      .bias_ih = data("bias_ih"),
                      .bias_hh = data("bias_hh"),
                      .weight_ph = data("weight_ph"),
                      .weight_hr = data("weight_hr"),
                      .bias_hr = data("bias_hr"),
                      .output = output_layer(recurrent.options())},
                     format, rows);
}

}  // namespace carousel
