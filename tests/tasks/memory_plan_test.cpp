// Oracles: what the process takes, and closed forms.
#include "tasks/memory_plan.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <set>

#include "autograd/ops/mean.h"
#include "base/random.h"
#include "layers/module.h"

namespace carousel {
namespace {

// Two batches of one long sequence each.
class LongSequences final : public TaskProblem {
 public:
  explicit LongSequences(std::int64_t time_steps)
      : TaskProblem(layers_),
        layers_(Recurrent{{.cell = "lstm", .input_size = 1, .hidden_size = 64}}, Pool{"mean"}, Linear{64, 1}),
        x_({time_steps, 4, 1}) {
    fill_normal({3, Purpose::kTest, 0}, 0.0f, 1.0f, x_.span());
  }

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
    return {network_.describe(), {.time_steps = T, .samples = 4, .rows = 4 * T, .features = 1}, validation, data_bytes};
  }

  PassSizes validation;
  std::int64_t data_bytes = 0;

 private:
  Sequential layers_;
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

// What the error of a cap of 1 MB says, in MB.
struct Refusal {
  double least = 0, fixed = 0;
};

Refusal refused(LongSequences& problem) {
  Refusal refusal;
  Observer quiet;
  try {
    train_within("1MB", problem, {}, quiet);
    ADD_FAILURE() << "no Error was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(Code::kUsage, error.code());
    EXPECT_EQ(2, std::sscanf(error.what(), "--max-memory 1MB: training takes at least %lf MB (%lf MB", &refusal.least,
                             &refusal.fixed))
        << error.what();
  }
  return refusal;
}

// Of a process without data set and validation: 30 MB for the program, a step, and what a pass of no rows takes.
double process_bytes(LongSequences& problem, std::int64_t checkpoint_steps) {
  const MemoryNeeds needs = problem.memory_needs();
  return 30e6 + static_cast<double>(step_memory(problem, needs, {}, checkpoint_steps).sum() +
                                    inference_pass_bytes(needs.network, {}));
}

// Oracle: the least of all choices, one by one; and that it does.
TEST(MemoryPlan, TooSmallACapNamesTheLeastThatWouldDo) {
  LongSequences problem(16000);
  double least = process_bytes(problem, 0);
  for (std::int64_t steps = 8000; steps >= 1; steps /= 2) least = std::min(least, process_bytes(problem, steps));
  const Refusal refusal = refused(problem);
  EXPECT_NEAR(refusal.least, least / 1e6 + 0.5, 0.5001);  // rounded up
  EXPECT_EQ(refusal.fixed, 30);
  TrainerOptions options;
  options.epochs = 1;
  Observer quiet;
  EXPECT_NO_THROW(train_within(fmt::format("{}MB", refusal.least), problem, options, quiet));
}

// Oracle: the first of T/2, T/4 ... that fits, one by one.
TEST(MemoryPlan, AsMuchIsKeptAsTheCapAllows) {
  LongSequences problem(1000);
  TrainerOptions options;
  options.epochs = 1;
  Observer quiet;
  std::set<std::int64_t> chosen;
  for (double cap = refused(problem).least * 1e6; cap < process_bytes(problem, 0); cap += 0.4e6) {
    std::int64_t expected = 500;
    while (expected > 1 && process_bytes(problem, expected) > cap) expected /= 2;
    train_within(fmt::format("{}kB", cap / 1e3), problem, options, quiet);
    EXPECT_EQ(problem.checkpoint_steps, expected) << cap;
    chosen.insert(expected);
  }
  EXPECT_GE(chosen.size(), 3U);
}

// Oracle: closed forms: 4 bytes a value, 16 a row and a step of the layout, 24 a sample.
TEST(MemoryPlan, DataSetAndValidationAreCounted) {
  LongSequences problem(10);
  EXPECT_EQ(step_memory(problem, problem.memory_needs(), {}, 0).batch, 4 * 40 + 16 * (40 + 10) + 24 * 4);
  const double least = refused(problem).least;
  problem.data_bytes = 200'000'000;
  EXPECT_EQ(refused(problem).fixed, 230);
  EXPECT_NEAR(refused(problem).least, least + 200, 1);
  problem.validation = {.time_steps = 1'000'000, .samples = 4, .rows = 4'000'000, .features = 1};
  const auto pass = static_cast<double>(inference_pass_bytes(problem.memory_needs().network, problem.validation));
  EXPECT_GT(pass, 100e6);
  EXPECT_NEAR(refused(problem).least, least + 200 + 4 * 4 + 16 * 5 + pass / 1e6, 1);
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
