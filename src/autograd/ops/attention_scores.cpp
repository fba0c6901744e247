#include "autograd/ops/attention_scores.h"

#include "autograd/ops/block_products.h"

namespace carousel {
namespace {

template <class T>
struct AttentionScoresNode final : Node<T> {
  Node<T>* queries;
  Node<T>* keys;
  AttentionBlocks blocks;

  void backward() override {
    if (const GradientTarget<T> dq = queries->claim_gradient()) {
      products(dq.beta).to_queries(this->gradient, keys->data(), dq.data);
    }
    if (const GradientTarget<T> dk = keys->claim_gradient()) {
      detail::clear_uncovered_rows(dk, keys->shape(), blocks.key_rows());
      products(dk.beta).to_keys(this->gradient, queries->data(), dk.data);
    }
  }

  detail::BlockProducts<T> products(T beta) const {
    return {this->tape->arena(), blocks, queries->shape().back(), beta};
  }
};

}  // namespace

template <class T>
BasicVariable<T> attention_scores(BasicVariable<T> queries, BasicVariable<T> keys, const AttentionBlocks& blocks) {
  detail::check_same_tape("attention_scores", queries, keys);
  detail::check_block_rows("attention_scores", blocks, queries.shape(), keys.shape());
  const bool needs_gradient = queries.node()->needs_gradient || keys.node()->needs_gradient;
  auto* node = queries.tape().template record<AttentionScoresNode<T>>({blocks.pairs()}, needs_gradient);
  node->queries = queries.node();
  node->keys = keys.node();
  node->blocks = blocks;
  node->products(T(0)).to_pairs(node->queries->data(), node->keys->data(), node->data());
  return BasicVariable<T>(node);
}

template BasicVariable<float> attention_scores(BasicVariable<float>, BasicVariable<float>, const AttentionBlocks&);
template BasicVariable<double> attention_scores(BasicVariable<double>, BasicVariable<double>, const AttentionBlocks&);

}  // namespace carousel
