#include "train/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "autograd/ops/scale.h"
#include "base/fail.h"
#include "train/gradient.h"
#include "train/metrics_file.h"
#include "train/weights.h"

namespace carousel {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

void check(const TrainerOptions& options) {
  const auto at_least = [](std::string_view thing, double value, double least) {
    if (!(value >= least)) fail(Code::kUsage, "train: {} is {}, expected at least {}", thing, value, least);
  };
  at_least("epochs", static_cast<double>(options.epochs), 1);
  at_least("min_epochs", static_cast<double>(options.min_epochs), 0);
  at_least("patience", static_cast<double>(options.patience), 0);
  at_least("accumulate", static_cast<double>(options.accumulate), 1);
  at_least("arena_bytes", static_cast<double>(options.arena_bytes), 0);
  at_least("clip_norm", options.clip_norm, 0);
  at_least("clip_value", options.clip_value, 0);
  if (!(options.average_decay >= 0 && options.average_decay < 1)) {
    fail(Code::kUsage, "train: average_decay is {}, expected at least 0 and less than 1", options.average_decay);
  }
  if (options.average_on_plateau && options.average_decay > 0) {
    fail(Code::kUsage, "train: average_on_plateau and average_decay {} are two averages, expected one",
         options.average_decay);
  }
}

// One call of train().
class Run {
 public:
  Run(TrainingProblem& problem, const TrainerOptions& options, Observer& observer)
      : problem_(problem),
        options_(options),
        observer_(observer),
        parameters_(problem.parameters()),
        optimizer_(make_optimizer(parameters_, options.optimizer)),
        schedule_(options.schedule, options.optimizer.lr, count_steps()),
        metrics_(options.run_dir) {
    if (options.average_decay > 0) average_.emplace(parameters_);
    optimizer_->zero_gradients();
    tape_.arena().reserve(static_cast<std::size_t>(options.arena_bytes));
  }

  TrainSummary train() {
    const Clock::time_point start = Clock::now();
    for (epoch_ = 0; epoch_ < options_.epochs; ++epoch_) {
      const Clock::time_point epoch_start = Clock::now();
      batch_seconds_ = 0;
      const double training_loss = train_epoch();
      if (summary_.stopped) break;
      ++summary_.epochs;
      end_epoch(training_loss, epoch_start);
      if (summary_.stopped || out_of_patience()) break;
    }
    keep_best();
    summary_.seconds = seconds_since(start);
    return summary_;
  }

 private:
  std::int64_t steps_in_epoch(std::int64_t epoch) {
    const std::int64_t batches = problem_.batches_in_epoch(epoch);
    if (batches < 1) fail(Code::kUsage, "train: epoch {} has no batches: there is no training data", epoch + 1);
    return (batches + options_.accumulate - 1) / options_.accumulate;
  }

  std::int64_t count_steps() {
    std::int64_t steps = 0;
    for (std::int64_t epoch = 0; epoch < options_.epochs; ++epoch) steps += steps_in_epoch(epoch);
    return steps;
  }

  // All steps of the epoch; returns the mean loss of its batches.
  double train_epoch() {
    const Clock::time_point start = Clock::now();
    const std::int64_t batches = problem_.batches_in_epoch(epoch_);
    batch_seconds_ += seconds_since(start);
    event_ = {.epoch = epoch_ + 1, .epochs = options_.epochs, .step = 0, .steps_in_epoch = steps_in_epoch(epoch_)};
    clipped_steps_ = 0;
    largest_gradient_norm_ = 0;
    double total = 0;
    for (std::int64_t first = 0; first < batches; first += options_.accumulate) {
      const std::int64_t count = std::min(options_.accumulate, batches - first);
      total += step(first, count);
      if (observer_.stop_requested()) {
        summary_.stopped = true;
        break;
      }
    }
    return total / static_cast<double>(batches);
  }

  // One change of the weights, by batches first .. first + count; returns the sum of their losses.
  double step(std::int64_t first, std::int64_t count) {
    ++event_.step;
    double total = 0;
    for (std::int64_t batch = first; batch < first + count; ++batch) {
      const Clock::time_point start = Clock::now();
      problem_.prepare(epoch_, batch);
      batch_seconds_ += seconds_since(start);
      tape_.reset();
      Variable loss = problem_.loss(tape_, epoch_, batch);
      const auto value = static_cast<double>(loss.item());
      if (count > 1) loss = scale(loss, 1 / static_cast<double>(count));
      tape_.backward(loss);
      if (!std::isfinite(value)) diverged(value);
      total += value;
    }
    event_.loss = total / static_cast<double>(count);
    event_.gradient_norm = gradient_norm(parameters_);
    if (!std::isfinite(event_.gradient_norm)) diverged(event_.loss);
    event_.clipped = clip();
    clipped_steps_ += event_.clipped ? 1 : 0;
    largest_gradient_norm_ = std::max(largest_gradient_norm_, event_.gradient_norm);
    event_.learning_rate = schedule_.rate(summary_.steps, epoch_);
    optimizer_->set_learning_rate(event_.learning_rate);
    optimizer_->step();
    ++summary_.steps;
    update_average();
    observer_.step(event_);
    return total;
  }

  // Whether that changed the gradient.
  bool clip() {
    const bool by_value = options_.clip_value > 0 && clip_grad_value(parameters_, options_.clip_value);
    if (options_.clip_norm == 0) return by_value;
    const double norm = by_value ? gradient_norm(parameters_) : event_.gradient_norm;
    return scale_to_norm(parameters_, norm, options_.clip_norm) || by_value;
  }

  // The average starts from the first step and widens to its full length, so that it forgets the initial weights.
  void update_average() {
    if (!average_) return;
    if (options_.average_on_plateau) {
      average_->average(1 - 1 / static_cast<double>(++averaged_steps_));
      return;
    }
    const auto steps = static_cast<double>(summary_.steps);
    average_->average(std::min(options_.average_decay, (steps - 1) / (steps + 9)));
  }

  [[noreturn]] void diverged(double loss) {
    const std::string step = fmt::format("epoch {}, step {}", event_.epoch, event_.step);
    std::string found = std::isfinite(loss) ? "" : fmt::format("the loss is {}", loss);
    if (const std::optional<NonFinite> bad = find_non_finite_gradient(parameters_)) {
      found += fmt::format("{}the gradient of {} is {}", found.empty() ? "" : " and ",
                           problem_.describe(*bad->parameter, bad->element), bad->value);
    }
    optimizer_->zero_gradients();
    tape_.reset();
    const std::string kept = best_ ? fmt::format("the weights of epoch {}, the best, are kept", summary_.best_epoch)
                                   : std::string("the weights before this step are kept");
    if (best_) best_->put_back();
    fail(Code::kDiverged,
         "training diverged at {}: {}; {}. Lower the learning rate, clip the gradient norm, or look for extreme values "
         "in the data",
         step, found, kept);
  }

  void end_epoch(double training_loss, Clock::time_point epoch_start) {
    EpochEvent event;
    event.epoch = epoch_ + 1;
    event.epochs = options_.epochs;
    event.step = summary_.steps;
    event.training_loss = training_loss;
    event.largest_gradient_norm = largest_gradient_norm_;
    event.clipped_steps = clipped_steps_;
    tape_.reset();
    event.gate_saturation = problem_.gate_saturation(tape_);
    if (average_) average_->exchange();
    const std::optional<Validation> validation = problem_.validate();
    event.validation_loss = event.metric_value = std::nan("");
    if (validation) {
      event.validation_loss = validation->loss;
      event.metric = validation->metric;
      event.metric_value = validation->value;
      event.best = judge(*validation);
    }
    if (average_) average_->exchange();
    if (options_.average_on_plateau && !average_ && validation && !event.best) {
      average_.emplace(parameters_);
      observer_.note(fmt::format("average: over the weights of all steps after epoch {}", event.epoch));
    }
    event.seconds = seconds_since(epoch_start);
    event.batch_seconds = batch_seconds_;
    summary_.batch_seconds += batch_seconds_;
    metrics_.add(event, event_, validation.has_value());
    observer_.epoch(event);
    summary_.stopped = observer_.stop_requested();
  }

  // Keeps the weights of now if they are the best so far.
  bool judge(const Validation& validation) {
    validated_ = true;
    const double score = validation.higher_is_better ? -validation.value : validation.value;
    schedule_.epoch_ended(score);
    const double loss = std::isnan(validation.loss) ? std::numeric_limits<double>::infinity() : validation.loss;
    const std::pair rank(score, loss);  // smaller is better
    if (!std::isfinite(score) || (best_ && rank >= best_rank_)) return false;
    if (best_) {
      best_->take();
    } else {
      best_.emplace(parameters_);
    }
    best_rank_ = rank;
    summary_.best = validation;
    summary_.best_epoch = epoch_ + 1;
    problem_.on_best();
    return true;
  }

  bool out_of_patience() const {
    if (options_.patience == 0 || summary_.epochs < options_.min_epochs || !validated_) return false;
    return summary_.epochs - summary_.best_epoch >= options_.patience;
  }

  void keep_best() {
    if (best_) {
      best_->put_back();
    } else if (average_) {
      average_->put_back();
    }
    tape_.reset();
  }

  TrainingProblem& problem_;
  const TrainerOptions& options_;
  Observer& observer_;
  std::vector<Parameter*> parameters_;
  std::unique_ptr<Optimizer> optimizer_;
  Schedule schedule_;
  MetricsFile metrics_;
  Tape<float> tape_;
  std::optional<WeightCopy> best_, average_;
  bool validated_ = false;
  std::pair<double, double> best_rank_;         // score and loss
  std::int64_t averaged_steps_ = 0;             // with average_on_plateau
  std::int64_t epoch_ = 0, clipped_steps_ = 0;  // clipped_steps_: of this epoch
  double largest_gradient_norm_ = 0;            // of this epoch
  double batch_seconds_ = 0;                    // of this epoch
  StepEvent event_;
  TrainSummary summary_;
};

}  // namespace

std::string TrainingProblem::describe(const Parameter& parameter, std::int64_t element) {
  return fmt::format("{} {} at element {}", parameter.name, parameter.value.shape().to_string(), element);
}

TrainSummary train(TrainingProblem& problem, const TrainerOptions& options, Observer& observer) {
  check(options);
  return Run(problem, options, observer).train();
}

}  // namespace carousel
