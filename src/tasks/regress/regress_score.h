// regress_score.h: how good the predictions of a regression are, and what the plain methods reach.
#pragma once

#include <cstdint>
#include <span>

#include "carousel/layers.h"
#include "tasks/regress/regress_data.h"
#include "tasks/regress/regress_model.h"
#include "tasks/task.h"

namespace carousel {

// rmse, mae and mse over all values.
Metrics score_values(std::span<const double> predicted, std::span<const double> actual);

// Of binary targets [rows, K] with logits z: nll is the negative log-likelihood in nats, log(1 + e^z) - t z, summed
// over the K outputs and averaged over the rows; accuracy the share of all K rows outputs on whose side of 1/2 the
// probability is.
Metrics score_binary(std::span<const double> logits, std::span<const double> actual, std::int64_t outputs);

// What the network makes of these samples, scored.
Metrics score_regression(Sequential& network, const RegressData& data, const RegressInfo& info,
                         std::span<const std::int64_t> scored);

// "mean", or of binary targets "frequency": every target at the mean that it had in training.
Baseline mean_baseline(const RegressData& data, const RegressInfo& info, std::span<const std::int64_t> scored);

// "linear": linear regression on the features of a row, on the summary of a sequence, or on the features of the
// target's own step.
Baseline linear_baseline(const RegressData& data, std::span<const std::int64_t> training,
                         std::span<const std::int64_t> scored);

}  // namespace carousel
