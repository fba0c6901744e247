#include "train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/fail.h"

namespace carousel {

ScheduleKind parse_schedule(std::string_view name) {
  if (name == "constant" || name == "warmup") return ScheduleKind::kConstant;
  if (name == "step") return ScheduleKind::kStep;
  if (name == "cosine") return ScheduleKind::kCosine;
  if (name == "plateau") return ScheduleKind::kPlateau;
  fail(Code::kUsage, "schedule '{}' is not known, expected constant, step, cosine, warmup or plateau", name);
}

Schedule::Schedule(const ScheduleOptions& options, double lr, std::int64_t total_steps)
    : options_(options), lr_(lr), total_steps_(total_steps) {
  const auto check = [](bool good, std::string_view thing, double value, std::string_view expected) {
    if (!good) fail(Code::kUsage, "schedule: {} is {}, expected {}", thing, value, expected);
  };
  check(lr >= 0 && std::isfinite(lr), "the learning rate", lr, "a finite number of at least 0");
  check(options.warmup_steps >= 0, "warmup_steps", static_cast<double>(options.warmup_steps), "at least 0");
  check(options.factor > 0 && options.factor <= 1, "factor", options.factor, "more than 0 and at most 1");
  check(options.period >= 1, "period", static_cast<double>(options.period), "at least 1");
  check(options.start >= 0, "start", static_cast<double>(options.start), "at least 0");
  check(options.patience >= 0, "patience", static_cast<double>(options.patience), "at least 0");
  check(options.floor >= 0 && options.floor <= 1, "floor", options.floor, "0 to 1");
}

double Schedule::rate(std::int64_t steps_done, std::int64_t epochs_done) const noexcept {
  if (steps_done < options_.warmup_steps) {
    return lr_ * static_cast<double>(steps_done + 1) / static_cast<double>(options_.warmup_steps);
  }
  switch (options_.kind) {
    case ScheduleKind::kConstant:
      break;
    case ScheduleKind::kStep:
      return lr_ *
             std::pow(options_.factor,
                      static_cast<double>(std::max<std::int64_t>(0, epochs_done - options_.start) / options_.period));
    case ScheduleKind::kPlateau:
      return lr_ * plateau_factor_;
    case ScheduleKind::kCosine: {
      const auto span = static_cast<double>(std::max<std::int64_t>(1, total_steps_ - options_.warmup_steps));
      const double progress = std::min(1.0, static_cast<double>(steps_done - options_.warmup_steps) / span);
      const double share = (1 + std::cos(std::numbers::pi * progress)) / 2;
      return lr_ * (options_.floor + (1 - options_.floor) * share);
    }
  }
  return lr_;
}

void Schedule::epoch_ended(double score) noexcept {
  constexpr double kLeastImprovement = 1e-4;
  if (score < best_ - (std::isfinite(best_) ? kLeastImprovement * std::abs(best_) : 0)) {
    best_ = score;
    bad_epochs_ = 0;
  } else if (++bad_epochs_ > options_.patience) {
    plateau_factor_ *= options_.factor;
    bad_epochs_ = 0;
  }
}

}  // namespace carousel
