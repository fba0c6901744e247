// Oracle: closed forms of the scores of known distributions, numbers worked by hand, and integration by brute force.
#include "tasks/forecast/forecast_metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "tests/support/expect_error.h"

namespace carousel {
namespace {

// Oracle: worked by hand; an actual value above the quantile costs level, below it 1 - level.
TEST(ForecastMetrics, PinballIsItsDefinition) {
  EXPECT_DOUBLE_EQ(pinball(2, 5, 0.9), 2.7);
  EXPECT_DOUBLE_EQ(pinball(5, 2, 0.9), 0.3);
  EXPECT_DOUBLE_EQ(pinball(5, 5, 0.9), 0);
}

// Oracle: worked by hand on the line through (0.1, 0) and (0.6, 10).
TEST(ForecastMetrics, QuantilesBetweenLevelsLieOnALine) {
  const std::vector<double> levels{0.1, 0.6, 0.9}, quantiles{0, 10, 12};
  EXPECT_DOUBLE_EQ(quantile_at(levels, quantiles, 0.35), 5);
  EXPECT_DOUBLE_EQ(quantile_at(levels, quantiles, 0.6), 10);
  EXPECT_DOUBLE_EQ(quantile_at(levels, quantiles, 0.75), 11);
  EXPECT_DOUBLE_EQ(quantile_at(levels, quantiles, 0.01), 0);
  EXPECT_DOUBLE_EQ(quantile_at(levels, quantiles, 0.99), 12);
}

// Oracle: for the normal distribution, sigma (z (2 Phi(z) - 1) + 2 phi(z) - 1 / sqrt(pi)) with z = (y - mu) / sigma
// (Gneiting and Raftery 2007, eq. 5); for the uniform one on 0 .. 1, y^2 - y + 1/3 inside; for a point the distance.
TEST(ForecastMetrics, CrpsMatchesTheClosedForms) {
  std::vector<double> levels, normal;
  for (int k = 1; k < 2000; ++k) {
    levels.push_back(k / 2000.0);
    double low = -10, high = 10;  // the normal quantile, by bisection of the distribution
    for (int step = 0; step < 60; ++step) {
      const double middle = (low + high) / 2;
      (std::erfc(-middle / std::numbers::sqrt2) / 2 < levels.back() ? low : high) = middle;
    }
    normal.push_back(3 + 2 * low);
  }
  for (const double y : {-2.5, 2.9, 3.0, 7.5}) {
    const double z = (y - 3) / 2, phi = std::exp(-z * z / 2) / std::sqrt(2 * std::numbers::pi);
    const double expected = 2 * (z * std::erf(z / std::numbers::sqrt2) + 2 * phi - std::numbers::inv_sqrtpi);
    EXPECT_NEAR(crps_from_quantiles(levels, normal, y), expected, 2e-4) << y;
  }
  const std::vector<double> ends{1e-9, 1 - 1e-9}, uniform{0, 1}, one{0.3}, point{4};
  EXPECT_NEAR(crps_from_quantiles(ends, uniform, 0.25), 0.0625 - 0.25 + 1.0 / 3, 1e-8);
  EXPECT_NEAR(crps_from_quantiles(ends, uniform, 2), 1.5 - 1.0 / 6, 1e-8);
  EXPECT_NEAR(crps_from_quantiles(one, point, 1.5), 2.5, 1e-14);
}

// Oracle: a Riemann sum of twice the pinball loss over a million levels.
TEST(ForecastMetrics, CrpsIsTheIntegralOfThePinballLoss) {
  const std::vector<double> levels{0.05, 0.1, 0.5, 0.8, 0.95}, quantiles{-3, -1, -1, 2, 7};
  for (const double y : {-5.0, -2.0, -1.0, 0.3, 6.9, 9.0}) {
    double sum = 0;
    constexpr int kSteps = 1000000;
    for (int k = 0; k < kSteps; ++k) {
      const double level = (k + 0.5) / kSteps;
      sum += 2 * pinball(quantile_at(levels, quantiles, level), y, level) / kSteps;
    }
    EXPECT_NEAR(crps_from_quantiles(levels, quantiles, y), sum, 1e-9) << y;
  }
}

// Oracle: the contract: levels rise inside (0, 1), anything else is named.
TEST(ForecastMetrics, LevelsAreChecked) {
  EXPECT_EQ(parse_levels({"0.1", "0.5"}, "--quantiles"), (std::vector<double>{0.1, 0.5}));
  for (const char* wrong : {"0", "1", "-0.1", "x", "0.2x", "", "nan", "0.1"}) {
    expect_error(Code::kUsage, {"--quantiles 0.1,", "between 0 and 1 in rising order"}, [&] {
      parse_levels({"0.1", wrong}, "--quantiles");
    });
  }
}

}  // namespace
}  // namespace carousel
