// Steps that are more than one cell's: zoneout. Oracle: the whole sequence against its steps in a Stream, the network
// against what inspection computes once more, and closed forms.
#include <gtest/gtest.h>

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
    expect_near(rounded, whole, 0.05, dtype);
    set_inference_dtype(network, "f32");
  }
}

TEST(RecurrentStep, AStreamWithZoneoutEqualsTheWholeSequenceInEveryFormat) {
  for (const RecurrentOptions& options : options_with_zoneout()) check_stream(options);
}

TEST(RecurrentStep, AStreamsStepAllocatesNothing) {
  Sequential network{Recurrent{{.cell = "lstm", .input_size = 2, .hidden_size = 5, .zoneout = 0.1}}};
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

TEST(RecurrentStep, TheWatchedNetworkWithZoneoutIsTheNetwork) {
  for (const RecurrentOptions& options : options_with_zoneout()) check_watched(options);
}

// h' = 2 h: a unit that keeps a quarter of h has 1/4 + 3/4 2.
TEST(RecurrentStep, TheJacobianOfALinearRnnWithZoneoutIsTheMeanOfBoth) {
  Sequential network{Recurrent{{.cell = "rnn_linear", .input_size = 2, .hidden_size = 3, .zoneout = 0.25}}};
  Tensor& R = network.named_tensors()[1].second->value;
  for (std::int64_t i = 0; i < 9; ++i) R[i] = i % 4 == 0 ? 2.0f : 0.0f;
  const Tensor values = random_tensor({3, 1, 2}, 6);
  const GradientFlow flow = gradient_flow(network, [&](Sequential& net, Tape<float>& tape, SequenceLayout& layout) {
    return sum(detail::run_pass(net, tape, layout, {.values = &values, .lengths = {}}, false, {}));
  });
  expect_near(flow.scans[0].jacobian_norms, std::vector<double>(3, 1.75), 1e-6, "jacobian_norms");
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

}  // namespace
}  // namespace carousel
