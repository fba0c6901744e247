// Damaged, foreign and half-written checkpoints. Oracle, besides what each test says: the same training without a stop.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>

#include "tests/support/expect_error.h"
#include "tests/support/faulty_file_system.h"
#include "tests/train/remembering_problem.h"
#include "train/checkpoint.h"

namespace carousel {
namespace {

// A folder with two checkpoints, after 8 and after 12 steps.
struct TwoCheckpoints {
  TemporaryFolder folder;
  TrainerOptions options = variants()[0];
  Left expected = train_at_once(options);
  std::string newest = folder / "checkpoint.safetensors", before = folder / "checkpoint-before.safetensors";

  TwoCheckpoints() {
    options.run_dir = folder.path();
    for (const std::int64_t steps : {8, 4}) {
      RememberingProblem problem;
      Stopper stopper(steps);
      train(problem, options, stopper);
      options.resume = true;
    }
  }
  // The notes of a training that goes on from what the folder holds.
  std::string go_on() {
    RememberingProblem problem;
    Stopper never;
    const TrainSummary summary = train(problem, options, never);
    EXPECT_EQ(left_by(problem, summary, folder.path()), expected);
    return never.notes;
  }
};

// Besides the oracle above: the step that it goes on from, known by hand.
TEST(Checkpoint, ADamagedOneGivesWayToTheOneBefore) {
  TwoCheckpoints two;
  const std::string whole = read_file(two.newest);
  EXPECT_NE(two.go_on().find("after 12 steps"), std::string::npos);
  int told = 0;
  const std::size_t header = 8 + static_cast<unsigned char>(whole[0]) + 256 * static_cast<unsigned char>(whole[1]);
  for (std::size_t k = 0; k < 400; ++k) {  // half of the places in the header
    const std::size_t size = k % 2 == 0 ? header : whole.size();
    const std::size_t at = uniform_below({7, Purpose::kTest, 0}, k, size);
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1 << uniform_below({7, Purpose::kTest, 1}, k, 8));
    put_file(two.newest, damaged);
    const std::string notes = two.go_on();
    if (notes.find("after 8 steps") == std::string::npos) continue;  // a blank that became another
    ++told;
    EXPECT_NE(notes.find("warning: " + two.newest), std::string::npos) << notes;
  }
  EXPECT_GT(told, 390);
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, header / 2, header, whole.size() - 1}) {
    put_file(two.newest, whole.substr(0, size));
    EXPECT_NE(two.go_on().find("after 8 steps"), std::string::npos) << size;
  }
  file_system().remove(two.newest);  // a crash between the two renames
  EXPECT_NE(two.go_on().find("after 8 steps"), std::string::npos);
}

// Oracle: the contract in trainer.h and checkpoint.h.
TEST(Checkpoint, IsAnErrorIfAllAreDamagedOrOfAnotherTraining) {
  TwoCheckpoints two;
  RememberingProblem wider(9), problem;
  Stopper never;
  expect_error(Code::kModel, {"checkpoint.safetensors: is of another training", "names or shapes"},
               [&] { train(wider, two.options, never); });
  two.options.optimizer.kind = OptimizerKind::kAdagrad;
  expect_error(Code::kModel, {"is of another training"}, [&] { train(problem, two.options, never); });
  two.options.optimizer.kind = OptimizerKind::kAdam;
  two.options.epochs = 1;
  expect_error(Code::kModel, {"is of another training: it is at epoch 2 and batch 2"},
               [&] { train(problem, two.options, never); });
  two.options.epochs = 6;
  put_file(two.newest, "{}");
  put_file(two.before, "");
  expect_error(Code::kModel, {"no checkpoint is whole", two.newest, two.before},
               [&] { train(problem, two.options, never); });
  remove_checkpoints(two.folder.path());
  EXPECT_NE(two.go_on().find("there is no checkpoint yet"), std::string::npos);
  TrainerOptions options;
  options.resume = true;
  expect_error(Code::kUsage, {"run_dir is empty"}, [&] { train(problem, options, never); });
}

// Oracle: the contract in checkpoint.h. Checkpoints whose checksums are right and whose content is not.
TEST(Checkpoint, RefusesWhatNoTrainingCanHaveWritten) {
  const TemporaryFolder folder;
  Tensor tensor({2}, std::vector<float>{1, 2});
  write_checkpoint(folder.path(), "{}", {{"a", &tensor}});
  Stopper never;
  const std::optional<Checkpoint> one = Checkpoint::newest(folder.path(), never);
  ASSERT_TRUE(one);
  EXPECT_EQ(one->point(), "{}");
  Tensor back({2}), column({2, 1});
  expect_error(Code::kModel, {"of another training"}, [&] { one->read({{"b", &back}}); });
  expect_error(Code::kModel, {"of another training"}, [&] { one->read({{"a", &column}}); });
  expect_error(Code::kModel, {"of another training"}, [&] { one->read({}); });
  one->read({{"a", &back}});
  EXPECT_EQ(back[1], 2);

  const std::string step = R"({"epoch":1,"epochs":6,"step":0,"steps_in_epoch":5,"loss":0,"gradient_norm":0,)"
                           R"("learning_rate":0,"clipped":false})";
  const auto point = [&](std::string_view epoch, std::string_view batch, std::string_view steps) {
    return fmt::format(R"({{"epoch":{},"batch":{},"steps":{},"passes":0,"averaged_steps":0,"seconds":0,)"
                       R"("epoch_seconds":0,"batch_seconds":0,"loss_sum":"nan","largest_gradient_norm":"-inf",)"
                       R"("clipped_steps":0,"last_step":{},"epochs":[]}})",
                       epoch, batch, steps, step);
  };
  TrainerOptions options = variants()[0];
  options.run_dir = folder.path();
  options.resume = true;
  for (const auto& [text, words] :
       {std::pair(point("0", "2", "2"), "names or shapes"),  // right but for its tensors
        std::pair(point("-1", "0", "0"), "it is at epoch -1 and batch 0"),
        std::pair(point("7", "0", "0"), "it is at epoch 7 and batch 0"),
        std::pair(point("1", "0", "5"), "it is at epoch 1 and batch 0"),  // and no epoch before
        std::pair(point("0", "6", "6"), "it is at epoch 0 and batch 6"),
        std::pair(point("0", "-1", "0"), "it is at epoch 0 and batch -1"),
        std::pair(point("0", "0", "-1"), "it is at epoch 0 and batch 0"),
        std::pair(point("true", "\"0\"", "0"), "is no state of a training"),
        std::pair(std::string("{}"), "is no state of a training"),
        std::pair(std::string("[1"), "checkpoint.safetensors")}) {
    write_checkpoint(folder.path(), text, {{"a", &tensor}});
    RememberingProblem problem;
    expect_error(Code::kModel, {words}, [&] { train(problem, options, never); });
  }
}

// Oracle: what the folder held before the fault.
TEST(Checkpoint, AFaultWhileItIsWrittenLeavesAGoodOneAndTrainingGoesOn) {
  const std::vector<std::function<void(FaultyFileSystem&)>> faults = {
      [](FaultyFileSystem& files) { files.bytes_until_full = 0; },
      [](FaultyFileSystem& files) { files.bytes_until_full = 3000; },
      [](FaultyFileSystem& files) { files.fail_sync = true; },
      [](FaultyFileSystem& files) { files.fail_close = true; },
      [](FaultyFileSystem& files) { files.fail_rename = true; },
      [](FaultyFileSystem& files) { files.fail_sync_folder = true; }};
  for (std::size_t k = 0; k < faults.size(); ++k) {
    TwoCheckpoints two;
    {
      FaultyFileSystem files;
      RememberingProblem problem;
      Stopper stopper(2);  // within the epoch, so that the checkpoint is all that is written
      file_system().remove(two.folder / "metrics.csv");
      const std::string first = read_file(two.newest), second = read_file(two.before);
      TrainerOptions options = two.options;
      options.run_dir = two.folder.path();
      bool broken = false;
      class Breaker final : public Observer {
       public:
        Breaker(Stopper& next, std::function<void()> fault) : next_(next), fault_(std::move(fault)) {}
        void note(const std::string& line) override { next_.note(line); }
        void step(const StepEvent& event) override {
          next_.step(event);
          if (next_.stop_requested()) fault_();
        }
        bool stop_requested() override { return next_.stop_requested(); }

       private:
        Stopper& next_;
        std::function<void()> fault_;
      } breaker(stopper, [&] {
        faults[k](files);
        broken = true;
      });
      train(problem, options, breaker);
      EXPECT_TRUE(broken);
      EXPECT_NE(stopper.notes.find("warning: no checkpoint could be written"), std::string::npos) << k;
    }
    const std::string notes = two.go_on();
    EXPECT_TRUE(notes.find("after 12 steps") != std::string::npos || notes.find("after 14 steps") != std::string::npos)
        << k << notes;
    EXPECT_EQ(notes.find("warning"), std::string::npos) << notes;
  }
}

}  // namespace
}  // namespace carousel
