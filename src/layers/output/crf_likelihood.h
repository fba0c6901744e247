// crf_likelihood.h: the log-likelihood of sequences of tags under a linear-chain CRF (Lafferty et al. 2001).
//
//   score = start[y_0] + sum_t e[t, y_t] + sum_{t>=1} transitions[y_{t-1}, y_t] + end[y_{n-1}]
//   log_likelihood = score - log_z          log_z: of all sequences of n tags, see crf_sums.h
//
//   d/de[t, k]           = [y_t = k] - p(y_t = k)
//   d/dtransitions[i, j] = sum_{t>=1} [y_{t-1} = i, y_t = j] - p(y_{t-1} = i, y_t = j)
//   d/dstart[k]          = [y_0 = k] - p(y_0 = k)        d/dend[k] = [y_{n-1} = k] - p(y_{n-1} = k)
//
// All sums are formed in double.
#pragma once

#include <cstdint>
#include <span>

#include "carousel/autograd.h"
#include "layers/sequence_layout.h"

namespace carousel {

template <class T>
struct CrfVariables {
  BasicVariable<T> start, end;   // [K]
  BasicVariable<T> transitions;  // [K, K], from the row's tag to the column's
};

// Which tags may begin, end and follow each other (1) or not (0): [K], [K], [K, K]; all empty: every sequence counts.
struct CrfRules {
  std::span<const std::uint8_t> start, end, transitions;
};

// emissions [rows, K] packed by `layout`, which must live until the tape's reset(); tags [rows], used during the call.
// Gives [samples], 0 for a sample of length 0. With rules, log_z is the sum over valid sequences. Throws Error{kUsage}
// if shapes do not fit, a tag is outside 0 .. K-1, or the tags of a sample are not valid.
template <class T>
BasicVariable<T> crf_log_likelihood(BasicVariable<T> emissions, const CrfVariables<T>& weights,
                                    std::span<const std::int32_t> tags, const SequenceLayout& layout,
                                    const CrfRules& rules = {});

}  // namespace carousel
