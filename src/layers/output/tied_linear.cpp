#include "layers/output/tied_linear.h"

#include "autograd/ops/linear.h"
#include "base/fail.h"
#include "layers/module.h"

namespace carousel {

TiedLinear::TiedLinear(std::int64_t vocabulary_size) : bias("bias", Tensor({vocabulary_size})) {
  if (vocabulary_size < 1)
    fail(Code::kUsage, "tied_linear: vocabulary_size is {}, expected at least 1", vocabulary_size);
}

LayerDescription TiedLinear::describe() const {
  return {"tied_linear", {{"vocabulary_size", bias.value.shape()[0]}}, {}};
}

void TiedLinear::forward(detail::Flow& flow) {
  if (!flow.table) fail(Code::kUsage, "tied_linear: the pass did not begin with an Embedding, whose table it needs");
  flow.x = linear(flow.rows("tied_linear"), flow.table, flow.tape->parameter(bias));
}

}  // namespace carousel
