// frame_lstm.h: an LSTM without latent variables, each key of a frame by itself given the frames before: the network
// that those with latent variables have to beat.
#pragma once

#include <carousel/carousel.h>

#include "sequence_model.h"

namespace generative {

class FrameLstm final : public SequenceModel {
 public:
  FrameLstm(std::int64_t hidden_size, double dropout)
      : heard_{carousel::Dropout{dropout}},
        memory_{{.cell = "lstm", .input_size = kKeys, .hidden_size = hidden_size}},
        keys_{carousel::Dropout{dropout}, carousel::Linear{hidden_size, kKeys}} {
    initialize(1);
  }

  std::vector<carousel::Module*> layers() override { return {&heard_, &memory_, &keys_}; }

  Terms terms(carousel::Graph& graph, const Batch& batch) override {
    const carousel::Variable heard = graph.run(heard_, graph.input(frames_before(batch.frames)));
    const carousel::Variable logits = graph.run(keys_, graph.run(memory_, heard, batch.lengths));
    return {frame_nll(graph, reshape(logits, {batch.rows(), kKeys}), batch), {}, {}};
  }

  carousel::Tensor generate(carousel::Graph& graph, const carousel::Shape& shape, std::mt19937& random) override {
    const std::int64_t T = shape[0], N = shape[1];
    carousel::Tensor frames(shape), keys({N, kKeys});
    std::vector<carousel::Variable> state;
    for (std::int64_t t = 0; t < T; ++t) {
      keys = draw_keys(graph.run(keys_, graph.step(memory_, graph.input(keys), state)), random);
      std::copy_n(keys.data(), keys.elements(), frames.data() + t * keys.elements());
    }
    return frames;
  }

 private:
  carousel::Sequential heard_;
  carousel::Recurrent memory_;
  carousel::Sequential keys_;
};

}  // namespace generative
