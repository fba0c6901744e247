// How long does the slowest step of a stream take? A million steps of an LSTM at batch 1, timed one by one.
//
//   bench_stream_latency C H [DTYPE]     prints one JSON object: percentiles of a step in nanoseconds
//
// `clock_ns` is the cost of asking the clock, which is in every figure; `idle_max_ns` is the longest gap between two
// questions with nothing between them in as many tries: what the machine itself (interrupts, other programs) adds.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "carousel/carousel.h"
#include "stream_main.h"

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

void measure(carousel::Sequential& network, const carousel::bench::StreamSizes& sizes) {
  carousel::Stream stream(network, {.dtype = sizes.dtype});
  std::vector<float> x(static_cast<std::size_t>(sizes.input_size));
  const auto step = sorted_times([&](std::size_t k) {
    x[0] = static_cast<float>(k % 97) / 97;
    stream.step(x);
  });
  const auto idle = sorted_times([](std::size_t) {});
  const auto at = [&](double share) { return step[static_cast<std::size_t>(share * (kSteps - 1))]; };
  std::printf(
      "{\"cell\": \"lstm\", \"C\": %ld, \"H\": %ld, \"dtype\": \"%s\", \"steps\": %zu, \"p50_ns\": %.0f, \"p99_ns\": "
      "%.0f, \"p99_9_ns\": %.0f, \"max_ns\": %.0f, \"clock_ns\": %.0f, \"idle_max_ns\": %.0f}\n",
      sizes.input_size, sizes.hidden_size, sizes.dtype.c_str(), kSteps, at(0.5), at(0.99), at(0.999), step.back(),
      idle[kSteps / 2], idle.back());
}

}  // namespace

int main(int argc, char** argv) { return carousel::bench::stream_main(argc, argv, measure); }
