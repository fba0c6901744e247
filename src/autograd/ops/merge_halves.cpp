#include "autograd/ops/merge_halves.h"

#include "autograd/ops/common.h"

namespace carousel {
namespace {

template <class T>
struct MergeHalvesNode final : Node<T> {
  Node<T>* x;
  Merge merge;

  void backward() override {
    const GradientTarget<T> dx = x->claim_gradient();
    if (!dx) return;
    const std::int64_t P = this->shape().back();
    const T *dy = this->gradient, *in = x->data(), factor = merge == Merge::kMean ? T(0.5) : T(1);
    const bool product = merge == Merge::kProduct;
    detail::for_blocks(this->shape().rows(), detail::kRowBlock, [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t half = 2 * begin; half < 2 * end; ++half) {
        T* out = dx.data + half * P;
        const T *slope = dy + half / 2 * P, *other = in + (half ^ 1) * P;
        for (std::int64_t j = 0; j < P; ++j) {
          const T gradient_of_x = slope[j] * (product ? other[j] : factor);
          out[j] = dx.beta == T(0) ? gradient_of_x : out[j] + gradient_of_x;
        }
      }
    });
  }
};

}  // namespace

template <class T>
BasicVariable<T> merge_halves(BasicVariable<T> x, Merge merge) {
  if (merge == Merge::kConcat) return x;
  const Shape& shape = x.shape();
  if (shape.rank() < 1 || shape.back() % 2 != 0)
    fail(Code::kUsage, "merge_halves: x has shape {}, expected an even last size", shape.to_string());
  const std::int64_t P = shape.back() / 2;
  auto* node = x.tape().template record<MergeHalvesNode<T>>(detail::with_last(shape, P), x.node()->needs_gradient);
  node->x = x.node();
  node->merge = merge;
  const T* in = node->x->data();
  T* out = node->data();
  detail::for_blocks(node->shape().rows(), detail::kRowBlock, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const T *a = in + row * 2 * P, *b = a + P;
      T* y = out + row * P;
      if (merge == Merge::kProduct) {
        for (std::int64_t j = 0; j < P; ++j) y[j] = a[j] * b[j];
      } else {
        const T factor = merge == Merge::kMean ? T(0.5) : T(1);
        for (std::int64_t j = 0; j < P; ++j) y[j] = factor * (a[j] + b[j]);
      }
    }
  });
  return BasicVariable<T>(node);
}

template BasicVariable<float> merge_halves(BasicVariable<float>, Merge);
template BasicVariable<double> merge_halves(BasicVariable<double>, Merge);

}  // namespace carousel
