// mixture.h: several networks on the same input, each weighted by what a gate says of that input.
//
//   y = sum_k g_k(x) f_k(x)
//
// With Memberships as the gate each network answers for one fuzzy cluster of the inputs, as far as an input belongs to
// it; with a linear layer and a softmax it is a mixture of experts (Jacobs et al. 1991).
#pragma once

#include <vector>

#include "carousel/layers.h"

namespace carousel {

class Mixture : public Module {
 public:
  // gate: one row per sample, [N, networks]. The networks: one row per sample each, [N, O], all of one O. Throws
  // Error{kUsage} without networks; a pass does if the sizes do not fit.
  Mixture(Sequential gate, std::vector<Sequential> networks);
  std::vector<Parameter*> parameters() override;
  std::vector<Parameter*> buffers() override;
  void initialize(std::uint64_t seed) override;
  LayerDescription describe() const override;
  void forward(detail::Flow& flow) override;
  std::vector<Sequential>& branches() noexcept { return branches_; }  // the gate, then the networks

 private:
  std::vector<Sequential> branches_;
};

// How much each sequence of T steps, [T, N, C], belongs to each cluster: [N, clusters], rows adding up to 1
// (fuzzy_memberships.h). Nothing to train, and no gradient goes through to the input.
class Memberships : public Module {
 public:
  // centers [clusters, T C], step after step. Throws Error{kUsage} for another shape or a fuzzifier not above 1.
  Memberships(Tensor centers, double fuzzifier);
  std::vector<Parameter*> buffers() override { return {&centers}; }
  LayerDescription describe() const override;
  void forward(detail::Flow& flow) override;
  Parameter centers;

 private:
  double fuzzifier_;
};

}  // namespace carousel
