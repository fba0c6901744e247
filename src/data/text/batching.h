// batching.h: batches of samples of similar length, and the padded ids of one.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "carousel/tensor.h"

namespace carousel {

struct BatchSettings {
  std::int64_t batch_size = 32;  // at least 1
  bool shuffle = true;           // false: batches by falling length, the same every time (to evaluate)
  std::uint64_t seed = 0;
  std::uint64_t epoch = 0;  // every epoch has an order of its own
};

// Every sample in exactly one batch; in a batch the longest first. Shuffled: a random order is cut into pools of 50
// batches, each pool is sorted by length and cut into batches, and the batches of all pools are shuffled. A pure
// function of its arguments. Only one batch, the last of the last pool, may be smaller. Throws Error{kUsage} for a
// batch_size below 1.
std::vector<std::vector<std::int64_t>> batches_by_length(std::span<const std::int32_t> lengths,
                                                         const BatchSettings& settings);

struct PaddedIds {
  IdTensor ids;                       // [T, N] time-major, <pad> (0) behind the end; T the longest, at least 1
  std::vector<std::int32_t> lengths;  // [N]; may be 0
};

// The sequences of ids at these indices. REQUIRES: indices in range.
PaddedIds pad_ids(std::span<const std::vector<std::int32_t>> sequences, std::span<const std::int64_t> indices);

}  // namespace carousel
