// Oracle: shifts and factors counted by hand; every transform undone by its inverse; the likelihood of Box-Cox on a
// grid.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/random.h"
#include "data/series/scaler.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"

namespace carousel {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

Series made(std::vector<double> values, std::int64_t columns = 1) {
  Series series;
  for (std::int64_t c = 0; c < columns; ++c) series.columns.push_back(fmt::format("x{}", c));
  series.values = std::move(values);
  return series;
}

Scaler fit_all(const Series& series, const ScalerOptions& options = {}) {
  return Scaler::fit(series, train_on_all(series).train, options);
}

TEST(Scaler, MeanAndDeviationAreOfTheTrainingPartOnly) {
  const Series series = made({1, 5, 3, 5, 5, 5, 7, 5, 1000, -9, -1000, 77}, 2);
  const Scaler scaler = Scaler::fit(series, split_series(series, "4,2").train);
  EXPECT_EQ(scaler.columns()[0].shift, 4);
  EXPECT_NEAR(scaler.columns()[0].factor, std::sqrt(5.0), 1e-15);
  EXPECT_EQ(scaler.columns()[1], (ColumnScaling{5, 1}));  // constant: factor 1
  Series other = series;
  for (std::size_t i = 8; i < 12; ++i) other.values[i] = 0;
  EXPECT_EQ(Scaler::fit(other, split_series(other, "4,2").train).columns(), scaler.columns());
}

// 0, 1, 2, 3, 10 with a missing value between them: mean 3.2, quartiles 1 and 3.
TEST(Scaler, EveryScalingIsAsItsTableSaysAndLeavesOutMissingValues) {
  const Series series = made({10, 1, kNone, 0, 3, 2});
  const auto fitted = [&](Scaling scaling) { return fit_all(series, {scaling}).columns()[0]; };
  EXPECT_NEAR(fitted(Scaling::kStandard).shift, 3.2, 1e-15);
  EXPECT_NEAR(fitted(Scaling::kStandard).factor, std::sqrt(62.8 / 5), 1e-14);  // 114 / 5 - 3.2^2
  EXPECT_EQ(fitted(Scaling::kMinMax), (ColumnScaling{0, 10}));
  EXPECT_EQ(fitted(Scaling::kRobust), (ColumnScaling{2, 2}));
  EXPECT_EQ(fitted(Scaling::kMean), (ColumnScaling{0, 3.2}));
  EXPECT_EQ(fitted(Scaling::kNone), (ColumnScaling{0, 1}));
  EXPECT_TRUE(std::isnan(fit_all(series).transform(series).values[2]));
}

TEST(Scaler, AConstantColumnOfAnySizeHasFactorOne) {
  const Series series = made(std::vector<double>(1000, 0.1 + 1e5));  // its mean is not exact in binary
  for (Scaling scaling : {Scaling::kStandard, Scaling::kMinMax, Scaling::kRobust}) {
    EXPECT_EQ(fit_all(series, {scaling}).columns()[0].factor, 1.0);
  }
}

TEST(Scaler, SeveralSeriesShareOneScalerOfAllTheirTrainingParts) {
  const std::vector<Series> list = {made({0, 2, 99}), made({4, 6, 8, 99})};
  const std::vector<SeriesSplit> splits = {split_series(list[0], "2,1"), split_series(list[1], "3,1")};
  const ColumnScaling fitted = Scaler::fit(list, splits).columns()[0];  // 0, 2, 4, 6, 8
  EXPECT_EQ(fitted.shift, 4);
  EXPECT_NEAR(fitted.factor, std::sqrt(8.0), 1e-15);
}

// 1e-12 of the size of the values, in every combination: the promise for forecasts in the units of the data.
TEST(Scaler, EveryScalingAndTransformIsUndoneToTwelveDigits) {
  constexpr std::int64_t kRows = 60, kOrigin = 40, kSeason = 7;
  Series series = made(std::vector<double>(2 * kRows), 2);
  fill_normal({7, Purpose::kTest, 1}, 0.0, 1.0, std::span<double>(series.values));
  for (double& value : series.values) value = 300 * std::exp(value);
  for (Scaling scaling : {Scaling::kStandard, Scaling::kMinMax, Scaling::kRobust, Scaling::kMean, Scaling::kNone}) {
    for (Transform transform : {Transform::kNone, Transform::kLog, Transform::kBoxCox, Transform::kDifference,
                                Transform::kSeasonalDifference}) {
      const Scaler scaler = Scaler::fit(series, split_series(series, "40,20").train, {scaling, transform, 1, kSeason});
      const Series scaled = scaler.transform(series);
      const std::vector<std::int64_t> columns = {1, 0};  // only column 0 is transformed
      std::vector<double> path, expected;
      for (std::int64_t t = kOrigin; t < kRows; ++t) {
        for (std::int64_t column : columns) {
          path.push_back(scaler.inverse(scaled.at(t, column), column));
          expected.push_back(series.at(t, column));
        }
      }
      scaler.add_up(series, kOrigin, columns, path);
      for (std::size_t i = 0; i < path.size(); ++i) {
        ASSERT_NEAR(path[i], expected[i], 1e-12 * 300 * 10)
            << static_cast<int>(scaling) << " " << static_cast<int>(transform);
      }
      EXPECT_EQ(Scaler(scaler.columns()).columns(), scaler.columns());
    }
  }
}

TEST(Scaler, DifferencesStartFromTheLastKnownValueBeforeTheOrigin) {
  const Series series = made({1, 4, 9, kNone, 25});
  const Scaler scaler({{0, 1, Transform::kDifference, 0, 1}});
  const Series scaled = scaler.transform(series);
  EXPECT_TRUE(std::isnan(scaled.values[0]));
  EXPECT_EQ(scaled.values[1], 3);
  EXPECT_TRUE(std::isnan(scaled.values[3]) && std::isnan(scaled.values[4]));
  std::vector<double> path = {10, 1, 1};
  const std::vector<std::int64_t> columns = {0};
  scaler.add_up(series, 4, columns, path);  // row 3 is missing: from 9
  EXPECT_EQ(path, (std::vector<double>{19, 20, 21}));
  const Scaler seasonal({{0, 1, Transform::kSeasonalDifference, 0, 2}});
  path = {10, 1, 1};
  seasonal.add_up(series, 3, columns, path);  // from 4, 9, then the first forecast
  EXPECT_EQ(path, (std::vector<double>{14, 10, 15}));
}

TEST(Scaler, LogarithmsNeverComeBackNegativeAndNeedPositiveValues) {
  Series series = made({1, std::exp(2.0), 1, std::exp(2.0)});
  const ScalerOptions options{Scaling::kStandard, Transform::kLog, 1};
  const Scaler scaler = fit_all(series, options);
  expect_near(scaler.transform(series).values, std::vector<double>{-1, 1, -1, 1}, 1e-15, "scaled");
  EXPECT_NEAR(scaler.inverse(-1, 0), 1, 1e-15);
  EXPECT_GT(scaler.inverse(-20, 0), 0);
  series.values[3] = 0;
  expect_error(Code::kData, {"'x0'", "value 0 at step 3", "above 0"}, [&] { fit_all(series, options); });
  expect_error(Code::kData, {"value 0 at step 3"}, [&] { static_cast<void>(scaler.transform(series)); });
}

// Values whose square root is normal: the likelihood of every lambda of a grid is at most that of the one found.
TEST(Scaler, BoxCoxTakesTheLambdaOfTheGreatestLikelihood) {
  Series series = made(std::vector<double>(4000));
  fill_normal({3, Purpose::kTest, 2}, 10.0, 1.0, std::span<double>(series.values));
  for (double& value : series.values) value = value * value;
  const double found = fit_all(series, {Scaling::kStandard, Transform::kBoxCox, 1}).columns()[0].lambda;
  EXPECT_NEAR(found, 0.5, 0.15);
  const auto likelihood = [&](double lambda) {
    double sum = 0, squares = 0, logarithms = 0;
    for (double value : series.values) {
      const double mapped = (std::pow(value, lambda) - 1) / lambda;
      sum += mapped;
      squares += mapped * mapped;
      logarithms += std::log(value);
    }
    const double n = static_cast<double>(series.values.size()), mean = sum / n;
    return -n / 2 * std::log(squares / n - mean * mean) + (lambda - 1) * logarithms;
  };
  for (double lambda = 0.05; lambda <= 2; lambda += 0.05)
    EXPECT_LE(likelihood(lambda), likelihood(found) + 1e-6) << lambda;
  for (double& value : series.values) value = std::exp(std::sqrt(value));  // its logarithm is normal
  EXPECT_NEAR(fit_all(series, {Scaling::kStandard, Transform::kBoxCox, 1}).columns()[0].lambda, 0, 0.03);
}

TEST(Scaler, StoredNumbersAndNamesAreChecked) {
  expect_error(Code::kModel, {"column 1"}, [] { Scaler({{1, 3}, {2, 0}}); });
  expect_error(Code::kModel, {"column 0"}, [] { Scaler({{NAN, 1}}); });
  expect_error(Code::kModel, {"lambda 3"}, [] { Scaler({{0, 1, Transform::kBoxCox, 3, 0}}); });
  expect_error(Code::kModel, {"lag 0"}, [] { Scaler({{0, 1, Transform::kDifference, 0, 0}}); });
  EXPECT_EQ(parse_scaling("robust"), Scaling::kRobust);
  EXPECT_EQ(parse_transform("seasonal-difference"), Transform::kSeasonalDifference);
  expect_error(Code::kUsage, {"'minmax'", "standard, min-max"}, [] { parse_scaling("minmax"); });
}

}  // namespace
}  // namespace carousel
