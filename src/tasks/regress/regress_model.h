// regress_model.h: the network of a regression, and what its model file keeps beside it.
//
// The network is "scale" -> feed-forward or recurrent layers -> "output" -> "unscale": it takes and gives numbers in
// the units of the data; between the two scalings, fitted on the training samples, everything has mean 0 and
// deviation 1. Of binary targets it gives the probabilities of 1: "probability", a sigmoid, stands in the place of
// "unscale". Targets at every step have no pool among the layers.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "carousel/model.h"
#include "models/layer_chain.h"
#include "tasks/column_scale.h"
#include "tasks/regress/regress_data.h"
#include "train/observer.h"

namespace carousel {

// Kept in Model::task_data().
struct RegressInfo {
  RegressColumns columns;
  std::int64_t features = 0;                 // C
  std::vector<ColumnScale> inputs, targets;  // [C], [K]; a missing feature counts as its mean
  // Targets are 0 or 1 (--loss bce) and not scaled; their mean is their frequency, with half a 0 and half a 1 added to
  // what was counted, so that no probability is 0 or 1.
  bool binary = false;
  std::string split;  // --split of training

  std::string to_json() const;
  // Throws Error{kModel} if the model is not a regression or its description does not fit.
  static RegressInfo from_model(const Model& model);
  std::vector<double> input_means() const;
  std::vector<double> target_means() const;
  // Targets [rows, K] as the layers before the last see them; `scaled` takes their shape.
  void scale_targets(std::span<const double> values, Tensor& scaled) const;
};

// Columns and scales from the training samples; missing features are left out of the sums.
RegressInfo fit_regress_info(const RegressData& data, const std::vector<std::int64_t>& training, bool binary);

// The options with every "auto" replaced; the observer is told. Samples of one step get a feed-forward network unless
// the cell was given.
ModelOptions resolve_regress_model(const ModelOptions& options, const RegressData& data, Observer& observer);

// `options` is resolved.
Sequential build_regression(const ModelOptions& options, const RegressData& data, const RegressInfo& info);

// All layers but the last: what works in scaled units, or gives the logits of binary targets.
LayerChain regress_core(Sequential& network);

}  // namespace carousel
