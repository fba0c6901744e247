#include "autograd/ops/highway.h"

#include "autograd/ops/common.h"
#include "kernels/pointwise.h"

namespace carousel {
namespace {

template <class T>
struct HighwayNode final : Node<T> {
  Node<T>*a, *f, *x;
  T* gate;  // in the arena

  void backward() override {
    const std::int64_t n = this->value.elements();
    const T *dy = this->gradient, *g = gate, *f_value = f->data(), *x_value = x->data();
    detail::send(f->claim_gradient(), n, [=](std::int64_t i) { return g[i] * dy[i]; });
    detail::send(x->claim_gradient(), n, [=](std::int64_t i) { return (T(1) - g[i]) * dy[i]; });
    detail::send(a->claim_gradient(), n,
                 [=](std::int64_t i) { return (f_value[i] - x_value[i]) * g[i] * (T(1) - g[i]) * dy[i]; });
  }
};

}  // namespace

template <class T>
BasicVariable<T> highway(BasicVariable<T> a, BasicVariable<T> f, BasicVariable<T> x) {
  detail::check_same_tape("highway", a, f);
  detail::check_same_tape("highway", a, x);
  detail::check_same_shape("highway", "f", f.shape(), a.shape());
  detail::check_same_shape("highway", "x", x.shape(), a.shape());
  Tape<T>& tape = a.tape();
  auto* node = tape.template record<HighwayNode<T>>(
      a.shape(), a.node()->needs_gradient || f.node()->needs_gradient || x.node()->needs_gradient);
  node->a = a.node();
  node->f = f.node();
  node->x = x.node();
  const std::int64_t n = node->value.elements();
  node->gate = tape.arena().template allocate<T>(n);
  const T *sums = node->a->data(), *made = node->f->data(), *passed = node->x->data();
  T *g = node->gate, *y = node->data();
  detail::for_blocks(n, detail::kElementBlock, [=](std::int64_t begin, std::int64_t end) {
    const auto count = static_cast<std::size_t>(end - begin);
    kernels::sigmoid(std::span<const T>(sums + begin, count), std::span<T>(g + begin, count));
    for (std::int64_t i = begin; i < end; ++i) y[i] = g[i] * made[i] + (T(1) - g[i]) * passed[i];
  });
  return BasicVariable<T>(node);
}

template BasicVariable<float> highway(BasicVariable<float>, BasicVariable<float>, BasicVariable<float>);
template BasicVariable<double> highway(BasicVariable<double>, BasicVariable<double>, BasicVariable<double>);

}  // namespace carousel
