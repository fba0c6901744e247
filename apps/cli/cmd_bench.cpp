#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "autograd/ops/sum.h"
#include "base/fail.h"
#include "base/json.h"
#include "base/random.h"
#include "base/thread_pool.h"
#include "carousel/stream.h"
#include "cells/cell.h"
#include "command_line.h"
#include "commands.h"
#include "console.h"
#include "kernels/peak.h"
#include "layers/module.h"

namespace carousel::cli {
namespace {

constexpr std::int64_t kLargestSize = 1 << 16;
constexpr std::int64_t kMostElements = std::int64_t{1} << 31;  // of weights or of a sequence
constexpr double kSeconds = 1;                                 // of measuring, after the warm-up
constexpr int kWarmUps = 3, kLeastRuns = 5, kMostRuns = 10000;

struct BenchCase {
  std::string cell, mode, dtype;
  std::int64_t time_steps = 0, batch_size = 0, input_size = 0, hidden_size = 0, layers = 0;
  int threads = 1;
};

// The median time of one call in microseconds.
template <class Action>
double median_microseconds(const Action& action) {
  using Clock = std::chrono::steady_clock;
  for (int k = 0; k < kWarmUps; ++k) action();
  std::vector<double> times;
  double total = 0;
  while (std::ssize(times) < kLeastRuns || (total < kSeconds * 1e6 && std::ssize(times) < kMostRuns)) {
    const auto start = Clock::now();
    action();
    times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
    total += times.back();
  }
  const auto middle = times.begin() + std::ssize(times) / 2;
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

// Forward and backward: gradients of input, weights and biases, from a gradient of 1 for every output.
double time_training(Recurrent& layers, const Tensor& input) {
  Tape<float> tape;
  SequenceLayout layout;
  const std::vector<Parameter*> parameters = layers.parameters();
  const Shape& shape = input.shape();
  return median_microseconds([&] {
    tape.reset();
    layout.assign(shape[0], shape[1], {});
    for (Parameter* parameter : parameters) parameter->gradient.fill(0);
    detail::Flow flow;
    flow.tape = &tape;
    flow.layout = &layout;
    flow.training = true;
    flow.x = tape.input({input.data(), {layout.rows(), shape[2]}});
    layers.forward(flow);
    tape.backward(sum(flow.x));
  });
}

double measure(const BenchCase& c) {
  Recurrent layers{{.cell = c.cell, .input_size = c.input_size, .hidden_size = c.hidden_size, .layers = c.layers}};
  layers.initialize(1);
  Tensor input(Shape{c.time_steps, c.batch_size, c.input_size});
  fill_uniform({.seed = 1, .purpose = Purpose::kTest}, -1.0F, 1.0F, input.span());
  if (c.mode == "train") return time_training(layers, input);
  Sequential network{std::move(layers)};
  if (c.mode == "infer") return median_microseconds([&] { network.predict(input); });
  Stream stream(network, {.dtype = c.dtype});
  return median_microseconds([&] {
    for (std::int64_t t = 0; t < c.time_steps; ++t)
      stream.step({input.data() + t * c.input_size, static_cast<std::size_t>(c.input_size)});
  });
}

// Matrix products only, a multiply-add counting as two: 2 G H (C + H) per sample, step and layer; backward costs two
// products for each one of forward.
double operations(const BenchCase& c) {
  const auto C = static_cast<double>(c.input_size), H = static_cast<double>(c.hidden_size);
  const double gates = find_cell(c.cell).gate_count();
  const double columns = C + H + static_cast<double>(c.layers - 1) * 2 * H;
  const double forward = 2 * gates * H * columns * static_cast<double>(c.time_steps * c.batch_size);
  return c.mode == "train" ? 3 * forward : forward;
}

BenchCase case_of(const CommandLine& line) {
  BenchCase c;
  c.cell = find_cell(line.text("--cell", "lstm")).name;
  c.mode = line.text("--mode", "train");
  c.time_steps = line.integer("--time-steps", 1, kLargestSize, 100);
  c.batch_size = line.integer("--batch-size", 1, kLargestSize, c.mode == "step" ? 1 : 32);
  c.input_size = line.integer("--input-size", 1, kLargestSize, 128);
  c.hidden_size = line.integer("--hidden-size", 1, kLargestSize, 128);
  c.layers = line.integer("--layers", 1, 100, 1);
  c.dtype = line.text("--dtype", "f32");
  if (c.dtype != "f32" && c.mode != "step") {
    fail(Code::kUsage, "--dtype {}: only --mode step runs in it, {} computes in f32", c.dtype, c.mode);
  }
  c.threads = static_cast<int>(line.integer("--threads", 1, 256, 1));
  if (c.mode == "step" && c.batch_size != 1) {
    fail(Code::kUsage, "--batch-size is {}, but --mode step runs one sequence at a time: expected 1", c.batch_size);
  }
  const std::int64_t widest = std::max(c.input_size, c.hidden_size);
  const std::int64_t gates = find_cell(c.cell).gate_count();
  if (gates * c.hidden_size * (widest + c.hidden_size) * c.layers > kMostElements ||
      c.time_steps * c.batch_size > kMostElements / (widest * gates * c.layers)) {
    fail(Code::kUsage, "these sizes need more than {} numbers, choose smaller ones", kMostElements);
  }
  return c;
}

int run_bench(const CommandLine& line, Console& console) {
  const BenchCase c = case_of(line);
  set_threads(c.threads);
  const double median = measure(c);
  const double gflops = operations(c) / median * 1e-3;
  const double peak = kernels::measure_fma_peak_gflops(c.threads);
  if (console.json()) {
    console.out_json({{"schema", 1},
                      {"cell", c.cell},
                      {"mode", c.mode},
                      {"T", c.time_steps},
                      {"N", c.batch_size},
                      {"C", c.input_size},
                      {"H", c.hidden_size},
                      {"L", c.layers},
                      {"threads", c.threads},
                      {"dtype", c.dtype},
                      {"median_us", median},
                      {"gflops", gflops},
                      {"peak_gflops", peak},
                      {"fraction_of_peak", gflops / peak}});
    return 0;
  }
  console.out(
      fmt::format("{} {}: T = {} time steps, N = {} samples, C = {} inputs, H = {} hidden, L = {} layer(s), {}\n",
                  c.cell, c.mode, c.time_steps, c.batch_size, c.input_size, c.hidden_size, c.layers, c.dtype));
  console.out(fmt::format("median time   {:.1f} us for the {} steps, {:.3f} us a step\n", median, c.time_steps,
                          median / static_cast<double>(c.time_steps)));
  console.out(
      fmt::format("speed         {:.2f} GFLOP/s of {:.2f} GFLOP/s measured peak on {} thread(s) ({}): {:.1f} %\n",
                  gflops, peak, c.threads, kernels::instruction_set(), 100 * gflops / peak));
  return 0;
}

std::vector<Argument> bench_arguments() {
  Argument cell{.name = "--cell", .value = "NAME", .help = "recurrent cell"};
  for (const Cell& known : all_cells()) cell.allowed.emplace_back(known.name);
  return {cell,
          {.name = "--mode",
           .value = "MODE",
           .help = "forward and backward, forward, or one sequence step by step",
           .allowed = {"train", "infer", "step"}},
          {.name = "--time-steps", .value = "T", .help = "length of the sequences [default 100]"},
          {.name = "--batch-size", .value = "N", .help = "samples per batch [default 32; step: 1]"},
          {.name = "--input-size", .value = "C", .help = "input size [default 128]"},
          {.name = "--hidden-size", .value = "H", .help = "hidden size [default 128]"},
          {.name = "--layers", .value = "L", .help = "number of layers [default 1]"},
          {.name = "--threads", .value = "K", .help = "threads to use [default 1]"},
          {.name = "--dtype",
           .value = "TYPE",
           .help = "format of the weights; bf16 and int8 with --mode step",
           .allowed = {"f32", "bf16", "int8"}}};
}

}  // namespace

const Verb kBenchVerb{
    .name = "bench",
    .purpose = "Look inside",
    .usage = "[options]",
    .summary = "times a cell, a shape and a mode beside the machine's measured peak",
    .examples =
        {"bench --cell lstm --mode train", "bench --cell gru --mode step --hidden-size 64 --time-steps 1000",
         "bench --time-steps 35 --batch-size 20 --input-size 200 --hidden-size 200 --layers 2 --threads 2 --json"},
    .arguments = bench_arguments,
    .run = run_bench};

}  // namespace carousel::cli
