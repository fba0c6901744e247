// How much faster is a matrix memory in chunks than step by step? mlstm, one sequence, one thread.
//
//   bench_matrix_memory T C H HEADS     prints one JSON object
//
// chunks: the forward pass of the layer; stream: T steps of a Stream, W x and all; steps: the same recurrence, but with
// W x of all T steps in one product before. training: forward and backward; training_steps: the same in chunks of one
// step (bptt 1), with the state kept before every step: its gradients are cut between steps, its work is not. All take
// turns, a dozen times; times are those of the median turn, ratios medians of those of neighbouring turns. Times are
// the processor's, which other programs on the machine disturb less than the clock on the wall.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <functional>
#include <vector>

#include "autograd/ops/sum.h"
#include "base/thread_pool.h"
#include "carousel/carousel.h"
#include "cells/matrix_step.h"
#include "kernels/gemm.h"
#include "layers/module.h"
#include "stream_main.h"

namespace {

using namespace carousel;
constexpr int kTurns = 12;

template <class Action>
double milliseconds(const Action& action) {
  const std::clock_t start = std::clock();
  action();
  return static_cast<double>(std::clock() - start) * 1e3 / CLOCKS_PER_SEC;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// W x of all steps in one product, then step after step.
void run_steps(const Recurrent& layer, const Tensor& x, std::vector<float>& a) {
  const std::int64_t H = layer.options().hidden_size, heads = layer.options().heads, C = x.shape()[2];
  const std::int64_t T = x.shape()[0], width = 4 * H + 2 * heads;
  a.resize(static_cast<std::size_t>(T * width));
  kernels::gemm<float>({.op_b = kernels::Op::kTransposed,
                        .m = T,
                        .n = width,
                        .k = C,
                        .a = x.data(),
                        .lda = C,
                        .b = layer.parameter("weight_ih_l0")->value.data(),
                        .ldb = C,
                        .c = a.data(),
                        .ldc = width});
  std::vector<float> states[4], workspace(static_cast<std::size_t>(matrix_step_workspace(H, heads)));
  MatrixStep<float> step{.memory = MatrixMemory::kSigmoidForget, .hidden_size = H, .heads = heads};
  step.bias = layer.parameter("bias_ih_l0")->value.data();
  step.workspace = workspace.data();
  for (int k = 0; k < 4; ++k) {
    states[k].resize(static_cast<std::size_t>(layer.state_shape(k, 1)[2]));
    step.state[k] = states[k].data();
  }
  for (std::int64_t t = 0; t < T; ++t) {
    step.a = a.data() + t * width;
    matrix_step(step);
  }
}

// Gradients of x, weights and bias, from a gradient of 1 for every output.
void train(Recurrent& layer, const Tensor& x, std::int64_t bptt, Tape<float>& tape) {
  tape.reset();
  const SequenceLayout layout(x.shape()[0], 1);
  detail::Flow flow;
  flow.tape = &tape;
  flow.layout = &layout;
  flow.training = true;
  flow.bptt = bptt;
  flow.x = tape.input({x.data(), {x.shape()[0], x.shape()[2]}});
  layer.forward(flow);
  tape.backward(sum(flow.x));
}

void compare(std::int64_t T, const RecurrentOptions& options) {
  set_threads(1);
  Sequential network{Recurrent{options}};
  auto& layer = dynamic_cast<Recurrent&>(*network.modules()[0].second);
  Tensor x({T, 1, options.input_size});
  for (std::int64_t k = 0; k < x.elements(); ++k) x[k] = static_cast<float>(k * 37 % 101) / 50 - 1;
  Stream stream(network);
  std::vector<float> a;
  Tape<float> tape;
  const std::vector<std::function<void()>> actions{
      [&] { network.predict(x); },
      [&] {
        for (std::int64_t t = 0; t < T; ++t)
          stream.step({x.data() + t * options.input_size, static_cast<std::size_t>(options.input_size)});
      },
      [&] { run_steps(layer, x, a); }, [&] { train(layer, x, 0, tape); }, [&] { train(layer, x, 1, tape); }};
  constexpr std::size_t kActions = 5;
  std::vector<double> times[kActions], ratios[3];  // stream and steps to chunks; training in steps to that in chunks
  for (int turn = -1; turn < kTurns; ++turn) {     // the first only warms up
    double own[kActions];
    for (std::size_t k = 0; k < kActions; ++k) own[k] = milliseconds(actions[k]);
    if (turn < 0) continue;
    for (std::size_t k = 0; k < kActions; ++k) times[k].push_back(own[k]);
    ratios[0].push_back(own[1] / own[0]);
    ratios[1].push_back(own[2] / own[0]);
    ratios[2].push_back(own[4] / own[3]);
  }
  const char* const names[] = {"chunks", "stream", "steps", "training", "training_steps"};
  const char* const ratio_names[] = {"stream_to_chunks", "steps_to_chunks", "training_steps_to_training"};
  std::printf("{\"T\": %ld, \"C\": %ld, \"H\": %ld, \"heads\": %ld", static_cast<long>(T),
              static_cast<long>(options.input_size), static_cast<long>(options.hidden_size),
              static_cast<long>(options.heads));
  for (std::size_t k = 0; k < kActions; ++k) std::printf(", \"%s_ms\": %.3f", names[k], median(times[k]));
  for (std::size_t k = 0; k < 3; ++k) std::printf(", \"%s\": %.2f", ratio_names[k], median(ratios[k]));
  std::printf("}\n");
}

}  // namespace

int main(int argc, char** argv) {
  std::int64_t sizes[4];
  for (int k = 0; k < 4; ++k) {
    if (argc == 5 && bench::read_size(argv[k + 1], sizes[k])) continue;
    std::fprintf(stderr, "usage: %s T C H HEADS      whole numbers from 1\n", argv[0]);
    return 2;
  }
  try {
    compare(sizes[0], {.cell = "mlstm", .input_size = sizes[1], .hidden_size = sizes[2], .heads = sizes[3]});
  } catch (const Error& error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    return 2;
  }
}
