// layer_chain.h: some layers of a network run one after another, as a module of its own; borrows them.
#pragma once

#include <vector>

#include "carousel/layers.h"

namespace carousel {

class LayerChain final : public Module {
 public:
  LayerDescription describe() const override { return {"chain", {}, {}}; }
  void forward(detail::Flow& flow) override {
    for (Module* layer : layers) layer->forward(flow);
  }
  std::vector<Module*> layers;
};

}  // namespace carousel
