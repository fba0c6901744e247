// Oracles: the grammar, which holds the LSTM, its coupled form and the GRU; central differences; and the same seed.
#include "tasks/compare/cell_search.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/file.h"
#include "tasks/compare/comparison_folder.h"
#include "tasks/compare/comparison_run.h"
#include "tests/cells/recurrent_case.h"
#include "tests/support/temporary_folder.h"

namespace carousel {
namespace {

TEST(CellSearch, DrawsDifferentCellsByTheSeedAlone) {
  const std::vector<std::string> many = draw_cells(3, 200), few = draw_cells(3, 20);
  EXPECT_TRUE(std::equal(few.begin(), few.end(), many.begin()));
  EXPECT_NE(few, draw_cells(4, 20));
  EXPECT_EQ(std::set<std::string>(many.begin(), many.end()).size(), 200U);
  for (const std::string& name : many) {
    const Cell& cell = find_cell(name);
    for (const std::string_view gate : cell.gates) {  // is given, and used
      const auto first = name.find(gate);
      EXPECT_NE(name.find(gate, first + 1), std::string::npos) << name;
    }
  }
}

TEST(CellSearch, TheKnownCellsAreAmongTheDrawn) {
  const std::vector<std::string> cells = draw_cells(1, 400);
  for (const char* known : {"g0=sigmoid; g1=sigmoid; g2=tanh; g3=sigmoid; c=g0*c+g1*g2; h=g3*tanh(c)",
                            "g0=sigmoid; g1=tanh; g2=sigmoid; c=g0*c+(1-g0)*g1; h=g2*tanh(c)",
                            "g0=sigmoid; g1=sigmoid; g2=tanh(x+g1*r); h=g0*h+(1-g0)*g2"}) {
    EXPECT_NE(std::find(cells.begin(), cells.end(), std::string("expr:") + known), cells.end()) << known;
  }
}

TEST(CellSearch, GradientsOfDrawnCellsEqualCentralDifferences) {
  for (const std::string& name : draw_cells(7, 12)) {
    SCOPED_TRACE(name);
    RecurrentCase<double> c(find_cell(name), {.time_steps = 4,
                                              .samples = 3,
                                              .input_size = 2,
                                              .hidden_size = 3,
                                              .layers = 2,
                                              .directions = 2,
                                              .lengths = {4, 1, 3}});
    EXPECT_TRUE(check_gradients([&](Tape<double>& tape) { return c.all_outputs(tape); }, c.parameters()));
  }
}

// Oracle: what the folder of a comparison of other cells holds.
TEST(CellSearch, DrawnCellsAreComparedLikeOthersAndResumed) {
  const TemporaryFolder folder;
  std::string text = "x,y\n";
  for (int n = 0; n < 40; ++n) text += fmt::format("{},{}\n", n % 7, 2 * (n % 7) - 1);
  put_file(folder / "rows.csv", text);
  ComparisonPlan plan;
  plan.task = "regress";
  plan.cells = {"rnn"};
  for (const std::string& cell : draw_cells(1, 3)) plan.cells.push_back(cell);
  plan.drawn = 3;
  plan.trials = 1;
  plan.hidden_size = {2, 4};
  plan.run_dir = folder / "run";
  plan.options.data.data = {folder / "rows.csv"};
  plan.options.train.epochs = 1;
  ComparisonObserver quiet;
  const Comparison comparison = finish_comparison(plan, run_comparison(plan, quiet));
  ASSERT_EQ(comparison.cells.size(), 4U);
  for (std::size_t k = 0; k < 4; ++k) EXPECT_EQ(comparison.cells[k].cell, plan.cells[k]);
  ASSERT_EQ(comparison.pairs.size(), 3U);  // of rnn with each
  for (std::size_t k = 0; k < 3; ++k) EXPECT_EQ(comparison.pairs[k].b, plan.cells[k + 1]);
  const std::string model = comparison.cells[1].model;
  EXPECT_TRUE(model.starts_with(folder / "run/expr-")) << model;
  EXPECT_EQ(model.find_first_of("*();", model.find("expr-")), std::string::npos) << model;
  struct : ComparisonObserver {
    void trial_ended(const Trial&, std::int64_t, std::int64_t) override { ADD_FAILURE() << "trained again"; }
  } nothing_left;
  EXPECT_EQ(run_comparison(plan, nothing_left).size(), 4U);
}

}  // namespace
}  // namespace carousel
