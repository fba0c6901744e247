#include "autograd/ops/log.h"

#include "autograd/ops/common.h"
#include "kernels/pointwise.h"

namespace carousel {
namespace {

template <class T>
struct LogNode final : Node<T> {
  Node<T>* x;

  void backward() override {
    const T *in = x->data(), *dy = this->gradient;
    detail::send(x->claim_gradient(), this->value.elements(), [=](std::int64_t i) { return dy[i] / in[i]; });
  }
};

}  // namespace

template <class T>
BasicVariable<T> log(BasicVariable<T> x) {
  auto* node = x.tape().template record<LogNode<T>>(x.shape(), x.node()->needs_gradient);
  node->x = x.node();
  const T* in = node->x->data();
  T* out = node->data();
  detail::for_blocks(node->value.elements(), detail::kElementBlock, [=](std::int64_t begin, std::int64_t end) {
    const auto size = static_cast<std::size_t>(end - begin);
    kernels::log(std::span<const T>(in + begin, size), std::span<T>(out + begin, size));
  });
  return BasicVariable<T>(node);
}

template BasicVariable<float> log(BasicVariable<float>);
template BasicVariable<double> log(BasicVariable<double>);

}  // namespace carousel
