#include "autograd/ops/add_to_blocks.h"

#include "autograd/ops/block_products.h"

namespace carousel {
namespace {

template <class T>
struct AddToBlocksNode final : Node<T> {
  Node<T>* x;
  Node<T>* queries;
  AttentionBlocks blocks;

  void backward() override {
    const std::int64_t C = this->shape().back();
    const T* dy = this->gradient;
    if (const GradientTarget<T> dx = x->claim_gradient()) {
      detail::clear_uncovered_rows(dx, x->shape(), blocks.key_rows());
      detail::send(dx, this->value.elements(), [=](std::int64_t i) { return dy[i]; });
    }
    if (const GradientTarget<T> dq = queries->claim_gradient()) {
      for_blocks_of(C, [=](const AttentionBlock& block) {
        T* to = dq.data + block.query * C;
        if (dq.beta == T(0)) std::fill_n(to, C, T(0));
        for (std::int64_t j = block.key; j < block.key + block.keys; ++j) {
          for (std::int64_t c = 0; c < C; ++c) to[c] += dy[j * C + c];
        }
      });
    }
  }

  // Calls f(block) for every block; several to a task of some work.
  template <class F>
  void for_blocks_of(std::int64_t width, F f) const {
    const std::int64_t rows = blocks.key_rows() / std::max<std::int64_t>(std::ssize(blocks.list), 1);
    const std::int64_t group =
        std::max<std::int64_t>(detail::kElementBlock / std::max<std::int64_t>(rows * width, 1), 1);
    detail::for_blocks(std::ssize(blocks.list), group, [=, this](std::int64_t begin, std::int64_t end) {
      for (std::int64_t b = begin; b < end; ++b) f(blocks.list[static_cast<std::size_t>(b)]);
    });
  }
};

}  // namespace

template <class T>
BasicVariable<T> add_to_blocks(BasicVariable<T> x, BasicVariable<T> queries, const AttentionBlocks& blocks) {
  detail::check_same_tape("add_to_blocks", x, queries);
  detail::check_block_rows("add_to_blocks", blocks, queries.shape(), x.shape());
  if (blocks.query_rows() != std::ssize(blocks.list)) {
    fail(Code::kUsage, "add_to_blocks: {} queries for {} samples, expected one each", blocks.query_rows(),
         blocks.list.size());
  }
  const std::int64_t C = x.shape().back();
  const bool needs_gradient = x.node()->needs_gradient || queries.node()->needs_gradient;
  auto* node = x.tape().template record<AddToBlocksNode<T>>({blocks.key_rows(), C}, needs_gradient);
  node->x = x.node();
  node->queries = queries.node();
  node->blocks = blocks;
  const T *in = node->x->data(), *q = node->queries->data();
  T* y = node->data();
  node->for_blocks_of(C, [=](const AttentionBlock& block) {
    for (std::int64_t j = block.key; j < block.key + block.keys; ++j) {
      for (std::int64_t c = 0; c < C; ++c) y[j * C + c] = in[j * C + c] + q[block.query * C + c];
    }
  });
  return BasicVariable<T>(node);
}

template BasicVariable<float> add_to_blocks(BasicVariable<float>, BasicVariable<float>, const AttentionBlocks&);
template BasicVariable<double> add_to_blocks(BasicVariable<double>, BasicVariable<double>, const AttentionBlocks&);

}  // namespace carousel
