#include "cell_facts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "carousel/layers.h"

namespace carousel::cli {

Names recurrent_gates(const Cell& cell) { return cell.gates.first(static_cast<std::size_t>(cell.recurrent_gates())); }

Names inner_gates(const Cell& cell) { return recurrent_gates(cell).last(static_cast<std::size_t>(cell.inner_gates)); }

Names input_gates(const Cell& cell) { return cell.gates.last(static_cast<std::size_t>(cell.input_gates)); }

std::vector<std::string_view> recurrent_states(const Cell& cell) {
  std::vector<std::string_view> names;
  for (const int state : cell.recurrent_states) names.push_back(cell.states[static_cast<std::size_t>(state)]);
  return names;
}

std::int64_t ParameterFormula::count(std::int64_t input_size, std::int64_t hidden_size) const {
  return hidden_size * (inputs * input_size + hidden * hidden_size + units) + rows * (input_size + 1);
}

std::string ParameterFormula::text() const {
  const auto term = [](std::int64_t factor, const char* letter) {
    return factor == 1 ? std::string(letter) : fmt::format("{} {}", factor, letter);
  };
  return fmt::format("H ({} + {}{}){}", term(inputs, "C"), hidden > 0 ? term(hidden, "H") + " + " : "", units,
                     rows > 0 ? fmt::format(" + {} (C + 1)", rows) : "");
}

ParameterFormula parameter_formula(const Cell& cell) {
  const std::int64_t G = cell.gate_count(), K = cell.recurrent_gates();
  const std::int64_t trained_units = cell.fixed_unit_weights ? 0 : cell.unit_weight_count();
  ParameterFormula formula{
      .inputs = G, .hidden = K * std::ssize(cell.recurrent_states), .units = G + K + trained_units};
  if (cell.has_matrix()) formula = {.inputs = 4, .hidden = 0, .units = 4, .rows = 2};                        // one head
  if (cell.output_layer) formula = {.inputs = G, .hidden = formula.hidden + 1, .units = formula.units + 1};  // P = H
  if (cell.entry) formula = {.inputs = 2, .hidden = formula.hidden + G, .units = formula.units + 2};
  return formula;
}

std::string default_periods(const Cell& cell) {
  return Recurrent({.cell = std::string(cell.name), .input_size = 1, .hidden_size = 64}).options().periods;
}

bool has_heads(const Cell& cell) { return cell.blocks == RecurrentBlocks::kHeads || cell.has_matrix(); }

std::vector<std::string> special_facts(const Cell& cell) {
  std::vector<std::string> facts;
  const auto add = [&](std::string_view what, const auto& names) {
    if (!names.empty()) facts.push_back(fmt::format("{}: {}", what, fmt::join(names, " ")));
  };
  add("inner gates", inner_gates(cell));
  add("input gates", input_gates(cell));
  if (recurrent_states(cell) != std::vector<std::string_view>{"h"}) add("recurrent states", recurrent_states(cell));
  if (cell.projection) facts.emplace_back("projection: --proj-size");
  if (const std::string periods = default_periods(cell); !periods.empty())
    facts.push_back(fmt::format("periods: {} (--periods)", periods));
  if (has_heads(cell)) facts.emplace_back("heads: 1 (--heads)");
  if (cell.output_layer) facts.emplace_back("output layer: weight_hr, bias_hr (--output-activation, --decay)");
  if (cell.lower) facts.push_back("reads the second state of the layer below");
  if (cell.entry) facts.emplace_back("entry: a linear layer makes the first two states for the lowest layer");
  if (!cell.lowest_layer.empty()) facts.push_back(fmt::format("lowest layer: {}", cell.lowest_layer));
  return facts;
}

}  // namespace carousel::cli
