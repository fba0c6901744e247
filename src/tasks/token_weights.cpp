#include "tasks/token_weights.h"

#include <algorithm>

#include "carousel/attention.h"
#include "layers/module.h"
#include "layers/term_scores.h"

namespace carousel {
namespace {

// The first layer of this kind, in the parts of the network too; null if there is none.
template <class Layer>
Layer* find_kind(Sequential& network) {
  for (const auto& [name, module] : network.modules()) {
    if (auto* found = dynamic_cast<Layer*>(module.get())) return found;
    for (const auto& [own, inner] : detail::inner_networks(*module)) {
      if (auto* found = find_kind<Layer>(*inner)) return found;
    }
  }
  return nullptr;
}

}  // namespace

std::vector<std::vector<float>> token_weights(Sequential& network, const IdTensor& ids,
                                              std::span<const std::int32_t> lengths) {
  std::vector<std::vector<float>> all;
  if (!find_kind<AttentionPool>(network)) return all;
  std::vector<Tensor> alignments;
  network.predict({.ids = &ids, .lengths = lengths, .alignments = &alignments});
  const Tensor& weights = alignments.back();  // [N, T]
  for (std::size_t n = 0; n < lengths.size(); ++n) {
    const float* row = weights.data() + static_cast<std::int64_t>(n) * weights.shape()[1];
    all.emplace_back(row, row + lengths[n]);
  }
  return all;
}

std::vector<TermPush> term_pushes(Sequential& network, std::span<const std::int32_t> ids, std::int32_t for_class,
                                  std::int32_t over_class, std::size_t most) {
  std::vector<TermPush> pushes;
  const auto* layer = find_kind<TermScores>(network);
  if (!layer) return pushes;
  const std::int64_t classes = layer->bias.value.elements();
  for (const auto& [term, value] : layer->values_of(ids)) {
    const float* weights = layer->weight.value.data() + term * classes;
    const double push = value * (weights[for_class] - weights[over_class]);
    if (push <= 0) continue;
    pushes.push_back({static_cast<std::int32_t>(layer->terms.value[2 * term]),
                      static_cast<std::int32_t>(layer->terms.value[2 * term + 1]), push});
  }
  std::stable_sort(pushes.begin(), pushes.end(), [](const TermPush& a, const TermPush& b) { return a.push > b.push; });
  pushes.resize(std::min(pushes.size(), most));
  return pushes;
}

}  // namespace carousel
