// sequence_model.h: models of sequences of keys with a latent variable at each step: their bounds and their training.
//
// With q, the model's guess of z_1 .. z_T once it has seen the piece, and K = 1 the bound on -log p(x_1 .. x_T) is
//   sum over t of  -log p(x_t | x_1 .. x_{t-1}, z_1 .. z_t) + KL(q(z_t), p(z_t)),      z drawn from q
// and of K draws -log of the mean of p(x, z) / q(z) is a bound that only gets tighter (Burda et al. 2016).
#pragma once

#include <carousel/carousel.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <random>
#include <vector>

#include "chorales.h"
#include "gaussian.h"

namespace generative {

// Of every frame, [T N], row t N + n being step t of piece n. Without a latent variable the last two are empty.
struct Terms {
  carousel::Variable nll;         // -log p(x_t | x_1 .. x_{t-1}, z_1 .. z_t)
  carousel::Variable divergence;  // KL(q(z_t), p(z_t))
  carousel::Variable log_ratio;   // log q(z_t) - log p(z_t) of the z_t that was drawn
};

class SequenceModel {
 public:
  virtual ~SequenceModel() = default;
  virtual std::vector<carousel::Module*> layers() = 0;
  // `frames` are those of the batch, [T, N, 88].
  virtual Terms terms(carousel::Graph& graph, const Batch& batch) = 0;
  // New pieces, [T, N, 88].
  virtual carousel::Tensor generate(carousel::Graph& graph, const carousel::Shape& shape, std::mt19937& random) = 0;

  std::vector<carousel::Parameter*> parameters() {
    std::vector<carousel::Parameter*> list;
    for (carousel::Module* layer : layers()) {
      for (carousel::Parameter* parameter : layer->parameters()) list.push_back(parameter);
    }
    return list;
  }
  void initialize(std::uint64_t seed) {
    for (carousel::Module* layer : layers()) layer->initialize(seed++);
  }
};

// The frames one step later, silence first: what is known before a frame. [T, N, 88]
inline carousel::Tensor frames_before(const carousel::Tensor& frames) {
  carousel::Tensor before(frames.shape());
  const std::int64_t step = frames.shape()[1] * kKeys;
  std::copy_n(frames.data(), frames.elements() - step, before.data() + step);
  return before;
}

// -log p of the frames of a batch from the logits of all keys, [T N, 88] -> [T N].
inline carousel::Variable frame_nll(carousel::Graph& graph, const carousel::Variable& logits, const Batch& batch) {
  return row_sums(binary_cross_entropy_elements(logits, reshape(graph.input(batch.frames), {batch.rows(), kKeys})));
}

// One draw of every key from its probability, [N, 88].
inline carousel::Tensor draw_keys(const carousel::Variable& logits, std::mt19937& random) {
  carousel::Tensor keys(sigmoid(logits).value());
  std::uniform_real_distribution<float> uniform(0, 1);
  for (float& key : keys.span()) key = uniform(random) < key ? 1.0f : 0.0f;
  return keys;
}

// The sum over the frames of the pieces, without those behind their ends.
inline carousel::Variable total(carousel::Graph& graph, const carousel::Variable& of_frames, const Batch& batch) {
  return sum(of_frames * graph.input(batch.valid));
}

struct Bound {
  double nll = 0, divergence = 0;  // nats per frame
  double value() const { return nll + divergence; }
};

inline Bound measure_bound(SequenceModel& model, const std::vector<Batch>& batches) {
  carousel::Graph graph;
  graph.set_recording(false);
  Bound bound;
  double frames = 0;
  for (const Batch& batch : batches) {
    const Terms terms = model.terms(graph, batch);
    bound.nll += static_cast<double>(total(graph, terms.nll, batch).item());
    if (terms.divergence) bound.divergence += static_cast<double>(total(graph, terms.divergence, batch).item());
    frames += static_cast<double>(batch.frame_count);
    graph.reset();
  }
  return {bound.nll / frames, bound.divergence / frames};
}

// The tighter bound from so many draws of z for every piece, nats per frame.
inline double measure_importance_bound(SequenceModel& model, const std::vector<Batch>& batches, int draws) {
  carousel::Graph graph(2);
  graph.set_recording(false);
  double nll = 0, frames = 0;
  for (const Batch& batch : batches) {
    const std::int64_t T = batch.time_steps(), N = batch.samples();
    std::vector<std::vector<double>> weights(static_cast<std::size_t>(N));  // log p(x, z) / q(z) of each piece and draw
    for (int k = 0; k < draws; ++k) {
      const Terms terms = model.terms(graph, batch);
      const carousel::Variable of_piece =  // [N]
          row_sums(transpose(reshape((terms.nll + terms.log_ratio) * graph.input(batch.valid), {T, N})));
      for (std::int64_t n = 0; n < N; ++n) {
        weights[static_cast<std::size_t>(n)].push_back(-static_cast<double>(of_piece.value().data[n]));
      }
      graph.reset();
    }
    for (const std::vector<double>& piece : weights) {
      const double largest = *std::max_element(piece.begin(), piece.end());
      double sum = 0;
      for (const double weight : piece) sum += std::exp(weight - largest);
      nll -= largest + std::log(sum / draws);
    }
    frames += static_cast<double>(batch.frame_count);
  }
  return nll / frames;
}

struct TrainingOptions {
  int epochs = 60;
  double lr = 3e-3;
  int warm_up = 10;  // epochs over which the weight of the divergence grows to 1 (Bowman et al. 2016)
  bool verbose = true;
};

// One update per batch; ends with the weights that were best on `valid`. Returns their bound there.
inline Bound train(SequenceModel& model, std::vector<Batch> batches, const std::vector<Batch>& valid,
                   const TrainingOptions& options) {
  const std::vector<carousel::Parameter*> parameters = model.parameters();
  carousel::Adam adam(parameters, {.lr = options.lr});
  carousel::Graph graph;
  std::mt19937 random(1);
  Bound best{std::numeric_limits<double>::infinity(), 0};
  std::vector<carousel::Tensor> best_weights;
  for (int epoch = 1; epoch <= options.epochs; ++epoch) {
    const double weight = std::min(1.0, static_cast<double>(epoch) / options.warm_up);
    std::shuffle(batches.begin(), batches.end(), random);
    for (const Batch& batch : batches) {
      const Terms terms = model.terms(graph, batch);
      const carousel::Variable cost = terms.divergence ? terms.nll + weight * terms.divergence : terms.nll;
      backward(scale(total(graph, cost, batch), 1.0 / static_cast<double>(batch.frame_count)));
      clip_grad_norm(parameters, 1.0);
      adam.step();
      graph.reset();
    }
    const Bound bound = measure_bound(model, valid);
    if (options.verbose) {
      std::printf("epoch %d  validation bound %.3f nats per frame (keys %.3f, divergence %.3f)\n", epoch, bound.value(),
                  bound.nll, bound.divergence);
      std::fflush(stdout);
    }
    if (bound.value() >= best.value()) continue;
    best = bound;
    best_weights.clear();
    for (const carousel::Parameter* parameter : parameters) best_weights.push_back(parameter->value);
  }
  for (std::size_t k = 0; k < best_weights.size(); ++k) parameters[k]->value = best_weights[k];
  return best;
}

}  // namespace generative
