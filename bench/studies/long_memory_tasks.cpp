#include "long_memory_tasks.h"

#include <cmath>

namespace carousel::bench {

AddingBatch draw_adding(std::int64_t time_steps, std::int64_t samples, std::mt19937& random) {
  AddingBatch batch{Tensor({time_steps, samples, 2}), Tensor({samples, 1})};
  const std::int64_t half = time_steps / 2;
  for (std::int64_t n = 0; n < samples; ++n) {
    const std::int64_t first = random() % half, second = half + random() % (time_steps - half);
    for (std::int64_t t = 0; t < time_steps; ++t) {
      float* step = batch.inputs.data() + (t * samples + n) * 2;
      step[0] = static_cast<float>(random() >> 8) * 0x1p-24f;  // 24 bits: exact
      step[1] = t == first || t == second ? 1.0f : 0.0f;
      batch.targets[n] += step[0] * step[1];
    }
  }
  return batch;
}

CopyingBatch draw_copying(std::int64_t time_steps, std::int64_t samples, std::mt19937& random) {
  const std::int64_t T = time_steps + 2 * kSymbolsToCopy;
  CopyingBatch batch{Tensor({T, samples, kCopyMark + 1}), IdTensor({T, samples})};
  batch.labels.fill(static_cast<std::int32_t>(kCopyBlank));
  for (std::int64_t n = 0; n < samples; ++n) {
    for (std::int64_t t = 0; t < T; ++t) {
      std::int64_t symbol = t == T - kSymbolsToCopy - 1 ? kCopyMark : kCopyBlank;
      if (t < kSymbolsToCopy) {
        symbol = random() % kCopyBlank;
        batch.labels[(T - kSymbolsToCopy + t) * samples + n] = static_cast<std::int32_t>(symbol);
      }
      batch.inputs[(t * samples + n) * (kCopyMark + 1) + symbol] = 1;
    }
  }
  return batch;
}

double adding_baseline() { return 1.0 / 6; }

double copying_baseline(std::int64_t time_steps) {
  return static_cast<double>(kSymbolsToCopy) * std::log(static_cast<double>(kCopyBlank)) /
         static_cast<double>(time_steps + 2 * kSymbolsToCopy);
}

}  // namespace carousel::bench
