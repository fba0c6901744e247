#include "layers/attention/coverage_loss.h"

#include "autograd/ops/add.h"
#include "autograd/ops/relu.h"
#include "autograd/ops/sum.h"

namespace carousel {

template <class T>
BasicVariable<T> coverage_loss(std::span<const Attended<T>> steps) {
  BasicVariable<T> total;
  for (const auto& [context, a, u] : steps) {
    if (!u) continue;
    const BasicVariable<T> smaller = sum(subtract(a, relu(subtract(a, u))));
    total = total ? add(total, smaller) : smaller;
  }
  return total;
}

#define CAROUSEL_INSTANTIATE(T) template BasicVariable<T> coverage_loss(std::span<const Attended<T>>);
CAROUSEL_INSTANTIATE(float)
CAROUSEL_INSTANTIATE(double)
#undef CAROUSEL_INSTANTIATE

}  // namespace carousel
