#include "layers/tokens/embedding_dropout.h"

#include <algorithm>

#include "autograd/ops/dropout.h"
#include "autograd/ops/multiply.h"
#include "base/fail.h"
#include "layers/module.h"

namespace carousel {

EmbeddingDropout::EmbeddingDropout(double probability) : probability_(probability) {
  if (!(probability >= 0 && probability < 1)) {
    fail(Code::kUsage, "embedding_dropout: probability is {}, expected 0 <= p < 1", probability);
  }
}

LayerDescription EmbeddingDropout::describe() const {
  return {"embedding_dropout", {{"probability", probability_}}, {}};
}

void EmbeddingDropout::forward(detail::Flow& flow) {
  if (flow.row_index.empty()) fail(Code::kUsage, "embedding_dropout: must stand right behind an Embedding");
  if (!flow.training || probability_ == 0) return;
  const std::int64_t tokens = flow.x.shape()[0], size = flow.x.shape()[1];  // x is a row per distinct token
  Arena& arena = flow.tape->arena();
  auto* mask = arena.allocate<float>(tokens);
  auto* factors = arena.allocate<float>(tokens * size);
  fill_dropout_mask<float>(probability_, flow.next_dropout_key(), {mask, static_cast<std::size_t>(tokens)});
  for (std::int64_t k = 0; k < tokens; ++k) std::fill_n(factors + k * size, size, mask[k]);
  flow.x = multiply(flow.x, flow.tape->constant({factors, flow.x.shape()}));
}

}  // namespace carousel
