#include "kernels/peak.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#include "base/aligned.h"

#define HWY_WANT_AVX3_DL  // so that its name is known: cells/stream_simd.cpp has it
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/peak.cpp"
#include "hwy/foreach_target.h"
// foreach_target.h stands first: it includes this file again for every instruction set.
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace carousel::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Runs `rounds` rounds of independent chains x = x a + b; returns the number of operations. `sink` keeps the result.
double run_chains(std::int64_t rounds, float* sink) {
  constexpr int kChains = 12;  // more than latency times throughput of any core, and they fit the registers
  const hn::ScalableTag<float> d;
  const auto a = hn::Set(d, 0.999f), b = hn::Set(d, 0.001f);
  hn::Vec<decltype(d)> x[kChains];
#pragma GCC unroll 12
  for (int c = 0; c < kChains; ++c) x[c] = hn::Set(d, static_cast<float>(c));
  for (std::int64_t i = 0; i < rounds; ++i) {
#pragma GCC unroll 12
    for (int c = 0; c < kChains; ++c) x[c] = hn::MulAdd(x[c], a, b);
  }
#pragma GCC unroll 12
  for (int c = 1; c < kChains; ++c) x[0] = hn::Add(x[0], x[c]);
  *sink = hn::GetLane(x[0]);
  return 2.0 * kChains * static_cast<double>(hn::Lanes(d)) * static_cast<double>(rounds);
}

// Adds up `blocks` blocks of 256 floats, so that nothing limits it but the loads; `sink` keeps the result.
void read_blocks(const float* data, std::int64_t blocks, float* sink) {
  constexpr int kSums = 8;  // more than the latency of an addition times the loads in a cycle
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  hn::Vec<decltype(d)> sums[kSums];
#pragma GCC unroll 8
  for (int k = 0; k < kSums; ++k) sums[k] = hn::Zero(d);
  for (const float* end = data + blocks * 256; data != end; data += kSums * lanes) {
#pragma GCC unroll 8
    for (int k = 0; k < kSums; ++k) sums[k] = hn::Add(sums[k], hn::LoadU(d, data + k * lanes));
  }
#pragma GCC unroll 8
  for (int k = 1; k < kSums; ++k) sums[0] = hn::Add(sums[0], sums[k]);
  *sink = hn::GetLane(sums[0]);
}

const char* name_of_target() { return hwy::TargetName(HWY_TARGET); }

}  // namespace HWY_NAMESPACE
}  // namespace carousel::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace carousel::kernels {
namespace {

HWY_EXPORT(run_chains);
HWY_EXPORT(read_blocks);
HWY_EXPORT(name_of_target);

constexpr std::int64_t kRounds = 50000;
constexpr int kRuns = 20;
std::atomic<float> kept;  // keeps the chains from being optimised away

// The best speed of one core over kRuns runs.
double measure_one() {
  double best = 0;
  for (int run = 0; run < kRuns; ++run) {
    float sink = 0;
    const auto start = std::chrono::steady_clock::now();
    const double operations = HWY_DYNAMIC_DISPATCH(run_chains)(kRounds, &sink);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    kept.store(sink, std::memory_order_relaxed);
    best = std::max(best, operations / seconds.count());
  }
  return best * 1e-9;
}

}  // namespace

double measure_fma_peak_gflops(int threads) {
  std::vector<double> speeds(static_cast<std::size_t>(threads));
  std::atomic<int> waiting{threads};
  const auto work = [&](std::size_t index) {
    --waiting;
    while (waiting > 0) std::this_thread::yield();  // all start together
    speeds[index] = measure_one();
  };
  std::vector<std::jthread> others;
  for (std::size_t index = 1; index < speeds.size(); ++index) others.emplace_back(work, index);
  work(0);
  others.clear();
  double sum = 0;
  for (const double speed : speeds) sum += speed;
  return sum;
}

double measure_read_gbs(std::int64_t bytes) {
  constexpr std::int64_t kBlock = 256 * sizeof(float), kBytesOfRun = 32 << 20;
  const std::int64_t blocks = (bytes + kBlock - 1) / kBlock;
  const std::int64_t passes = std::max<std::int64_t>(1, kBytesOfRun / (blocks * kBlock));
  const std::vector<float, AlignedAllocator<float>> data(static_cast<std::size_t>(blocks * 256), 1.0f);
  double best = 0;
  for (int run = 0; run < kRuns; ++run) {
    const auto start = std::chrono::steady_clock::now();
    for (std::int64_t pass = 0; pass < passes; ++pass) {
      float sink = 0;
      HWY_DYNAMIC_DISPATCH(read_blocks)(data.data(), blocks, &sink);
      kept.store(sink, std::memory_order_relaxed);
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    best = std::max(best, static_cast<double>(passes * blocks * kBlock) / seconds.count());
  }
  return best * 1e-9;
}

const char* instruction_set() { return HWY_DYNAMIC_DISPATCH(name_of_target)(); }

}  // namespace carousel::kernels
#endif  // HWY_ONCE
