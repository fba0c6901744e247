// embedding_dropout.h: drops whole tokens from the embedding below it while training: every place of a dropped token in
// the batch is a row of zeros, the other rows are scaled by 1 / (1 - p) (Gal and Ghahramani 2016).
#pragma once

#include "carousel/layers.h"

namespace carousel {

class EmbeddingDropout : public Module {
 public:
  explicit EmbeddingDropout(double probability);  // throws Error{kUsage} unless 0 <= probability < 1
  LayerDescription describe() const override;
  void forward(detail::Flow& flow) override;  // throws Error{kUsage} if the layer below is no Embedding

 private:
  double probability_;
};

}  // namespace carousel
