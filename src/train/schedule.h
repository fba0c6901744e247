// schedule.h: the learning rate of every step.
//
// s: optimiser steps done so far, from 0; e: epochs done so far, from 0; S: optimiser steps of the whole training
//
//   warm-up    rate = lr (s + 1) / warmup_steps                                  for s < warmup_steps
//   constant   rate = lr
//   step       rate = lr factor^floor(max(0, e - start) / period)
//   cosine     rate = lr (floor + (1 - floor) (1 + cos(pi p)) / 2)               p = (s - warmup_steps) / (S -
//   warmup_steps) plateau    rate = lr factor^k      k: how often the score did not improve for more than `patience`
//   epochs in a row
//
// Warm-up comes first, whichever schedule follows; step and plateau count epochs from the start of training.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

namespace carousel {

enum class ScheduleKind { kConstant, kStep, kCosine, kPlateau };

// "constant", "step", "cosine", "plateau", or "warmup" (constant after the warm-up). Throws Error{kUsage} that lists
// them.
ScheduleKind parse_schedule(std::string_view name);

struct ScheduleOptions {
  ScheduleKind kind = ScheduleKind::kConstant;
  std::int64_t warmup_steps = 0;  // optimiser steps; 0: none
  double factor = 0.5;            // kStep, kPlateau. REQUIRES: 0 < factor <= 1
  std::int64_t period = 10;       // kStep: epochs from one drop to the next. REQUIRES: at least 1
  std::int64_t start = 0;         // kStep: epochs before the first period. REQUIRES: at least 0
  std::int64_t patience = 2;      // kPlateau: epochs without improvement that are tolerated
  double floor = 0;               // kCosine: the last rate as a share of the first. REQUIRES: 0 <= floor <= 1
};

class Schedule {
 public:
  // total_steps is S. Throws Error{kUsage} if an option is out of range.
  Schedule(const ScheduleOptions& options, double lr, std::int64_t total_steps);

  double rate(std::int64_t steps_done, std::int64_t epochs_done) const noexcept;

  // The score of an epoch, lower is better. Improvement is more than one part in 10000 below the best so far.
  void epoch_ended(double score) noexcept;

 private:
  ScheduleOptions options_;
  double lr_;
  std::int64_t total_steps_;
  double best_ = std::numeric_limits<double>::infinity();
  std::int64_t bad_epochs_ = 0;
  double plateau_factor_ = 1;
};

}  // namespace carousel
