#include "tasks/classify/token_weights.h"

#include <algorithm>

#include "carousel/attention.h"
#include "layers/module.h"
#include "layers/tokens/sentence_encoder.h"
#include "layers/tokens/term_scores.h"

namespace carousel {
namespace {

// The first layer of this kind, in the parts of the network too; null if there is none.
template <class Layer>
Layer* find_kind(Sequential& network) {
  for (const auto& [name, module] : network.modules()) {
    if (auto* found = dynamic_cast<Layer*>(module.get())) return found;
    for (const auto& [own, inner] : detail::inner_networks(*module)) {
      if (auto* found = find_kind<Layer>(*inner)) return found;
    }
  }
  return nullptr;
}

// words [sentences of all texts, steps], of_sentences [N, S].
std::vector<std::vector<float>> sentence_by_sentence(const IdTensor& ids, std::span<const std::int32_t> lengths,
                                                     const Tensor& words, const Tensor& of_sentences,
                                                     std::int64_t mark) {
  std::vector<std::vector<float>> all;
  const std::int64_t N = std::ssize(lengths);
  std::int64_t sentence = 0;  // of all texts
  for (std::int64_t n = 0; n < N; ++n) {
    std::vector<float>& weights = all.emplace_back();
    std::int64_t number = 0, step = 0;  // of the sentence in the text, of the word in the sentence
    const std::int64_t length = lengths[static_cast<std::size_t>(n)];
    for (std::int64_t t = 0; t < length; ++t) {
      const bool is_mark = ids[t * N + n] == mark;
      if (is_mark && step > 0) ++sentence, ++number;
      step = is_mark ? 0 : step + 1;
      const bool is_known = sentence < words.shape()[0] && step <= words.shape()[1] && number < of_sentences.shape()[1];
      if (!is_mark && !is_known) return {};  // weights of other layers than these two
      weights.push_back(is_mark ? 0
                                : of_sentences[n * of_sentences.shape()[1] + number] *
                                      words[sentence * words.shape()[1] + step - 1]);
    }
    if (step > 0) ++sentence;
  }
  return all;
}

}  // namespace

std::vector<std::vector<float>> token_weights(Sequential& network, const IdTensor& ids,
                                              std::span<const std::int32_t> lengths) {
  std::vector<std::vector<float>> all;
  if (!find_kind<AttentionPool>(network)) return all;
  std::vector<Tensor> alignments;
  network.predict({.ids = &ids, .lengths = lengths, .alignments = &alignments});
  const auto is_table = [](const Tensor& one) { return one.shape().rank() == 2; };
  if (!std::all_of(alignments.begin(), alignments.end(), is_table)) return all;  // there is other attention as well
  const Tensor& weights = alignments.back();                                     // [N, T], or of the sentences [N, S]
  if (weights.shape()[0] != std::ssize(lengths)) return all;
  if (const auto* encoder = find_kind<SentenceEncoder>(network)) {
    return sentence_by_sentence(ids, lengths, alignments.front(), weights, encoder->mark());
  }
  if (weights.shape()[1] != ids.shape()[0]) return all;
  for (std::size_t n = 0; n < lengths.size(); ++n) {
    const float* row = weights.data() + static_cast<std::int64_t>(n) * weights.shape()[1];
    all.emplace_back(row, row + lengths[n]);
  }
  return all;
}

std::vector<std::vector<float>> sentence_weights(Sequential& network, const Samples& samples,
                                                 std::span<const std::int64_t> indices) {
  std::vector<std::vector<float>> all;
  const auto* encoder = find_kind<SentenceEncoder>(network);
  if (!encoder) return all;
  Tape<float> tape;
  tape.set_recording(false);
  SequenceLayout layout;
  SampleBatch batch;
  std::vector<Tensor> alignments;
  for (std::size_t begin = 0; begin < indices.size(); begin += kInferenceBatch) {
    const auto chosen = indices.subspan(begin, std::min<std::size_t>(kInferenceBatch, indices.size() - begin));
    batch.assign(samples, chosen);
    detail::PassInput input = batch.pass_input();
    input.alignments = &alignments;
    tape.reset();
    detail::run_pass(network, tape, layout, input, false, {});
    if (alignments.size() != 2) return {};  // of the words of all sentences, of the sentences [N, S]
    for (std::size_t n = 0; n < chosen.size(); ++n) {
      const std::vector<std::int32_t>& ids = samples.ids[static_cast<std::size_t>(chosen[n])];
      const auto marks = std::count(ids.begin(), ids.end(), static_cast<std::int32_t>(encoder->mark()));
      const float* row = alignments[1].data() + static_cast<std::int64_t>(n) * alignments[1].shape()[1];
      all.emplace_back(row, row + (ids.empty() ? 0 : marks + 1));
    }
  }
  return all;
}

std::vector<TermPush> term_pushes(Sequential& network, std::span<const std::int32_t> ids, std::int32_t for_class,
                                  std::int32_t over_class, std::size_t most) {
  std::vector<TermPush> pushes;
  const auto* layer = find_kind<TermScores>(network);
  if (!layer) return pushes;
  const std::int64_t classes = layer->bias.value.elements();
  if (std::max(for_class, over_class) >= classes) return pushes;
  for (const auto& [term, value] : layer->values_of(ids)) {
    const float* weights = layer->weight.value.data() + term * classes;
    const double push = value * (weights[for_class] - weights[over_class]);
    if (push <= 0) continue;
    pushes.push_back({static_cast<std::int32_t>(layer->terms.value[2 * term]),
                      static_cast<std::int32_t>(layer->terms.value[2 * term + 1]), push});
  }
  std::stable_sort(pushes.begin(), pushes.end(), [](const TermPush& a, const TermPush& b) { return a.push > b.push; });
  pushes.resize(std::min(pushes.size(), most));
  return pushes;
}

}  // namespace carousel
