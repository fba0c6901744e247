// Oracle: all ways of dealing out the values one by one; the worked example of SciPy's documentation of mannwhitneyu
// (exact and normal p); a table of critical values (Mann and Whitney 1947); R's quantile() and p.adjust() by hand.
#include "tasks/rank_statistics.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

namespace carousel {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
using Values = std::vector<double>;

double pairs_won(const Values& a, const Values& b) {
  double u = 0;
  for (const double x : a) {
    for (const double y : b) u += x > y ? 1 : x == y ? 0.5 : 0;
  }
  return u;
}

// The share of the subsets of a.size() values whose u is at least as far from the mean as that of `a`.
double p_of_all_deals(const Values& a, const Values& b) {
  Values all = a;
  all.insert(all.end(), b.begin(), b.end());
  const double mean = static_cast<double>(a.size() * b.size()) / 2, far = std::abs(pairs_won(a, b) - mean);
  double deals = 0, as_far = 0;
  for (unsigned chosen = 0; chosen < 1U << all.size(); ++chosen) {
    if (static_cast<std::size_t>(std::popcount(chosen)) != a.size()) continue;
    Values first, second;
    for (std::size_t k = 0; k < all.size(); ++k) ((chosen >> k & 1U) != 0 ? first : second).push_back(all[k]);
    ++deals;
    if (std::abs(pairs_won(first, second) - mean) >= far) ++as_far;
  }
  return as_far / deals;
}

TEST(RankStatistics, TheExactTestCountsAllWaysOfDealingOutTheValues) {
  const std::vector<std::pair<Values, Values>> cases{
      {{1, 2, 3}, {4, 5, 6, 7}},           {{0.9, 0.4, 0.7}, {0.1, 0.8}},
      {{1, 1, 2, 3}, {1, 2, 2, 5, 5}},     {{2, 2}, {2, 2, 2}},
      {{kInfinity, 1}, {kInfinity, 0, 3}}, {{3}, {4}},
      {{5, 1, 9, 7, 7}, {7, 2, 2, 6, 10}}, {{1, 2, 2, 2, 9, 9}, {0}},
  };
  for (const auto& [a, b] : cases) {
    const RankTest test = mann_whitney(a, b);
    EXPECT_TRUE(test.exact);
    EXPECT_DOUBLE_EQ(test.u, pairs_won(a, b));
    EXPECT_NEAR(test.p, p_of_all_deals(a, b), 1e-14) << test.u;
    EXPECT_DOUBLE_EQ(mann_whitney(b, a).p, test.p);
    EXPECT_DOUBLE_EQ(mann_whitney(b, a).u + test.u, static_cast<double>(a.size() * b.size()));
  }
}

TEST(RankStatistics, KnownValues) {
  // SciPy's documentation: the ages at which men and women were diagnosed, u = 17, p = 0.1111111111111111.
  const Values men{19, 22, 16, 29, 24}, women{20, 11, 17, 12};
  EXPECT_EQ(mann_whitney(men, women).u, 17);
  EXPECT_NEAR(mann_whitney(men, women).p, 0.1111111111111111, 1e-15);
  // Of 8 and 8 values u = 13 is significant at 0.05, two-sided, u = 14 is not (Mann and Whitney's table).
  const auto p_of = [](const std::vector<int>& beaten) {
    Values a, b;
    for (std::size_t k = 0; k < beaten.size(); ++k) {
      a.push_back(beaten[k] + 0.1 + 0.01 * static_cast<double>(k));  // above so many of 1 .. 8
      b.push_back(static_cast<double>(k) + 1);
    }
    return mann_whitney(a, b);
  };
  EXPECT_EQ(p_of({0, 0, 0, 1, 1, 2, 4, 5}).u, 13);
  EXPECT_LT(p_of({0, 0, 0, 1, 1, 2, 4, 5}).p, 0.05);
  EXPECT_EQ(p_of({0, 0, 0, 1, 1, 2, 4, 6}).u, 14);
  EXPECT_GT(p_of({0, 0, 0, 1, 1, 2, 4, 6}).p, 0.05);
}

// The normal approximation stands beside the exact one at the border where it takes over.
TEST(RankStatistics, ManyValuesGetTheNormalApproximation) {
  Values a, b;
  for (int k = 0; k < 25; ++k) a.push_back(k * 7 % 25 + 4.25);
  for (int k = 0; k < 25; ++k) b.push_back(k * 11 % 25);
  const RankTest exact = mann_whitney(a, b);
  ASSERT_TRUE(exact.exact);
  b.push_back(12.1);  // 51 values
  const RankTest normal = mann_whitney(a, b);
  ASSERT_FALSE(normal.exact);
  const double mean = 25.0 * 26 / 2, deviation = std::sqrt(25.0 * 26 * 52 / 12);
  EXPECT_NEAR(normal.p, std::erfc((normal.u - mean - 0.5) / deviation / std::sqrt(2.0)), 1e-15);
  EXPECT_NEAR(normal.p, exact.p, 0.03);
  EXPECT_EQ(mann_whitney(Values(30, 1.0), Values(30, 1.0)).p, 1);
}

// Ties shrink the variance: by the formula, with one run of 20 and one of 40 equal values.
TEST(RankStatistics, TheNormalApproximationKnowsTies) {
  Values a(30, 1.0), b(30, 1.0);
  for (std::size_t k = 0; k < 5; ++k) a[k] = 2;
  for (std::size_t k = 0; k < 15; ++k) b[k] = 2;
  const RankTest test = mann_whitney(a, b);
  EXPECT_EQ(test.u, pairs_won(a, b));
  const double ties = (20.0 * 20 * 20 - 20) + (40.0 * 40 * 40 - 40);
  const double variance = 30.0 * 30 / 12 * (61 - ties / (60.0 * 59));
  EXPECT_NEAR(test.p, std::erfc((450 - test.u - 0.5) / std::sqrt(2 * variance)), 1e-15);
}

TEST(RankStatistics, QuantilesLieBetweenNeighbours) {
  const Values values{40, 10, 30, 20};
  EXPECT_DOUBLE_EQ(quantile(values, 0), 10);
  EXPECT_DOUBLE_EQ(quantile(values, 0.25), 17.5);
  EXPECT_DOUBLE_EQ(quantile(values, 0.5), 25);
  EXPECT_DOUBLE_EQ(quantile(values, 0.75), 32.5);
  EXPECT_DOUBLE_EQ(quantile(values, 1), 40);
  EXPECT_DOUBLE_EQ(quantile(Values{7}, 0.25), 7);
  EXPECT_EQ(quantile(Values{1, kInfinity, 2}, 0.75), kInfinity);
  EXPECT_EQ(quantile(Values{-kInfinity, 1, -kInfinity}, 0.75), -kInfinity);
  EXPECT_EQ(quantile(Values{1, 2, kInfinity}, 0.5), 2);
}

TEST(RankStatistics, HolmRaisesTheSmallestMost) {
  const Values raised = holm_adjusted(Values{0.04, 0.01, 0.03, 0.9});
  const Values expected{0.09, 0.04, 0.09, 0.9};  // 2 * 0.04 = 0.08 < 3 * 0.03: never below a smaller one's
  ASSERT_EQ(raised.size(), expected.size());
  for (std::size_t k = 0; k < raised.size(); ++k) EXPECT_DOUBLE_EQ(raised[k], expected[k]) << k;
  EXPECT_DOUBLE_EQ(holm_adjusted(Values{0.6, 0.7})[0], 1);
}

}  // namespace
}  // namespace carousel
