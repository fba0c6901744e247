// classify_linear.h: TF-IDF + logistic regression inside the model of a text classifier: beside its network or alone.
#pragma once

#include <string>

#include "carousel/layers.h"
#include "data/split.h"
#include "tasks/baselines/text_baselines.h"
#include "tasks/classify/classify_data.h"
#include "train/observer.h"

namespace carousel {

// Scores become a network(x) + b linear(x) with the a and b that make the loss on the validation part least. The two
// err in different places, so that together they are better than either (Mesnil et al. 2015). The observer is told a
// and b; where b is 0 the network stays as it is.
void add_linear_branch(Sequential& network, const TextBaseline& linear, const ClassifyData& data, const Split& split,
                       Observer& observer);

// The linear scores alone, fitted at once: counted as one epoch without steps, in metrics.csv of `run_dir` too (empty:
// nowhere). Throws Error{kData} if there are no terms.
Sequential fit_tfidf(const TextBaseline& linear, const ClassifyData& data, const Split& split,
                     const std::string& run_dir, Observer& observer);

}  // namespace carousel
