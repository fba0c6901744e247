// crf.h: the layer of a linear-chain CRF. It passes the scores of the tags at each step on and owns the scores of which
// tags begin, end and follow each other: training takes both to crf_log_likelihood(), decoding to crf_decode.h.
#pragma once

#include <cstdint>
#include <vector>

#include "carousel/layers.h"
#include "layers/output/crf_likelihood.h"

namespace carousel {

class Crf : public Module {
 public:
  explicit Crf(std::int64_t tags);  // throws Error{kUsage} unless there is at least one
  std::vector<Parameter*> parameters() override { return {&start, &end, &transitions}; }
  void initialize(std::uint64_t seed) override;  // uniform in +-0.1
  LayerDescription describe() const override;
  void forward(detail::Flow& flow) override;
  std::int64_t tags() const noexcept { return start.value.shape()[0]; }
  CrfVariables<float> variables(Tape<float>& tape);

  Parameter start, end, transitions;  // "start_transitions" [K], "end_transitions" [K], "transitions" [K, K]
};

}  // namespace carousel
