// Oracle: values made by hand.
#include "tasks/regress/regress_report.h"

#include <gtest/gtest.h>

namespace carousel {
namespace {

TEST(RegressReport, PredictionsStandOverTheActualValuesBesideTheDiagonal) {
  const LineChart chart = agreement_chart({"price", {3, 1, 2}, {30, 10, 20}});
  EXPECT_EQ(chart.lines[0].x, (std::vector<double>{1, 3}));
  EXPECT_EQ(chart.lines[0].y, (std::vector<double>{1, 3}));
  EXPECT_EQ(chart.lines[1].x, (std::vector<double>{3, 1, 2}));
  EXPECT_EQ(chart.lines[1].y, (std::vector<double>{30, 10, 20}));
  EXPECT_TRUE(chart.lines[1].points);
}

TEST(RegressReport, OfManyValuesEverySoManyAreDrawn) {
  RegressValues values{"price", {}, {}};
  for (int i = 0; i < 6001; ++i) values.actual.push_back(i), values.predicted.push_back(-i);
  const LineChart chart = agreement_chart(values);
  ASSERT_EQ(chart.lines[1].x.size(), 1501U);  // every fourth, so that there are no more than 2000
  EXPECT_EQ(chart.lines[1].x[1500], 6000);
  EXPECT_EQ(chart.lines[1].y[1500], -6000);
  EXPECT_EQ(chart.lines[0].x, (std::vector<double>{0, 6000}));
}

TEST(RegressReport, TheCurveRunsAlongTheFeatureWhateverTheOrderOfTheRows) {
  const LineChart chart = curve_chart({2, 0, 1}, {"y", {20, 0, 10}, {21, 1, 11}}, "x");
  EXPECT_EQ(chart.lines[1].x, (std::vector<double>{0, 1, 2}));
  EXPECT_EQ(chart.lines[1].y, (std::vector<double>{1, 11, 21}));
  EXPECT_EQ(chart.lines[0].x, (std::vector<double>{2, 0, 1}));
  EXPECT_TRUE(chart.lines[0].points);
  EXPECT_EQ(chart.x_label, "x");
}

}  // namespace
}  // namespace carousel
