// sentence_encoder.h: a network run on each sentence of a document (the lower half of Yang et al. 2016).
//
// Token ids [T, N] with a mark between the sentences of each sample -> a sequence of as many steps as the sample has
// sentences, each the one row that the network inside gives for that sentence alone: [S, N, C]. Two marks with nothing
// between have no sentence there; a sample without tokens has none at all. The network inside starts every sentence
// anew; a state can neither be handed in nor asked for. Weights of attention layers inside are those of the sentences,
// one sample's after another's.
#pragma once

#include "carousel/layers.h"

namespace carousel {

class SentenceEncoder : public Sequential {
 public:
  // `network` takes ids and ends in one row per sample. Throws Error{kUsage} for a negative mark.
  SentenceEncoder(Sequential network, std::int64_t mark);
  LayerDescription describe() const override;
  void forward(detail::Flow& flow) override;
  std::int64_t mark() const noexcept { return mark_; }

 private:
  std::int64_t mark_;
};

}  // namespace carousel
