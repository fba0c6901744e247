#include "tasks/lm/lm_model.h"

#include "autograd/ops/linear_cross_entropy.h"
#include "autograd/ops/sampled_cross_entropy.h"
#include "base/fail.h"
#include "base/json.h"
#include "layers/output/tied_linear.h"
#include "layers/tokens/embedding_dropout.h"
#include "tasks/lm/adaptive_loss.h"
#include "tasks/task_data.h"
#include "tasks/text_json.h"
#include "tasks/token_input.h"
#include "tasks/training_run.h"

namespace carousel {

using nlohmann::json;

std::string LmInfo::to_json() const {
  return json_text(json{{"text", text_to_json(text, vocabulary)}, {"counts", counts}, {"split", split}});
}

LmInfo LmInfo::from_model(const Model& model) {
  LmInfo info;
  read_task_data(model, "lm", [&](const json& object) {
    text_from_json(object.at("text"), info.text, info.vocabulary);
    object.at("counts").get_to(info.counts);
    object.at("split").get_to(info.split);
  });
  info.text.add_eos = info.text.level != TextLevel::kCharacter;
  if (info.text.level == TextLevel::kAuto || info.counts.size() != info.vocabulary.size()) {
    fail(Code::kModel, "the description of the language model contradicts itself");
  }
  const LmNetwork network(model.network());
  const LayerDescription input = network.body().modules().front().second->describe();
  const auto read = std::get<std::int64_t>(input.settings.at("vocabulary_size"));
  if (const std::int64_t V = std::ssize(info.vocabulary); read != V || network.classes() != V) {
    fail(Code::kModel, "the language model has {} tokens, its network reads {} and scores {}", V, read,
         network.classes());
  }
  return info;
}

ModelOptions resolve_lm_model(const ModelOptions& options, const FittedLm& text, Observer& observer) {
  ModelOptions r = options;
  const bool characters = text.settings.level == TextLevel::kCharacter;
  if (r.cell.empty()) r.cell = "lstm";
  if (r.activation.empty()) r.activation = "tanh";
  if (r.cell == "none") fail(Code::kUsage, "--cell none: a language model needs a recurrent cell");
  if (r.bidirectional == "true") fail(Code::kUsage, "--bidirectional: a language model reads in one direction only");
  if (r.bidirectional.empty()) r.bidirectional = "false";
  const std::int64_t tokens = std::ssize(text.stream.ids);
  const bool large = tokens > 4'000'000, small = tokens < 500'000;
  // Of characters one wide layer learns more in the same time than two narrow ones.
  if (r.layers == 0) r.layers = characters && !small ? 1 : 2;
  if (r.hidden_size == 0) r.hidden_size = characters ? (small ? 128 : large ? 512 : 448) : large ? 400 : 200;
  if (r.embedding_size == 0) r.embedding_size = characters ? 64 : r.hidden_size;
  if (r.token_input.empty()) r.token_input = "embedding";
  r.buckets = trigram_buckets(r);
  if (r.dropout < 0) r.dropout = characters && small ? 0.1 : 0.25;
  const std::int64_t width = r.proj_size > 0 ? r.proj_size : r.hidden_size;
  const bool has_table = r.token_input == "embedding" && !r.freeze_vectors;
  if (r.softmax == "adaptive" || !has_table) {
    if (r.tie_embeddings == "true") {
      fail(Code::kUsage, "--tie-embeddings: not with {}, leave one out",
           !has_table ? "--token-input one_hot or trigrams, or --freeze-vectors" : "--softmax adaptive");
    }
    r.tie_embeddings = "false";
  }
  if (r.tie_embeddings.empty()) r.tie_embeddings = !characters && r.embedding_size == width ? "true" : "false";
  if (r.variational_dropout && r.tied) {
    fail(Code::kUsage, "--variational-dropout: makes each layer one of its own, leave --tied out");
  }
  observer.note(fmt::format("model: {}, {} layer{} of {}{}{}, dropout {}{}", r.cell, r.layers, r.layers == 1 ? "" : "s",
                            r.hidden_size, token_input_text(r),
                            r.tie_embeddings == "true" ? " (tied to the output)" : "", r.dropout,
                            r.variational_dropout ? " (variational)" : ""));
  return r;
}

namespace {

// Recurrent layers over inputs of `size` numbers one by one, with a mask between each two that stays the same for all
// steps. Returns the width.
std::int64_t add_variational_body(Sequential& body, const ModelOptions& options, std::int64_t size) {
  ModelOptions one = options;
  one.layers = 1;
  for (std::int64_t l = 0; l < options.layers; ++l) {
    if (l > 0) body.add(fmt::format("dropout{}", l - 1), std::make_unique<Dropout>(options.dropout, true));
    auto layer = std::make_unique<Sequential>();
    size = add_body(*layer, one, size, 1);
    body.add(fmt::format("layer{}", l), std::move(layer));
  }
  return size;
}

}  // namespace

Sequential build_lm(const ModelOptions& options, const std::vector<std::string>& vocabulary) {
  const std::int64_t vocabulary_size = std::ssize(vocabulary);
  auto body = std::make_unique<Sequential>();
  const auto add_dropout = [&](const char* name) {
    if (options.dropout > 0) body->add(name, std::make_unique<Dropout>(options.dropout, options.variational_dropout));
  };
  const std::int64_t token_size = add_token_input(*body, options, vocabulary);
  if (options.embedding_dropout > 0) {
    body->add("embedding_dropout", std::make_unique<EmbeddingDropout>(options.embedding_dropout));
  }
  if (options.token_input != "one_hot") add_dropout("input_dropout");  // a one dropped leaves nothing of a token
  const std::int64_t size = options.variational_dropout ? add_variational_body(*body, options, token_size)
                                                        : add_body(*body, options, token_size, 1);
  add_dropout("dropout");
  Sequential network;
  network.add("body", std::move(body));
  if (options.softmax == "adaptive") {
    const std::int64_t head_size = std::max<std::int64_t>(1, std::min<std::int64_t>(2000, vocabulary_size / 5));
    network.add("output", std::make_unique<AdaptiveSoftmax>(size, vocabulary_size, head_size));
    return network;
  }
  if (options.tie_embeddings != "true") {
    network.add("output", std::make_unique<Linear>(size, vocabulary_size));
    return network;
  }
  if (size != options.embedding_size) {
    fail(Code::kUsage, "--tie-embeddings: the last layer gives {} features, the embedding has {}; make them equal",
         size, options.embedding_size);
  }
  network.add("output", std::make_unique<TiedLinear>(vocabulary_size));
  return network;
}

LmNetwork::LmNetwork(Sequential& network) {
  const auto& modules = network.modules();
  body_ = modules.size() == 2 ? dynamic_cast<Sequential*>(modules[0].second.get()) : nullptr;
  Module* input = body_ && body_->size() > 0 ? body_->modules()[0].second.get() : nullptr;
  if (!input || !is_token_input(input->describe().type)) {
    fail(Code::kModel, "a language model needs the parts body, which begins with token ids, and output");
  }
  if (auto* linear = dynamic_cast<Linear*>(modules[1].second.get())) {
    weight_ = &linear->weight;
    bias_ = &linear->bias;
  } else if (auto* tied = dynamic_cast<TiedLinear*>(modules[1].second.get())) {
    auto* embedding = dynamic_cast<Embedding*>(input);
    if (!embedding) fail(Code::kModel, "the output of a language model is tied to an embedding, which it has not");
    weight_ = &embedding->weight;
    bias_ = &tied->bias;
  } else if (!(adaptive_ = dynamic_cast<AdaptiveSoftmax*>(modules[1].second.get()))) {
    fail(Code::kModel, "the output of a language model is a '{}', expected linear, tied_linear or adaptive_softmax",
         modules[1].second->describe().type);
  }
}

namespace {

constexpr std::int64_t kDraws = 1024;  // of a sampled softmax

}  // namespace

Variable LmNetwork::sampled_loss(const Variable& rows, std::span<const std::int32_t> labels,
                                 const RandomKey& key) const {
  Tape<float>& tape = rows.tape();
  return sampled_cross_entropy<float>(rows, tape.parameter(*weight_), tape.parameter(*bias_), labels, kDraws, key);
}

std::int64_t LmNetwork::classes() const noexcept {
  return adaptive_ ? adaptive_->vocabulary_size() : bias_->value.elements();
}

Variable LmNetwork::loss(const Variable& rows, std::span<const std::int32_t> labels, std::span<double> losses) const {
  if (adaptive_) return adaptive_loss(*adaptive_, rows, labels, losses);
  Tape<float>& tape = rows.tape();
  return linear_cross_entropy<float>(rows, tape.parameter(*weight_), tape.parameter(*bias_), labels, losses);
}

PassPart LmNetwork::loss_memory(std::int64_t rows) const {
  const Tensor& weight = adaptive_ ? adaptive_->head().value : weight_->value;
  const std::int64_t V = weight.shape()[0], H = weight.shape()[1];
  // linear_cross_entropy() keeps the gradients of all that it reads, and needs logits and losses for a while.
  return {.kept = rows * H + V * H + V, .gradient = 1, .forward_work = std::min(rows, kLossRows) * V + 2 * rows};
}

PassPart LmNetwork::sampled_loss_memory(std::int64_t rows) const {
  const std::int64_t H = weight_->value.shape()[1], scores = rows * kDraws, weights = (rows + kDraws) * H;
  // sampled_cross_entropy() records the weights of labels and draws, their products with x, the scores, the mask, their
  // sum, that beside the scores of the labels, and its softmax; all but the mask and the softmax have a gradient.
  return {.kept = weights + rows * H + 5 * scores, .gradient = weights + rows * H + 3 * scores};
}

}  // namespace carousel
