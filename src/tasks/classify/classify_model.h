// classify_model.h: the network of a classifier, and what its model file keeps beside it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "carousel/model.h"
#include "data/text/pipeline.h"
#include "tasks/classify/classify_data.h"
#include "tasks/options.h"
#include "train/observer.h"

namespace carousel {

// Kept in Model::task_data().
struct ClassifyInfo {
  std::vector<std::string> labels;
  std::int64_t features = 0;  // of numeric sequences; 0: texts
  std::int64_t majority = 0;  // the most frequent class of the training part
  std::string split;          // --split of training
  std::optional<TextSettings> text;
  std::vector<std::string> vocabulary;
  bool hierarchical = false;  // ids have a mark between sentences (documents.h)

  std::string to_json() const;
  // Throws Error{kModel} if the model is not a classifier or its description does not fit the network.
  static ClassifyInfo from_model(const Model& model);
  TextPipeline pipeline() const;
};

// For --model tfidf: throws Error{kUsage} if options of networks or of their training are given: their names.
void refuse_network_options(const Options& options);

// The model options with every "auto" replaced by what fits `training` samples; the observer is told.
ModelOptions resolve_classify_model(const ModelOptions& options, const ClassifyData& data,
                                    const std::vector<std::int64_t>& training, Observer& observer);

// `options` is resolved, and not for tfidf, which is no network to be trained. Numeric inputs are standardised with the
// mean and deviation of the training samples.
Sequential build_classifier(const ModelOptions& options, const ClassifyData& data,
                            const std::vector<std::int64_t>& training, const std::vector<std::string>& vocabulary);

}  // namespace carousel
