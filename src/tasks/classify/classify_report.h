// classify_report.h: the pictures of a classifier for report.h's page: confusion, classes, calibration, what went
// wrong.
#pragma once

#include <vector>

#include "carousel/layers.h"
#include "tasks/classify/classify_data.h"
#include "tasks/classify/classify_model.h"
#include "tasks/classify/classify_training.h"
#include "tasks/report/report.h"

namespace carousel {

// Some samples of the data, all with labels, and what the network gives for them: scores [samples, classes].
struct ClassifyOutcome {
  Sequential& network;
  const ClassifyInfo& info;
  const ClassifyData& data;
  const Indices& samples;
  const Tensor& scores;
};

// Rows of sum 1, [samples, classes].
Tensor class_probabilities(const Tensor& scores);

// nll and ece (class_metrics.h).
Metrics probability_metrics(const Tensor& scores, std::span<const std::int32_t> labels);

// Adds figures: the confusion matrix, a table of the classes, a reliability diagram, and the samples that are most
// wrong with their text and the words that pushed them there.
void add_classify_figures(const ClassifyOutcome& outcome, std::vector<Figure>& figures);

}  // namespace carousel
