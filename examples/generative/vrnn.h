// vrnn.h: the variational recurrent network (Chung et al. 2015, arXiv 1506.02216): what is heard at a step hangs on a
// latent variable, whose distribution hangs on all that was heard before.
//
//   prior      p(z_t)  = N(prior(h_{t-1}))              posterior  q(z_t) = N(posterior(x_t, h_{t-1}))
//   frame      p(x_t)  = sigmoid(keys(z_t, h_{t-1}))    memory     h_t = LSTM([x_t ; z_t], h_{t-1})
//
// x_t and z_t go into posterior, keys and memory through a layer of their own (phi in the paper).
#pragma once

#include <carousel/carousel.h>

#include "sequence_model.h"

namespace generative {

struct VrnnOptions {
  std::int64_t hidden_size = 128, latent_size = 16, feature_size = 96;
  double dropout = 0.2;  // of what goes into a layer of features and of the memory, while training
};

class Vrnn final : public SequenceModel {
 public:
  explicit Vrnn(const VrnnOptions& options = {})
      : options_(options),
        frame_features_(features(kKeys)),
        latent_features_(features(options.latent_size)),
        prior_(gaussian(options.hidden_size)),
        posterior_(gaussian(options.feature_size + options.hidden_size)),
        keys_{carousel::Dropout{options.dropout},
              carousel::Linear{options.feature_size + options.hidden_size, options.feature_size},
              carousel::Activation{"relu"}, carousel::Linear{options.feature_size, kKeys}},
        memory_{{.cell = "lstm", .input_size = 2 * options.feature_size, .hidden_size = options.hidden_size}} {
    initialize(1);
  }

  std::vector<carousel::Module*> layers() override {
    return {&frame_features_, &latent_features_, &prior_, &posterior_, &keys_, &memory_};
  }

  Terms terms(carousel::Graph& graph, const Batch& batch) override {
    const std::int64_t N = batch.samples();
    const carousel::Variable frames = reshape(graph.input(batch.frames), {batch.rows(), kKeys});
    const carousel::Variable x = graph.run(frame_features_, frames);
    carousel::Variable h = silence(graph, N);
    std::vector<carousel::Variable> state, before, means, log_variances, samples, latents;  // of every step
    for (std::int64_t t = 0; t < batch.time_steps(); ++t) {
      const carousel::Variable x_t = select_rows(x, t * N, N);
      const Gaussian q = split_gaussian(graph.run(posterior_, carousel::concatenate_columns({x_t, h})));
      samples.push_back(draw_sample(graph, q));
      means.push_back(q.mean);
      log_variances.push_back(q.log_variance);
      before.push_back(h);
      latents.push_back(graph.run(latent_features_, samples.back()));
      h = graph.step(memory_, carousel::concatenate_columns({x_t, latents.back()}), state);
    }
    // What no later step needs is computed for all steps at once.
    const carousel::Variable known = carousel::concatenate_rows(before);
    const Gaussian p = split_gaussian(graph.run(prior_, known));
    const Gaussian q{carousel::concatenate_rows(means), carousel::concatenate_rows(log_variances)};
    const carousel::Variable logits =
        graph.run(keys_, carousel::concatenate_columns({carousel::concatenate_rows(latents), known}));
    return {frame_nll(graph, logits, batch), divergence(q, p), log_ratio(q, p, carousel::concatenate_rows(samples))};
  }

  carousel::Tensor generate(carousel::Graph& graph, const carousel::Shape& shape, std::mt19937& random) override {
    const std::int64_t T = shape[0], N = shape[1];
    carousel::Tensor frames(shape);
    carousel::Variable h = silence(graph, N);
    std::vector<carousel::Variable> state;
    for (std::int64_t t = 0; t < T; ++t) {
      const carousel::Variable z = draw_sample(graph, split_gaussian(graph.run(prior_, h)));
      const carousel::Variable latent = graph.run(latent_features_, z);
      const carousel::Tensor keys = draw_keys(graph.run(keys_, carousel::concatenate_columns({latent, h})), random);
      std::copy_n(keys.data(), keys.elements(), frames.data() + t * keys.elements());
      const carousel::Variable x = graph.run(frame_features_, graph.input(keys));
      h = graph.step(memory_, carousel::concatenate_columns({x, latent}), state);
    }
    return frames;
  }

 private:
  carousel::Sequential features(std::int64_t input_size) const {
    return carousel::Sequential{carousel::Dropout{options_.dropout},
                                carousel::Linear{input_size, options_.feature_size}, carousel::Activation{"relu"}};
  }
  carousel::Sequential gaussian(std::int64_t input_size) const {
    return carousel::Sequential{carousel::Linear{input_size, options_.feature_size}, carousel::Activation{"relu"},
                                carousel::Linear{options_.feature_size, 2 * options_.latent_size}};
  }
  carousel::Variable silence(carousel::Graph& graph, std::int64_t samples) const {  // h before the first step
    return graph.input(carousel::Tensor({samples, options_.hidden_size}));
  }

  VrnnOptions options_;
  carousel::Sequential frame_features_, latent_features_, prior_, posterior_, keys_;
  carousel::Recurrent memory_;
};

}  // namespace generative
