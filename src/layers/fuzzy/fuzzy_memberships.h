// fuzzy_memberships.h: how much a point belongs to each cluster of fuzzy C-means (fuzzy_cmeans.h).
//
// With the fuzzifier m > 1, the points x and the centers v:
//
//   u_nk = |x_n - v_k|^(-2/(m-1)) / sum_l |x_n - v_l|^(-2/(m-1))       sum_k u_nk = 1
//
// A point that coincides with centers belongs to those alone, in equal parts. The nearer m to 1, the harder the
// clusters.
#pragma once

#include "carousel/tensor.h"

namespace carousel {

// Throws Error{kUsage} unless it is above 1 and finite.
void require_fuzzifier(double fuzzifier);

// points [N, D], centers [K, D] -> out [N, K]. T is float or double; the sums are double.
// REQUIRES: shapes as given, fuzzifier > 1.
template <class T>
void memberships(View<const T> points, View<const T> centers, double fuzzifier, View<T> out);

}  // namespace carousel
