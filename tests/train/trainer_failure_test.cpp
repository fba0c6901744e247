// Early stopping, stops on request, and divergence: which weights are left.
#include <gtest/gtest.h>

#include <cmath>

#include "autograd/ops/mae.h"
#include "tests/support/expect_error.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/temporary_folder.h"
#include "tests/train/regression_problem.h"

namespace carousel {
namespace {

// A problem whose scores are written down, one per epoch, and that remembers the weights of every epoch and step.
struct Scripted {
  explicit Scripted(std::vector<double> scores_of_epochs, bool higher_is_better = false)
      : scores(std::move(scores_of_epochs)) {
    problem.on_validate = [this, higher_is_better] {
      weights_of_epoch.push_back(problem.weights());
      const std::size_t epoch = weights_of_epoch.size() - 1;
      return Validation{losses.empty() ? 0 : losses[epoch], "score", scores[epoch], higher_is_better};
    };
    problem.before_batch = [this](std::int64_t, std::int64_t) { weights_before_step.push_back(problem.weights()); };
    options.epochs = static_cast<std::int64_t>(scores.size());
    options.optimizer = {.kind = OptimizerKind::kAdam, .lr = 0.05};
  }
  TrainSummary run() { return train(problem, options, recorder); }

  RegressionProblem problem{64, 16};   // four steps in an epoch
  std::vector<double> scores, losses;  // losses: none are 0
  std::vector<std::vector<float>> weights_of_epoch, weights_before_step;
  TrainerOptions options;
  Recorder recorder;
};

// Oracle: counting by hand, and the weights recorded at each epoch.
TEST(EarlyStopping, StopsAfterPatienceAndKeepsTheBestWeights) {
  Scripted s({5, 3, 4, 3, 2, 1});
  s.options.patience = 2;
  const TrainSummary summary = s.run();
  EXPECT_EQ(summary.epochs, 4);
  EXPECT_EQ(summary.steps, 16);
  EXPECT_EQ(summary.best_epoch, 2);
  EXPECT_EQ(summary.best->value, 3);
  EXPECT_FALSE(summary.stopped);
  EXPECT_EQ(s.problem.weights(), s.weights_of_epoch[1]);
  EXPECT_NE(s.weights_of_epoch[1], s.weights_of_epoch[3]);
  EXPECT_EQ(s.problem.best_calls, 2);
  EXPECT_TRUE(s.recorder.epochs[1].best);
  EXPECT_FALSE(s.recorder.epochs[3].best);
}

// Oracle: counting by hand.
TEST(EarlyStopping, WaitsForTheLeastNumberOfEpochs) {
  Scripted s({5, 3, 4, 3, 4, 4, 1});
  s.options.patience = 2;
  s.options.min_epochs = 6;
  EXPECT_EQ(s.run().epochs, 6);
  EXPECT_EQ(s.problem.weights(), s.weights_of_epoch[1]);
}

// Oracle: counting by hand. Without patience all epochs are done; the best is kept all the same.
TEST(EarlyStopping, HigherMayBeBetter) {
  Scripted s({0.5, 0.7, 0.6, 0.9, 0.8}, true);
  const TrainSummary summary = s.run();
  EXPECT_EQ(summary.epochs, 5);
  EXPECT_EQ(summary.best_epoch, 4);
  EXPECT_EQ(s.problem.weights(), s.weights_of_epoch[3]);
}

// Oracle: counting by hand. An accuracy that stays at 0 while the loss falls, as in the first epochs of hard tasks; a
// smaller loss does not make up for a worse score.
TEST(EarlyStopping, OfEqualScoresTheOneWithTheSmallerLossIsBetter) {
  const double nan = std::nan("");
  Scripted s({0, 0, 0, 0, 0, 0.5, 0, 0.5, 0.25, 0.9}, true);
  s.losses = {nan, 5, 4, 4, 3, 9, 2, 9, 1, 1};
  s.options.patience = 3;
  const TrainSummary summary = s.run();
  const std::vector<bool> best{true, true, true, false, true, true, false, false, false};
  EXPECT_EQ(summary.epochs, 9);
  EXPECT_EQ(summary.best_epoch, 6);
  EXPECT_EQ(s.problem.weights(), s.weights_of_epoch[5]);
  for (std::size_t epoch = 0; epoch < 9; ++epoch) EXPECT_EQ(s.recorder.epochs[epoch].best, best[epoch]) << epoch + 1;
}

// Oracle: the contract. A score of NaN is never the best and counts against patience.
TEST(EarlyStopping, NanIsNoImprovement) {
  const double nan = std::nan("");
  Scripted s({nan, 3, nan, nan, 1});
  s.options.patience = 2;
  const TrainSummary summary = s.run();
  EXPECT_EQ(summary.epochs, 4);
  EXPECT_EQ(summary.best_epoch, 2);
  EXPECT_EQ(s.problem.weights(), s.weights_of_epoch[1]);
  Scripted never({nan, nan, nan, nan});
  never.options.patience = 3;
  EXPECT_EQ(never.run().epochs, 3);
  EXPECT_EQ(never.problem.best_calls, 0);
}

// Oracle: counting by hand. The step is finished; then the best weights so far are put back.
TEST(StopRequest, FinishesTheStepAndKeepsTheBest) {
  Scripted s({5, 4, 3});
  s.recorder.stop_after = 6;
  const TrainSummary summary = s.run();
  EXPECT_TRUE(summary.stopped);
  EXPECT_EQ(summary.steps, 6);
  EXPECT_EQ(summary.epochs, 1);
  EXPECT_EQ(s.problem.weights(), s.weights_of_epoch[0]);
  Scripted early({5, 4, 3}), longer({5, 4, 3});
  early.recorder.stop_after = 3;
  EXPECT_EQ(early.run().epochs, 0);
  longer.run();
  EXPECT_EQ(early.problem.weights(), longer.weights_before_step[3]);  // after three steps: nothing better is known
}

// Oracle: the weights recorded before step 3. NaN in its batch is named, and changes nothing.
TEST(Divergence, NanInTheLossStopsBeforeTheWeightsChange) {
  Scripted s({5, 4, 3});
  s.problem.x()[2 * 16 * 3 + 1] = std::nanf("");  // batch 2 of the first epoch, column 1
  expect_error(Code::kDiverged,
               {"epoch 1, step 3", "the loss is nan", "the gradient of linear.weight (row 0, column 0) is nan",
                "the weights before this step are kept", "learning rate"},
               [&] { s.run(); });
  ASSERT_EQ(s.weights_before_step.size(), 3u);
  EXPECT_EQ(s.problem.weights(), s.weights_before_step[2]);
  EXPECT_NE(s.problem.weights(), s.weights_before_step[1]);
  for (const float g : s.problem.weight.gradient.span()) EXPECT_EQ(g, 0);
  EXPECT_EQ(s.recorder.steps.size(), 2u);
}

// Oracle: the weights recorded before step 3. The loss is finite, one element of a gradient is not.
TEST(Divergence, InfinityInAGradientStopsBeforeTheWeightsChange) {
  for (const std::int64_t accumulate : {1, 2}) {
    Scripted s({5, 4, 3});
    s.options.accumulate = accumulate;
    s.options.clip_norm = 1;
    s.options.clip_value = 1;
    const auto record = s.problem.before_batch;
    s.problem.before_batch = [&](std::int64_t epoch, std::int64_t batch) {
      record(epoch, batch);
      if (batch == 2) s.problem.weight.gradient[2] = std::numeric_limits<float>::infinity();
    };
    const std::string step = accumulate == 1 ? "epoch 1, step 3" : "epoch 1, step 2";
    expect_error(Code::kDiverged, {step, ": the gradient of linear.weight (row 0, column 2) is inf"}, [&] { s.run(); });
    EXPECT_EQ(s.problem.weights(), s.weights_before_step[2]);
  }
}

// Oracle: closed form. The mean absolute error of an infinite target is infinite, its gradient is a sign and finite.
TEST(Divergence, AnInfiniteLossWithAFiniteGradientStopsToo) {
  class Absolute final : public RegressionProblem {
   public:
    Absolute() : RegressionProblem(32, 16) {}
    Variable loss(Tape<float>& tape, std::int64_t, std::int64_t batch) override {
      const View<const float> rows{x().data() + batch * 48, {16, 3}}, targets{y().data() + batch * 16, {16, 1}};
      return mae<float>(linear(tape.constant(rows), tape.parameter(weight), tape.parameter(bias)), targets);
    }
  };
  Absolute problem;
  problem.y()[17] = std::numeric_limits<float>::infinity();
  Recorder recorder;
  expect_error(Code::kDiverged, {"epoch 1, step 2: the loss is inf; the weights before this step"},
               [&] { train(problem, {}, recorder); });
  EXPECT_EQ(recorder.steps.size(), 1u);
}

// Oracle: the weights of the best epoch. Those of later steps were finite too, but not judged.
TEST(Divergence, PutsTheBestWeightsBack) {
  Scripted s({5, 3, 4, 3});
  const auto record = s.problem.before_batch;
  s.problem.before_batch = [&](std::int64_t epoch, std::int64_t batch) {
    record(epoch, batch);
    if (epoch == 3 && batch == 1) s.problem.y()[16] = std::numeric_limits<float>::infinity();
  };
  expect_error(Code::kDiverged, {"epoch 4, step 2", "the loss is inf", "the weights of epoch 2, the best, are kept"},
               [&] { s.run(); });
  EXPECT_EQ(s.problem.weights(), s.weights_of_epoch[1]);
  EXPECT_EQ(s.problem.best_calls, 2);
}

// Oracle: the default of the hook.
TEST(Divergence, NamesTheElementWithoutAHook) {
  class Plain final : public RegressionProblem {
   public:
    Plain() : RegressionProblem(32, 16) {}
    std::string describe(const Parameter& parameter, std::int64_t element) override {
      return TrainingProblem::describe(parameter, element);
    }
  };
  Plain problem;
  problem.x()[2] = std::nanf("");
  Recorder recorder;
  expect_error(Code::kDiverged, {"the gradient of linear.weight [1, 3] at element 0 is nan"},
               [&] { train(problem, {}, recorder); });
}

// Oracle: the contract. A full disk is reported, and the metrics of the epochs before are whole.
TEST(MetricsFile, FullDiskIsAnErrorThatLeavesTheOldFile) {
  const TemporaryFolder folder;
  FaultyFileSystem files;
  Scripted s({5, 4, 3});
  s.options.run_dir = folder.path();
  const auto record = s.problem.before_batch;
  s.problem.before_batch = [&](std::int64_t epoch, std::int64_t batch) {
    record(epoch, batch);
    if (epoch == 1) files.bytes_until_full = 20;
  };
  expect_error(Code::kIo, {"No space left"}, [&] { s.run(); });
  const std::string text = read_text(folder / "metrics.csv");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
}

// Oracle: the contract in trainer.h.
TEST(Trainer, RefusesOptionsOutOfRange) {
  RegressionProblem problem(32, 16);
  Recorder recorder;
  const auto refuse = [&](auto change, std::string_view words) {
    TrainerOptions options;
    change(options);
    expect_error(Code::kUsage, {words}, [&] { train(problem, options, recorder); });
  };
  refuse([](TrainerOptions& o) { o.epochs = 0; }, "epochs is 0");
  refuse([](TrainerOptions& o) { o.accumulate = 0; }, "accumulate is 0");
  refuse([](TrainerOptions& o) { o.patience = -1; }, "patience is -1");
  refuse([](TrainerOptions& o) { o.clip_norm = std::nan(""); }, "clip_norm is nan");
  refuse([](TrainerOptions& o) { o.clip_value = -2; }, "clip_value is -2");
  refuse([](TrainerOptions& o) { o.average_decay = 1; }, "average_decay is 1");
  refuse([](TrainerOptions& o) { o.optimizer.lr = -1; }, "learning rate is -1");
  RegressionProblem empty(8, 16);
  expect_error(Code::kUsage, {"no batches"}, [&] { train(empty, {}, recorder); });
  EXPECT_TRUE(recorder.steps.empty());
}

}  // namespace
}  // namespace carousel
