#include "cell_facts.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "carousel/layers.h"
#include "cell_notes.h"
#include "cells_page.h"

namespace carousel::cli {
namespace {

std::int64_t elements(const Cell& cell, std::int64_t input_size, std::int64_t hidden_size, std::int64_t layers) {
  Recurrent recurrent(
      {.cell = std::string(cell.name), .input_size = input_size, .hidden_size = hidden_size, .layers = layers});
  std::int64_t count = 0;
  for (const Parameter* parameter : recurrent.parameters()) count += parameter->value.elements();
  return count;
}

// Oracle: the tensors of a layer. Above a lowest layer of another kind C is H.
TEST(CellFacts, TheFormulaCountsTheParametersOfALayer) {
  for (const Cell& cell : all_cells()) {
    const ParameterFormula formula = parameter_formula(cell);
    if (!cell.lowest_layer.empty()) {
      EXPECT_EQ(formula.count(7, 7), elements(cell, 7, 7, 2) - elements(cell, 7, 7, 1)) << cell.name;
      continue;
    }
    EXPECT_EQ(formula.count(3, 8), elements(cell, 3, 8, 1)) << cell.name;
    EXPECT_EQ(formula.count(9, 4), elements(cell, 9, 4, 1)) << cell.name;
  }
}

// Oracle: by hand. weight_ih, weight_hh, two biases; without R one bias; R over h, i, f, o; an entry of 2 H (C + 1).
TEST(CellFacts, TheFormulaReadsAsOneWritesIt) {
  EXPECT_EQ(parameter_formula(find_cell("rnn")).text(), "H (C + H + 2)");
  EXPECT_EQ(parameter_formula(find_cell("lstm")).text(), "H (4 C + 4 H + 8)");
  EXPECT_EQ(parameter_formula(find_cell("sru")).text(), "H (4 C + 6)");
  EXPECT_EQ(parameter_formula(find_cell("lstm_fgr")).text(), "H (4 C + 16 H + 11)");
  EXPECT_EQ(parameter_formula(find_cell("grid_lstm")).text(), "H (2 C + 16 H + 18)");
  EXPECT_EQ(parameter_formula(find_cell("depth_gated")).text(), "H (5 C + 4 H + 11)");
}

// Oracle: the list of cells. Notes on a header that is gone would be on no page.
TEST(CellsPage, EveryCellAndEveryNoteIsOnThePage) {
  const std::string page = cells_page(128, 128);
  for (const Cell& cell : all_cells()) {
    EXPECT_NE(page.find("| `" + std::string(cell.name) + "` |"), std::string::npos) << cell.name;
    EXPECT_NE(page.find(cell_text(cell)), std::string::npos) << cell.name;
  }
  for (const CellNotes& notes : cell_notes()) EXPECT_NE(page.find(notes.text), std::string::npos) << notes.header;
}

}  // namespace
}  // namespace carousel::cli
