#include "tasks/classify/classify_linear.h"

#include <tuple>

#include "autograd/ops/cross_entropy.h"
#include "base/fail.h"
#include "tasks/classify/classify_training.h"
#include "tasks/metrics.h"
#include "train/metrics_file.h"

namespace carousel {

void add_linear_branch(Sequential& network, const TextBaseline& linear, const ClassifyData& data, const Split& split,
                       Observer& observer) {
  const std::unique_ptr<TermScores> layer = linear.as_layer(1);
  if (!layer) return;
  const auto labels = labels_of(data, split.valid);
  const Tensor network_scores = predict_samples(network, data.samples, split.valid);
  const Tensor linear_scores = predict_samples(*layer, data.samples, split.valid);
  const auto loss_of = [&](float a, float b) {
    Tensor scores = network_scores;
    for (std::int64_t j = 0; j < scores.elements(); ++j) scores[j] = a * scores[j] + b * linear_scores[j];
    Tape<float> tape;
    return cross_entropy<float>(tape.constant(scores.view()), labels).item();
  };
  constexpr float kFactors[] = {0.125F, 0.25F, 0.375F, 0.5F, 0.625F, 0.75F, 0.875F, 1.0F, 1.25F, 1.5F, 2.0F};
  float a = 1, b = 0;
  double least = loss_of(a, b);
  for (const float candidate_a : kFactors) {
    for (const float candidate_b : kFactors) {
      const double loss = loss_of(candidate_a, candidate_b);
      if (loss >= least) continue;
      least = loss;
      a = candidate_a;
      b = candidate_b;
    }
  }
  observer.note(fmt::format("scores: {} times the network and {} times TF-IDF + logistic regression", a, b));
  if (b == 0) return;
  Tensor factor({std::ssize(data.label_names)}), offset(factor.shape());
  factor.fill(a);
  std::vector<Sequential> branches(2);
  branches[0] = std::move(network);
  branches[0].add("scale", std::make_unique<Scale>(std::move(factor), std::move(offset)));
  branches[1].add("terms", linear.as_layer(b));
  Sequential both;
  both.add("scores", std::make_unique<Sum>(std::move(branches)));
  network = std::move(both);
}

Sequential fit_tfidf(const TextBaseline& linear, const ClassifyData& data, const Split& split,
                     const std::string& run_dir, Observer& observer) {
  std::unique_ptr<TermScores> layer = linear.as_layer(1);
  if (!layer) fail(Code::kData, "--model tfidf: no word of the training part occurs in two texts");
  Sequential network;
  network.add("terms", std::move(layer));
  const auto score = [&](const Indices& indices) {
    const Tensor scores = predict_samples(network, data.samples, indices);
    const auto labels = labels_of(data, indices);
    Tape<float> tape;
    return std::pair<double, double>(cross_entropy<float>(tape.constant(scores.view()), labels).item(),
                                     accuracy(predicted_classes(scores), labels));
  };
  PastEpoch past;
  EpochEvent& event = past.event;
  event.epoch = event.epochs = 1;
  event.metric = "accuracy";
  event.best = true;
  event.training_loss = score(split.train).first;
  std::tie(event.validation_loss, event.metric_value) = score(split.valid);
  past.validation = {event.validation_loss, event.metric, event.metric_value, true};
  MetricsFile metrics(run_dir);
  metrics.add(past);
  metrics.write();
  observer.epoch(event);
  return network;
}

}  // namespace carousel
