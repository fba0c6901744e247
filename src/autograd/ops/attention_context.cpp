#include "autograd/ops/attention_context.h"

#include "autograd/ops/block_products.h"

namespace carousel {
namespace {

template <class T>
struct AttentionContextNode final : Node<T> {
  Node<T>* weights;
  Node<T>* values;
  AttentionBlocks blocks;

  void backward() override {
    if (const GradientTarget<T> dp = weights->claim_gradient()) {
      products(dp.beta).to_pairs(this->gradient, values->data(), dp.data);
    }
    if (const GradientTarget<T> dv = values->claim_gradient()) {
      detail::clear_uncovered_rows(dv, values->shape(), blocks.key_rows());
      products(dv.beta).to_keys(weights->data(), this->gradient, dv.data);
    }
  }

  detail::BlockProducts<T> products(T beta) const {
    return {this->tape->arena(), blocks, values->shape().back(), beta};
  }
};

}  // namespace

template <class T>
BasicVariable<T> attention_context(BasicVariable<T> weights, BasicVariable<T> values, const AttentionBlocks& blocks) {
  detail::check_same_tape("attention_context", weights, values);
  detail::check_same_shape("attention_context", "the weights", weights.shape(), Shape{blocks.pairs()});
  const Shape shape{blocks.query_rows(), values.shape().back()};
  detail::check_block_rows("attention_context", blocks, shape, values.shape());
  const bool needs_gradient = weights.node()->needs_gradient || values.node()->needs_gradient;
  auto* node = weights.tape().template record<AttentionContextNode<T>>(shape, needs_gradient);
  node->weights = weights.node();
  node->values = values.node();
  node->blocks = blocks;
  node->products(T(0)).to_queries(node->weights->data(), node->values->data(), node->data());
  return BasicVariable<T>(node);
}

template BasicVariable<float> attention_context(BasicVariable<float>, BasicVariable<float>, const AttentionBlocks&);
template BasicVariable<double> attention_context(BasicVariable<double>, BasicVariable<double>, const AttentionBlocks&);

}  // namespace carousel
