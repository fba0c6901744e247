#include "autograd/ops/attention_weights.h"

#include "autograd/ops/common.h"
#include "kernels/softmax.h"

namespace carousel {
namespace {

// Calls f(place, seen, keys) for every query of every head: its keys begin at `place`, it sees the first `seen`.
template <class F>
void for_queries(const AttentionBlocks& blocks, bool causal, F f) {
  const auto one_block = [&](std::int64_t index) {
    const AttentionBlock& block = blocks.list[static_cast<std::size_t>(index)];
    std::int64_t place = block.pair;
    for (std::int64_t head = 0; head < blocks.heads; ++head) {
      for (std::int64_t i = 0; i < block.queries; ++i, place += block.keys) {
        f(place, causal ? std::min(i + 1, block.keys) : block.keys, block.keys);
      }
    }
  };
  constexpr std::int64_t kSomeWork = 4096;  // pairs; fewer are not worth another thread
  if (blocks.pairs() < kSomeWork) {
    for (std::int64_t index = 0; index < std::ssize(blocks.list); ++index) one_block(index);
  } else {
    parallel_for(std::ssize(blocks.list), one_block);
  }
}

template <class T>
struct AttentionWeightsNode final : Node<T> {
  Node<T>* scores;
  AttentionBlocks blocks;
  bool causal;

  void backward() override {
    const GradientTarget<T> ds = scores->claim_gradient();
    if (!ds) return;
    Arena& arena = this->tape->arena();
    const Arena::Mark mark = arena.mark();
    const std::int64_t elements = this->value.elements();
    T* share = ds.beta == T(0) ? ds.data : arena.allocate<T>(elements);
    const T *p = this->data(), *dp = this->gradient;
    for_queries(blocks, causal, [=](std::int64_t place, std::int64_t seen, std::int64_t keys) {
      if (keys == 0) return;
      kernels::softmax_backward<T>(1, seen, p + place, dp + place, share + place);
      std::fill(share + place + seen, share + place + keys, T(0));
    });
    if (share != ds.data) detail::send(ds, elements, [=](std::int64_t i) { return share[i]; });
    arena.rewind(mark);
  }
};

}  // namespace

template <class T>
BasicVariable<T> attention_weights(BasicVariable<T> scores, const AttentionBlocks& blocks, bool causal) {
  detail::check_same_shape("attention_weights", "the scores", scores.shape(), Shape{blocks.pairs()});
  auto* node = scores.tape().template record<AttentionWeightsNode<T>>(scores.shape(), scores.node()->needs_gradient);
  node->scores = scores.node();
  node->blocks = blocks;
  node->causal = causal;
  const T* s = node->scores->data();
  T* p = node->data();
  for_queries(blocks, causal, [=](std::int64_t place, std::int64_t seen, std::int64_t keys) {
    if (keys == 0) return;
    kernels::softmax<T>(1, seen, s + place, p + place);
    std::fill(p + place + seen, p + place + keys, T(0));
  });
  return BasicVariable<T>(node);
}

template BasicVariable<float> attention_weights(BasicVariable<float>, const AttentionBlocks&, bool);
template BasicVariable<double> attention_weights(BasicVariable<double>, const AttentionBlocks&, bool);

}  // namespace carousel
