// memory_plan.h: how much memory training will take, and how often states are kept so that it fits a cap.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "layers/training_memory.h"
#include "tasks/options.h"
#include "train/trainer.h"

namespace carousel {

// A network, and the largest passes of it.
struct PassNeeds {
  LayerDescription network;
  PassSizes training, validation;
};

// What decides the memory of a training.
struct MemoryNeeds {
  LayerDescription network;     // the layers that the loss runs through
  PassSizes training;           // the batch with the most steps; without checkpoints
  PassSizes validation;         // and of those that are predicted
  std::int64_t data_bytes = 0;  // the samples in memory
  // Recorded on the same tape before and behind `network`, which reads what `below` gives unless that is empty.
  std::vector<PassPart> below = {}, above = {};
  std::vector<PassNeeds> beside = {};  // further passes on the same tape, which keep all their states
};

// A problem that says what it takes and can be told to keep less. What it carries from batch to batch is passes_; one
// with more adds that.
class TaskProblem : public TrainingProblem {
 public:
  explicit TaskProblem(Sequential& network) : network_(network) {}  // borrowed
  std::vector<Parameter*> parameters() override { return network_.parameters(); }
  std::string describe(const Parameter& parameter, std::int64_t element) override;
  virtual MemoryNeeds memory_needs() = 0;
  void on_best() override { has_best_ = true; }
  bool has_best() const noexcept { return has_best_; }  // an epoch was finished
  Carried carried(std::int64_t) const override { return {.passes = passes_, .tensors = {}}; }
  void carry(std::int64_t, Carried carried) override { passes_ = carried.passes; }

  std::int64_t checkpoint_steps = 0;  // as in ScanInput; for loss() to pass on

 protected:
  Sequential& network_;
  std::uint64_t passes_ = 0;  // over batches, that loss() made: the step of their random keys

 private:
  bool has_best_ = false;
};

// In bytes. The sum is what one step takes.
struct StepMemory {
  std::int64_t weights = 0;      // and their gradients
  std::int64_t optimizer = 0;    // its state, and the copies of the weights that the trainer keeps
  std::int64_t activations = 0;  // the tape's arena
  std::int64_t batch = 0;        // its padded samples and their layout
  std::int64_t sum() const noexcept { return weights + optimizer + activations + batch; }
};

// For this many steps between checkpoints (0: none).
StepMemory step_memory(TaskProblem& problem, const MemoryNeeds& needs, const TrainerOptions& options,
                       std::int64_t checkpoint_steps);

// train() of train/trainer.h within `max_memory` (Options::train.max_memory; empty: no cap): says what a step takes
// and, where the cap asks for it, sets problem.checkpoint_steps. The cap is meant for the whole process: a step, the
// pass over the validation part, the data set, and what the program takes by itself. The choice follows from sizes
// alone, so that the same options give the same bits. Throws Error{kUsage} with the least cap that would do.
TrainSummary train_within(const std::string& max_memory, TaskProblem& problem, TrainerOptions options,
                          Observer& observer);

}  // namespace carousel
