// captioner.h: describes a picture in words, looking at a part of it for each (Xu et al. 2015, arXiv 1502.03044).
//
// An encoder makes features of each patch; a decoder says one word after another. Before each it weighs the patches, by
// how well their features fit its state h ("soft" attention), and reads the weighted sum with the word before:
//   e_p = v . tanh(W_s h + W_h m_p)     weights = softmax(e)     h' = LSTM([word ; sum_p weights_p m_p], h)
// The article takes its features from a convolutional network trained on photographs; here all is trained together.
#pragma once

#include <carousel/carousel.h>

#include <map>
#include <memory>
#include <span>
#include <vector>

#include "scenes.h"

namespace generative {

using carousel::Activation, carousel::Embedding, carousel::IdTensor, carousel::LayerNorm, carousel::Linear,
    carousel::Parameter, carousel::Sequential;

struct Told {
  std::vector<std::vector<int>> captions;  // per sample; kStop ends one unless it is kLongest words long
  std::vector<std::vector<Tensor>> at;     // per sample and word: the weights of the patches, [patches]
};

class Captioner {
 public:
  // looks = false: all scores stay 0, each word sees the mean of all patches; otherwise the same network.
  explicit Captioner(bool looks)
      : encoder_{Linear{kPatchSize, 128}, LayerNorm{128},       Activation{"relu"},
                 Linear{128, kFeatures},  LayerNorm{kFeatures}, Activation{"relu"}},
        decoder_{Embedding{kWordCount, 32},
                 carousel::AttentionDecoder{{.input_size = 32,
                                             .hidden_size = 128,
                                             .memory_size = kFeatures,
                                             .score = "additive",
                                             .attention_size = 64}},
                 Linear{128, kWordCount}} {
    parameters_ = encoder_.parameters();
    for (Parameter* parameter : decoder_.parameters()) {
      parameters_.push_back(parameter);
      // v = 0 and W = 0 stay so: the gradient of v is tanh(0), those of W have the factor v.
      if (!looks && parameter->name.starts_with("attn_")) parameter->value.fill(0);
    }
    adam_ = std::make_unique<carousel::Adam>(parameters_, carousel::AdamOptions{.lr = kLearningRate});
  }

  // One update; returns the loss, nats per word. The learning rate falls to 0 with the share of updates that are left.
  double train(std::span<const Scene> scenes, double left) {
    const auto samples = static_cast<int>(scenes.size());
    IdTensor before({kLongest, samples}), words({kLongest, samples});
    std::vector<std::int32_t> lengths;
    words.fill(carousel::kIgnoredLabel);
    for (int n = 0; n < samples; ++n) {
      const std::vector<int>& caption = scenes[static_cast<std::size_t>(n)].caption;
      lengths.push_back(static_cast<std::int32_t>(caption.size()));
      for (int t = 0; t < lengths.back(); ++t) {
        words[t * samples + n] = caption[static_cast<std::size_t>(t)];
        if (t + 1 < lengths.back()) before[(t + 1) * samples + n] = caption[static_cast<std::size_t>(t)];
      }
    }
    const Tensor patches = cut_patches(scenes);
    const carousel::Variable features = encoder_(patches);
    const auto loss =
        carousel::cross_entropy(decoder_({.ids = &before, .lengths = lengths, .memory = features}), words);
    const double nats = loss.item();
    carousel::backward(loss);
    carousel::clip_grad_norm(parameters_, 1.0);
    adam_->set_learning_rate(kLearningRate * left);
    adam_->step();
    return nats;
  }

  // The likeliest word after each other.
  Told describe(std::span<const Scene> scenes) {
    const auto samples = static_cast<int>(scenes.size());
    const Tensor features = encoder_.predict(cut_patches(scenes));
    Told told{std::vector<std::vector<int>>(scenes.size()), std::vector<std::vector<Tensor>>(scenes.size())};
    carousel::State state = decoder_.zero_state(samples), next;
    IdTensor word({1, samples});
    std::vector<Tensor> weights;  // one layer: [1, samples, patches]
    for (int t = 0; t < kLongest; ++t) {
      const Tensor scores = decoder_.predict(
          {.ids = &word, .initial = &state, .final = &next, .memory_values = &features, .alignments = &weights});
      std::swap(state, next);
      for (int n = 0; n < samples; ++n) {
        const float* row = scores.view().row(n);
        auto& caption = told.captions[static_cast<std::size_t>(n)];
        word[n] = static_cast<std::int32_t>(std::max_element(row, row + kWordCount) - row);
        if (!caption.empty() && caption.back() == kStop) continue;
        caption.push_back(word[n]);
        told.at[static_cast<std::size_t>(n)].emplace_back(
            carousel::View<const float>{weights[0].view().row(n), {kPatches}});
      }
    }
    return told;
  }

 private:
  static constexpr int kFeatures = 64;
  static constexpr double kLearningRate = 2e-3;
  Sequential encoder_, decoder_;
  std::vector<Parameter*> parameters_;
  std::unique_ptr<carousel::Adam> adam_;
};

}  // namespace generative
