// conv1d.cpp: the Conv1d layer.
#include <cmath>

#include "base/fail.h"
#include "base/random.h"
#include "carousel/convolution.h"
#include "layers/convolution.h"
#include "layers/module.h"

namespace carousel {
namespace {

Conv1dOptions checked_convolution(Conv1dOptions o) {
  for (const auto& [name, value] :
       {std::pair{"input_size", o.input_size}, {"output_size", o.output_size}, {"kernel_size", o.kernel_size}}) {
    if (value < 1) fail(Code::kUsage, "conv1d: {} is {}, expected at least 1", name, value);
  }
  if (o.padding != "same" && o.padding != "valid") {
    fail(Code::kUsage, "conv1d: unknown padding '{}', expected same or valid", o.padding);
  }
  return o;
}

}  // namespace

Conv1d::Conv1d(Conv1dOptions options) : options_(checked_convolution(std::move(options))) {
  const auto& o = options_;
  weight = Parameter("weight", Tensor({o.output_size, o.input_size, o.kernel_size}));
  bias = Parameter("bias", Tensor({o.bias ? o.output_size : 0}));
}

std::vector<Parameter*> Conv1d::parameters() {
  std::vector<Parameter*> list{&weight};
  if (options_.bias) list.push_back(&bias);
  return list;
}

void Conv1d::initialize(std::uint64_t seed) {
  const float bound = 1 / std::sqrt(static_cast<float>(options_.input_size * options_.kernel_size));
  fill_uniform({seed, Purpose::kWeights, 0}, -bound, bound, weight.value.span());
  fill_uniform({seed, Purpose::kWeights, 1}, -bound, bound, bias.value.span());
}

LayerDescription Conv1d::describe() const {
  return {"conv1d",
          {{"input_size", options_.input_size},
           {"output_size", options_.output_size},
           {"kernel_size", options_.kernel_size},
           {"padding", options_.padding},
           {"bias", options_.bias}},
          {}};
}

void Conv1d::forward(detail::Flow& flow) {
  if (!flow.is_sequence) fail(Code::kUsage, "conv1d: the layer below gives one row per sample, expected a sequence");
  const Convolved<float> out = convolve<float>({.x = flow.rows("conv1d"),
                                                .layout = flow.layout,
                                                .weight = flow.tape->parameter(weight),
                                                .bias = options_.bias ? flow.tape->parameter(bias) : Variable(),
                                                .same = options_.padding == "same"});
  flow.x = out.output;
  flow.layout = out.layout;
  flow.last = {};
}

}  // namespace carousel
