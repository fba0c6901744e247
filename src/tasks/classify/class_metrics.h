// class_metrics.h: what a classifier is good at, class by class, and how far its probabilities can be trusted.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "carousel/tensor.h"

namespace carousel {

// precision = tp / (tp + fp)   recall = tp / (tp + fn)   f1 = 2 tp / (2 tp + fp + fn); 0 where nothing is divided.
struct ClassScore {
  double precision = 0, recall = 0, f1 = 0;
  std::int64_t support = 0;  // samples of the class
};

// From the counts [classes, classes] of confusion_counts() (metrics.h): one score per class.
std::vector<ClassScore> class_scores(std::span<const std::int64_t> counts, std::int64_t classes);

// Samples whose most probable class has a probability in one of equally wide intervals of (0, 1].
struct CalibrationBin {
  std::int64_t count = 0;
  double confidence = 0, accuracy = 0;  // mean of that probability; how many of them are right. 0 for no samples
};

// probabilities [samples, classes], rows of sum 1; labels [samples]. The first of equally probable classes counts.
std::vector<CalibrationBin> calibration_bins(const Tensor& probabilities, std::span<const std::int32_t> labels,
                                             std::int64_t bins);

// The mean of |accuracy - confidence| of the bins, weighed by their samples (Guo et al. 2017); 0 for no samples.
double expected_calibration_error(std::span<const CalibrationBin> bins);

// The mean of -log of the probability of the true class, in nats.
double negative_log_likelihood(const Tensor& probabilities, std::span<const std::int32_t> labels);

}  // namespace carousel
