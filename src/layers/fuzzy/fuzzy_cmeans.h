// fuzzy_cmeans.h: fuzzy C-means clustering (Bezdek 1981): points belong to every cluster, to some more than to others.
//
// Centers and memberships u (fuzzy_memberships.h) in turn, with the fuzzifier m:
//
//   v_k  = sum_n u_nk^m x_n / sum_n u_nk^m                            centers
//   J    = sum_nk u_nk^m |x_n - v_k|^2                                what a round, centers then memberships, lowers
#pragma once

#include <cstdint>
#include <vector>

#include "carousel/tensor.h"
#include "layers/fuzzy/fuzzy_memberships.h"

namespace carousel {

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
