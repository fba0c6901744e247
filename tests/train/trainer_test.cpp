// What training reaches, that it always reaches the same, and what it reports.
#include "train/trainer.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>

#include "autograd/ops/add.h"
#include "autograd/ops/cross_entropy.h"
#include "autograd/ops/dropout.h"
#include "autograd/ops/multiply.h"
#include "autograd/ops/sum.h"
#include "autograd/ops/tanh.h"
#include "base/thread_pool.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/expect_near.h"
#include "tests/train/regression_problem.h"
#include "train/gradient.h"

namespace carousel {
namespace {

// The least-squares solution (w0, w1, w2, b) by the normal equations and Gaussian elimination, in double.
std::vector<double> least_squares(const Tensor& x, const Tensor& y) {
  double a[4][5] = {};
  for (std::int64_t i = 0; i < x.shape()[0]; ++i) {
    const double row[5] = {x[i * 3], x[i * 3 + 1], x[i * 3 + 2], 1, y[i]};
    for (int r = 0; r < 4; ++r) {
      for (int c = 0; c < 5; ++c) a[r][c] += row[r] * row[c];
    }
  }
  for (int pivot = 0; pivot < 4; ++pivot) {
    for (int r = 0; r < 4; ++r) {
      if (r == pivot) continue;
      const double factor = a[r][pivot] / a[pivot][pivot];
      for (int c = pivot; c < 5; ++c) a[r][c] -= factor * a[pivot][c];
    }
  }
  return {a[0][4] / a[0][0], a[1][4] / a[1][1], a[2][4] / a[2][2], a[3][4] / a[3][3]};
}

// Oracle: the least-squares solution, by another road.
TEST(Trainer, LinearRegressionReachesTheLeastSquaresSolution) {
  RegressionProblem problem(64, 64, 1.0f);
  Recorder recorder;
  TrainerOptions options = plain_sgd(300, 0.2);
  options.optimizer.momentum = 0.5;
  const TrainSummary summary = train(problem, options, recorder);
  EXPECT_EQ(summary.steps, 300);
  EXPECT_EQ(summary.best_epoch, 0);
  EXPECT_FALSE(summary.best);
  expect_near(problem.weights(), least_squares(problem.x(), problem.y()), 2e-6, "w");
  for (const float g : problem.weight.gradient.span()) EXPECT_EQ(g, 0);
}

// Oracle: one batch of both halves. The mean of two means over 32 rows is the mean over 64.
TEST(Trainer, TwoAccumulatedHalvesEqualOneBatch) {
  RegressionProblem whole(64, 64), halves(64, 32);
  Recorder one, two;
  TrainerOptions options = plain_sgd(5, 0.1);
  train(whole, options, one);
  options.accumulate = 2;
  const TrainSummary summary = train(halves, options, two);
  EXPECT_EQ(summary.steps, 5);
  expect_near(halves.weights(), whole.weights(), 1e-6, "w");
  for (std::size_t i = 0; i < 5; ++i) EXPECT_NEAR(two.steps[i].loss, one.steps[i].loss, 1e-5) << i;
}

// Oracle: the gradients of the last batches, halved. With 5 batches and 3 per step the second step has two of them; a
// rate of 0 keeps the weights where they are.
TEST(Trainer, AnIncompleteLastGroupIsAveragedOverItsOwnBatches) {
  RegressionProblem problem(160, 32);
  Recorder recorder;
  TrainerOptions options = plain_sgd(1, 0);
  options.accumulate = 3;
  EXPECT_EQ(train(problem, options, recorder).steps, 2);
  Tape<float> tape;
  for (const std::int64_t batch : {3, 4}) {
    tape.reset();
    tape.backward(problem.loss(tape, 0, batch));
  }
  EXPECT_DOUBLE_EQ(recorder.steps[1].gradient_norm, gradient_norm(problem.parameters()) / 2);
}

// A network with dropout whose sizes span several blocks of work.
class WideProblem final : public TrainingProblem {
 public:
  WideProblem() : x_({kBatches * kRows, kIn}), labels_(kBatches * kRows) {
    fill_normal({41, Purpose::kTest, 0}, 0.0f, 1.0f, x_.span());
    fill_normal({41, Purpose::kWeights, 0}, 0.0f, 0.1f, hidden_.value.span());
    fill_normal({41, Purpose::kWeights, 1}, 0.0f, 0.1f, out_.value.span());
    for (std::size_t i = 0; i < labels_.size(); ++i) {
      labels_[i] = static_cast<std::int32_t>(uniform_below({41, Purpose::kTest, 1}, i, kClasses));
    }
  }
  std::vector<Parameter*> parameters() override { return {&hidden_, &hidden_bias_, &out_}; }
  std::int64_t batches_in_epoch(std::int64_t) override { return kBatches; }
  Variable loss(Tape<float>& tape, std::int64_t epoch, std::int64_t batch) override {
    auto x = tape.constant({x_.data() + batch * kRows * kIn, {kRows, kIn}});
    auto h = tanh(linear(x, tape.parameter(hidden_), tape.parameter(hidden_bias_)));
    const RandomKey key{41, Purpose::kDropout, static_cast<std::uint64_t>(epoch * kBatches + batch)};
    const std::span<const std::int32_t> labels(labels_.data() + batch * kRows, static_cast<std::size_t>(kRows));
    return cross_entropy<float>(linear(dropout(h, 0.3, key), tape.parameter(out_)), labels);
  }
  std::optional<Validation> validate() override { return Validation{1, "loss", 1.0 / static_cast<double>(++epochs_)}; }

 private:
  static constexpr std::int64_t kBatches = 3, kRows = 210, kIn = 70, kHidden = 150, kClasses = 11;
  Tensor x_;
  std::vector<std::int32_t> labels_;
  Parameter hidden_{"hidden.weight", Tensor({kHidden, kIn})}, hidden_bias_{"hidden.bias", Tensor({kHidden})};
  Parameter out_{"out.weight", Tensor({kClasses, kHidden})};
  int epochs_ = 0;
};

// Oracle: the same training with one thread.
TEST(Trainer, GivesTheSameBitsForAnyNumberOfThreads) {
  const int before = threads();
  const auto run = [](int count) {
    set_threads(count);
    WideProblem problem;
    Recorder recorder;
    TrainerOptions options;
    options.epochs = 3;
    options.clip_norm = 0.05;
    options.average_decay = 0.9;
    train(problem, options, recorder);
    std::vector<float> weights;
    for (const Parameter* parameter : problem.parameters()) {
      weights.insert(weights.end(), parameter->value.span().begin(), parameter->value.span().end());
    }
    for (const StepEvent& step : recorder.steps) weights.push_back(static_cast<float>(step.gradient_norm));
    return weights;
  };
  const std::vector<float> expected = run(1);
  for (const int count : {2, 4, 8}) {
    const std::vector<float> got = run(count);
    ASSERT_EQ(got.size(), expected.size());
    EXPECT_EQ(std::memcmp(got.data(), expected.data(), got.size() * sizeof(float)), 0) << count << " threads";
  }
  set_threads(before);
}

// Oracle: the count of allocations from the second step on.
TEST(Trainer, AStepAllocatesNothingAfterTheFirst) {
  class Counting final : public Observer {
   public:
    std::int64_t allocations = -1;
    std::int64_t steps = 0;
    void step(const StepEvent& event) override {
      ++steps;
      if (event.step == 1) counter_.emplace();
      if (event.step == event.steps_in_epoch) allocations = counter_->count();
    }

   private:
    std::optional<AllocationCounter> counter_;
  };
  WideProblem problem;
  Counting observer;
  TrainerOptions options;
  options.epochs = 1;
  options.clip_norm = 0.05;
  options.clip_value = 0.01;
  options.average_decay = 0.9;
  train(problem, options, observer);
  EXPECT_EQ(observer.steps, 3);
  EXPECT_EQ(observer.allocations, 0);
}

// Oracle: closed form. With lr 1 the weights move by the clipped gradient: its norm is the bound, its direction is
// kept.
TEST(Trainer, ClipsTheNormBeforeTheStep) {
  RegressionProblem free(32, 32), clipped(32, 32);
  Recorder a, b;
  TrainerOptions options = plain_sgd(1, 1);
  train(free, options, a);
  options.clip_norm = 0.25;
  train(clipped, options, b);
  EXPECT_GT(a.steps[0].gradient_norm, 1);
  EXPECT_EQ(a.steps[0].gradient_norm, b.steps[0].gradient_norm);  // reported before clipping
  EXPECT_FALSE(a.steps[0].clipped);
  EXPECT_TRUE(b.steps[0].clipped);
  std::vector<double> expected;
  for (const float w : free.weights()) expected.push_back(w * 0.25 / a.steps[0].gradient_norm);
  expect_near(clipped.weights(), expected, 1e-6, "w");
}

// Oracle: closed form. Clipping by value comes first, then the norm of what is left.
TEST(Trainer, ClipsByValueBeforeTheNorm) {
  RegressionProblem free(32, 32), clipped(32, 32);
  Recorder a, b;
  TrainerOptions options = plain_sgd(1, 1);
  train(free, options, a);
  options.clip_value = 0.5;
  train(clipped, options, b);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(clipped.weights()[i], std::clamp(free.weights()[i], -0.5f, 0.5f)) << i;
  RegressionProblem both(32, 32);
  options.clip_norm = 0.1;
  train(both, options, b);
  double norm = 0, clipped_norm = 0;
  for (const float w : both.weights()) norm += static_cast<double>(w) * w;
  for (const float w : clipped.weights()) clipped_norm += static_cast<double>(w) * w;
  EXPECT_NEAR(std::sqrt(norm), 0.1, 1e-6);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(both.weights()[i], clipped.weights()[i] * 0.1 / std::sqrt(clipped_norm), 1e-6) << i;
  }
}

// Oracle: the schedule's closed form and counting by hand.
TEST(Trainer, ReportsEveryStepAndFollowsTheSchedule) {
  RegressionProblem problem(96, 32);
  problem.on_validate = [] { return Validation{0.25, "mae", 0.5}; };
  Recorder recorder;
  TrainerOptions options = plain_sgd(2, 0.4);
  options.schedule = {.kind = ScheduleKind::kCosine, .warmup_steps = 2};
  const TrainSummary summary = train(problem, options, recorder);
  ASSERT_EQ(recorder.steps.size(), 6u);
  const double pi = std::acos(-1.0);
  for (std::size_t i = 0; i < 6; ++i) {
    const StepEvent& event = recorder.steps[i];
    EXPECT_EQ(event.epoch, i < 3 ? 1 : 2);
    EXPECT_EQ(event.epochs, 2);
    EXPECT_EQ(event.step, static_cast<std::int64_t>(i % 3 + 1));
    EXPECT_EQ(event.steps_in_epoch, 3);
    const double progress = (static_cast<double>(i) - 2) / 4;
    EXPECT_DOUBLE_EQ(event.learning_rate,
                     i < 2 ? 0.2 * static_cast<double>(i + 1) : 0.2 * (1 + std::cos(pi * progress)));
  }
  ASSERT_EQ(recorder.epochs.size(), 2u);
  const EpochEvent& first = recorder.epochs[0];
  EXPECT_EQ(first.step, 3);
  EXPECT_DOUBLE_EQ(first.training_loss, (recorder.steps[0].loss + recorder.steps[1].loss + recorder.steps[2].loss) / 3);
  EXPECT_EQ(first.validation_loss, 0.25);
  EXPECT_EQ(first.metric, "mae");
  EXPECT_EQ(first.metric_value, 0.5);
  EXPECT_TRUE(first.best);
  EXPECT_FALSE(recorder.epochs[1].best);  // the same score and loss are not better
  EXPECT_EQ(problem.best_calls, 1);
  EXPECT_EQ(summary.epochs, 2);
  EXPECT_EQ(summary.best_epoch, 1);
  EXPECT_EQ(summary.best->metric, "mae");
}

// Oracle: the recurrence of the average in double, over the weights after each step. The first step weighs all.
TEST(Trainer, JudgesAndKeepsTheAverageOfTheWeights) {
  class Averaging final : public Recorder {
   public:
    explicit Averaging(RegressionProblem& problem) : problem_(problem) {}
    std::vector<double> average = std::vector<double>(4, 0.0);
    void step(const StepEvent& event) override {
      Recorder::step(event);
      const auto t = static_cast<double>(steps.size());
      const double decay = std::min(0.5, (t - 1) / (t + 9));
      const std::vector<float> w = problem_.weights();
      for (std::size_t i = 0; i < 4; ++i) average[i] = decay * average[i] + (1 - decay) * w[i];
    }

   private:
    RegressionProblem& problem_;
  };
  RegressionProblem problem(96, 8);
  Averaging observer(problem);
  TrainerOptions options = plain_sgd(3, 0.1);
  options.average_decay = 0.5;
  train(problem, options, observer);
  EXPECT_EQ(observer.steps.size(), 36u);
  expect_near(problem.weights(), observer.average, 1e-6, "kept weights");

  RegressionProblem judged(96, 8);
  Averaging again(judged);
  std::vector<std::vector<float>> seen;
  judged.on_validate = [&] {
    expect_near(judged.weights(), again.average, 1e-6, "judged weights");
    seen.push_back(judged.weights());
    return Validation{0, "loss", seen.size() == 2 ? 1.0 : 2.0};
  };
  train(judged, options, again);
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_EQ(judged.weights(), seen[1]);
}

// Oracle: the plain mean, in double, of the weights after every step of the epochs behind the one that was not the
// best.
TEST(Trainer, AveragesTheWeightsFromTheEpochThatDidNotImprove) {
  class Averaging final : public Recorder {
   public:
    explicit Averaging(RegressionProblem& problem) : problem_(problem) {}
    std::vector<double> sum = std::vector<double>(4, 0.0);
    double count = 0;
    void step(const StepEvent& event) override {
      Recorder::step(event);
      if (event.epoch <= 2) return;  // epoch 2 is the first one that does not improve
      const std::vector<float> w = problem_.weights();
      for (std::size_t i = 0; i < 4; ++i) sum[i] += w[i];
      ++count;
    }

   private:
    RegressionProblem& problem_;
  };
  RegressionProblem problem(96, 8);
  Averaging observer(problem);
  const double scores[] = {2, 3, 1.5, 1};
  std::size_t epoch = 0;
  problem.on_validate = [&] { return Validation{0, "loss", scores[epoch++]}; };
  TrainerOptions options = plain_sgd(4, 0.1);
  options.average_on_plateau = true;
  train(problem, options, observer);
  EXPECT_EQ(observer.count, 24);
  std::vector<double> mean = observer.sum;
  for (double& w : mean) w /= observer.count;
  expect_near(problem.weights(), mean, 1e-6, "kept weights");
  options.average_decay = 0.5;
  EXPECT_THROW(train(problem, options, observer), Error);
}

// h[t] = w h[t-1] + x[t], cut into chunks of two steps; the loss of a chunk is its last h.
class ChunkedProblem final : public TrainingProblem {
 public:
  Parameter w{"w", Tensor({1}, std::vector<float>{0.5f})};
  Tensor x{Shape{4}, std::vector<float>{3, -2, 5, 1}};

  std::vector<Parameter*> parameters() override { return {&w}; }
  std::int64_t batches_in_epoch(std::int64_t) override { return 2; }
  Variable loss(Tape<float>& tape, std::int64_t, std::int64_t chunk) override {
    if (chunk == 0) state_.fill(0);
    before_ = state_;  // the tape borrows it until the next call
    Variable h = tape.constant(before_.view()), weight = tape.parameter(w);
    for (std::int64_t t = 2 * chunk; t < 2 * chunk + 2; ++t) {
      h = add(multiply(weight, h), tape.constant({x.data() + t, {1}}));
    }
    state_ = Tensor(h.value());
    return sum(h);
  }
  std::optional<Validation> validate() override { return std::nullopt; }

 private:
  Tensor state_{Shape{1}}, before_{Shape{1}};
};

// Oracle: closed form. h2 = w x1 + x2, so chunk 1 has dL/dw = x1; chunk 2 starts from the value of h2 and has
// dL/dw = 2 w h2 + x3; no gradient flows back into chunk 1.
TEST(Trainer, CarriesTheStateFromChunkToChunk) {
  ChunkedProblem problem;
  Recorder recorder;
  train(problem, plain_sgd(2, 0), recorder);
  const double h2 = 0.5 * 3 - 2;
  for (std::size_t epoch = 0; epoch < 2; ++epoch) {
    EXPECT_DOUBLE_EQ(recorder.steps[2 * epoch].gradient_norm, 3);
    EXPECT_DOUBLE_EQ(recorder.steps[2 * epoch].loss, h2);
    EXPECT_DOUBLE_EQ(recorder.steps[2 * epoch + 1].gradient_norm, std::abs(2 * 0.5 * h2 + 5));
    EXPECT_DOUBLE_EQ(recorder.steps[2 * epoch + 1].loss, 0.5 * (0.5 * h2 + 5) + 1);
  }
}

}  // namespace
}  // namespace carousel
