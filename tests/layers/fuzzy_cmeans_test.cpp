// Oracles: the fixtures numpy/fuzzy_cmeans (another implementation), run by carousel_fixtures; here closed forms.
#include "layers/fuzzy/fuzzy_cmeans.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/expect_error.h"

namespace carousel {
namespace {

View<const double> view_of(const BasicTensor<double>& tensor) { return tensor.view(); }

BasicTensor<double> column(std::initializer_list<double> values) {
  BasicTensor<double> tensor({static_cast<std::int64_t>(values.size()), 1});
  std::copy(values.begin(), values.end(), tensor.data());
  return tensor;
}

TEST(FuzzyCmeans, MembershipsFollowTheDistances) {
  // Distances 1 and 3 from the centers 0 and 4: with m = 2 shares of 1/1 and 1/9, with m = 3 of 1 and 1/3.
  const BasicTensor<double> points = column({1}), centers = column({0, 4});
  BasicTensor<double> shares({1, 2});
  memberships<double>(view_of(points), view_of(centers), 2, shares.view());
  EXPECT_NEAR(0.9, shares[0], 1e-15);
  EXPECT_NEAR(0.1, shares[1], 1e-15);
  memberships<double>(view_of(points), view_of(centers), 3, shares.view());
  EXPECT_NEAR(0.75, shares[0], 1e-15);
}

TEST(FuzzyCmeans, APointOnCentersBelongsToThoseAloneInEqualParts) {
  const BasicTensor<double> points = column({2, 5}), centers = column({2, 7, 2});
  BasicTensor<double> shares({2, 3});
  memberships<double>(view_of(points), view_of(centers), 2, shares.view());
  EXPECT_EQ(0.5, shares[0]);
  EXPECT_EQ(0.0, shares[1]);
  EXPECT_EQ(0.5, shares[2]);
}

TEST(FuzzyCmeans, HardFuzzifiersAndFarPointsDoNotOverflow) {
  const BasicTensor<double> points = column({1e150, 0.5}), centers = column({0, 1e-150, 1});
  BasicTensor<double> shares({2, 3});
  memberships<double>(view_of(points), view_of(centers), 1.01, shares.view());
  for (std::int64_t n = 0; n < 2; ++n) {
    EXPECT_NEAR(1, shares[n * 3] + shares[n * 3 + 1] + shares[n * 3 + 2], 1e-12);
  }
}

TEST(FuzzyCmeans, TwoHeapsAreFoundAndTheObjectiveFalls) {
  const BasicTensor<double> points = column({-0.1, 0, 0.1, 9.9, 10, 10.1});
  BasicTensor<double> start({6, 2});
  for (std::int64_t n = 0; n < 6; ++n) {
    start[2 * n] = n % 2 == 0 ? 0.6 : 0.3;
    start[2 * n + 1] = 1 - start[2 * n];
  }
  const FuzzyClusters found = fuzzy_cmeans(view_of(points), start, 2, 100, 1e-12);
  EXPECT_LT(found.objective.size(), 100U);
  for (std::size_t k = 1; k < found.objective.size(); ++k)
    EXPECT_LE(found.objective[k], found.objective[k - 1] + 1e-12);
  const double low = std::min(found.centers[0], found.centers[1]), high = std::max(found.centers[0], found.centers[1]);
  EXPECT_NEAR(0, low, 0.01);
  EXPECT_NEAR(10, high, 0.01);
  EXPECT_GT(found.partition_coefficient(), 0.99);
}

TEST(FuzzyCmeans, TheFuzzifierFallsWithTheNumberOfValues) {
  // Equation 5 of Schwaemmle and Jensen by hand: N = 1000, D = 10.
  EXPECT_NEAR(1 + 23.468 / 100 + 0.25533 * std::pow(10, -0.0406 * std::log(1000.0) - 0.1134), fuzzifier_for(1000, 10),
              1e-9);
  EXPECT_GT(fuzzifier_for(500, 2), fuzzifier_for(500, 200));
  EXPECT_GT(fuzzifier_for(4096, 5000), 1);
}

TEST(FuzzyCmeans, WrongShapesAndFuzzifiersAreErrors) {
  const BasicTensor<double> points = column({1, 2});
  expect_error(Code::kUsage, {"[3, 2]"}, [&] { fuzzy_cmeans(view_of(points), BasicTensor<double>({3, 2}), 2, 1); });
  expect_error(Code::kUsage, {"fuzzifier"}, [&] { fuzzy_cmeans(view_of(points), BasicTensor<double>({2, 2}), 1, 1); });
}

}  // namespace
}  // namespace carousel
