#include "tasks/translate/translate_model.h"

#include <algorithm>

#include "base/fail.h"
#include "layers/attention/sequence_to_sequence.h"
#include "layers/pool_ops.h"
#include "tasks/decoder_network.h"
#include "tasks/training_run.h"

namespace carousel {

ModelOptions resolve_translate_model(const ModelOptions& options, const TranslateInfo& info, std::int64_t pairs,
                                     Observer& observer) {
  ModelOptions r = options;
  const PairKind kind = info.kind();
  if (r.cell.empty()) r.cell = "lstm";
  if (r.cell == "none") fail(Code::kUsage, "--cell none: a translator reads and writes sequences, choose lstm or gru");
  if (r.attention == "none") fail(Code::kUsage, "--attention none: is for forecast, a translator looks at its source");
  if (r.activation.empty()) r.activation = "tanh";
  if (r.attention.empty()) r.attention = r.coverage ? "concat" : "general";
  if (r.coverage && r.attention != "concat" && r.attention != "additive") {
    fail(Code::kUsage, "--coverage: is for --attention concat or additive, got '{}'", r.attention);
  }
  if (r.bidirectional.empty()) r.bidirectional = "true";
  // The dot product needs encoder and decoder to be as wide as each other.
  if (r.attention == "dot" && r.bidirectional == "true" && r.merge == "concat") r.merge = "sum";
  const bool many_words = kind == PairKind::kPronunciation && pairs >= kManyPairs;
  if (r.layers == 0) r.layers = many_words ? 2 : 1;
  if (r.hidden_size == 0) {
    r.hidden_size = many_words ? 512 : kind == PairKind::kCharacters || pairs < 5000 ? 128 : 256;
  }
  if (r.embedding_size == 0) r.embedding_size = kind == PairKind::kTranslation ? 256 : 64;
  if (r.dropout < 0) {
    r.dropout = kind == PairKind::kTranslation ? 0.4 : many_words ? 0.3 : kind == PairKind::kPronunciation ? 0.2 : 0;
  }
  observer.note(fmt::format(
      "model: {}{} encoder, {} layer{} of {}; {} decoder with {} attention{}{}; embedding_size {}, dropout {}",
      r.bidirectional == "true" ? "bidirectional " : "", r.cell, r.layers, r.layers == 1 ? "" : "s", r.hidden_size,
      r.cell, r.attention, r.attention == "additive" ? "" : " and input feeding", r.coverage ? " and coverage" : "",
      r.embedding_size, r.dropout));
  return r;
}

Sequential build_translator(const ModelOptions& o, const TranslateInfo& info) {
  Sequential encoder, decoder;
  const auto add_dropout = [&](Sequential& part) {
    if (o.dropout > 0) part.add("embedding_dropout", std::make_unique<Dropout>(o.dropout));
  };
  encoder.add("embedding", std::make_unique<Embedding>(std::ssize(info.source_vocabulary), o.embedding_size));
  add_dropout(encoder);
  const std::int64_t memory_size = add_body(encoder, o, o.embedding_size, 1);

  const auto V = std::ssize(info.target_vocabulary);
  decoder.add("embedding", std::make_unique<Embedding>(V, o.embedding_size));
  add_dropout(decoder);
  // Scores as they are may go to the last word of every source in the first epoch and stay there: one of three seeds of
  // Multi30k did.
  add_decoder(decoder, o, o.embedding_size, memory_size, info.kind() == PairKind::kTranslation);
  decoder.add("output", std::make_unique<Linear>(o.hidden_size, V));
  return join_decoder(std::move(encoder), memory_size, "mean", std::move(decoder));
}

Translator::Translator(Sequential& network) {
  const std::pair<const char*, Sequential**> parts[] = {
      {"encoder", &encoder_}, {"bridge", &bridge_}, {"decoder", &decoder_}};
  for (const auto& [name, slot] : parts) {
    for (const auto& [own, module] : network.modules()) {
      if (own == name) *slot = dynamic_cast<Sequential*>(module.get());
    }
    if (*slot == nullptr) fail(Code::kModel, "the network of the translator has no part '{}'", name);
  }
  const auto* input = encoder_->size() == 0 ? nullptr : dynamic_cast<Embedding*>(encoder_->modules()[0].second.get());
  if (input == nullptr) fail(Code::kModel, "the encoder of the translator does not begin with an embedding");
  source_size_ = input->weight.value.shape()[0];
  const auto* output = decoder_->size() == 0 ? nullptr : dynamic_cast<Linear*>(decoder_->modules().back().second.get());
  if (output == nullptr) fail(Code::kModel, "the decoder of the translator does not end in a linear layer");
  target_size_ = output->weight.value.shape()[0];
  for (const auto& [name, module] : decoder_->modules()) {
    if (auto* layer = dynamic_cast<AttentionDecoder*>(module.get())) attention_ = layer;
  }
  if (attention_ == nullptr) fail(Code::kModel, "the decoder of the translator has no layer 'attention_decoder'");
}

void check_vocabularies(const Translator& translator, const TranslateInfo& info) {
  if (translator.source_size() == std::ssize(info.source_vocabulary) &&
      translator.target_size() == std::ssize(info.target_vocabulary)) {
    return;
  }
  fail(Code::kModel, "the translator reads {} and writes {} different tokens, its vocabularies have {} and {}",
       translator.source_size(), translator.target_size(), info.source_vocabulary.size(),
       info.target_vocabulary.size());
}

Translator Translator::with_encoder(Sequential& encoder) const {
  Translator other = *this;
  other.encoder_ = &encoder;
  return other;
}

Translator::Encoded Translator::encode(Tape<float>& tape, detail::Layouts& layouts, const PaddedIds& sources,
                                       bool training, const RandomKey& dropout_key,
                                       std::int64_t checkpoint_steps) const {
  SequenceLayout& layout = layouts.next(tape);
  detail::PassInput input;
  input.ids = &sources.ids;
  input.lengths = sources.lengths;
  input.checkpoint_steps = checkpoint_steps;
  input.packed = true;
  const Variable rows = detail::run_pass(*encoder_, tape, layout, input, training, dropout_key);
  detail::Flow flow;
  flow.tape = &tape;
  flow.layout = &layout;
  flow.x = rows;
  bridge_->forward(flow);
  return {unpack(rows, layout), split_states(flow.x, *decoder_)};
}

Variable Translator::decode(Tape<float>& tape, detail::Layouts& layouts, const Writing& writing, bool training,
                            const RandomKey& dropout_key) const {
  detail::PassInput input;
  input.ids = &writing.inputs.ids;
  input.lengths = writing.inputs.lengths;
  input.initial_variables = writing.encoded.initial;
  input.memory = writing.encoded.memory;
  input.memory_lengths = writing.source_lengths;
  input.alignments = writing.alignments;
  input.attended = writing.attended;
  input.packed = true;
  return detail::run_pass(*decoder_, tape, layouts.next(tape), input, training, dropout_key);
}

PaddedIds decoder_inputs(const PaddedIds& targets) {
  PaddedIds inputs = targets;
  const std::int64_t T = targets.ids.shape()[0], N = targets.ids.shape()[1];
  std::fill_n(inputs.ids.data(), N, Vocabulary::kBegin);
  std::copy_n(targets.ids.data(), (T - 1) * N, inputs.ids.data() + N);
  return inputs;
}

TokenIds packed_targets(const PaddedIds& targets, const SequenceLayout& layout) {
  TokenIds labels;
  labels.reserve(static_cast<std::size_t>(layout.rows()));
  for (const std::int64_t row : layout.padded_rows()) labels.push_back(targets.ids[row]);
  return labels;
}

}  // namespace carousel
