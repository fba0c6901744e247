// task_gradients.h: the flow of the gradient (models/gradient_flow.h) of a task's own loss, and the page that shows it.
#pragma once

#include <string>

#include "carousel/model.h"
#include "models/gradient_flow.h"
#include "tasks/options.h"

namespace carousel {

// Of the first `samples` samples of options.data with their labels or targets: cross entropy for a classifier, the mean
// squared error in scaled units for values and forecasts (the mean absolute error if the forecaster knows several
// series, the loss of its distribution if it has one). A forecaster is asked for the last windows of each series whose
// targets are known; a model that fills values for the one in the middle of the last windows, which is hidden. A
// language model reads the beginning of the text as `samples` streams of at most 100 tokens, and the loss is the mean
// of -log p of the last ones; of a tagger it is that of -log p of the tags (and the intent) of a sentence. Throws
// Error{kUsage} for a model of no task or without recurrent layers, and what reading the data throws.
GradientFlow task_gradient_flow(const Model& model, const Options& options, std::int64_t samples);

// One self-contained page: norms and singular values over the time steps, logarithmic.
std::string gradient_flow_page(const std::string& title, const GradientFlow& flow);

}  // namespace carousel
