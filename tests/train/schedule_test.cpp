#include "train/schedule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "tests/support/expect_error.h"

namespace carousel {
namespace {

// Oracle: closed form.
TEST(Schedule, ConstantStaysAndWarmUpRisesInALine) {
  const Schedule constant({}, 0.3, 100);
  EXPECT_EQ(constant.rate(0, 0), 0.3);
  EXPECT_EQ(constant.rate(99, 9), 0.3);
  const Schedule warm({.warmup_steps = 4}, 0.4, 100);
  const double expected[] = {0.1, 0.2, 0.3, 0.4, 0.4, 0.4};
  for (int s = 0; s < 6; ++s) EXPECT_DOUBLE_EQ(warm.rate(s, 0), expected[s]) << s;
}

// Oracle: closed form.
TEST(Schedule, StepDropsAfterEveryPeriod) {
  const Schedule schedule({.kind = ScheduleKind::kStep, .factor = 0.1, .period = 3}, 2, 100);
  const double expected[] = {2, 2, 2, 0.2, 0.2, 0.2, 0.02};
  for (int e = 0; e < 7; ++e) EXPECT_DOUBLE_EQ(schedule.rate(e * 10, e), expected[e]) << e;
}

// Oracle: the schedule of Zaremba et al. 2014: 1 for four epochs, then halved with each.
TEST(Schedule, StepWaitsForItsStart) {
  const Schedule schedule({.kind = ScheduleKind::kStep, .factor = 0.5, .period = 1, .start = 3}, 1, 100);
  const double expected[] = {1, 1, 1, 1, 0.5, 0.25, 0.125};
  for (int e = 0; e < 7; ++e) EXPECT_DOUBLE_EQ(schedule.rate(e * 10, e), expected[e]) << e;
}

// Oracle: closed form: half way cos is 0, at a third it is 1/2, and the end is the floor.
TEST(Schedule, CosineFallsFromTheFullRateToItsFloor) {
  const Schedule schedule({.kind = ScheduleKind::kCosine, .warmup_steps = 10, .floor = 0.2}, 0.5, 70);
  EXPECT_DOUBLE_EQ(schedule.rate(9, 0), 0.5);
  EXPECT_DOUBLE_EQ(schedule.rate(10, 0), 0.5);
  EXPECT_DOUBLE_EQ(schedule.rate(30, 0), 0.5 * (0.2 + 0.8 * 0.75));
  EXPECT_DOUBLE_EQ(schedule.rate(40, 0), 0.5 * 0.6);
  EXPECT_DOUBLE_EQ(schedule.rate(70, 0), 0.1);
  EXPECT_DOUBLE_EQ(schedule.rate(1000, 0), 0.1);
}

// Oracle: closed form. Two epochs without improvement are tolerated, the third drops the rate and the count starts
// anew.
TEST(Schedule, PlateauDropsWhenTheScoreStops) {
  Schedule schedule({.kind = ScheduleKind::kPlateau, .factor = 0.5, .patience = 2}, 1, 100);
  const double scores[] = {3, 2, 2, 1.9999, 2.5, 1, 1, 1, 1, 1, 1, 1, std::nan("")};
  const double rates[] = {1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125, 0.125};
  for (int e = 0; e < 13; ++e) {
    schedule.epoch_ended(scores[e]);
    EXPECT_EQ(schedule.rate(e, e), rates[e]) << e;
  }
}

// Oracle: the same for a score that is the negative of one where more is better.
TEST(Schedule, PlateauTakesNegativeScores) {
  Schedule schedule({.kind = ScheduleKind::kPlateau, .factor = 0.5, .patience = 0}, 1, 100);
  const double scores[] = {-0.5, -0.6, -0.60001, -0.7};
  const double rates[] = {1, 1, 0.5, 0.5};
  for (int e = 0; e < 4; ++e) {
    schedule.epoch_ended(scores[e]);
    EXPECT_EQ(schedule.rate(e, e), rates[e]) << e;
  }
}

// Oracle: the contract in schedule.h.
TEST(Schedule, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(parse_schedule("cosine"), ScheduleKind::kCosine);
  EXPECT_EQ(parse_schedule("step"), ScheduleKind::kStep);
  EXPECT_EQ(parse_schedule("plateau"), ScheduleKind::kPlateau);
  EXPECT_EQ(parse_schedule("warmup"), ScheduleKind::kConstant);
  expect_error(Code::kUsage, {"'cosin'", "cosine"}, [] { parse_schedule("cosin"); });
  expect_error(Code::kUsage, {"factor is 0"}, [] { Schedule({.factor = 0}, 1, 1); });
  expect_error(Code::kUsage, {"period is 0"}, [] { Schedule({.period = 0}, 1, 1); });
  expect_error(Code::kUsage, {"warmup_steps is -1"}, [] { Schedule({.warmup_steps = -1}, 1, 1); });
  expect_error(Code::kUsage, {"floor is 2"}, [] { Schedule({.floor = 2}, 1, 1); });
  expect_error(Code::kUsage, {"learning rate is -1"}, [] { Schedule({}, -1, 1); });
}

}  // namespace
}  // namespace carousel
