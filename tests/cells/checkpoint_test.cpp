// Activation checkpointing: a scan that keeps little and computes each chunk again. Oracle, unless a test says another
// one: the same scan without checkpoints.
#include <gtest/gtest.h>

#include <cstring>

#include "autograd/ops/add.h"
#include "autograd/ops/linear.h"
#include "base/thread_pool.h"
#include "tests/cells/recurrent_case.h"
#include "tests/support/expect_error.h"

namespace carousel {
namespace {

class Checkpoint : public EveryCell {};

// 1, -1/2, 1/3 ...: every output counts, each with a weight of its own.
template <class T>
BasicTensor<T> projection(std::int64_t size) {
  BasicTensor<T> weights({1, size});
  for (std::int64_t j = 0; j < size; ++j) weights[j] = (j % 2 == 0 ? T(1) : T(-1)) / static_cast<T>(j % 7 + 1);
  return weights;
}

// Runs forward and backward; returns the outputs and final states. The gradients are in the parameters.
template <class T>
BasicTensor<T> run(RecurrentCase<T>& c, Tape<T>& tape) {
  for (auto* parameter : c.parameters()) parameter->gradient.fill(0);
  tape.reset();
  const auto all = c.all_outputs(tape);
  BasicTensor<T> values(all.value());
  const BasicTensor<T> weights = projection<T>(all.shape().elements());
  tape.backward(linear(all, tape.constant(weights.view())));
  return values;
}

template <class T>
void expect_same_bits(const BasicTensor<T>& expected, const BasicTensor<T>& got, std::int64_t chunk) {
  ASSERT_EQ(expected.elements(), got.elements());
  const auto bytes = static_cast<std::size_t>(expected.elements()) * sizeof(T);
  EXPECT_EQ(0, std::memcmp(expected.data(), got.data(), bytes)) << "chunks of " << chunk << " steps";
}

// The same bits of outputs and states, gradients that differ by rounding only; T is 7.
void expect_checkpoints_change_nothing(RecurrentCase<double>& c) {
  Tape<double> tape;
  const BasicTensor<double> outputs = run(c, tape);
  RecurrentCase<double> again = c;
  for (const std::int64_t chunk : {1, 3, 7, 100}) {
    again.checkpoint_steps = chunk;
    expect_same_bits(outputs, run(again, tape), chunk);
    const auto expected = c.parameters(), got = again.parameters();
    for (std::size_t k = 0; k < expected.size(); ++k) {
      expect_near(got[k]->gradient, expected[k]->gradient, 1e-12,
                  expected[k]->name + ", chunks of " + std::to_string(chunk));
    }
  }
}

const CaseSizes kRagged{.time_steps = 7,
                        .samples = 4,
                        .input_size = 3,
                        .hidden_size = 5,
                        .layers = 2,
                        .directions = 2,
                        .lengths = {2, 7, 0, 5}};

TEST_P(Checkpoint, GradientsOfABidirectionalStackWithLengthsAreTheSame) {
  RecurrentCase<double> c(cell(), kRagged);
  expect_checkpoints_change_nothing(c);
}

TEST_P(Checkpoint, GradientsWithDropoutAndRecurrentDropoutAreTheSame) {
  RecurrentCase<double> c(cell(), kRagged);
  c.dropout = 0.4;
  c.recurrent_dropout = 0.3;
  expect_checkpoints_change_nothing(c);
}

TEST_P(Checkpoint, GradientsOfTruncatedBackPropagationAreTheSame) {
  RecurrentCase<double> c(cell(), kRagged);
  c.bptt = 2;
  expect_checkpoints_change_nothing(c);
}

// The masks are drawn again.
TEST_P(Checkpoint, GradientsWithZoneoutAreTheSame) {
  RecurrentCase<double> c(cell(), kRagged);
  c.set_zoneout(0.3, 0.5);
  c.recurrent_dropout = 0.2;
  c.bptt = 4;
  expect_checkpoints_change_nothing(c);
}

TEST_P(Checkpoint, GradientsWithTransitionsAreTheSame) {
  if (!may_repeat(cell())) return;
  CaseSizes sizes = kRagged;
  sizes.transitions = 2;
  RecurrentCase<double> c(cell(), sizes);
  c.set_zoneout(0.3, 0.5);
  c.bptt = 4;
  expect_checkpoints_change_nothing(c);
}

TEST_P(Checkpoint, GradientsWithProjectionAreTheSame) {
  if (!cell().projection) return;
  CaseSizes sizes = kRagged;
  sizes.proj_size = 2;
  RecurrentCase<double> c(cell(), sizes);
  c.recurrent_dropout = 0.3;
  expect_checkpoints_change_nothing(c);
}

// Oracle: central differences.
TEST_P(Checkpoint, GradientsEqualCentralDifferences) {
  RecurrentCase<double> c(cell(), kRagged);
  c.checkpoint_steps = 3;
  EXPECT_TRUE(check_gradients([&](Tape<double>& tape) { return c.all_outputs(tape); }, c.parameters()));
}

// The input products of 40 steps of up to 21 samples are cut into several blocks, and no chunk ends where a block does.
const CaseSizes kLarge{.time_steps = 40,
                       .samples = 21,
                       .input_size = 13,
                       .hidden_size = 33,
                       .layers = 2,
                       .directions = 2,
                       .lengths = {40, 39, 38, 37, 36, 35, 40, 31, 30, 29, 28, 27, 0, 40, 1, 40, 9, 8, 7, 40, 40}};

TEST_P(Checkpoint, OutputsInFloatAreTheSameBits) {
  RecurrentCase<float> c(cell(), kLarge);
  Tape<float> tape;
  const BasicTensor<float> expected = run(c, tape);
  for (const std::int64_t chunk : {1, 7, 13, 39}) {
    c.checkpoint_steps = chunk;
    expect_same_bits(expected, run(c, tape), chunk);
  }
  tape.set_recording(false);  // inference goes in chunks of its own
  tape.reset();
  expect_same_bits(expected, BasicTensor<float>(c.all_outputs(tape).value()), 0);
}

// Oracle: one thread, bit for bit: outputs and all gradients.
TEST_P(Checkpoint, EveryNumberOfThreadsGivesTheSameBits) {
  RecurrentCase<float> expected(cell(), kLarge);
  expected.checkpoint_steps = 7;
  set_threads(1);
  Tape<float> tape;
  const BasicTensor<float> outputs = run(expected, tape);
  for (const int count : {2, 4}) {
    set_threads(count);
    RecurrentCase<float> c(cell(), kLarge);
    c.checkpoint_steps = 7;
    expect_same_bits(outputs, run(c, tape), 7);
    const auto a = expected.parameters(), b = c.parameters();
    for (std::size_t k = 0; k < a.size(); ++k) expect_same_bits(a[k]->gradient, b[k]->gradient, 7);
  }
  set_threads(0);
}

// Oracle: sizes. Without checkpoints at least the gates and the states before each step are kept, [T, N, (G + S) H];
// with them the outputs and their gradients, and about 2 sqrt(T) steps of everything else.
TEST_P(Checkpoint, TheArenaShrinks) {
  const CaseSizes sizes{.time_steps = 400, .samples = 16, .input_size = 2, .hidden_size = 32};
  RecurrentCase<float> whole(cell(), sizes), chunks(cell(), sizes);
  chunks.checkpoint_steps = 20;
  Tape<float> tape, small;
  run(whole, tape);
  run(chunks, small);
  const std::int64_t states =
      cell().has_matrix() ? 0 : cell().state_count() * 32;  // a matrix is not kept at every step
  const std::int64_t values = cell().first_row(cell().gate_count(), 32, 1) + states;
  const auto kept = static_cast<std::size_t>(values * 400 * 16 * 4);
  EXPECT_GT(tape.arena().peak(), kept);
  EXPECT_LT(small.arena().peak() + kept * 3 / 4, tape.arena().peak());
}

TEST_P(Checkpoint, AStepAllocatesNothingAfterTheFirst) {
  RecurrentCase<float> c(cell(), {.time_steps = 9, .samples = 8, .input_size = 6, .hidden_size = 16, .directions = 2});
  c.checkpoint_steps = 4;
  EXPECT_EQ(0, allocations_after_the_first_step(c));
}

// A folded input: row r of the scan is row index[r] of x.
TEST_P(Checkpoint, GradientsOfAFoldedInputAreTheSame) {
  const std::vector<std::int32_t> index{2, 0, 1, 1, 2, 2, 0, 1, 0, 0, 2, 1, 1, 0};
  RecurrentCase<double> c(cell(), {.time_steps = 7, .samples = 2, .input_size = 3, .hidden_size = 4});
  BasicParameter<double> x("x", BasicTensor<double>({3, 3}, std::span(c.x.value.data(), 9)));
  std::vector<BasicTensor<double>> expected;
  for (const std::int64_t chunk : {0, 1, 3}) {
    Tape<double> tape;
    ScanWeights<double> w;
    std::vector<BasicParameter<double>*> parameters{&x};
    for (std::size_t k = 0; k < c.weights_per_scan(); ++k) parameters.push_back(&c.weights[k]);
    for (auto* parameter : parameters) parameter->gradient.fill(0);
    auto next = c.weights.begin();
    w.weight_ih = tape.parameter(*next++);
    if (c.has_product()) w.weight_hh = tape.parameter(*next++);
    w.bias_ih = tape.parameter(*next++);
    if (c.has_product()) w.bias_hh = tape.parameter(*next++);
    if (c.projected()) w.weight_hr = tape.parameter(*next++);
    if (cell().output_layer) w.bias_hr = tape.parameter(*next++);
    if (c.has_units()) w.weight_ph = tape.parameter(*next++);
    if (cell().fixed_unit_weights) w.weight_ph = tape.constant(c.fixed_units.view());
    ScanInput<double> input;
    input.cell = &cell_of_layer(cell(), 0);
    if (cell().entry) input.lower = tape.constant({c.weights[1].value.data(), {14, 4}});
    input.layout = &c.layout;
    input.x = tape.parameter(x);
    input.row_index = index;
    input.directions = {&w, 1};
    input.checkpoint_steps = chunk;
    const auto output = reshape(scan(input).output, {1, 56});
    tape.backward(linear(output, tape.constant(projection<double>(56).view())));
    for (std::size_t k = 0; k < parameters.size(); ++k) {
      if (chunk == 0) expected.emplace_back(parameters[k]->gradient);
      expect_near(parameters[k]->gradient, expected[k], 1e-12, parameters[k]->name);
    }
  }
}

// Oracle: the same loss with the outputs in it, times 0.
TEST_P(Checkpoint, ALossOfTheFinalStatesAloneNeedsNoGradientOfTheOutputs) {
  RecurrentCase<double> c(cell(), kRagged);
  const auto gradients = [&](bool with_outputs, std::int64_t chunk) {
    for (auto* parameter : c.parameters()) parameter->gradient.fill(0);
    c.checkpoint_steps = chunk;
    Tape<double> tape;
    const auto result = c.run(tape);
    std::vector<BasicVariable<double>> parts;
    for (const auto& state : result.final) parts.push_back(reshape(state, {1, state.shape().elements()}));
    auto all = concatenate_columns(std::span<const BasicVariable<double>>(parts));
    BasicTensor<double> weights = projection<double>(all.shape().elements());
    auto loss = linear(all, tape.constant(weights.view()));
    const BasicTensor<double> zeros({1, result.output.shape().elements()});
    if (with_outputs) {
      loss = add(loss, linear(reshape(result.output, {1, zeros.elements()}), tape.constant(zeros.view())));
    }
    tape.backward(loss);
    if (!with_outputs) {
      expect_error(Code::kUsage, {"no gradient reached"}, [&] { static_cast<void>(result.output.gradient()); });
    }
    std::vector<double> list;
    for (auto* p : c.parameters()) list.insert(list.end(), p->gradient.span().begin(), p->gradient.span().end());
    return list;
  };
  const std::vector<double> expected = gradients(true, 0);
  expect_near(gradients(false, 0), expected, 1e-15, "without checkpoints");
  expect_near(gradients(false, 3), expected, 1e-12, "with checkpoints");
}

INSTANTIATE_TEST_SUITE_P(AllCells, Checkpoint, ::testing::ValuesIn(cell_names()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace carousel
