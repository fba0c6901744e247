// regression_problem.h: linear regression as a TrainingProblem, with hooks for the tests of the trainer.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "autograd/ops/linear.h"
#include "autograd/ops/mse.h"
#include "base/random.h"
#include "train/trainer.h"

namespace carousel {

// y = X w + b + noise for random X [rows, 3]; batches of `batch_rows` in the order of the rows.
class RegressionProblem : public TrainingProblem {
 public:
  static constexpr std::int64_t kColumns = 3;

  RegressionProblem(std::int64_t rows, std::int64_t batch_rows, float noise = 0.1f)
      : x_({rows, kColumns}), y_({rows, 1}), batch_rows_(batch_rows) {
    fill_normal({31, Purpose::kTest, 0}, 0.0f, 1.0f, x_.span());
    fill_normal({31, Purpose::kTest, 1}, 0.0f, noise, y_.span());
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < kColumns; ++j) y_[i] += static_cast<float>(j + 1) * x_[i * kColumns + j];
      y_[i] -= 0.5f;
    }
  }

  Parameter weight{"linear.weight", Tensor({1, kColumns})}, bias{"linear.bias", Tensor({1})};
  std::function<std::optional<Validation>()> on_validate = [] { return std::optional<Validation>(); };
  std::function<void(std::int64_t epoch, std::int64_t batch)> before_batch = [](std::int64_t, std::int64_t) {};
  int best_calls = 0;

  std::vector<Parameter*> parameters() override { return {&weight, &bias}; }
  std::int64_t batches_in_epoch(std::int64_t) override { return x_.shape()[0] / batch_rows_; }
  Variable loss(Tape<float>& tape, std::int64_t epoch, std::int64_t batch) override {
    before_batch(epoch, batch);
    const View<const float> x{x_.data() + batch * batch_rows_ * kColumns, {batch_rows_, kColumns}};
    const View<const float> y{y_.data() + batch * batch_rows_, {batch_rows_, 1}};
    return mse<float>(linear(tape.constant(x), tape.parameter(weight), tape.parameter(bias)), y);
  }
  std::optional<Validation> validate() override { return on_validate(); }
  void on_best() override { ++best_calls; }
  std::string describe(const Parameter& parameter, std::int64_t element) override {
    return parameter.name + " (row 0, column " + std::to_string(element) + ")";
  }

  Tensor& x() { return x_; }
  Tensor& y() { return y_; }
  std::vector<float> weights() const { return {weight.value[0], weight.value[1], weight.value[2], bias.value[0]}; }

 private:
  Tensor x_, y_;
  std::int64_t batch_rows_;
};

// The events of a run; asks for a stop after `stop_after` steps.
class Recorder : public Observer {
 public:
  std::vector<StepEvent> steps;
  std::vector<EpochEvent> epochs;
  std::size_t stop_after = std::numeric_limits<std::size_t>::max();

  void step(const StepEvent& event) override { steps.push_back(event); }
  void epoch(const EpochEvent& event) override { epochs.push_back(event); }
  bool stop_requested() override { return steps.size() >= stop_after; }
};

inline TrainerOptions plain_sgd(std::int64_t epochs, double lr) {
  TrainerOptions options;
  options.epochs = epochs;
  options.optimizer = {.kind = OptimizerKind::kSgd, .lr = lr};
  return options;
}

}  // namespace carousel
