// training_point.h: where a training is, between two of its steps: all that it needs to go on besides tensors.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "train/observer.h"
#include "train/validation.h"

namespace carousel {

// An epoch that was finished. Which one was the best, the schedule and metrics.csv follow from these.
struct PastEpoch {
  EpochEvent event;
  StepEvent last_step;
  std::optional<Validation> validation;
};

struct TrainingPoint {
  std::int64_t epoch = 0, batch = 0;               // the next ones, from 0; batch may be one past the last
  std::int64_t steps = 0;                          // changes of the weights so far
  std::uint64_t passes = 0;                        // TrainingProblem::Carried::passes
  std::int64_t averaged_steps = 0;                 // of them in the mean of TrainerOptions::average_on_plateau
  double seconds = 0;                              // that the training took so far
  double epoch_seconds = 0, batch_seconds = 0;     // of this epoch; of them to make batches
  double loss_sum = 0, largest_gradient_norm = 0;  // of this epoch
  std::int64_t clipped_steps = 0;                  // of this epoch
  StepEvent last_step;
  std::vector<PastEpoch> epochs;
};

// JSON, exact to the bit. The second throws Error{kModel} that starts with `place` if the text is something else.
std::string to_json(const TrainingPoint& point);
TrainingPoint training_point(const std::string& json, const std::string& place);

}  // namespace carousel
