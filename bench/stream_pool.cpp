// How much faster is a pool than as many streams? Steps per second of both, LSTM, one thread.
//
//   bench_stream_pool C H [DTYPE]     prints one JSON object for 1, 4, 16, 64 and 256 sequences
//
// The two take turns, a dozen times; the figures are those of the median turn. Each Stream has its own copy of the
// weights, as it would have in a program; `speedup` is the median of the ratios of neighbouring turns.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "carousel/carousel.h"
#include "stream_main.h"

namespace {

using Clock = std::chrono::steady_clock;
constexpr int kTurns = 12;

template <class Action>
double seconds(int repeats, const Action& action) {
  const auto start = Clock::now();
  for (int k = 0; k < repeats; ++k) action();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void compare(carousel::Sequential& network, std::int64_t count, const std::string& dtype) {
  carousel::StreamPool pool(network, {.capacity = count, .dtype = dtype, .parallel = false});
  std::vector<carousel::Stream> streams;
  std::vector<carousel::StreamPool::Id> ids;
  for (std::int64_t k = 0; k < count; ++k) {
    streams.emplace_back(network, carousel::StreamOptions{.dtype = dtype});
    ids.push_back(pool.open());
  }
  const std::vector<float> x(static_cast<std::size_t>(pool.input_size()), 0.5f);
  float sum = 0;
  const auto step_pool = [&] {
    for (const auto id : ids) pool.feed(id, x);
    pool.step();
    for (const auto id : ids) sum += pool.output(id)[0];
  };
  const auto step_streams = [&] {
    for (auto& stream : streams) sum += stream.step(x)[0];
  };
  const int repeats = std::max(1, static_cast<int>(0.03 / std::max(1e-7, seconds(2, step_streams) / 2)));
  std::vector<double> pool_rates, stream_rates, ratios;
  for (int turn = 0; turn < kTurns; ++turn) {
    const double alone = seconds(repeats, step_streams), together = seconds(repeats, step_pool);
    stream_rates.push_back(repeats * static_cast<double>(count) / alone);
    pool_rates.push_back(repeats * static_cast<double>(count) / together);
    ratios.push_back(alone / together);
  }
  std::printf("{\"sequences\": %ld, \"streams_per_s\": %.0f, \"pool_per_s\": %.0f, \"speedup\": %.2f}%s\n",
              static_cast<long>(count), median(stream_rates), median(pool_rates), median(ratios),
              sum == 1e30f ? " " : "");  // so that no step is left out
}

}  // namespace

int main(int argc, char** argv) {
  return carousel::bench::stream_main(argc, argv, [](carousel::Sequential& network, const auto& sizes) {
    std::printf("{\"cell\": \"lstm\", \"C\": %ld, \"H\": %ld, \"dtype\": \"%s\"}\n", sizes.input_size,
                sizes.hidden_size, sizes.dtype.c_str());
    for (const std::int64_t count : {1, 4, 16, 64, 256}) compare(network, count, sizes.dtype);
  });
}
