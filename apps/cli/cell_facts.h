// cell_facts.h: what `carousel cells` and docs/cells.md say about a cell beyond its names: all of it follows from its
// declaration.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cells/cell.h"

namespace carousel::cli {

using Names = std::span<const std::string_view>;

Names recurrent_gates(const Cell& cell);  // their product takes the recurrent states, or what the inner step makes
Names inner_gates(const Cell& cell);      // the last of these: their product comes after the other gates
Names input_gates(const Cell& cell);      // W x alone
std::vector<std::string_view> recurrent_states(const Cell& cell);

// The parameters of one layer in one direction without projection: H (inputs C + hidden H + units). Of a cell with an
// entry that is the lowest layer with its entry, of one whose lowest layer is another cell a layer above that.
struct ParameterFormula {
  std::int64_t inputs = 0, hidden = 0, units = 0;
  std::int64_t rows = 0;  // of weight_ih and bias_ih that do not grow with H

  std::int64_t count(std::int64_t input_size, std::int64_t hidden_size) const;
  std::string text() const;  // "H (4 C + 4 H + 8)"
};
ParameterFormula parameter_formula(const Cell& cell);

std::string default_periods(const Cell& cell);  // "1,2,4,8"; empty for a cell without modules
bool has_heads(const Cell& cell);

// "inner gates: n", "periods: 1,2,4,8 (--periods)": what is not usual about the cell, one line each.
std::vector<std::string> special_facts(const Cell& cell);

}  // namespace carousel::cli
