// metrics_file.h: metrics.csv of a run folder, one line per epoch.
#pragma once

#include <string>

#include "train/training_point.h"

namespace carousel {

// Columns: epoch,step,training_loss,validation_loss,metric,learning_rate,gradient_norm,seconds,largest_gradient_norm,
// clipped_steps,batch_seconds,saturated_gates_l0 ... `step` counts optimiser steps from the start of training; `metric`
// is the value that early stopping watches; without validation data its cell and that of validation_loss are empty. The
// rate and the norm are those of the last step of the epoch, `seconds` is how long the epoch took with its validation,
// `batch_seconds` how long of that the making of batches. The largest norm is that of all its steps, clipped_steps
// counts those whose gradient was clipped; norms are taken before that. The columns saturated_gates_LAYER are those of
// EpochEvent::gate_saturation; without gates there are none.
class MetricsFile {
 public:
  // Makes the folder; with an empty path nothing is ever written. Throws Error{kIo}.
  explicit MetricsFile(const std::string& run_dir);

  void add(const PastEpoch& epoch);  // one more line; in memory only
  // Writes the file anew and atomically, so that a crash leaves the old one. Throws Error{kIo}.
  void write() const;

 private:
  std::string path_, text_;
};

}  // namespace carousel
