// fuzzy_cmeans.h: fuzzy C-means clustering (Bezdek 1981): points belong to every cluster, to some more than to others.
//
// With the fuzzifier m > 1, the points x and the centers v:
//
//   u_nk = |x_n - v_k|^(-2/(m-1)) / sum_l |x_n - v_l|^(-2/(m-1))       memberships, sum_k u_nk = 1
//   v_k  = sum_n u_nk^m x_n / sum_n u_nk^m                            centers
//   J    = sum_nk u_nk^m |x_n - v_k|^2                                what a round, centers then memberships, lowers
//
// A point that coincides with centers belongs to those alone, in equal parts. The nearer m to 1, the harder the
// clusters.
#pragma once

#include <cstdint>
#include <vector>

#include "carousel/tensor.h"

namespace carousel {

// Throws Error{kUsage} unless it is above 1 and finite.
void require_fuzzifier(double fuzzifier);

// points [N, D], centers [K, D] -> out [N, K]. T is float or double; the sums are double.
// REQUIRES: shapes as given, fuzzifier > 1.
template <class T>
void memberships(View<const T> points, View<const T> centers, double fuzzifier, View<T> out);

struct FuzzyClusters {
  BasicTensor<double> centers;           // [K, D]
  BasicTensor<double> memberships;       // [N, K], of the centers
  std::vector<double> objective;         // J after each round, of its centers and the memberships before them
  double partition_coefficient() const;  // sum u^2 / N: from 1 / K (all alike) to 1 (each point in one cluster)
};

// Rounds from the memberships `start` [N, K], rows adding up to 1, until no membership changes by `tolerance` or more;
// at most `rounds`. points [N, D]. Throws Error{kUsage} as require_fuzzifier does, or if the shapes do not fit.
FuzzyClusters fuzzy_cmeans(View<const double> points, const BasicTensor<double>& start, double fuzzifier,
                           std::int64_t rounds, double tolerance = 0);

// The fuzzifier for N points of D values at which structureless points give no clusters (Schwaemmle and Jensen 2010,
// Bioinformatics 26, equation 5): about 2 for few values, towards 1 for many, where m = 2 would make all memberships
// equal.
double fuzzifier_for(std::int64_t points, std::int64_t values);

}  // namespace carousel
