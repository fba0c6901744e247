#include "layers/output/crf.h"

#include "base/fail.h"
#include "layers/module.h"

namespace carousel {

Crf::Crf(std::int64_t tag_count)
    : start("start_transitions", Tensor({tag_count})),
      end("end_transitions", Tensor({tag_count})),
      transitions("transitions", Tensor({tag_count, tag_count})) {
  if (tag_count < 1) fail(Code::kUsage, "crf: {} tags, expected at least 1", tag_count);
}

void Crf::initialize(std::uint64_t seed) {
  std::uint64_t number = 0;
  for (Parameter* parameter : parameters()) {
    fill_uniform({seed, Purpose::kWeights, number++}, -0.1f, 0.1f, parameter->value.span());
  }
}

LayerDescription Crf::describe() const { return {"crf", {{"tags", tags()}}, {}}; }

void Crf::forward(detail::Flow& flow) {
  const Variable rows = flow.rows("crf");
  if (!flow.is_sequence || rows.shape().back() != tags()) {
    fail(Code::kUsage, "crf: expected a row of {} scores at each step, got {}", tags(), rows.shape().to_string());
  }
}

CrfVariables<float> Crf::variables(Tape<float>& tape) {
  return {tape.parameter(start), tape.parameter(end), tape.parameter(transitions)};
}

}  // namespace carousel
