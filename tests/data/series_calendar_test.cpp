// Oracle: points of a circle for dates whose place in the cycle is known from the calendar.
#include <gtest/gtest.h>

#include <cmath>

#include "data/series/calendar.h"

namespace carousel {
namespace {

std::int64_t time_of(const char* text) { return parse_time(text)->begin; }

void expect_point(const char* feature, const char* time, double sine, double cosine) {
  const CyclePoint point = calendar_point(feature, time_of(time));
  EXPECT_NEAR(point.sine, sine, 1e-12) << feature << " " << time;
  EXPECT_NEAR(point.cosine, cosine, 1e-12) << feature << " " << time;
}

TEST(Calendar, APointIsThePartOfTheCycleThatHasPassed) {
  const double half = 0.5, root = std::sqrt(3.0) / 2;
  expect_point("hour", "1969-05-05 00:00", 0, 1);
  expect_point("hour", "2020-05-05 06:00", 1, 0);
  expect_point("hour", "2020-05-05 22:00", -half, root);
  expect_point("weekday", "2020-01-06", 0, 1);  // a Monday
  expect_point("weekday", "2020-01-09 12:00", 0, -1);
  expect_point("monthday", "2020-02-01", 0, 1);
  expect_point("monthday", "2021-02-08", 1, 0);  // 7 of 28
  expect_point("yearday", "2020-07-02", 0, -1);  // 183 of 366
  expect_point("month", "2020-04", 1, 0);
  expect_point("month", "2020-12-31", -half, root);
}

TEST(Calendar, AutoTakesCyclesOfSeveralStepsThatTrainingCoversTwice) {
  const auto features = [](std::vector<std::string> times, std::int64_t rows, std::int64_t step) {
    TimeReader reader;
    std::string problem;
    const std::int64_t first = reader.read(times[0], problem)->begin;
    Series series;
    series.columns = {"x"};
    series.values.resize(static_cast<std::size_t>(rows));
    const TimeStep unit{step > 0 ? TimeStep::Unit::kSecond : TimeStep::Unit::kMonth, step > 0 ? step : 1, 1, 0};
    series.times = TimeAxis::regular(unit, reader.writing(), unit.place(first), rows);
    return fitting_calendar_features(series.times, train_on_all(series).train);
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(features({"2020-01-01 00:00"}, 40, 3600), (Names{}));
  EXPECT_EQ(features({"2020-01-01 00:00"}, 50, 3600), (Names{"hour"}));
  EXPECT_EQ(features({"2020-01-01 00:00"}, 400, 3600), (Names{"hour", "weekday"}));
  EXPECT_EQ(features({"2020-01-01 00:00"}, 20000, 3600), (Names{"hour", "weekday", "yearday"}));
  EXPECT_EQ(features({"2020-01-01"}, 1000, 86400), (Names{"weekday", "yearday"}));
  EXPECT_EQ(features({"2020-01"}, 30, 0), (Names{"month"}));
  EXPECT_EQ(features({"2020-01"}, 20, 0), (Names{}));
  EXPECT_EQ(features({"7"}, 1000, 3600), (Names{}));
  EXPECT_TRUE(fitting_calendar_features(TimeAxis(), TrainingRange()).empty());
}

}  // namespace
}  // namespace carousel
