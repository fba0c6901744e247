#include "autograd/ops/layer_norm.h"

#include "autograd/ops/common.h"
#include "kernels/norm.h"

namespace carousel {
namespace {

template <class T>
struct LayerNormNode final : Node<T> {
  Node<T>* x;
  Node<T>* gain;
  Node<T>* bias;
  T* mean;   // [rows], in the arena, as scale
  T* scale;  // [rows]: r

  void backward() override {
    const GradientTarget<T> dx = x->claim_gradient(), dgain = gain->claim_gradient(), dbias = bias->claim_gradient();
    kernels::layer_norm_backward<T>({.rows = this->shape().rows(),
                                     .n = this->shape().back(),
                                     .x = x->data(),
                                     .gain = gain->data(),
                                     .mean = mean,
                                     .scale = scale,
                                     .dy = this->gradient,
                                     .dx = dx.data,
                                     .dgain = dgain.data,
                                     .dbias = dbias.data,
                                     .beta_x = dx.beta,
                                     .beta_gain = dgain.beta,
                                     .beta_bias = dbias.beta});
  }
};

}  // namespace

template <class T>
BasicVariable<T> layer_norm(BasicVariable<T> x, BasicVariable<T> gain, BasicVariable<T> bias, double epsilon) {
  const std::int64_t rows = x.shape().rows(), columns = x.shape().back();
  detail::check_same_tape("layer_norm", x, gain);
  detail::check_same_tape("layer_norm", x, bias);
  detail::check_same_shape("layer_norm", "the gain", gain.shape(), Shape{columns});
  detail::check_same_shape("layer_norm", "the bias", bias.shape(), Shape{columns});
  const bool needs_gradient = x.node()->needs_gradient || gain.node()->needs_gradient || bias.node()->needs_gradient;
  Arena& arena = x.tape().arena();
  auto* node = x.tape().template record<LayerNormNode<T>>(x.shape(), needs_gradient);
  node->x = x.node();
  node->gain = gain.node();
  node->bias = bias.node();
  node->mean = arena.allocate<T>(rows);
  node->scale = arena.allocate<T>(rows);
  kernels::layer_norm<T>({.rows = rows,
                          .n = columns,
                          .x = node->x->data(),
                          .gain = gain.node()->data(),
                          .bias = bias.node()->data(),
                          .epsilon = epsilon,
                          .mean = node->mean,
                          .scale = node->scale,
                          .y = node->data()});
  return BasicVariable<T>(node);
}

template BasicVariable<float> layer_norm(BasicVariable<float>, BasicVariable<float>, BasicVariable<float>, double);
template BasicVariable<double> layer_norm(BasicVariable<double>, BasicVariable<double>, BasicVariable<double>, double);

}  // namespace carousel
