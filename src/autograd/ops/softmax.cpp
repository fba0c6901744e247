#include "autograd/ops/softmax.h"

#include "autograd/ops/common.h"
#include "kernels/softmax.h"

namespace carousel {
namespace {

template <class T>
struct SoftmaxNode final : Node<T> {
  Node<T>* x;

  void backward() override {
    const GradientTarget<T> dx = x->claim_gradient();
    if (!dx) return;
    Arena& arena = this->tape->arena();
    const Arena::Mark mark = arena.mark();
    const std::int64_t elements = this->value.elements();
    T* share = dx.beta == T(0) ? dx.data : arena.allocate<T>(elements);
    kernels::softmax_backward<T>(this->shape().rows(), this->shape().back(), this->data(), this->gradient, share);
    if (share != dx.data) detail::send(dx, elements, [=](std::int64_t i) { return share[i]; });
    arena.rewind(mark);
  }
};

}  // namespace

template <class T>
BasicVariable<T> softmax(BasicVariable<T> x) {
  if (x.shape().back() < 1) fail(Code::kUsage, "softmax: x has shape {}, expected columns", x.shape().to_string());
  auto* node = x.tape().template record<SoftmaxNode<T>>(x.shape(), x.node()->needs_gradient);
  node->x = x.node();
  kernels::softmax<T>(x.shape().rows(), x.shape().back(), x.value().data, node->data());
  return BasicVariable<T>(node);
}

template BasicVariable<float> softmax(BasicVariable<float>);
template BasicVariable<double> softmax(BasicVariable<double>);

}  // namespace carousel
