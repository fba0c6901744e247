// random_values.h: seeded random numbers for the tests of the kernels.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned.h"
#include "base/random.h"

namespace carousel::testing {

template <class T>
using Values = std::vector<T, AlignedAllocator<T>>;

// `count` numbers, uniform in [-1, 1); another `stream`, other numbers.
template <class T>
Values<T> random_values(std::int64_t count, std::uint64_t stream) {
  Values<T> values(static_cast<std::size_t>(count));
  fill_uniform({.seed = 2024, .purpose = Purpose::kTest, .step = stream}, T{-1}, T{1}, std::span<T>(values));
  return values;
}

}  // namespace carousel::testing
