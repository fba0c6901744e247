// ctc.h: connectionist temporal classification, the loss of a labelling wherever its labels stand (Graves et al. 2006).
//
//   p[t, k] = softmax(z[t])[k]      An alignment gives every step a label or the blank; equal labels that follow each
//   other count once, then the blanks fall out.
//   l = -log of the sum over the alignments of a labelling of the product over t of p[t, a_t]
//
// With l' = blank, l_1, blank, l_2 ... l_L, blank (S = 2 L + 1 places), everything in logarithms:
//
//   alpha[t, s] = log p[t, l'_s] + log(e^alpha[t-1, s] + e^alpha[t-1, s-1] + e^alpha[t-1, s-2])
//   beta[t, s]  = log(sum over r = s, s+1, s+2 of e^(log p[t+1, l'_r] + beta[t+1, r]))
//   dz[t, k]    = dl (p[t, k] - sum over s with l'_s = k of e^(alpha[t, s] + beta[t, s] + l))
//
// where a step of two places is only taken past a blank between different labels.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "carousel/autograd.h"
#include "carousel/loss.h"

namespace carousel {

// Steps that the labelling takes at least: one for each label and for the blank between two equal ones.
std::int64_t ctc_least_steps(std::span<const std::int32_t> labels);

// logits [T, N, K] -> the loss of every sample, [N]. lengths [N]: valid steps of each sample (empty: all T); labels:
// one labelling per sample, used during the call only. Sums are in double. Throws Error{kUsage} if counts do not fit, a
// label is the blank or outside 0 .. K-1, or, without options.zero_infinity, a labelling does not fit into its input:
// the sample is named.
template <class T>
BasicVariable<T> ctc_loss(BasicVariable<T> logits, std::span<const std::int32_t> lengths,
                          std::span<const std::vector<std::int32_t>> labels, const CtcOptions& options = {});

}  // namespace carousel
