#include "autograd/ops/mean.h"

#include "autograd/ops/common.h"

namespace carousel {
namespace {

template <class T>
struct MeanNode final : Node<T> {
  Node<T>* x;

  void backward() override {
    const std::int64_t n = x->value.elements();
    const T share = *this->gradient / static_cast<T>(n);
    detail::send(x->claim_gradient(), n, [=](std::int64_t) { return share; });
  }
};

}  // namespace

template <class T>
BasicVariable<T> mean(BasicVariable<T> x) {
  const std::int64_t n = x.shape().elements();
  if (n == 0) fail(Code::kUsage, "mean: shape {} has no elements", x.shape().to_string());
  auto* node = x.tape().template record<MeanNode<T>>(Shape{}, x.node()->needs_gradient);
  node->x = x.node();
  const T* values = node->x->data();
  const double total = detail::ordered_sum(x.tape().arena(), n, [=](std::int64_t i) { return values[i]; });
  *node->data() = static_cast<T>(total / static_cast<double>(n));
  return BasicVariable<T>(node);
}

template BasicVariable<float> mean(BasicVariable<float>);
template BasicVariable<double> mean(BasicVariable<double>);

}  // namespace carousel
