// Oracle: counts small enough to work the numbers out by hand.
#include "tasks/classify/class_metrics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tasks/metrics.h"

namespace carousel {
namespace {

TEST(ClassMetrics, PrecisionRecallAndF1OfEachClass) {
  // Class 2 is never predicted, class 3 neither occurs nor is predicted.
  const std::vector<std::int32_t> actual{0, 0, 0, 1, 1, 2}, predicted{0, 0, 1, 1, 0, 0};
  const auto scores = class_scores(confusion_counts(predicted, actual, 4), 4);
  ASSERT_EQ(4u, scores.size());
  EXPECT_DOUBLE_EQ(2.0 / 4, scores[0].precision);
  EXPECT_DOUBLE_EQ(2.0 / 3, scores[0].recall);
  EXPECT_DOUBLE_EQ(4.0 / 7, scores[0].f1);
  EXPECT_EQ(3, scores[0].support);
  EXPECT_DOUBLE_EQ(1.0 / 2, scores[1].precision);
  EXPECT_DOUBLE_EQ(1.0 / 2, scores[1].recall);
  EXPECT_DOUBLE_EQ(0, scores[2].precision);
  EXPECT_DOUBLE_EQ(0, scores[2].f1);
  EXPECT_EQ(1, scores[2].support);
  EXPECT_DOUBLE_EQ(0, scores[3].recall);
  EXPECT_DOUBLE_EQ(macro_f1(predicted, actual, 4), (scores[0].f1 + scores[1].f1 + scores[2].f1) / 3);
}

TEST(ClassMetrics, CalibrationByHand) {
  // Confidences 0.75 right, 0.625 wrong, 1 right, 0.5 (first of equals) right.
  const Tensor probabilities({4, 2}, std::vector<float>{0.75F, 0.25F, 0.375F, 0.625F, 0, 1, 0.5F, 0.5F});
  const std::vector<std::int32_t> labels{0, 0, 1, 0};
  const auto bins = calibration_bins(probabilities, labels, 4);
  ASSERT_EQ(4u, bins.size());
  EXPECT_EQ(0, bins[0].count);
  EXPECT_EQ(1, bins[1].count);  // 0.5 ends the second interval
  EXPECT_DOUBLE_EQ(1, bins[1].accuracy);
  EXPECT_EQ(2, bins[2].count);
  EXPECT_DOUBLE_EQ((0.75 + 0.625) / 2, bins[2].confidence);
  EXPECT_DOUBLE_EQ(0.5, bins[2].accuracy);
  EXPECT_EQ(1, bins[3].count);
  EXPECT_DOUBLE_EQ((0.5 + 2 * 0.1875 + 0) / 4, expected_calibration_error(bins));
  EXPECT_DOUBLE_EQ(-(std::log(0.75) + std::log(0.375) + std::log(0.5)) / 4,
                   negative_log_likelihood(probabilities, labels));
  EXPECT_EQ(0, expected_calibration_error(calibration_bins(Tensor({0, 2}), {}, 4)));
}

// A probability that underflowed costs much, but not everything.
TEST(ClassMetrics, AProbabilityOfZeroIsFinite) {
  const Tensor probabilities({1, 2}, std::vector<float>{0, 1});
  const std::vector<std::int32_t> labels{0};
  EXPECT_NEAR(87.5, negative_log_likelihood(probabilities, labels), 0.1);
}

}  // namespace
}  // namespace carousel
