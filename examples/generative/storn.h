// storn.h: the stochastic recurrent network (Bayer and Osendorfer 2014, arXiv 1411.7610): a recurrent network that
// hears the frames so far, and noise that it has learnt to make something of.
//
//   prior      p(z_t) = N(0, 1)              posterior  q(z_t) = N(linear(LSTM(x_1 .. x_t)))
//   frame      p(x_t) = sigmoid(keys(h_t))   memory     h_t = LSTM([x_{t-1} ; z_t], h_{t-1})
//
// No step of the posterior waits for one of the memory, so whole pieces run at once. The article has plain tanh units.
#pragma once

#include <carousel/carousel.h>

#include "sequence_model.h"

namespace generative {

struct StornOptions {
  std::int64_t hidden_size = 128, latent_size = 16;
  double dropout = 0.3;  // of the frames before, while training
};

class Storn final : public SequenceModel {
 public:
  explicit Storn(const StornOptions& options = {})
      : options_(options),
        posterior_{carousel::Recurrent{{.cell = "lstm", .input_size = kKeys, .hidden_size = options.hidden_size}},
                   carousel::Linear{options.hidden_size, 2 * options.latent_size}},
        heard_{carousel::Dropout{options.dropout}},
        memory_{{.cell = "lstm", .input_size = kKeys + options.latent_size, .hidden_size = options.hidden_size}},
        keys_{carousel::Dropout{options.dropout}, carousel::Linear{options.hidden_size, kKeys}} {
    initialize(1);
  }

  std::vector<carousel::Module*> layers() override { return {&posterior_, &heard_, &memory_, &keys_}; }

  Terms terms(carousel::Graph& graph, const Batch& batch) override {
    const std::int64_t T = batch.time_steps(), N = batch.samples(), Z = options_.latent_size;
    const carousel::Variable x = graph.input(batch.frames), before = graph.input(frames_before(batch.frames));
    const Gaussian q = split_gaussian(reshape(graph.run(posterior_, x, batch.lengths), {batch.rows(), 2 * Z}));
    const carousel::Variable z = draw_sample(graph, q);
    const carousel::Variable heard = reshape(graph.run(heard_, before), {batch.rows(), kKeys});
    const carousel::Variable input = reshape(carousel::concatenate_columns({heard, z}), {T, N, kKeys + Z});
    const carousel::Variable h = graph.run(memory_, input, batch.lengths);
    const carousel::Variable logits = graph.run(keys_, reshape(h, {batch.rows(), options_.hidden_size}));
    const Gaussian p = prior(graph, batch.rows());
    return {frame_nll(graph, logits, batch), divergence(q, p), log_ratio(q, p, z)};
  }

  carousel::Tensor generate(carousel::Graph& graph, const carousel::Shape& shape, std::mt19937& random) override {
    const std::int64_t T = shape[0], N = shape[1];
    carousel::Tensor frames(shape), keys({N, kKeys});
    std::vector<carousel::Variable> state;
    for (std::int64_t t = 0; t < T; ++t) {
      const carousel::Variable z = draw_sample(graph, prior(graph, N));
      const carousel::Variable h = graph.step(memory_, carousel::concatenate_columns({graph.input(keys), z}), state);
      keys = draw_keys(graph.run(keys_, h), random);
      std::copy_n(keys.data(), keys.elements(), frames.data() + t * keys.elements());
    }
    return frames;
  }

 private:
  Gaussian prior(carousel::Graph& graph, std::int64_t rows) const {
    const carousel::Variable zero = graph.input(carousel::Tensor({rows, options_.latent_size}));
    return {zero, zero};
  }

  StornOptions options_;
  carousel::Sequential posterior_, heard_;
  carousel::Recurrent memory_;
  carousel::Sequential keys_;
};

}  // namespace generative
