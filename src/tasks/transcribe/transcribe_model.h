// transcribe_model.h: the network of a transcriber, and what its model file keeps beside it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "carousel/model.h"
#include "data/text/pipeline.h"
#include "tasks/options.h"
#include "tasks/transcribe/transcribe_data.h"
#include "tasks/transcribe/transcript_labels.h"
#include "train/observer.h"

namespace carousel {

// Kept in Model::task_data().
struct TranscribeInfo {
  FrameSettings frames;
  TextSettings text;
  std::vector<std::string> vocabulary;
  std::string majority;  // the most frequent text of the training part
  std::string split;     // --split of training

  std::string to_json() const;
  // Throws Error{kModel} if the model is no transcriber or its description does not fit the network.
  static TranscribeInfo from_model(const Model& model);
  TranscriptLabels labels() const { return TranscriptLabels(text, vocabulary); }
};

// The model options with every "auto" replaced; the observer is told. Throws Error{kUsage} for cell none.
ModelOptions resolve_transcribe_model(const ModelOptions& options, Observer& observer);

// `options` is resolved; inputs are standardised with mean and deviation of the training samples; `classes` logits come
// out at every step.
Sequential build_transcriber(const ModelOptions& options, const Samples& samples,
                             const std::vector<std::int64_t>& training, std::int64_t classes);

}  // namespace carousel
