// tied_linear.h: an output layer whose weight is the table of the Embedding that the pass began with (Press and Wolf
// 2017): y = x E^T + b. It owns the bias only; the gradient of the table is the sum of both uses.
#pragma once

#include "carousel/layers.h"

namespace carousel {

class TiedLinear : public Module {
 public:
  // Throws Error{kUsage} unless vocabulary_size is at least 1.
  explicit TiedLinear(std::int64_t vocabulary_size);
  std::vector<Parameter*> parameters() override { return {&bias}; }
  LayerDescription describe() const override;
  // Throws Error{kUsage} if there was no Embedding, or one of another size.
  void forward(detail::Flow& flow) override;
  Parameter bias;  // [vocabulary_size]
};

}  // namespace carousel
