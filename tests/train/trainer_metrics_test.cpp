// What training writes down of every epoch.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/file.h"
#include "tests/support/temporary_folder.h"
#include "tests/train/regression_problem.h"
#include "train/trainer.h"

namespace carousel {
namespace {

// Oracle: the events, and the columns that metrics_file.h promises.
TEST(Trainer, WritesOneLineOfMetricsPerEpoch) {
  const TemporaryFolder folder;
  for (const bool validated : {false, true}) {
    RegressionProblem problem(64, 32);
    if (validated) problem.on_validate = [] { return Validation{0.25, "mae", 0.5}; };
    Recorder recorder;
    TrainerOptions options = plain_sgd(2, 0.125);
    options.run_dir = folder / (validated ? "with/validation" : "without");
    train(problem, options, recorder);
    const std::string text = read_text(options.run_dir + "/metrics.csv");
    std::string expected =
        "epoch,step,training_loss,validation_loss,metric,learning_rate,gradient_norm,seconds,largest_gradient_norm,"
        "clipped_steps,batch_seconds\n";
    for (std::size_t i = 0; i < 2; ++i) {
      const StepEvent &before = recorder.steps[2 * i], &last = recorder.steps[2 * i + 1];
      const EpochEvent& epoch = recorder.epochs[i];
      expected += fmt::format("{},{},{},{},0.125,{},{:.3f},{},0,{:.6f}\n", i + 1, 2 * i + 2, epoch.training_loss,
                              validated ? "0.25,0.5" : ",", last.gradient_norm, epoch.seconds,
                              std::max(before.gradient_norm, last.gradient_norm), epoch.batch_seconds);
    }
    EXPECT_EQ(text, expected);
  }
}

// Oracle: the columns that metrics_file.h promises; the tape is there for the problem, after the steps of the epoch.
TEST(Trainer, WritesWhatTheProblemSaysOfItsGates) {
  class Gated final : public RegressionProblem {
   public:
    Gated() : RegressionProblem(64, 32) {}
    std::vector<std::pair<std::string, double>> gate_saturation(Tape<float>& tape) override {
      EXPECT_FALSE(tape.spent());
      ++epochs;
      return {{"l0", 0.25 * epochs}, {"l1", 1}};
    }
    int epochs = 0;
  };
  const TemporaryFolder folder;
  Gated problem;
  Recorder recorder;
  TrainerOptions options = plain_sgd(2, 0.125);
  options.run_dir = folder / "run";
  train(problem, options, recorder);
  const std::string text = read_text(options.run_dir + "/metrics.csv");
  EXPECT_NE(text.find(",batch_seconds,saturated_gates_l0,saturated_gates_l1\n"), std::string::npos) << text;
  EXPECT_NE(text.find(",0.250000,1.000000\n"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with(",0.500000,1.000000\n")) << text;
}

// Oracle: counting by hand. With lr 0 the gradients of the three batches stay; a bound between two norms clips those
// above.
TEST(Trainer, CountsTheStepsWhoseGradientWasClipped) {
  RegressionProblem free(96, 32), clipped(96, 32);
  Recorder a, b;
  TrainerOptions options = plain_sgd(2, 0);
  train(free, options, a);
  std::vector<double> norms;
  for (std::size_t k = 0; k < 3; ++k) norms.push_back(a.steps[k].gradient_norm);
  std::sort(norms.begin(), norms.end());
  options.clip_norm = (norms[0] + norms[1]) / 2;
  train(clipped, options, b);
  for (std::size_t epoch = 0; epoch < 2; ++epoch) {
    EXPECT_EQ(a.epochs[epoch].clipped_steps, 0);
    EXPECT_EQ(b.epochs[epoch].clipped_steps, 2);
    EXPECT_EQ(b.epochs[epoch].largest_gradient_norm, norms[2]);
  }
}

// Oracle: the seconds that a problem sleeps while it makes batches, and those that it sleeps elsewhere.
TEST(Trainer, TimesTheMakingOfBatchesApart) {
  class Sleeping final : public RegressionProblem {
   public:
    Sleeping() : RegressionProblem(64, 32) {}
    std::vector<std::int64_t> prepared;
    void prepare(std::int64_t epoch, std::int64_t batch) override {
      prepared.push_back(2 * epoch + batch);
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    Variable loss(Tape<float>& tape, std::int64_t epoch, std::int64_t batch) override {
      EXPECT_EQ(prepared.back(), 2 * epoch + batch);
      std::this_thread::sleep_for(std::chrono::milliseconds(40));
      return RegressionProblem::loss(tape, epoch, batch);
    }
  };
  Sleeping problem;
  Recorder recorder;
  const TrainSummary summary = train(problem, plain_sgd(2, 0.125), recorder);
  EXPECT_EQ(problem.prepared, (std::vector<std::int64_t>{0, 1, 2, 3}));
  for (const EpochEvent& event : recorder.epochs) {
    EXPECT_GE(event.batch_seconds, 0.020);
    EXPECT_GE(event.seconds - event.batch_seconds, 0.080);
  }
  EXPECT_DOUBLE_EQ(summary.batch_seconds, recorder.epochs[0].batch_seconds + recorder.epochs[1].batch_seconds);
  EXPECT_GE(summary.seconds - summary.batch_seconds, 0.160);
}

}  // namespace
}  // namespace carousel
