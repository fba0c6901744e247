// Oracles: what the process takes, and closed forms.
#include "tasks/memory_plan.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <fstream>

#include "autograd/ops/mean.h"
#include "base/random.h"
#include "layers/module.h"
#include "tests/support/expect_error.h"

namespace carousel {
namespace {

// Two batches of one long sequence each.
class LongSequences final : public TaskProblem {
 public:
  explicit LongSequences(std::int64_t time_steps)
      : network_(Recurrent{{.cell = "lstm", .input_size = 1, .hidden_size = 64}}, Pool{"mean"}, Linear{64, 1}),
        x_({time_steps, 4, 1}) {
    fill_normal({3, Purpose::kTest, 0}, 0.0f, 1.0f, x_.span());
  }

  std::vector<Parameter*> parameters() override { return network_.parameters(); }
  std::int64_t batches_in_epoch(std::int64_t) override { return 2; }
  std::optional<Validation> validate() override { return std::nullopt; }
  Variable loss(Tape<float>& tape, std::int64_t, std::int64_t) override {
    detail::PassInput input;
    input.values = &x_;
    input.checkpoint_steps = checkpoint_steps;
    const Variable output = detail::run_pass(network_, tape, layout_, input, true, {});
    return mean(output);
  }
  MemoryNeeds memory_needs() override {
    const std::int64_t T = x_.shape()[0];
    return {network_.describe(), {.time_steps = T, .samples = 4, .rows = 4 * T, .features = 1}, {}, 0};
  }

 private:
  Sequential network_;
  Tensor x_;
  SequenceLayout layout_;
};

std::int64_t resident_bytes() {
  std::int64_t pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

// Keeps the notes, the losses, and how much memory the process has after the last step.
struct Watch final : Observer {
  void note(const std::string& line) override { notes.push_back(line); }
  void step(const StepEvent& event) override {
    losses.push_back(event.loss);
    resident = resident_bytes();
  }
  std::vector<std::string> notes;
  std::vector<double> losses;
  std::int64_t resident = 0;
};

// Oracle: the growth of the process, within 10 %; and the cap's own figures. 147 MB of gates and states are kept, or
// few.
TEST(MemoryPlan, AStepTakesWhatWasPredicted) {
  std::vector<double> losses;
  for (const char* cap : {"", "220MB", "125MB"}) {
    LongSequences problem(16000);
    TrainerOptions options;
    options.epochs = 1;
    Watch watch;
    const std::int64_t before = resident_bytes();
    train_within(cap, problem, options, watch);
    EXPECT_EQ(std::string_view(cap) == "125MB", problem.checkpoint_steps > 0) << cap;
    const StepMemory memory = step_memory(problem, problem.memory_needs(), options, problem.checkpoint_steps);
    const double grown = static_cast<double>(watch.resident - before);
    EXPECT_NEAR(static_cast<double>(memory.sum()) / grown, 1, 0.1) << cap << ": " << memory.sum() << " of " << grown;
    ASSERT_EQ(2U, watch.losses.size());
    if (losses.empty()) losses = watch.losses;
    EXPECT_EQ(losses[0], watch.losses[0]) << cap;  // the same bits
    EXPECT_NEAR(losses[1], watch.losses[1], 1e-6) << cap;
  }
}

// Oracle: 8 bytes for a weight and its gradient; Adam keeps two numbers, the trainer the best weights and the average.
TEST(MemoryPlan, WeightsAndOptimizerAreCounted) {
  LongSequences problem(10);
  const std::int64_t elements = 4 * 64 * (1 + 64 + 2) + 64 + 1;
  TrainerOptions options;
  const StepMemory adam = step_memory(problem, problem.memory_needs(), options, 0);
  EXPECT_EQ(adam.weights, 8 * elements);
  EXPECT_EQ(adam.optimizer, 4 * elements * (2 + 1));
  options.average_decay = 0.9;
  options.optimizer.kind = OptimizerKind::kSgd;
  EXPECT_EQ(step_memory(problem, problem.memory_needs(), options, 0).optimizer, 4 * elements * 2);
}

TEST(MemoryPlan, TooSmallACapNamesTheLeastThatWouldDo) {
  LongSequences problem(16000);
  TrainerOptions options;
  Watch watch;
  std::string message;
  try {
    train_within("60MB", problem, options, watch);
  } catch (const Error& error) {
    EXPECT_EQ(Code::kUsage, error.code());
    message = error.what();
  }
  const std::string start = "--max-memory 60MB: training takes at least ";
  ASSERT_TRUE(message.starts_with(start)) << message;
  const std::string least = message.substr(start.size(), message.find(" MB", start.size()) - start.size()) + "MB";
  options.epochs = 1;
  EXPECT_NO_THROW(train_within(least, problem, options, watch)) << least;
}

// Oracle: written out by hand.
TEST(MemoryPlan, SizesHaveUnits) {
  EXPECT_EQ(parse_memory_size("512MB"), 512'000'000);
  EXPECT_EQ(parse_memory_size("1GiB"), 1 << 30);
  EXPECT_EQ(parse_memory_size("1.5kB"), 1500);
  for (const char* text : {"", "512", "MB", "-1GB", "1 GB", "0GB", "1gb", "nanGB", "1e99TB"}) {
    EXPECT_EQ(parse_memory_size(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace carousel
