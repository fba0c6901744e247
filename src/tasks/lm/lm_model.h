// lm_model.h: the network of a language model, and what its model file keeps beside it.
//
// The network has two parts: "body", token ids [T, N] (tasks/token_input.h) -> features of every step, and "output",
// features -> one score per token of the vocabulary. Training runs the body alone and joins output layer and loss
// (LmOutput::loss), so that the scores of a whole batch never exist at once.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "autograd/tape.h"
#include "base/random.h"
#include "carousel/model.h"
#include "layers/output/adaptive_softmax.h"
#include "layers/training_memory.h"
#include "tasks/lm/lm_data.h"
#include "tasks/options.h"
#include "train/observer.h"

namespace carousel {

// Kept in Model::task_data().
struct LmInfo {
  TextSettings text;
  std::vector<std::string> vocabulary;
  std::vector<std::int64_t> counts;  // of each token in the training text
  std::string split;                 // --split of training

  std::string to_json() const;
  // Throws Error{kModel} if the model is not a language model or its description does not fit the network.
  static LmInfo from_model(const Model& model);
};

// The model options with every "auto" replaced; the observer is told. Throws Error{kUsage} for what a language model
// cannot have: a second direction, no recurrence.
ModelOptions resolve_lm_model(const ModelOptions& options, const FittedLm& text, Observer& observer);

// `options` is resolved.
Sequential build_lm(const ModelOptions& options, const std::vector<std::string>& vocabulary);

// The two parts of such a network, which it borrows. Throws Error{kModel} if they are not there.
class LmNetwork {
 public:
  explicit LmNetwork(Sequential& network);
  Sequential& body() const noexcept { return *body_; }
  std::int64_t classes() const noexcept;  // tokens that have a score
  // What training with --softmax sampled makes small: an estimate of loss(), by draws that follow from the key.
  Variable sampled_loss(const Variable& rows, std::span<const std::int32_t> labels, const RandomKey& key) const;
  // The mean over the rows of -log p(label) of features [rows, H] on their tape; `losses` [rows], if not empty,
  // receives every one.
  Variable loss(const Variable& rows, std::span<const std::int32_t> labels, std::span<double> losses = {}) const;
  // What loss() records for so many rows: of an adaptive softmax its head only, which takes most; and sampled_loss().
  PassPart loss_memory(std::int64_t rows) const;
  PassPart sampled_loss_memory(std::int64_t rows) const;

 private:
  Sequential* body_;
  AdaptiveSoftmax* adaptive_ = nullptr;  // the output layer, or its weight and bias
  Parameter *weight_ = nullptr, *bias_ = nullptr;
};

}  // namespace carousel
