// attention_case.h: sizes, lengths and layers that the tests of attention layers share.
#pragma once

#include <algorithm>
#include <limits>
#include <vector>

#include "carousel/attention.h"

namespace carousel::attention_case {

using Lengths = std::vector<std::int32_t>;

inline constexpr std::int64_t T = 5, N = 4, S = 6, I = 3, E = 4, H = 4, O = 2;
inline const Lengths kLengths{5, 2, 0, 4}, kMemoryLengths{3, 6, 2, 0};

inline std::vector<AttentionDecoderOptions> decoder_options() {
  AttentionDecoderOptions o{.cell = "lstm", .input_size = I, .hidden_size = H, .memory_size = E, .score = "general"};
  o.output_size = O;
  std::vector<AttentionDecoderOptions> list{o};
  o.scaled = true;
  list.push_back(o);
  o.score = "dot";
  o.input_feeding = false;
  list.push_back(o);
  o.scaled = false;
  list.push_back(o);
  o.score = "concat";
  o.attention_size = 5;
  o.input_feeding = true;
  o.cell = "gru";
  list.push_back(o);
  o.score = "additive";
  o.output_size = 0;
  list.push_back(o);
  o.coverage = true;
  list.push_back(o);
  o.score = "concat";
  o.output_size = O;
  list.push_back(o);
  return list;
}

// Steps behind the end of each sample become NaN.
inline Tensor with_noise(const Tensor& x, const Lengths& lengths) {
  Tensor noisy = x;
  const std::int64_t C = x.shape()[2], samples = x.shape()[1];
  for (std::int64_t row = 0; row < x.shape().rows(); ++row) {
    if (row / samples < lengths[static_cast<std::size_t>(row % samples)]) continue;
    std::fill_n(noisy.data() + row * C, C, std::numeric_limits<float>::quiet_NaN());
  }
  return noisy;
}

}  // namespace carousel::attention_case
