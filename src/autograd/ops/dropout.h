// dropout.h: sets elements to zero at random while training, and scales the others so that the mean stays
// (Srivastava et al. 2014; one mask per sequence: Gal and Ghahramani 2016).
//
//   y[i] = m[i] x[i]      m[i] = 0 with probability p, else 1 / (1 - p)      dx[i] = m[i] dy[i]
//
// m[i] is 0 if word i % 4 of philox(key, i / 4) is less than 2^32 p: a pure function of the key and i, so neither
// threads nor a resume can change it. With p = 0 the input comes back as it is. Throws Error{kUsage} unless 0 <= p < 1.
#pragma once

#include <span>

#include "base/random.h"
#include "carousel/autograd.h"

namespace carousel {

// One mask element per element of x.
template <class T>
BasicVariable<T> dropout(BasicVariable<T> x, double probability, const RandomKey& key);

// One mask row per sequence: y[row, j] = m[sample_of_row[row], j] x[row, j] for packed rows x [rows, C] and a mask of
// shape [samples, C], the same at every time step. Throws Error{kUsage} if a sample is out of range.
template <class T>
BasicVariable<T> dropout_per_sequence(BasicVariable<T> x, double probability, const RandomKey& key,
                                      std::span<const std::int64_t> sample_of_row, std::int64_t samples);

// The mask itself (0 or 1 / (1 - p)), for operations that apply it themselves.
template <class T>
void fill_dropout_mask(double probability, const RandomKey& key, std::span<T> mask);

}  // namespace carousel
