// What a training that goes on from a checkpoint ends with. Oracle: the same training without a stop, bit for bit.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "tests/support/faulty_file_system.h"
#include "tests/train/remembering_problem.h"

namespace carousel {
namespace {

TEST(Checkpoint, ATrainingThatIsStoppedAnywhereEndsWithTheSameBits) {
  for (std::size_t v = 0; v < variants().size(); ++v) {
    TrainerOptions options = variants()[v];
    std::vector<std::string> steps;
    const Left expected = train_at_once(options, &steps);
    const bool impatient = options.patience > 0;
    EXPECT_EQ(impatient, options.epochs > expected.epochs) << "options " << v;
    for (std::int64_t stop = 1; stop < expected.steps; ++stop) {
      const TemporaryFolder folder;
      options.run_dir = folder.path();
      options.resume = false;
      RememberingProblem first, second;
      Stopper stopper(stop), never;
      ASSERT_TRUE(train(first, options, stopper).stopped);
      options.resume = true;
      const TrainSummary summary = train(second, options, never);
      EXPECT_EQ(left_by(second, summary, folder.path()), expected) << "options " << v << ", stopped after " << stop;
      EXPECT_EQ(std::ssize(never.epochs), expected.epochs);
      stopper.steps.insert(stopper.steps.end(), never.steps.begin(), never.steps.end());
      EXPECT_EQ(stopper.steps, steps) << "options " << v << ", stopped after " << stop;
      EXPECT_NE(never.notes.find(fmt::format("after {} steps", stop)), std::string::npos) << never.notes;
    }
  }
}

TEST(Checkpoint, ATrainingThatIsStoppedAfterEveryStepEndsWithTheSameBits) {
  for (TrainerOptions options : variants()) {
    const Left expected = train_at_once(options);
    const TemporaryFolder folder;
    options.run_dir = folder.path();
    for (int process = 0; process < 100; ++process) {
      RememberingProblem problem;
      Stopper stopper(1);
      const TrainSummary summary = train(problem, options, stopper);
      options.resume = true;
      if (summary.epochs < expected.epochs) continue;
      // The last stop comes with the last step, after the last validation: one more process has nothing left to do.
      RememberingProblem last;
      Stopper never;
      EXPECT_EQ(left_by(last, train(last, options, never), folder.path()), expected);
      EXPECT_TRUE(never.steps.empty());
      break;
    }
  }
}

// Oracle: the clock. Between two checkpoints lie at least so many seconds.
TEST(Checkpoint, IsWrittenWhenTheTimeIsOver) {
  class Sleeper final : public Observer {
   public:
    void step(const StepEvent&) override { std::this_thread::sleep_for(std::chrono::milliseconds(5)); }
  } sleeper;
  const TemporaryFolder folder;
  TrainerOptions options = variants()[0];
  options.run_dir = folder.path();
  options.checkpoint_seconds = 0.04;
  RememberingProblem problem;
  FaultyFileSystem files;
  const TrainSummary summary = train(problem, options, sleeper);
  const auto written = std::ranges::count(files.calls, "sync_folder " + folder.path()) - summary.epochs;  // metrics.csv
  EXPECT_GE(written, 1);
  EXPECT_LE(static_cast<double>(written), summary.seconds / options.checkpoint_seconds);
}

// Oracle: counted by hand. 30 steps, a checkpoint after each of them, and none without checkpoint_seconds.
TEST(Checkpoint, IsWrittenAsOftenAsAskedFor) {
  TrainerOptions options = variants()[0];
  for (const double seconds : {1e-9, 1e9, 0.0}) {
    const TemporaryFolder folder;
    FaultyFileSystem files;
    options.run_dir = folder.path();
    options.checkpoint_seconds = seconds;
    RememberingProblem problem;
    Stopper never;
    train(problem, options, never);
    const std::string end = " " + (folder / "checkpoint.safetensors");
    const auto written = std::count_if(files.calls.begin(), files.calls.end(), [&](const std::string& call) {
      return call.starts_with("rename") && call.ends_with(end);
    });
    EXPECT_EQ(written, seconds == 1e-9 ? 30 : 0);
  }
}

}  // namespace
}  // namespace carousel
