// How long does the slowest step of a stream take? A million steps of an LSTM at batch 1, timed one by one.
//
//   bench_stream_latency C H [DTYPE]     prints one JSON object: percentiles of a step in nanoseconds
//
// `clock_ns` is the cost of asking the clock, which is in every figure; `idle_max_ns` is the longest gap between two
// questions with nothing between them in as many tries: what the machine itself (interrupts, other programs) adds.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "carousel/carousel.h"

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kSteps = 1'000'000, kWarmUps = 10'000;

template <class Action>
std::vector<double> sorted_times(const Action& action) {
  std::vector<double> times(kSteps);
  for (std::size_t k = 0; k < kWarmUps; ++k) action(k);
  for (std::size_t k = 0; k < kSteps; ++k) {
    const auto start = Clock::now();
    action(k);
    times[k] = std::chrono::duration<double, std::nano>(Clock::now() - start).count();
  }
  std::sort(times.begin(), times.end());
  return times;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: bench_stream_latency C H [f32|bf16|int8]\n");
    return 2;
  }
  const long input_size = std::atol(argv[1]), hidden_size = std::atol(argv[2]);
  const std::string dtype = argc > 3 ? argv[3] : "f32";
  carousel::Sequential network{
      carousel::Recurrent{{.cell = "lstm", .input_size = input_size, .hidden_size = hidden_size}},
      carousel::Linear{hidden_size, 1}};
  network.initialize(1);
  carousel::Stream stream(network, {.dtype = dtype});
  std::vector<float> x(static_cast<std::size_t>(input_size));
  const auto step = sorted_times([&](std::size_t k) {
    x[0] = static_cast<float>(k % 97) / 97;
    stream.step(x);
  });
  const auto idle = sorted_times([](std::size_t) {});
  const auto at = [&](double share) { return step[static_cast<std::size_t>(share * (kSteps - 1))]; };
  std::printf(
      "{\"cell\": \"lstm\", \"C\": %ld, \"H\": %ld, \"dtype\": \"%s\", \"steps\": %zu, \"p50_ns\": %.0f, \"p99_ns\": "
      "%.0f, \"p99_9_ns\": %.0f, \"max_ns\": %.0f, \"clock_ns\": %.0f, \"idle_max_ns\": %.0f}\n",
      input_size, hidden_size, dtype.c_str(), kSteps, at(0.5), at(0.99), at(0.999), step.back(), idle[kSteps / 2],
      idle.back());
}
