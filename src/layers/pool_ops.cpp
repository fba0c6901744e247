#include "layers/pool_ops.h"

#include <algorithm>

#include "autograd/tape.h"

namespace carousel {
namespace {

template <class T>
struct MeanNode final : Node<T> {
  Node<T>* x = nullptr;
  const SequenceLayout* layout = nullptr;
  const T* scale = nullptr;  // [samples]: 1 / length

  void backward() override {
    const GradientTarget<T> dx = x->claim_gradient();
    if (!dx) return;
    const std::int64_t C = this->shape().back();
    for (std::int64_t r = 0; r < layout->rows(); ++r) {
      const std::int64_t n = layout->row_samples()[static_cast<std::size_t>(r)];
      const T* from = this->gradient + n * C;
      T* to = dx.data + r * C;
      for (std::int64_t j = 0; j < C; ++j) to[j] = (dx.beta == T(0) ? T(0) : to[j]) + from[j] * scale[n];
    }
  }
};

template <class T>
struct MaxNode final : Node<T> {
  Node<T>* x = nullptr;
  const std::int32_t* arg = nullptr;  // [samples, C]: the row that holds the maximum; -1: none

  void backward() override {
    const GradientTarget<T> dx = x->claim_gradient();
    if (!dx) return;
    const std::int64_t C = this->shape().back();
    if (dx.beta == T(0)) std::fill_n(dx.data, x->value.elements(), T(0));
    for (std::int64_t k = 0; k < this->value.elements(); ++k) {
      if (arg[k] >= 0) dx.data[arg[k] * C + k % C] += this->gradient[k];
    }
  }
};

template <class T>
struct UnpackNode final : Node<T> {
  Node<T>* x = nullptr;
  const SequenceLayout* layout = nullptr;

  void backward() override {
    const GradientTarget<T> dx = x->claim_gradient();
    if (!dx) return;
    const std::int64_t C = this->shape().back();
    for (std::int64_t r = 0; r < layout->rows(); ++r) {
      const T* from = this->gradient + layout->padded_rows()[static_cast<std::size_t>(r)] * C;
      T* to = dx.data + r * C;
      for (std::int64_t j = 0; j < C; ++j) to[j] = (dx.beta == T(0) ? T(0) : to[j]) + from[j];
    }
  }
};

template <class T>
void check_rows(const BasicVariable<T>& x, const SequenceLayout& layout) {
  if (x.shape().rank() == 2 && x.shape()[0] == layout.rows()) return;
  fail(Code::kUsage, "x has shape {}, expected [{}, C]: one row per valid step", x.shape().to_string(), layout.rows());
}

}  // namespace

template <class T>
BasicVariable<T> pool_mean(BasicVariable<T> x, const SequenceLayout& layout) {
  check_rows(x, layout);
  const std::int64_t C = x.shape()[1], N = layout.samples();
  auto* node = x.tape().template record<MeanNode<T>>({N, C}, x.node()->needs_gradient);
  node->x = x.node();
  node->layout = &layout;
  T* scale = x.tape().arena().template allocate<T>(N);
  for (std::int64_t k = 0; k < N; ++k) {
    scale[layout.sample(k)] = layout.length(k) == 0 ? T(0) : T(1) / static_cast<T>(layout.length(k));
  }
  node->scale = scale;
  std::fill_n(node->data(), N * C, T(0));
  for (std::int64_t r = 0; r < layout.rows(); ++r) {
    const T* from = x.value().data + r * C;
    T* to = node->data() + layout.row_samples()[static_cast<std::size_t>(r)] * C;
    for (std::int64_t j = 0; j < C; ++j) to[j] += from[j];
  }
  for (std::int64_t n = 0; n < N; ++n) {
    for (std::int64_t j = 0; j < C; ++j) node->data()[n * C + j] *= scale[n];
  }
  return BasicVariable<T>(node);
}

template <class T>
BasicVariable<T> pool_max(BasicVariable<T> x, const SequenceLayout& layout) {
  check_rows(x, layout);
  const std::int64_t C = x.shape()[1], N = layout.samples();
  auto* node = x.tape().template record<MaxNode<T>>({N, C}, x.node()->needs_gradient);
  node->x = x.node();
  auto* arg = x.tape().arena().template allocate<std::int32_t>(N * C);
  node->arg = arg;
  std::fill_n(arg, N * C, -1);
  std::fill_n(node->data(), N * C, T(0));
  for (std::int64_t r = 0; r < layout.rows(); ++r) {
    const std::int64_t at = layout.row_samples()[static_cast<std::size_t>(r)] * C;
    const T* from = x.value().data + r * C;
    for (std::int64_t j = 0; j < C; ++j) {
      if (arg[at + j] >= 0 && !(from[j] > node->data()[at + j])) continue;
      node->data()[at + j] = from[j];
      arg[at + j] = static_cast<std::int32_t>(r);
    }
  }
  return BasicVariable<T>(node);
}

template <class T>
BasicVariable<T> unpack(BasicVariable<T> x, const SequenceLayout& layout) {
  check_rows(x, layout);
  const std::int64_t C = x.shape()[1];
  auto* node =
      x.tape().template record<UnpackNode<T>>({layout.time_steps(), layout.samples(), C}, x.node()->needs_gradient);
  node->x = x.node();
  node->layout = &layout;
  std::fill_n(node->data(), node->value.elements(), T(0));
  for (std::int64_t r = 0; r < layout.rows(); ++r) {
    std::copy_n(x.value().data + r * C, C, node->data() + layout.padded_rows()[static_cast<std::size_t>(r)] * C);
  }
  return BasicVariable<T>(node);
}

#define CAROUSEL_INSTANTIATE(T)                                                 \
  template BasicVariable<T> pool_mean(BasicVariable<T>, const SequenceLayout&); \
  template BasicVariable<T> pool_max(BasicVariable<T>, const SequenceLayout&);  \
  template BasicVariable<T> unpack(BasicVariable<T>, const SequenceLayout&);
CAROUSEL_INSTANTIATE(float)
CAROUSEL_INSTANTIATE(double)
#undef CAROUSEL_INSTANTIATE

}  // namespace carousel
