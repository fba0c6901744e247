// How long does the slowest step of a stream take? Steps of an LSTM at batch 1, timed one by one: a million, or as many
// as take ten seconds.
//
//   bench_stream_latency C H [DTYPE]     prints one JSON object: percentiles of a step in nanoseconds
//
// `clock_ns` is the cost of asking the clock, which is in every figure; `idle_max_ns` is the longest gap between two
// questions with nothing between them in as many tries: what the machine itself (interrupts, other programs) adds.
// `read_gbs` is the rate at which this machine reads as many bytes as the weights have: bench/step_bound.py takes it.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "carousel/carousel.h"
#include "kernels/peak.h"
#include "stream_main.h"

namespace {

using Clock = std::chrono::steady_clock;
using Times = std::vector<double>;  // nanoseconds, sorted
constexpr std::size_t kMostSteps = 1'000'000, kWarmUps = 1000;
constexpr auto kLongest = std::chrono::seconds(10);

template <class Action>
Times sorted_times(const Action& action) {
  for (std::size_t k = 0; k < kWarmUps; ++k) action(k);
  Times times;
  times.reserve(kMostSteps);
  for (const auto end = Clock::now() + kLongest; times.size() < kMostSteps;) {
    const auto start = Clock::now();
    if (start > end) break;
    action(times.size());
    times.push_back(std::chrono::duration<double, std::nano>(Clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  return times;
}

double at(const Times& times, double share) {
  return times[static_cast<std::size_t>(share * static_cast<double>(times.size() - 1))];
}

void measure(carousel::Sequential& network, const carousel::bench::StreamSizes& sizes) {
  carousel::Stream stream(network, {.dtype = sizes.dtype});
  std::vector<float> x(static_cast<std::size_t>(sizes.input_size));
  const Times step = sorted_times([&](std::size_t k) {
    x[0] = static_cast<float>(k % 97) / 97;
    stream.step(x);
  });
  const Times idle = sorted_times([](std::size_t) {});
  const std::int64_t bytes = sizes.dtype == "f32" ? 4 : sizes.dtype == "bf16" ? 2 : 1;
  const std::int64_t weights = 4 * sizes.hidden_size * (sizes.input_size + sizes.hidden_size) * bytes;
  std::printf(
      "{\"cell\": \"lstm\", \"C\": %ld, \"H\": %ld, \"dtype\": \"%s\", \"instruction_set\": \"%s\", \"steps\": %zu, "
      "\"p50_ns\": %.0f, \"p99_ns\": %.0f, \"p99_9_ns\": %.0f, \"max_ns\": %.0f, \"clock_ns\": %.0f, \"idle_max_ns\": "
      "%.0f, \"read_gbs\": %.1f}\n",
      sizes.input_size, sizes.hidden_size, sizes.dtype.c_str(), carousel::kernels::instruction_set(), step.size(),
      at(step, 0.5), at(step, 0.99), at(step, 0.999), step.back(), at(idle, 0.5), idle.back(),
      carousel::kernels::measure_read_gbs(weights));
}

}  // namespace

int main(int argc, char** argv) { return carousel::bench::stream_main(argc, argv, measure); }
