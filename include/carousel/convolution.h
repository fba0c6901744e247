// convolution.h: convolution over the time axis, the layer of the text CNN (Kim 2014).
//
//   auto branch = [](std::int64_t width) {
//     return carousel::Sequential{carousel::Conv1d{{.input_size = 128, .output_size = 100, .kernel_size = width}},
//                                 carousel::Activation{"relu"}, carousel::Pool{"max"}, carousel::Linear{100, classes}};
//   };
//   std::vector<carousel::Sequential> widths;
//   for (const std::int64_t width : {3, 4, 5}) widths.push_back(branch(width));
//   carousel::Sequential net{carousel::Embedding{vocabulary_size, 128}, carousel::Sum{std::move(widths)}};
//   net.initialize(1);
#pragma once

#include <cstdint>
#include <string>

#include "carousel/layers.h"

namespace carousel {

struct Conv1dOptions {
  std::int64_t input_size = 0;   // C
  std::int64_t output_size = 0;  // O
  std::int64_t kernel_size = 3;  // K, steps
  // "same": as many steps out as in, zeros beyond the ends of each sample. "valid": no zeros, K - 1 steps fewer; a
  // sample of fewer than K steps has none left.
  std::string padding = "same";
  bool bias = true;
};

// y_t[o] = b[o] + sum over c, k of W[o, c, k] x_{t + k - left}[c], left = (K - 1) / 2 ("same") or 0 ("valid"):
// [T, N, C] -> [T, N, O], or with "valid" [T - K + 1, N, O]. What stands behind the end of a sample has no influence.
class Conv1d : public Module {
 public:
  explicit Conv1d(Conv1dOptions options);  // throws Error{kUsage} naming the option that does not fit
  std::vector<Parameter*> parameters() override;
  void initialize(std::uint64_t seed) override;  // uniform in +-1/sqrt(C K), as PyTorch
  LayerDescription describe() const override;
  void forward(detail::Flow& flow) override;
  const Conv1dOptions& options() const noexcept { return options_; }
  Parameter weight, bias;  // [O, C, K], [O]
 private:
  Conv1dOptions options_;
};

}  // namespace carousel
