// remembering_problem.h: a training that remembers all that one can, and what it leaves, for the tests of checkpoints.
#pragma once

#include <fmt/format.h>

#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "autograd/ops/add.h"
#include "autograd/ops/cross_entropy.h"
#include "autograd/ops/dropout.h"
#include "autograd/ops/linear.h"
#include "autograd/ops/tanh.h"
#include "base/random.h"
#include "tests/support/temporary_folder.h"
#include "train/trainer.h"

namespace carousel {

// Everything that a training can remember: dropout by a counter of passes, an output that the next batch adds to its
// own, an order of batches that changes with the epoch, and a validation that really gets better and worse.
class RememberingProblem final : public TrainingProblem {
 public:
  explicit RememberingProblem(std::int64_t hidden = 7)
      : x_({(kBatches + 2) * kRows, kIn}),
        labels_((kBatches + 2) * kRows),
        in_{"weight", Tensor({hidden, kIn})},
        bias_{"bias", Tensor({hidden})},
        out_{"weight", Tensor({kClasses, hidden})} {  // the same name, as layers have
    fill_normal({51, Purpose::kTest, 0}, 0.0f, 1.0f, x_.span());
    fill_normal({51, Purpose::kWeights, 0}, 0.0f, 0.3f, in_.value.span());
    fill_normal({51, Purpose::kWeights, 1}, 0.0f, 0.3f, out_.value.span());
    for (std::size_t i = 0; i < labels_.size(); ++i) {
      labels_[i] = static_cast<std::int32_t>(uniform_below({51, Purpose::kTest, 1}, i, kClasses));
    }
  }

  std::vector<Parameter*> parameters() override { return {&in_, &bias_, &out_}; }
  std::int64_t batches_in_epoch(std::int64_t epoch) override {
    order_.resize(kBatches);
    fill_permutation({51, Purpose::kShuffle, static_cast<std::uint64_t>(epoch)}, order_);
    return kBatches;
  }
  Variable loss(Tape<float>& tape, std::int64_t, std::int64_t batch) override {
    const RandomKey key{51, Purpose::kDropout, passes_++};
    Variable logits = run(tape, order_[static_cast<std::size_t>(batch)], &key);
    if (batch > 0) logits = add(logits, tape.constant(std::as_const(before_).view()));
    before_ = Tensor({kRows, kClasses});
    for (std::int64_t i = 0; i < before_.elements(); ++i) before_[i] = 0.5f * logits.value().data[i];
    return cross_entropy<float>(logits, labels(order_[static_cast<std::size_t>(batch)]));
  }
  std::optional<Validation> validate() override {
    Tape<float> tape;
    const double loss = (cross_entropy<float>(run(tape, kBatches, nullptr), labels(kBatches)).item() +
                         cross_entropy<float>(run(tape, kBatches + 1, nullptr), labels(kBatches + 1)).item());
    return Validation{loss, "loss", loss, false};
  }
  void on_best() override { best = weights(); }
  Carried carried(std::int64_t batch) const override {
    if (batch == 0) return {passes_, {}};
    return {passes_, {before_}};
  }
  void carry(std::int64_t, Carried carried) override {
    passes_ = carried.passes;
    if (!carried.tensors.empty()) before_ = carried.tensors[0];
  }

  std::vector<float> weights() {
    std::vector<float> all;
    for (const Parameter* p : parameters()) all.insert(all.end(), p->value.span().begin(), p->value.span().end());
    return all;
  }
  std::vector<float> best;  // what on_best() found in the parameters

 private:
  std::span<const std::int32_t> labels(std::int64_t batch) const {
    return std::span(labels_).subspan(static_cast<std::size_t>(batch * kRows), static_cast<std::size_t>(kRows));
  }
  Variable run(Tape<float>& tape, std::int64_t batch, const RandomKey* key) {
    const auto x = tape.constant({x_.data() + batch * kRows * kIn, {kRows, kIn}});
    auto h = tanh(linear(x, tape.parameter(in_), tape.parameter(bias_)));
    if (key != nullptr) h = dropout(h, 0.3, *key);
    return linear(h, tape.parameter(out_));
  }

  static constexpr std::int64_t kBatches = 5, kRows = 8, kIn = 6, kClasses = 3;
  Tensor x_, before_;
  std::vector<std::int32_t> labels_;
  std::vector<std::int64_t> order_;
  std::uint64_t passes_ = 0;
  Parameter in_, bias_, out_;
};

// Asks for a stop after so many steps of this process.
class Stopper final : public Observer {
 public:
  explicit Stopper(std::int64_t after = 1'000'000) : left_(after) {}
  void step(const StepEvent& event) override {
    --left_;
    steps.push_back(fmt::format("epoch {} of {}, step {} of {}, loss {}, rate {}", event.epoch, event.epochs,
                                event.step, event.steps_in_epoch, event.loss, event.learning_rate));
  }
  void epoch(const EpochEvent& event) override { epochs.push_back(event); }
  void note(const std::string& line) override { notes += line + "\n"; }
  bool stop_requested() override { return left_ <= 0; }

  std::vector<std::string> steps;
  std::vector<EpochEvent> epochs;
  std::string notes;

 private:
  std::int64_t left_;
};

// metrics.csv without its columns of seconds.
inline std::string metrics_of(const std::string& run_dir) {
  std::istringstream lines(read_text(run_dir + "/metrics.csv"));
  std::string all;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream cells(line);
    int column = 0;
    for (std::string cell; std::getline(cells, cell, ','); ++column) {
      if (column != 7 && column != 10) all += cell + ",";
    }
    all += "\n";
  }
  return all;
}

// What a training leaves.
struct Left {
  std::vector<float> weights, best;
  std::string metrics;
  std::int64_t epochs, steps, best_epoch;
  double value;
  bool operator==(const Left&) const = default;
};

inline Left left_by(RememberingProblem& problem, const TrainSummary& summary, const std::string& run_dir) {
  return {problem.weights(), problem.best,       metrics_of(run_dir), summary.epochs,
          summary.steps,     summary.best_epoch, summary.best->value};
}

inline Left train_at_once(TrainerOptions options, std::vector<std::string>* steps = nullptr) {
  const TemporaryFolder folder;
  options.run_dir = folder.path();
  RememberingProblem problem;
  Stopper never;
  const TrainSummary summary = train(problem, options, never);
  if (steps != nullptr) *steps = never.steps;
  return left_by(problem, summary, folder.path());
}

// The trainings of the tests: every optimiser, average and schedule with something to remember.
inline std::vector<TrainerOptions> variants() {
  std::vector<TrainerOptions> all(5);
  for (TrainerOptions& o : all) {
    o.epochs = 6;
    o.checkpoint_seconds = 1e9;  // only where it is stopped
  }
  all[0].optimizer = {.kind = OptimizerKind::kAdam, .lr = 0.02};
  all[0].schedule.kind = ScheduleKind::kCosine;
  all[0].clip_norm = 0.2;
  all[1].optimizer = {.kind = OptimizerKind::kSgd, .lr = 0.3, .momentum = 0.9};
  all[1].average_decay = 0.9;
  all[2].optimizer = {.kind = OptimizerKind::kRmsprop, .lr = 0.02, .momentum = 0.5};
  all[2].average_on_plateau = true;
  all[3].optimizer = {.kind = OptimizerKind::kAdagrad, .lr = 0.2};
  all[3].accumulate = 2;
  all[3].schedule = {.kind = ScheduleKind::kPlateau, .factor = 0.5, .patience = 0};
  all[4].optimizer = {.kind = OptimizerKind::kAdamW, .lr = 0.1, .weight_decay = 0.1};
  all[4].patience = 2;
  return all;
}

}  // namespace carousel
