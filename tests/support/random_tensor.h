// random_tensor.h: seeded normal numbers for the tests of layers and models.
#pragma once

#include "base/random.h"
#include "carousel/tensor.h"

namespace carousel {

// Mean 0, deviation 1; another seed, other numbers.
inline Tensor random_tensor(const Shape& shape, std::uint64_t seed) {
  Tensor tensor(shape);
  fill_normal({seed, Purpose::kTest, 0}, 0.0f, 1.0f, tensor.span());
  return tensor;
}

}  // namespace carousel
