// Steps that are more than one cell: zoneout and deep transition. Oracle: the whole sequence against its steps in a
// Stream, the network against what inspection computes once more, and closed forms.
#include <gtest/gtest.h>

#include <algorithm>

#include "autograd/ops/sum.h"
#include "carousel/stream.h"
#include "cells/cell.h"
#include "layers/module.h"
#include "models/gradient_flow.h"
#include "models/inspect.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/expect_near.h"
#include "tests/support/random_tensor.h"

namespace carousel {
namespace {

std::vector<RecurrentOptions> options_with_zoneout() {
  std::vector<RecurrentOptions> list;
  for (const Cell& cell : all_cells()) {
    if (cell.has_matrix()) continue;
    RecurrentOptions o{
        .cell = std::string(cell.name), .input_size = 3, .hidden_size = 21, .layers = 2, .zoneout = 0.25};
    if (cell.state_count() > 1 && !cell.fixed_unit_weights) o.zoneout_memory = 0.4;
    list.push_back(o);
    if (!cell.projection) continue;
    list.push_back(o);
    list.back().proj_size = 4;
  }
  return list;
}

std::vector<RecurrentOptions> options_with_transitions() {
  std::vector<RecurrentOptions> list;
  for (RecurrentOptions o : options_with_zoneout()) {
    const Cell& cell = find_cell(o.cell);
    if (cell.input_gates > 0 || cell.lower || cell.output_layer || cell.fixed_unit_weights) continue;
    o.transitions = o.proj_size > 0 ? 2 : 3;
    if (o.proj_size == 0) o.zoneout = o.zoneout_memory = 0;
    list.push_back(o);
  }
  return list;
}

std::span<const float> step_input(const Tensor& x, std::int64_t t) {
  return {x.data() + t * x.shape()[2], static_cast<std::size_t>(x.shape()[2])};
}

void expect_steps_equal_the_sequence(Sequential& network, const Tensor& x, const Tensor& whole,
                                     const std::string& dtype, double tolerance) {
  Stream stream(network, {.dtype = dtype});
  for (std::int64_t t = 0; t < x.shape()[0]; ++t) {
    const auto y = stream.step(step_input(x, t));
    expect_near(y, step_input(whole, t), tolerance, dtype + " step " + std::to_string(t));
  }
}

// f32: the scan; else the same steps over whole sequences, bit for bit, and near f32.
void check_stream(const RecurrentOptions& options) {
  SCOPED_TRACE(options.cell + (options.proj_size > 0 ? " projected" : ""));
  Sequential network{Recurrent{options}};
  const Tensor x = random_tensor({7, 1, 3}, 1), whole = network.predict(x);
  expect_steps_equal_the_sequence(network, x, whole, "f32", 2e-6);
  for (const std::string dtype : {"bf16", "int8"}) {
    set_inference_dtype(network, dtype);
    const Tensor rounded = network.predict(x);
    expect_steps_equal_the_sequence(network, x, rounded, dtype, 0);
    expect_near(rounded, whole, 0.1, dtype);  // up to 42 products one after another
    set_inference_dtype(network, "f32");
  }
}

TEST(RecurrentStep, AStreamWithZoneoutEqualsTheWholeSequenceInEveryFormat) {
  for (const RecurrentOptions& options : options_with_zoneout()) check_stream(options);
}

TEST(RecurrentStep, AStreamWithTransitionsEqualsTheWholeSequenceInEveryFormat) {
  for (const RecurrentOptions& options : options_with_transitions()) check_stream(options);
}

// Every option of a layer at once, in networks that are counted and built again from their description.
TEST(RecurrentStep, AllThatALayerCanHaveGoesTogether) {
  for (const char* cell : {"rnn", "gru", "gru_layer_norm", "lstm_peephole", "lstm_layer_norm", "slstm"}) {
    for (const bool tied : {false, true}) {
      SCOPED_TRACE(std::string(cell) + (tied ? " tied" : ""));
      RecurrentOptions options{.cell = cell,
                               .input_size = 3,
                               .hidden_size = 3,
                               .layers = 3,
                               .connection = tied ? "residual" : "highway",
                               .learned_initial_state = true,
                               .tied = tied,
                               .zoneout = 0.25,
                               .transitions = 2};
      if (find_cell(cell).state_count() > 1) options.zoneout_memory = 0.4;
      Sequential network{Recurrent{options}};
      std::int64_t elements = 0;
      for (Parameter* parameter : network.parameters()) {
        const Tensor noise = random_tensor(parameter->value.shape(), static_cast<std::uint64_t>(++elements));
        for (std::int64_t k = 0; k < noise.elements(); ++k) parameter->value[k] += 0.2f * noise[k];
      }
      elements = 0;
      for (const Parameter* parameter : network.parameters()) elements += parameter->value.elements();
      EXPECT_EQ(elements, count_parameters(network.describe()));

      const Tensor x = random_tensor({7, 1, 3}, 1), whole = network.predict(x);
      Sequential again = build_sequential(network.describe().branches[0]);
      for (std::size_t k = 0; k < network.parameters().size(); ++k) {
        ASSERT_EQ(network.parameters()[k]->name, again.parameters()[k]->name);
        again.parameters()[k]->value = network.parameters()[k]->value;
      }
      expect_near(again.predict(x), whole, 0, "built again");
      expect_steps_equal_the_sequence(network, x, whole, "f32", 5e-6);
      for (const std::string dtype : {"bf16", "int8"}) {
        set_inference_dtype(network, dtype);
        expect_steps_equal_the_sequence(network, x, network.predict(x), dtype, 0);
        set_inference_dtype(network, "f32");
      }
    }
  }
}

// More samples than a block, of different lengths, from a state.
TEST(RecurrentStep, ABatchInInt8IsAStreamForEachSample) {
  Sequential network{
      Recurrent{{.cell = "gru", .input_size = 3, .hidden_size = 11, .layers = 2, .zoneout = 0.25, .transitions = 2}}};
  set_inference_dtype(network, "int8");
  constexpr std::int64_t kSamples = 40;
  const Tensor x = random_tensor({4, kSamples, 3}, 7);
  State initial = network.zero_state(kSamples), final;
  fill_normal({4, Purpose::kTest, 2}, 0.0f, 1.0f, initial.values[0].span());
  std::vector<std::int32_t> lengths(kSamples);
  for (std::size_t n = 0; n < lengths.size(); ++n) lengths[n] = static_cast<std::int32_t>(n % 5);
  network.predict(x, lengths, &initial, &final);
  for (std::int64_t n = 0; n < kSamples; ++n) {
    Stream stream(network, {.dtype = "int8"});
    State own = network.zero_state(1);
    const auto rows = [&](State& of, std::int64_t samples, std::int64_t layer, std::int64_t sample) {
      return std::span(of.values[0].data() + (layer * samples + sample) * 11, 11);
    };
    for (const std::int64_t l : {0, 1}) std::ranges::copy(rows(initial, kSamples, l, n), rows(own, 1, l, 0).begin());
    stream.set_state(own);
    for (std::int64_t t = 0; t < n % 5; ++t) stream.step({x.data() + (t * kSamples + n) * 3, 3});
    State got = stream.state();
    for (const std::int64_t l : {0, 1}) expect_near(rows(got, 1, l, 0), rows(final, kSamples, l, n), 0, "final state");
  }
}

TEST(RecurrentStep, AStreamsStepAllocatesNothing) {
  Sequential network{Recurrent{{.cell = "lstm", .input_size = 2, .hidden_size = 5, .zoneout = 0.1, .transitions = 2}}};
  Stream stream(network);
  const Tensor x = random_tensor({20, 1, 2}, 5);
  AllocationCounter counter;
  for (std::int64_t t = 0; t < 20; ++t) stream.step(step_input(x, t));
  EXPECT_EQ(0, counter.count());
}

// The loss and the gradient of the layer below, watched and as usual; two layers, both directions.
void check_watched(RecurrentOptions options) {
  options.input_size = 3;
  options.bidirectional = true;
  const Tensor values = random_tensor({5, 3, 4}, 6);
  Sequential network{Linear{4, 3}, Recurrent{options}, Pool{"mean"}};
  const WatchedLoss loss = [&](Sequential& net, Tape<float>& tape, SequenceLayout& layout) {
    const std::vector<std::int32_t> lengths{3, 5, 1};
    return sum(detail::run_pass(net, tape, layout, {.values = &values, .lengths = lengths}, false, {}));
  };
  Tensor& gradient = network.named_tensors()[0].second->gradient;
  const GradientFlow flow = gradient_flow(network, loss);
  const Tensor watched = gradient;
  gradient.fill(0);
  Tape<float> tape;
  SequenceLayout layout;
  const Variable usual = loss(network, tape, layout);
  tape.backward(usual);
  EXPECT_NEAR(flow.loss, usual.item(), 1e-6 * (1 + std::abs(usual.item())));
  expect_near(watched, gradient, 2e-6, options.cell);
}

TEST(RecurrentStep, TheWatchedNetworkIsTheNetwork) {
  for (const RecurrentOptions& options : options_with_zoneout()) check_watched(options);
  for (const RecurrentOptions& options : options_with_transitions()) check_watched(options);
}

// Two cells h' = 2 h: a unit that keeps a quarter of h has 1/4 + 3/4 4.
TEST(RecurrentStep, TheJacobianOfALinearRnnIsThatOfTheWholeStep) {
  Sequential network{
      Recurrent{{.cell = "rnn_linear", .input_size = 2, .hidden_size = 3, .zoneout = 0.25, .transitions = 2}}};
  for (const auto& [name, tensor] : network.named_tensors()) {
    if (name.find("weight_hh") == std::string::npos) continue;
    for (std::int64_t i = 0; i < 9; ++i) tensor->value[i] = i % 4 == 0 ? 2.0f : 0.0f;
  }
  const Tensor values = random_tensor({3, 1, 2}, 6);
  const GradientFlow flow = gradient_flow(network, [&](Sequential& net, Tape<float>& tape, SequenceLayout& layout) {
    return sum(detail::run_pass(net, tape, layout, {.values = &values, .lengths = {}}, false, {}));
  });
  expect_near(flow.scans[0].jacobian_norms, std::vector<double>(3, 3.25), 1e-6, "jacobian_norms");
}

TEST(RecurrentStep, AStepWithZoneoutIsWorkedThrough) {
  const Tensor x = random_tensor({4, 1, 3}, 3);
  for (const RecurrentOptions& options : options_with_zoneout()) {
    Sequential network{Recurrent{options}};
    for (const std::int64_t t : {0, 2}) {
      const auto step = work_through_step(network, {.values = &x, .time_step = t});
      ASSERT_TRUE(step.has_value());
      EXPECT_LT(step->largest_difference, 1e-6) << options.cell;
    }
  }
}

TEST(RecurrentStep, AStepOfSeveralCellsIsNamedAndNotWorkedThrough) {
  const Tensor x = random_tensor({4, 1, 3}, 3);
  Sequential network{Recurrent{{.cell = "gru", .input_size = 3, .hidden_size = 4, .transitions = 2}}};
  EXPECT_FALSE(work_through_step(network, {.values = &x, .time_step = 1}).has_value());
  const InspectResult result = inspect_network(network, {.values = &x});
  std::string notes, meaning;
  for (const std::string& note : result.layers[0].notes) notes += note + "\n";
  EXPECT_NE(notes.find("a step is 2 cells"), std::string::npos) << notes;
  for (const TensorInfo& parameter : result.layers[0].parameters) {
    if (parameter.name == "weight_hh_l0_t1") meaning = parameter.meaning;
  }
  EXPECT_EQ(meaning, "R, for h of the cell before; rows r, z, n");
}

}  // namespace
}  // namespace carousel
