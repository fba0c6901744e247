// rank_statistics.h: samples of results compared by their order alone, whatever their distribution.
//
// Values may be infinite (a training that diverged is worse than any that did not), never NaN.
#pragma once

#include <span>
#include <vector>

namespace carousel {

// The value below which this share (0 .. 1) of the values lies, interpolated between neighbours (Hyndman and Fan 1996,
// type 7, the default of R and NumPy). Between a finite and an infinite value it is the infinite one.
// REQUIRES: not empty.
double quantile(std::span<const double> values, double share);

// The Mann-Whitney U test (the Wilcoxon rank-sum test) of "both samples come from one distribution", two-sided.
struct RankTest {
  double u = 0;        // pairs (a, b) with a > b, a tie counting half: 0 .. a.size() b.size()
  double p = 1;        // probability of a u at least as far from its mean, were there no difference
  bool exact = false;  // counted over all ways of dealing out the values; else the normal approximation
};

// Exact for up to 50 values in all, with ties as well; beyond that the normal approximation with corrections for ties
// and for continuity. REQUIRES: neither is empty.
RankTest mann_whitney(std::span<const double> a, std::span<const double> b);

// p-values of several tests, raised so that the probability of any false finding among them stays below the level that
// they are held to (Holm 1979). In the order given.
std::vector<double> holm_adjusted(std::span<const double> p);

}  // namespace carousel
