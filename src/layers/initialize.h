// initialize.h: fresh random weights. A weight [rows, columns] is made of blocks of `block` rows (one per gate); each
// block is drawn as a matrix of its own. The numbers follow from the key alone.
#pragma once

#include "base/random.h"
#include "carousel/tensor.h"

namespace carousel {

// Uniform in +-sqrt(6 / (block + columns)) (Glorot and Bengio 2010).
void initialize_xavier(const RandomKey& key, std::int64_t block, View<float> weight);

// Orthogonal blocks (Saxe et al. 2013): rows orthonormal if block <= columns, else columns orthonormal.
void initialize_orthogonal(const RandomKey& key, std::int64_t block, View<float> weight);

}  // namespace carousel
