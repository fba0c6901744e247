// regression_baselines.h: what any regression must beat: the mean of the training targets, and a linear regression.
//
// Samples are rows of features [N, F]: a row of a table as it is, a sequence by sequence_summary (text_baselines.h).
// The features are standardised inside; the ridge penalty is chosen on every fifth training row.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "carousel/tensor.h"
#include "tasks/baselines/ridge.h"

namespace carousel {

// The mean of each column of targets [N, K]. Throws Error{kUsage} if N is 0.
std::vector<double> mean_target(View<const double> targets);

class LinearBaseline {
 public:
  // features [N, F], targets [N, K]. Throws Error{kUsage} if N differs or is 0.
  static LinearBaseline fit(View<const double> features, View<const double> targets);
  // [N, K] for features [N, F]. Throws Error{kUsage} if F differs.
  BasicTensor<double> predict(View<const double> features) const;

 private:
  BasicTensor<double> standardised(View<const double> features) const;
  std::vector<double> mean_, deviation_;  // [F]
  LinearMap map_;
};

}  // namespace carousel
