// coverage_loss.h: what looking at the same states of a memory again costs.
//
//   L = sum over steps t, samples and states j of min(a_tj, u_tj)      a: weights, u: coverage (attention_memory.h)
//
// (See et al. 2017, eq. 12.)
#pragma once

#include <span>

#include "layers/attention/attention_memory.h"

namespace carousel {

// L of all steps of a decoder with coverage (DecoderOutput::steps), a scalar; empty if none has a step before it.
template <class T>
BasicVariable<T> coverage_loss(std::span<const Attended<T>> steps);

}  // namespace carousel
