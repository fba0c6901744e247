#include "bench_case.h"

#include <algorithm>
#include <chrono>

#include "autograd/ops/sum.h"
#include "base/fail.h"
#include "base/json.h"
#include "base/random.h"
#include "base/thread_pool.h"
#include "carousel/optim.h"
#include "carousel/stream.h"
#include "cells/cell.h"
#include "kernels/peak.h"
#include "layers/module.h"

namespace carousel::cli {
namespace {

constexpr std::int64_t kMostElements = std::int64_t{1} << 31;  // of weights or of a sequence
constexpr double kSeconds = 1;                                 // of measuring, after the warm-up
constexpr double kLongCall = 1e6;                              // microseconds: one warm-up, three runs
constexpr int kWarmUps = 3, kLeastRuns = 5, kMostRuns = 10000;

// The median time of one call in microseconds.
template <class Action>
double median_microseconds(const Action& action) {
  using Clock = std::chrono::steady_clock;
  const auto time = [&] {
    const auto start = Clock::now();
    action();
    return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
  };
  const bool is_long = time() > kLongCall;
  for (int k = 1; k < kWarmUps && !is_long; ++k) action();
  std::vector<double> times;
  double total = 0;
  while (std::ssize(times) < (is_long ? 3 : kLeastRuns) || (total < kSeconds * 1e6 && std::ssize(times) < kMostRuns)) {
    times.push_back(time());
    total += times.back();
  }
  const auto middle = times.begin() + std::ssize(times) / 2;
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

std::vector<std::int32_t> lengths_of(const BenchCase& c) {
  std::vector<std::int32_t> lengths;
  if (c.shortest == 0) return lengths;
  const std::int64_t last = std::max<std::int64_t>(c.batch_size - 1, 1);
  for (std::int64_t n = 0; n < c.batch_size; ++n) {
    lengths.push_back(static_cast<std::int32_t>(c.shortest + (c.time_steps - c.shortest) * n / last));
  }
  return lengths;
}

// Samples times their steps.
double steps_of(const BenchCase& c) {
  if (c.shortest == 0) return static_cast<double>(c.time_steps * c.batch_size);
  double sum = 0;
  for (const std::int32_t length : lengths_of(c)) sum += length;
  return sum;
}

// Gradients of input, weights and biases, from a gradient of 1 for every output.
void time_training(const BenchCase& c, Recurrent& layers, const Tensor& input, BenchResult& result) {
  Tape<float> tape;
  SequenceLayout layout;
  const std::vector<Parameter*> parameters = layers.parameters();
  const std::vector<std::int32_t> lengths = lengths_of(c);
  result.median_us = median_microseconds([&] {
    tape.reset();
    layout.assign(c.time_steps, c.batch_size, lengths);
    for (Parameter* parameter : parameters) parameter->gradient.fill(0);
    detail::Flow flow;
    flow.tape = &tape;
    flow.layout = &layout;
    flow.training = true;
    flow.x = tape.input({input.data(), {layout.rows(), c.input_size}});
    layers.forward(flow);
    tape.backward(sum(flow.x));
  });
  Adam adam(parameters);
  result.update_us = median_microseconds([&] {
    clip_grad_norm(parameters, 1.0);
    adam.step();
  });
}

// Matrix products: 2 H (G C + K H) per sample, step and layer for G gates, K of them recurrent, whose products take all
// recurrent states, or 4 H^2 to change and read a matrix memory of one head; backward costs two products for each one
// of forward.
double operations_of(const BenchCase& c) {
  const Cell& cell = find_cell(c.cell);
  const auto C = static_cast<double>(c.input_size), H = static_cast<double>(c.hidden_size);
  const auto layers = static_cast<double>(c.layers), states = static_cast<double>(cell.recurrent_states.size());
  const double gates = static_cast<double>(cell.first_row(cell.gate_count(), c.hidden_size, 1)) / H;
  const double input = gates * (C + (layers - 1) * H);
  const double recurrent =
      cell.has_matrix() ? 2 * H * layers : (cell.first_gates() * states + cell.inner_gates) * H * layers;
  const double forward = 2 * H * (input + recurrent) * steps_of(c);
  return c.mode == "train" ? 3 * forward : forward;
}

// Of the weights that a step reads.
double bytes_of_weights(const BenchCase& c) {
  const double bytes = c.dtype == "f32" ? 4 : c.dtype == "bf16" ? 2 : 1;
  return operations_of(c) / steps_of(c) / 2 * bytes;
}

}  // namespace

void check_bench_case(const BenchCase& c) {
  if (c.dtype != "f32" && c.mode != "step") {
    fail(Code::kUsage, "--dtype {}: only --mode step runs in it, {} computes in f32", c.dtype, c.mode);
  }
  if (c.mode == "step" && c.batch_size != 1) {
    fail(Code::kUsage, "--batch-size is {}, but --mode step runs one sequence at a time: expected 1", c.batch_size);
  }
  if (c.shortest > 0 && c.mode != "train") {
    fail(Code::kUsage, "--shortest {}: lengths are measured with --mode train, not {}", c.shortest, c.mode);
  }
  if (c.shortest > c.time_steps) {
    fail(Code::kUsage, "--shortest is {}, expected at most --time-steps {}", c.shortest, c.time_steps);
  }
  const std::int64_t widest = std::max(c.input_size, c.hidden_size);
  const std::int64_t gates = find_cell(c.cell).gate_count();
  if (gates * c.hidden_size * (widest + c.hidden_size) * c.layers > kMostElements ||
      c.time_steps * c.batch_size > kMostElements / (widest * gates * c.layers)) {
    fail(Code::kUsage, "these sizes need more than {} numbers, choose smaller ones", kMostElements);
  }
}

BenchResult run_bench_case(const BenchCase& c) {
  set_threads(c.threads);
  Recurrent layers{{.cell = c.cell, .input_size = c.input_size, .hidden_size = c.hidden_size, .layers = c.layers}};
  // Uniform numbers: orthogonal ones cost seconds at large H and are no faster or slower to multiply.
  std::uint64_t index = 0;
  for (Parameter* parameter : layers.parameters()) {
    fill_uniform({.seed = 1, .purpose = Purpose::kTest, .step = ++index}, -0.05F, 0.05F, parameter->value.span());
  }
  Tensor input(Shape{c.time_steps, c.batch_size, c.input_size});
  fill_uniform({.seed = 1, .purpose = Purpose::kTest}, -1.0F, 1.0F, input.span());
  BenchResult result;
  if (c.mode == "train") {
    time_training(c, layers, input, result);
  } else if (c.mode == "infer") {
    Sequential network{std::move(layers)};
    result.median_us = median_microseconds([&] { network.predict(input); });
  } else {
    Sequential network{std::move(layers)};
    Stream stream(network, {.dtype = c.dtype});
    result.median_us = median_microseconds([&] {
      for (std::int64_t t = 0; t < c.time_steps; ++t)
        stream.step({input.data() + t * c.input_size, static_cast<std::size_t>(c.input_size)});
    });
    result.read_gbs = bytes_of_weights(c) * static_cast<double>(c.time_steps) / result.median_us * 1e-3;
    result.peak_read_gbs = kernels::measure_read_gbs(static_cast<std::int64_t>(bytes_of_weights(c)));
  }
  result.gflops = operations_of(c) / result.median_us * 1e-3;
  result.peak_gflops = kernels::measure_fma_peak_gflops(c.threads);
  return result;
}

nlohmann::ordered_json bench_json(const BenchCase& c, const BenchResult& r) {
  nlohmann::ordered_json row = {{"schema", 1},
                                {"cell", c.cell},
                                {"mode", c.mode},
                                {"T", c.time_steps},
                                {"N", c.batch_size},
                                {"C", c.input_size},
                                {"H", c.hidden_size},
                                {"L", c.layers},
                                {"threads", c.threads},
                                {"dtype", c.dtype},
                                {"median_us", r.median_us},
                                {"gflops", r.gflops},
                                {"peak_gflops", r.peak_gflops},
                                {"fraction_of_peak", r.gflops / r.peak_gflops}};
  if (c.shortest > 0) row["shortest"] = c.shortest;
  if (c.mode == "train") row["update_us"] = r.update_us;
  if (c.mode == "step") {
    row["read_gbs"] = r.read_gbs;
    row["peak_read_gbs"] = r.peak_read_gbs;
    row["fraction_of_read"] = r.read_gbs / r.peak_read_gbs;
  }
  return row;
}

}  // namespace carousel::cli
