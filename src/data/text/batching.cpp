#include "data/text/batching.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "base/checked_size.h"
#include "base/fail.h"
#include "base/random.h"

namespace carousel {

std::vector<std::vector<std::int64_t>> batches_by_length(std::span<const std::int32_t> lengths,
                                                         const BatchSettings& settings) {
  constexpr std::int64_t kBatchesPerPool = 50;
  if (settings.batch_size < 1) fail(Code::kUsage, "batch_size is {}, expected at least 1", settings.batch_size);
  const auto samples = static_cast<std::int64_t>(lengths.size());
  const std::int64_t batch_size = std::min(settings.batch_size, std::max<std::int64_t>(samples, 1));
  std::vector<std::int64_t> order(lengths.size());
  std::iota(order.begin(), order.end(), 0);
  // Two shuffles per epoch, each with a key of its own.
  if (settings.shuffle) fill_permutation({settings.seed, Purpose::kShuffle, 2 * settings.epoch}, order);
  const std::int64_t pool = settings.shuffle ? checked_size({batch_size, kBatchesPerPool}, "pool of batches") : samples;
  for (std::int64_t begin = 0; begin < samples; begin += pool) {
    std::stable_sort(order.begin() + begin, order.begin() + std::min(begin + pool, samples),
                     [&](std::int64_t a, std::int64_t b) {
                       return lengths[static_cast<std::size_t>(a)] > lengths[static_cast<std::size_t>(b)];
                     });
  }
  std::vector<std::int64_t> batch_order(static_cast<std::size_t>((samples + batch_size - 1) / batch_size));
  std::iota(batch_order.begin(), batch_order.end(), 0);
  if (settings.shuffle) fill_permutation({settings.seed, Purpose::kShuffle, 2 * settings.epoch + 1}, batch_order);
  std::vector<std::vector<std::int64_t>> batches;
  for (const std::int64_t batch : batch_order) {
    const auto begin = order.begin() + batch * batch_size;
    batches.emplace_back(begin, order.begin() + std::min((batch + 1) * batch_size, samples));
  }
  return batches;
}

PaddedIds pad_ids(std::span<const std::vector<std::int32_t>> sequences, std::span<const std::int64_t> indices) {
  const auto batch_size = static_cast<std::int64_t>(indices.size());
  PaddedIds padded;
  std::int64_t time_steps = 1;
  for (const std::int64_t index : indices) {
    const auto length = static_cast<std::int64_t>(sequences[static_cast<std::size_t>(index)].size());
    CAROUSEL_ASSERT(length <= std::numeric_limits<std::int32_t>::max());
    padded.lengths.push_back(static_cast<std::int32_t>(length));
    time_steps = std::max(time_steps, length);
  }
  checked_size({time_steps, batch_size}, "batch of ids");
  padded.ids = IdTensor(Shape{time_steps, batch_size});
  for (std::int64_t n = 0; n < batch_size; ++n) {
    std::int64_t at = n;
    for (const std::int32_t id : sequences[static_cast<std::size_t>(indices[static_cast<std::size_t>(n)])]) {
      padded.ids[at] = id;
      at += batch_size;
    }
  }
  return padded;
}

}  // namespace carousel
