// classify_training.h: trains the network of a classifier, and scores it.
#pragma once

#include <cstdint>
#include <vector>

#include "autograd/ops/cross_entropy.h"
#include "data/split.h"
#include "layers/sequence_layout.h"
#include "tasks/classify/classify_data.h"
#include "tasks/input_noise.h"
#include "tasks/memory_plan.h"
#include "tasks/task.h"
#include "tasks/training_run.h"

namespace carousel {

using Indices = std::vector<std::int64_t>;

// The class of the largest score of each row of [samples, classes].
std::vector<std::int32_t> predicted_classes(const Tensor& scores);

std::vector<std::int32_t> labels_of(const ClassifyData& data, const Indices& indices);

// Accuracy and macro F1.
Metrics score_classes(const std::vector<std::int32_t>& predicted, const std::vector<std::int32_t>& actual,
                      std::int64_t classes);

// What training takes by itself. Few sequences of numbers get as many epochs as 2000 steps take, and too few to
// validate do not end it: which epoch is the best of them is chance.
TrainDefaults classify_defaults(bool texts, std::int64_t train_samples, std::int64_t valid_samples);

// The training problem: batches of samples of similar length; validated by accuracy, or by the loss where the
// validation part is too small for that. Network and data are borrowed; `options` is resolved.
class ClassifyProblem final : public TaskProblem {
 public:
  ClassifyProblem(Sequential& network, const ClassifyData& data, Split split, const TrainOptions& options);

  std::int64_t batches_in_epoch(std::int64_t epoch) override;
  void prepare(std::int64_t epoch, std::int64_t batch) override;
  Variable loss(Tape<float>& tape, std::int64_t epoch, std::int64_t batch) override;
  std::optional<Validation> validate() override;
  std::vector<std::pair<std::string, double>> gate_saturation(Tape<float>& tape) override;
  MemoryNeeds memory_needs() override;

  std::int64_t bytes_beside = 0;  // taken by what is fitted beside the network

 private:
  const ClassifyData& data_;
  Split split_;
  TrainOptions options_;
  std::vector<std::int32_t> training_lengths_, valid_labels_, labels_;
  std::vector<float> class_weights_;
  CrossEntropyOptions loss_options_;
  std::vector<Indices> batches_;
  Indices chosen_;
  SampleBatch batch_;
  InputNoise noise_;
  SequenceLayout layout_;
};

}  // namespace carousel
