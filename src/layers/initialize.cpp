#include "layers/initialize.h"

#include <cmath>
#include <vector>

#include "base/thread_pool.h"

namespace carousel {

void initialize_xavier(const RandomKey& key, std::int64_t block, View<float> weight) {
  const float bound = std::sqrt(6.0f / static_cast<float>(block + weight.shape.back()));
  fill_uniform(key, -bound, bound, weight.span());
}

namespace {

// Makes the `count` vectors of length `size` (dense, one after another) orthonormal: modified Gram-Schmidt, twice,
// which keeps them orthogonal to rounding.
void orthonormalize(std::int64_t count, std::int64_t size, double* vectors) {
  for (std::int64_t k = 0; k < count; ++k) {
    double* v = vectors + k * size;
    for (int round = 0; round < 2; ++round) {
      for (std::int64_t other = 0; other < k; ++other) {
        const double* u = vectors + other * size;
        double dot = 0;
        for (std::int64_t j = 0; j < size; ++j) dot += u[j] * v[j];
        for (std::int64_t j = 0; j < size; ++j) v[j] -= dot * u[j];
      }
    }
    double norm = 0;
    for (std::int64_t j = 0; j < size; ++j) norm += v[j] * v[j];
    norm = 1 / std::sqrt(norm);
    for (std::int64_t j = 0; j < size; ++j) v[j] *= norm;
  }
}

}  // namespace

void initialize_orthogonal(const RandomKey& key, std::int64_t block, View<float> weight) {
  const std::int64_t columns = weight.shape.back();
  const std::int64_t count = std::min(block, columns), size = std::max(block, columns);
  std::vector<double> normal(static_cast<std::size_t>(weight.elements()));
  fill_normal(key, 0.0, 1.0, normal);
  parallel_for(weight.shape[0] / block, [&](std::int64_t gate) {
    const std::int64_t first = gate * block;
    double* vectors = normal.data() + first * columns;
    orthonormalize(count, size, vectors);
    for (std::int64_t i = 0; i < block; ++i) {
      for (std::int64_t j = 0; j < columns; ++j) {
        const double value = block <= columns ? vectors[i * size + j] : vectors[j * size + i];
        weight.data[(first + i) * columns + j] = static_cast<float>(value);
      }
    }
  });
}

}  // namespace carousel
