#include "autograd/ops/affine_columns.h"

#include "autograd/ops/common.h"

namespace carousel {
namespace {

template <class T>
struct AffineColumnsNode final : Node<T> {
  Node<T>* x = nullptr;
  std::span<const T> factor;

  void backward() override {
    const T* dy = this->gradient;
    const T* f = factor.data();
    const std::int64_t C = std::ssize(factor);
    detail::send(x->claim_gradient(), this->value.elements(), [=](std::int64_t i) { return f[i % C] * dy[i]; });
  }
};

}  // namespace

template <class T>
BasicVariable<T> affine_columns(BasicVariable<T> x, std::span<const T> factor, std::span<const T> offset) {
  const std::int64_t C = x.shape().back();
  if (std::ssize(factor) != C || std::ssize(offset) != C) {
    fail(Code::kUsage, "affine_columns: got {} factors and {} offsets, expected {}: the columns of x {}", factor.size(),
         offset.size(), C, x.shape().to_string());
  }
  auto* node = x.tape().template record<AffineColumnsNode<T>>(x.shape(), x.node()->needs_gradient);
  node->x = x.node();
  node->factor = factor;
  const T *in = x.value().data, *f = factor.data(), *o = offset.data();
  detail::fill_each(node->data(), node->value.elements(), [=](std::int64_t i) { return f[i % C] * in[i] + o[i % C]; });
  return BasicVariable<T>(node);
}

template BasicVariable<float> affine_columns(BasicVariable<float>, std::span<const float>, std::span<const float>);
template BasicVariable<double> affine_columns(BasicVariable<double>, std::span<const double>, std::span<const double>);

}  // namespace carousel
