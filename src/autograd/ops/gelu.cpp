#include "autograd/ops/gelu.h"

#include "autograd/ops/common.h"
#include "kernels/pointwise.h"

namespace carousel {
namespace {

using detail::for_blocks;
using detail::kElementBlock;

template <class T>
struct GeluNode final : Node<T> {
  Node<T>* x;

  void backward() override {
    const GradientTarget<T> dx = x->claim_gradient();
    if (!dx) return;
    Arena& arena = this->tape->arena();
    const Arena::Mark mark = arena.mark();
    const std::int64_t elements = this->value.elements();
    const T *in = x->data(), *dy = this->gradient;
    T* slope = arena.allocate<T>(elements);
    for_blocks(elements, kElementBlock, [=](std::int64_t begin, std::int64_t end) {
      const auto size = static_cast<std::size_t>(end - begin);
      kernels::gelu_derivative(std::span<const T>(in + begin, size), std::span<T>(slope + begin, size));
    });
    detail::send(dx, elements, [=](std::int64_t i) { return slope[i] * dy[i]; });
    arena.rewind(mark);
  }
};

}  // namespace

template <class T>
BasicVariable<T> gelu(BasicVariable<T> x) {
  auto* node = x.tape().template record<GeluNode<T>>(x.shape(), x.node()->needs_gradient);
  node->x = x.node();
  const T* in = node->x->data();
  T* out = node->data();
  for_blocks(node->value.elements(), kElementBlock, [=](std::int64_t begin, std::int64_t end) {
    const auto size = static_cast<std::size_t>(end - begin);
    kernels::gelu(std::span<const T>(in + begin, size), std::span<T>(out + begin, size));
  });
  return BasicVariable<T>(node);
}

template BasicVariable<float> gelu(BasicVariable<float>);
template BasicVariable<double> gelu(BasicVariable<double>);

}  // namespace carousel
