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
#include "train/checkpoint.h"
#include "train/gradient.h"
#include "train/metrics_file.h"
#include "train/training_point.h"
#include "train/weights.h"

namespace carousel {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kCarried = "carried.";  // tensors of a checkpoint: Carried::tensors

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
  at_least("checkpoint_seconds", options.checkpoint_seconds, 0);
  if (options.run_dir.empty() && (options.checkpoint_seconds > 0 || options.resume)) {
    fail(Code::kUsage, "train: checkpoints are kept in a run folder, and run_dir is empty");
  }
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
    if (options_.resume) go_on();
    while (at_.epoch < options_.epochs && !out_of_patience()) {
      const double training_loss = train_epoch();
      if (summary_.stopped) break;
      end_epoch(training_loss);
      if (summary_.stopped) break;
    }
    if (summary_.stopped && options_.checkpoint_seconds > 0) save_checkpoint();
    keep_best();
    summary_.epochs = std::ssize(at_.epochs);
    summary_.steps = at_.steps;
    for (const PastEpoch& past : at_.epochs) summary_.batch_seconds += past.event.batch_seconds;
    summary_.seconds = at_.seconds + seconds_since(start_);
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

  // All steps of the epoch that are left; returns the mean loss of its batches.
  double train_epoch() {
    epoch_start_ = Clock::now();
    const std::int64_t batches = problem_.batches_in_epoch(at_.epoch);
    at_.batch_seconds += seconds_since(epoch_start_);
    at_.last_step.epoch = at_.epoch + 1;
    at_.last_step.epochs = options_.epochs;
    at_.last_step.step = at_.batch / options_.accumulate;
    at_.last_step.steps_in_epoch = steps_in_epoch(at_.epoch);
    while (at_.batch < batches) {
      const std::int64_t count = std::min(options_.accumulate, batches - at_.batch);
      at_.loss_sum += step(count);
      at_.batch += count;
      if (observer_.stop_requested()) {
        summary_.stopped = true;
        break;
      }
      if (options_.checkpoint_seconds > 0 && seconds_since(last_checkpoint_) >= options_.checkpoint_seconds) {
        save_checkpoint();
      }
    }
    return at_.loss_sum / static_cast<double>(batches);
  }

  // One change of the weights, by the next `count` batches; returns the sum of their losses.
  double step(std::int64_t count) {
    StepEvent& event = at_.last_step;
    ++event.step;
    double total = 0;
    for (std::int64_t batch = at_.batch; batch < at_.batch + count; ++batch) {
      const Clock::time_point start = Clock::now();
      problem_.prepare(at_.epoch, batch);
      at_.batch_seconds += seconds_since(start);
      tape_.reset();
      Variable loss = problem_.loss(tape_, at_.epoch, batch);
      const auto value = static_cast<double>(loss.item());
      if (count > 1) loss = scale(loss, 1 / static_cast<double>(count));
      tape_.backward(loss);
      if (!std::isfinite(value)) diverged(value);
      total += value;
    }
    event.loss = total / static_cast<double>(count);
    event.gradient_norm = gradient_norm(parameters_);
    if (!std::isfinite(event.gradient_norm)) diverged(event.loss);
    event.clipped = clip();
    at_.clipped_steps += event.clipped ? 1 : 0;
    at_.largest_gradient_norm = std::max(at_.largest_gradient_norm, event.gradient_norm);
    event.learning_rate = schedule_.rate(at_.steps, at_.epoch);
    optimizer_->set_learning_rate(event.learning_rate);
    optimizer_->step();
    ++at_.steps;
    update_average();
    observer_.step(event);
    return total;
  }

  // Whether that changed the gradient.
  bool clip() {
    const bool by_value = options_.clip_value > 0 && clip_grad_value(parameters_, options_.clip_value);
    if (options_.clip_norm == 0) return by_value;
    const double norm = by_value ? gradient_norm(parameters_) : at_.last_step.gradient_norm;
    return scale_to_norm(parameters_, norm, options_.clip_norm) || by_value;
  }

  // The average starts from the first step and widens to its full length, so that it forgets the initial weights.
  void update_average() {
    if (!average_) return;
    if (options_.average_on_plateau) {
      average_->average(1 - 1 / static_cast<double>(++at_.averaged_steps));
      return;
    }
    const auto steps = static_cast<double>(at_.steps);
    average_->average(std::min(options_.average_decay, (steps - 1) / (steps + 9)));
  }

  [[noreturn]] void diverged(double loss) {
    const std::string step = fmt::format("epoch {}, step {}", at_.last_step.epoch, at_.last_step.step);
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

  void end_epoch(double training_loss) {
    PastEpoch past{.event = {}, .last_step = at_.last_step, .validation = {}};
    EpochEvent& event = past.event;
    event.epoch = at_.epoch + 1;
    event.epochs = options_.epochs;
    event.step = at_.steps;
    event.training_loss = training_loss;
    event.largest_gradient_norm = at_.largest_gradient_norm;
    event.clipped_steps = at_.clipped_steps;
    tape_.reset();
    event.gate_saturation = problem_.gate_saturation(tape_);
    if (average_) average_->exchange();
    past.validation = problem_.validate();
    event.validation_loss = event.metric_value = std::nan("");
    if (past.validation) {
      event.validation_loss = past.validation->loss;
      event.metric = past.validation->metric;
      event.metric_value = past.validation->value;
    }
    event.best = judge(past.validation);
    if (event.best) keep_weights();
    if (average_) average_->exchange();
    if (begin_average(past)) {
      observer_.note(fmt::format("average: over the weights of all steps after epoch {}", event.epoch));
    }
    event.seconds = at_.epoch_seconds + seconds_since(epoch_start_);
    event.batch_seconds = at_.batch_seconds;
    metrics_.add(past);
    metrics_.write();
    observer_.epoch(event);
    summary_.stopped = observer_.stop_requested();
    at_.epochs.push_back(std::move(past));
    begin_epoch(at_.epoch + 1);
  }

  void begin_epoch(std::int64_t epoch) {
    at_.epoch = epoch;
    at_.batch = at_.clipped_steps = 0;
    at_.epoch_seconds = at_.batch_seconds = at_.loss_sum = at_.largest_gradient_norm = 0;
    epoch_start_ = Clock::now();
  }

  // Whether this is the best so far, of the epoch at_.epochs.size() + 1.
  bool judge(const std::optional<Validation>& validation) {
    ++judged_;
    if (!validation) return false;
    validated_ = true;
    const double score = validation->higher_is_better ? -validation->value : validation->value;
    schedule_.epoch_ended(score);
    const double loss = std::isnan(validation->loss) ? std::numeric_limits<double>::infinity() : validation->loss;
    const std::pair rank(score, loss);  // smaller is better
    if (!std::isfinite(score) || (summary_.best && rank >= best_rank_)) return false;
    best_rank_ = rank;
    summary_.best = *validation;
    summary_.best_epoch = judged_;
    return true;
  }

  void keep_weights() {
    if (best_) {
      best_->take();
    } else {
      best_.emplace(parameters_);
    }
    problem_.on_best();
  }

  // True if the epoch is the first of average_on_plateau that is not the best.
  bool begin_average(const PastEpoch& past) {
    if (!options_.average_on_plateau || average_ || !past.validation || past.event.best) return false;
    average_.emplace(parameters_);
    return true;
  }

  bool out_of_patience() const {
    const std::int64_t epochs = std::ssize(at_.epochs);
    if (options_.patience == 0 || epochs < options_.min_epochs || !validated_) return false;
    return epochs - summary_.best_epoch >= options_.patience;
  }

  std::vector<CheckpointTensor> checkpoint_tensors(Carried& carried) {
    std::vector<CheckpointTensor> all;
    const auto add = [&](std::string_view kind, std::string_view name, Tensor& tensor) {
      all.push_back({fmt::format("{}.{}{}{}", kind, all.size(), name.empty() ? "" : ".", name), &tensor});
    };
    for (Parameter* parameter : parameters_) add("weight", parameter->name, parameter->value);
    for (const auto& [name, tensor] : optimizer_->slots()) add("optimizer", name, *tensor);
    for (const auto& [kind, copy] : {std::pair("best", &best_), std::pair("average", &average_)}) {
      if (!*copy) continue;
      for (std::size_t k = 0; k < parameters_.size(); ++k) add(kind, parameters_[k]->name, (*copy)->values()[k]);
    }
    for (std::size_t k = 0; k < carried.tensors.size(); ++k) {
      all.push_back({kCarried + std::to_string(k), &carried.tensors[k]});
    }
    return all;
  }

  void save_checkpoint() {
    Carried carried = problem_.carried(at_.batch);
    TrainingPoint point = at_;
    point.passes = carried.passes;
    point.seconds += seconds_since(start_);
    point.epoch_seconds += seconds_since(epoch_start_);
    try {
      write_checkpoint(options_.run_dir, to_json(point), checkpoint_tensors(carried));
    } catch (const Error& error) {  // training is worth more than its checkpoint
      observer_.warning(fmt::format("no checkpoint could be written, training goes on: {}", error.what()));
    }
    last_checkpoint_ = Clock::now();
  }

  void go_on() {
    const std::optional<Checkpoint> checkpoint = Checkpoint::newest(options_.run_dir, observer_);
    if (!checkpoint) return observer_.note("resume: there is no checkpoint yet, training begins");
    at_ = training_point(checkpoint->point(), checkpoint->path());
    const bool in_range = at_.epoch >= 0 && at_.epoch <= options_.epochs && std::ssize(at_.epochs) == at_.epoch &&
                          at_.batch >= 0 && at_.batch <= problem_.batches_in_epoch(at_.epoch) && at_.steps >= 0;
    if (!in_range) {
      fail(Code::kModel, "{}: is of another training: it is at epoch {} and batch {}, counted from 0",
           checkpoint->path(), at_.epoch, at_.batch);
    }
    for (const PastEpoch& past : at_.epochs) {
      if (judge(past.validation) && !best_) best_.emplace(parameters_);
      begin_average(past);
      metrics_.add(past);
      observer_.epoch(past.event);
    }
    if (!at_.epochs.empty()) metrics_.write();
    Carried carried{.passes = at_.passes, .tensors = {}};
    for (const Shape& shape : checkpoint->shapes(kCarried)) carried.tensors.emplace_back(shape);
    checkpoint->read(checkpoint_tensors(carried));
    optimizer_->set_steps(at_.steps);
    problem_.carry(at_.batch, std::move(carried));
    if (best_) {
      best_->exchange();
      problem_.on_best();
      best_->exchange();
    }
    observer_.note(fmt::format("resume: from epoch {}, after {} steps in all", at_.epoch + 1, at_.steps));
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
  std::int64_t judged_ = 0;              // epochs
  std::pair<double, double> best_rank_;  // score and loss
  TrainingPoint at_;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point epoch_start_ = start_, last_checkpoint_ = start_;
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
