// loss.h: losses, each a variable with one element (ctc_loss: one per sample); give it to backward().
//
// Targets and labels are used during the call only. Every function throws Error{kUsage} if the shapes do not fit.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "carousel/autograd.h"
#include "carousel/tensor.h"

namespace carousel {

inline constexpr std::int32_t kIgnoredLabel = -1;  // a row with this label counts nowhere (padding)

struct CrossEntropyOptions {
  double label_smoothing = 0;            // share of the target spread evenly over all classes. REQUIRES: 0 <= s < 1
  std::span<const float> class_weights;  // one per class; empty: all 1. REQUIRES: at least 0
};

// Mean over the rows that count of -log softmax(logits)[label], weighted as in PyTorch. Logits [T, N, K] with labels
// [T, N], or [N, K] with [N].
Variable cross_entropy(const Variable& logits, const IdTensor& labels, const CrossEntropyOptions& options = {});

// Means over all elements; the target has the shape of the prediction.
Variable mse(const Variable& prediction, const Tensor& target);
Variable mae(const Variable& prediction, const Tensor& target);
Variable huber(const Variable& prediction, const Tensor& target, double delta = 1);  // REQUIRES: delta > 0

// Logits, not probabilities; targets in [0, 1].
Variable binary_cross_entropy(const Variable& logits, const Tensor& target);

struct CtcOptions {
  std::int32_t blank = 0;      // the class that stands for no label
  bool zero_infinity = false;  // a labelling longer than its input allows costs 0, with no gradient; else an error
};

// Connectionist temporal classification (Graves et al. 2006): -log of the probability of each sample's labelling,
// summed over everything that its labels may be aligned with. Logits [T, N, K] -> [N]; lengths [N], or empty: all T.
Variable ctc_loss(const Variable& logits, std::span<const std::int32_t> lengths,
                  std::span<const std::vector<std::int32_t>> labels, const CtcOptions& options = {});

}  // namespace carousel
