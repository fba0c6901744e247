// Deep transition: several cells a step. Oracle, where a test names no other: scans of one step and one cell, called
// one after another; those without x get a weight_ih and a bias_ih of zeros.

#include "tests/cells/recurrent_case.h"
#include "tests/support/expect_error.h"

namespace carousel {
namespace {

class Transition : public EveryCell {};

using States = std::vector<BasicTensor<double>>;

const BasicTensor<double>* find_weight(const RecurrentCase<double>& c, const std::string& name) {
  for (const auto& weight : c.weights) {
    if (weight.name == name) return &weight.value;
  }
  return nullptr;
}

// The states of one sample after one cell with the weights of this suffix; x may be null.
States after_one_cell(const RecurrentCase<double>& c, const std::string& suffix, const double* x,
                      const States& before) {
  const std::int64_t rows = c.cell->gate_count() * c.sizes.hidden_size, C = x ? c.sizes.input_size : 1;
  const BasicTensor<double> no_weight({rows, 1}), no_bias({rows}), no_input({1, 1});
  const SequenceLayout layout(1, 1);
  Tape<double> tape;
  ScanWeights<double> w;
  const auto take = [&](const char* name, BasicVariable<double>& slot) {
    if (const BasicTensor<double>* weight = find_weight(c, name + suffix)) slot = tape.constant(weight->view());
  };
  take("weight_ih", w.weight_ih);
  take("bias_ih", w.bias_ih);
  take("weight_hh", w.weight_hh);
  take("bias_hh", w.bias_hh);
  take("weight_hr", w.weight_hr);
  take("weight_ph", w.weight_ph);
  EXPECT_EQ(x != nullptr, bool(w.weight_ih)) << suffix;
  if (!x) {
    w.weight_ih = tape.constant(no_weight.view());
    w.bias_ih = tape.constant(no_bias.view());
  }
  for (std::size_t k = 0; k < before.size(); ++k) w.initial[k] = tape.constant(before[k].view());
  ScanInput<double> input;
  input.cell = c.cell;
  input.layout = &layout;
  input.x = tape.constant({x ? x : no_input.data(), {1, C}});
  input.directions = {&w, 1};
  const ScanOutput<double> out = scan(input);
  States after;
  for (std::size_t k = 0; k < before.size(); ++k) after.emplace_back(out.final[0][k].value());
  return after;
}

void expect_cells_one_after_another(RecurrentCase<double>& c) {
  Tape<double> tape;
  const auto got = c.run(tape);
  const std::int64_t C = c.sizes.input_size, P = c.output_size();
  for (int d = 0; d < c.sizes.directions; ++d) {
    const std::string scan = d == 0 ? "_l0" : "_l0_reverse";
    for (std::int64_t n = 0; n < c.sizes.samples; ++n) {
      States states;
      for (int k = 0; k < c.cell->state_count(); ++k) {
        states.emplace_back(Shape{1, c.state_width(k)});
        std::copy_n(c.initial(d, k).value.data() + n * c.state_width(k), c.state_width(k), states.back().data());
      }
      const std::int64_t length = c.sizes.lengths[static_cast<std::size_t>(n)];
      for (std::int64_t i = 0; i < length; ++i) {
        const std::int64_t row = (d == 0 ? i : length - 1 - i) * c.sizes.samples + n;
        const States before = states;
        states = after_one_cell(c, scan, c.x.value.data() + row * C, states);
        for (int t = 1; t < c.sizes.transitions; ++t) {
          states = after_one_cell(c, scan + "_t" + std::to_string(t), nullptr, states);
        }
        for (std::size_t k = 0; k < states.size(); ++k) {
          const double keep = c.zoneout.of(static_cast<int>(k));
          for (std::int64_t j = 0; j < states[k].elements(); ++j) {
            states[k][j] = keep * before[k][j] + (1 - keep) * states[k][j];
          }
        }
        const double* output = got.output.value().data + (row * c.sizes.directions + d) * P;
        expect_near(std::span(output, static_cast<std::size_t>(P)), states[0].span(), 1e-14, "output");
      }
      for (int k = 0; k < c.cell->state_count(); ++k) {
        const auto& final = got.final[static_cast<std::size_t>(d * c.cell->state_count() + k)].value();
        expect_near(std::span(final.data + n * c.state_width(k), static_cast<std::size_t>(c.state_width(k))),
                    states[static_cast<std::size_t>(k)].span(), 1e-14, "final state");
      }
    }
  }
}

CaseSizes ragged(int transitions, std::int64_t proj_size = 0) {
  return {.time_steps = 4,
          .samples = 4,
          .input_size = 3,
          .hidden_size = 5,
          .proj_size = proj_size,
          .directions = 2,
          .lengths = {2, 4, 0, 1},
          .transitions = transitions};
}

TEST_P(Transition, AStepIsItsCellsOneAfterAnother) {
  for (const int transitions : {2, 3}) {
    if (!may_repeat(cell())) {
      expect_error(Code::kUsage, {"leave transitions out", std::string(cell().name)},
                   [&] { check_transitions(cell(), transitions); });
      continue;
    }
    RecurrentCase<double> c(cell(), ragged(transitions));
    expect_cells_one_after_another(c);
    c.set_zoneout(0.25, 0.5);
    c.zoneout.draws = false;
    expect_cells_one_after_another(c);
    if (!cell().projection) continue;
    RecurrentCase<double> projected(cell(), ragged(transitions, 3));
    expect_cells_one_after_another(projected);
  }
}

// Oracle: central differences.
TEST_P(Transition, GradientsEqualCentralDifferences) {
  if (!may_repeat(cell())) return;
  for (const std::int64_t proj_size : {0, 2}) {
    if (proj_size > 0 && !cell().projection) continue;
    CaseSizes sizes = ragged(proj_size > 0 ? 2 : 3, proj_size);
    sizes.hidden_size = 3;
    sizes.layers = 2;
    RecurrentCase<double> c(cell(), sizes);
    const auto outputs = [&](Tape<double>& tape) { return c.all_outputs(tape); };
    EXPECT_TRUE(check_gradients(outputs, c.parameters(), difference_options(cell())));
    c.set_zoneout(0.25, 0.5);
    c.recurrent_dropout = 0.3;
    EXPECT_TRUE(check_gradients(outputs, c.parameters(), difference_options(cell())));
  }
}

// Oracle: one thread, bit for bit: outputs and all gradients.
TEST_P(Transition, EveryNumberOfThreadsGivesTheSameBits) {
  if (!may_repeat(cell())) return;
  expect_the_same_bits_on_any_threads([&] {
    RecurrentCase<float> c(cell(), {.time_steps = 5,
                                    .samples = 13,
                                    .input_size = 7,
                                    .hidden_size = 19,
                                    .directions = 2,
                                    .lengths = {5, 4, 3, 2, 1, 5, 5, 0, 1, 2, 5, 3, 5},
                                    .transitions = 2});
    return c;
  });
}

TEST_P(Transition, AStepAllocatesNothingAfterTheFirst) {
  if (!may_repeat(cell())) return;
  RecurrentCase<float> c(cell(), {.time_steps = 5, .samples = 8, .input_size = 6, .hidden_size = 16, .transitions = 3});
  EXPECT_EQ(0, allocations_after_the_first_step(c));
}

INSTANTIATE_TEST_SUITE_P(AllCells, Transition, ::testing::ValuesIn(cell_names()),
                         [](const auto& test) { return test.param; });

TEST(Transitions, ALaterCellHasNoInputWeights) {
  RecurrentCase<double> c(find_cell("gru"), ragged(2));
  Tape<double> tape;
  std::vector<ScanWeights<double>> weights(c.cell_count());
  const StackInput<double> input = c.input(tape, weights);
  weights[1].weight_ih = weights[0].weight_ih;
  expect_error(Code::kUsage, {"a later cell of a step reads no x"}, [&] { run_stack(input); });
  weights[1].weight_ih = {};
  ScanInput<double> scan_input;
  scan_input.cell = &find_cell("gru");
  scan_input.layout = &c.layout;
  scan_input.x = input.x;
  scan_input.transitions = 2;
  scan_input.directions = std::span<const ScanWeights<double>>(weights).first(3);
  expect_error(Code::kUsage, {"1 or 2 directions of 2 cells", "3 cells"}, [&] { scan(scan_input); });
}

}  // namespace
}  // namespace carousel
