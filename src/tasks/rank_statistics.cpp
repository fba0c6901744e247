#include "tasks/rank_statistics.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

namespace carousel {
namespace {

constexpr std::size_t kMostExact = 50;  // values; their ways of being dealt out still count exactly in a double

// Twice the rank of each value (from 1), so that the mean rank of a run of equal values is whole, too.
std::vector<std::int64_t> doubled_ranks(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return values[i] < values[j]; });
  std::vector<std::int64_t> ranks(values.size());
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    for (std::size_t k = begin; k < end; ++k) ranks[order[k]] = static_cast<std::int64_t>(begin + 1 + end);
  }
  return ranks;
}

// The share of all choices of `count` ranks whose sum is at least as far from the mean as `sum`.
double exact_p(const std::vector<std::int64_t>& ranks, std::size_t count, std::int64_t sum) {
  const auto total = static_cast<std::size_t>(std::accumulate(ranks.begin(), ranks.end(), std::int64_t{0}));
  std::vector<std::vector<double>> ways(count + 1, std::vector<double>(total + 1));  // [chosen][their sum]
  ways[0][0] = 1;
  for (const std::int64_t rank : ranks) {
    const auto step = static_cast<std::size_t>(rank);
    for (std::size_t k = count; k > 0; --k) {
      for (std::size_t s = step; s <= total; ++s) ways[k][s] += ways[k - 1][s - step];
    }
  }
  const std::int64_t mean = static_cast<std::int64_t>(count) * (std::ssize(ranks) + 1);  // of doubled ranks
  double all = 0, as_far = 0;
  for (std::size_t s = 0; s <= total; ++s) {
    all += ways[count][s];
    if (std::abs(static_cast<std::int64_t>(s) - mean) >= std::abs(sum - mean)) as_far += ways[count][s];
  }
  return as_far / all;
}

double normal_p(const std::vector<double>& values, double u, double n, double m) {
  std::vector<double> sorted = values;
  std::sort(sorted.begin(), sorted.end());
  double ties = 0;
  for (auto begin = sorted.begin(); begin != sorted.end();) {
    const auto end = std::upper_bound(begin, sorted.end(), *begin);
    const auto equal = static_cast<double>(end - begin);
    ties += equal * equal * equal - equal;
    begin = end;
  }
  const double size = n + m, variance = n * m / 12 * (size + 1 - ties / (size * (size - 1)));
  if (!(variance > 0)) return 1;  // all values are equal
  return std::erfc(std::max(0.0, std::abs(u - n * m / 2) - 0.5) / std::sqrt(2 * variance));
}

}  // namespace

double quantile(std::span<const double> values, double share) {
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const double fraction = place - std::floor(place);
  if (fraction == 0) return sorted[below];
  const double low = sorted[below], high = sorted[below + 1];
  if (!std::isfinite(low) || !std::isfinite(high)) return std::isfinite(low) ? high : low;
  return low + fraction * (high - low);
}

RankTest mann_whitney(std::span<const double> a, std::span<const double> b) {
  std::vector<double> values(a.begin(), a.end());
  values.insert(values.end(), b.begin(), b.end());
  const std::vector<std::int64_t> ranks = doubled_ranks(values);
  const std::int64_t sum = std::accumulate(ranks.begin(), ranks.begin() + std::ssize(a), std::int64_t{0});
  const auto n = static_cast<double>(a.size()), m = static_cast<double>(b.size());
  RankTest test;
  test.u = static_cast<double>(sum) / 2 - n * (n + 1) / 2;
  test.exact = values.size() <= kMostExact;
  test.p = test.exact ? exact_p(ranks, a.size(), sum) : normal_p(values, test.u, n, m);
  return test;
}

std::vector<double> holm_adjusted(std::span<const double> p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return p[i] < p[j]; });
  std::vector<double> adjusted(p.size());
  double largest = 0;
  for (std::size_t k = 0; k < order.size(); ++k) {
    largest = std::max(largest, std::min(1.0, p[order[k]] * static_cast<double>(order.size() - k)));
    adjusted[order[k]] = largest;
  }
  return adjusted;
}

}  // namespace carousel
