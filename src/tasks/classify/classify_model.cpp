#include "tasks/classify/classify_model.h"

#include <algorithm>
#include <set>

#include "base/fail.h"
#include "base/json.h"
#include "carousel/convolution.h"
#include "layers/tokens/sentence_encoder.h"
#include "layers/tokens/term_scores.h"
#include "tasks/column_scale.h"
#include "tasks/task_data.h"
#include "tasks/text_json.h"
#include "tasks/token_input.h"
#include "tasks/training_run.h"

namespace carousel {

using nlohmann::json;

namespace {

// How many scores a classifier's network gives, by the last layer; 0: it ends in none that a classifier has.
std::int64_t score_count(Sequential& network) {
  if (network.size() == 0) return 0;
  Module* last = network.modules().back().second.get();
  if (auto* sum = dynamic_cast<Sum*>(last)) return score_count(sum->branches().front());
  if (const auto* linear = dynamic_cast<Linear*>(last)) return linear->weight.value.shape()[0];
  if (const auto* scale = dynamic_cast<Scale*>(last)) return scale->factor.value.elements();
  if (const auto* terms = dynamic_cast<TermScores*>(last)) return terms->bias.value.elements();
  return 0;
}

}  // namespace

std::string ClassifyInfo::to_json() const {
  json object{{"labels", labels}, {"features", features}, {"majority", majority}, {"split", split}};
  if (text) {
    object["text"] = text_to_json(*text, vocabulary);
    object["hierarchical"] = hierarchical;
  }
  return json_text(object);
}

ClassifyInfo ClassifyInfo::from_model(const Model& model) {
  ClassifyInfo info;
  read_task_data(model, "classify", [&](const json& object) {
    object.at("labels").get_to(info.labels);
    object.at("features").get_to(info.features);
    object.at("majority").get_to(info.majority);
    object.at("split").get_to(info.split);
    if (object.contains("text")) {
      text_from_json(object.at("text"), info.text.emplace(), info.vocabulary);
      info.hierarchical = object.value("hierarchical", false);
    }
  });
  if (info.labels.size() < 2 || !std::is_sorted(info.labels.begin(), info.labels.end())) {
    fail(Code::kModel, "the model has {} labels, expected at least 2 in order", info.labels.size());
  }
  if (info.majority < 0 || info.majority >= std::ssize(info.labels) || (info.features == 0) != info.text.has_value()) {
    fail(Code::kModel, "the description of the classifier contradicts itself");
  }
  if (const std::int64_t scores = score_count(model.network()); scores != std::ssize(info.labels)) {
    fail(Code::kModel, "the description of the classifier has {} labels, its network gives {} scores",
         info.labels.size(), scores);
  }
  return info;
}

TextPipeline ClassifyInfo::pipeline() const { return TextPipeline(*text, Vocabulary::from_tokens(vocabulary)); }

namespace {

constexpr std::int64_t kWidths[] = {3, 4, 5};  // of the convolutions
constexpr std::int64_t kTextUnits = 64;

// What every network has.
void resolve_text_options(ModelOptions& r, bool text) {
  if (r.embedding_size == 0) r.embedding_size = 128;
  if (r.token_input.empty()) r.token_input = "embedding";
  r.buckets = trigram_buckets(r);
  if (r.dropout < 0) r.dropout = 0.5;
  if (r.linear_branch.empty()) r.linear_branch = text ? "true" : "false";
  if (r.linear_branch == "true" && !text) fail(Code::kUsage, "--linear-branch: only for texts, these are sequences");
}

std::string input_text(const ModelOptions& r, bool text) {
  return fmt::format("{}, dropout {}", text ? token_input_text(r) : "", r.dropout);
}

void resolve_hierarchy(ModelOptions& r, bool text) {
  if (!text) fail(Code::kUsage, "--hierarchical: only for texts, these are sequences of numbers");
  if (r.cell == "none") fail(Code::kUsage, "--hierarchical: needs a recurrent cell, not 'none'");
  if (r.pool.empty()) r.pool = "attention";
}

ModelOptions resolve_cnn(ModelOptions r, bool text, Observer& observer) {
  refuse_recurrent_options(r, "--model cnn");
  if (r.hidden_size == 0) r.hidden_size = 100;
  resolve_text_options(r, text);
  observer.note(fmt::format("model: convolutions of widths {}, {} filters each, max over time{}",
                            fmt::join(kWidths, ", "), r.hidden_size, input_text(r, text)));
  return r;
}

// A text as the words in it, without any order.
ModelOptions resolve_bag(ModelOptions r, Observer& observer) {
  if (r.pool.empty()) r.pool = "mean";
  const bool attention = r.pool == "attention";
  const std::pair<bool, const char*> of_layers[] = {{r.hidden_size > 0 && !attention, "hidden_size"},
                                                    {r.layers > 0, "layers"},
                                                    {r.layer_norm, "layer_norm"},
                                                    {!r.activation.empty(), "activation"},
                                                    {r.pool == "last", "pool last"}};
  std::vector<std::string> given;
  for (const auto& [is_given, name] : of_layers) {
    if (is_given) given.emplace_back(name);
  }
  if (!given.empty()) {
    fail(Code::kUsage, "--cell none takes a text as a bag of words, without layers: leave {} out",
         fmt::join(given, ", "));
  }
  if (attention && r.hidden_size == 0) r.hidden_size = kTextUnits;
  resolve_text_options(r, true);
  observer.note(fmt::format("model: a bag of words, pool {}{}", r.pool, input_text(r, true)));
  return r;
}

ModelOptions resolve_tfidf(ModelOptions r, bool text, Observer& observer) {
  if (!text) fail(Code::kUsage, "--model tfidf: counts words, these are sequences of numbers");
  observer.note("model: TF-IDF + logistic regression over words and pairs of neighbouring words");
  return r;
}

// One branch for each width (Kim 2014), its share of the scores added up: as one layer over all of them side by side.
Sum convolutions(const ModelOptions& options, std::int64_t input_size, std::int64_t classes) {
  std::vector<Sequential> branches;
  for (const std::int64_t width : kWidths) {
    Sequential& branch = branches.emplace_back();
    branch.add("conv", std::make_unique<Conv1d>(Conv1dOptions{
                           .input_size = input_size, .output_size = options.hidden_size, .kernel_size = width}));
    branch.add("pool", std::make_unique<Pool>("max"));
    branch.add("activation", std::make_unique<Activation>("relu"));  // behind the maximum: the same, for fewer rows
    if (options.dropout > 0) branch.add("dropout", std::make_unique<Dropout>(options.dropout));
    branch.add("output", std::make_unique<Linear>(options.hidden_size, classes, width == kWidths[0]));
  }
  return Sum(std::move(branches));
}

}  // namespace

void refuse_network_options(const Options& options) {
  const std::set<std::string_view> kept{"model.model", "train.seed", "train.threads"};
  const Options none;
  std::vector<std::string_view> given;
  for (const Option& option : option_table()) {
    const bool of_networks = option.section() == "model" || option.section() == "train" || option.key == "data.vectors";
    if (!of_networks || kept.contains(option.key) || !option.applies_to("classify")) continue;
    if (option_values(options, option) != option_values(none, option)) given.push_back(option.name());
  }
  if (!given.empty()) fail(Code::kUsage, "--model tfidf has no network: leave {} out", fmt::join(given, ", "));
}

ModelOptions resolve_classify_model(const ModelOptions& options, const ClassifyData& data,
                                    const std::vector<std::int64_t>& training, Observer& observer) {
  ModelOptions r = options;
  const bool text = data.is_text(), small = training.size() < 1000;
  if (r.model.empty()) r.model = "recurrent";
  if (r.model == "tfidf") return resolve_tfidf(r, text, observer);
  if (r.model == "cnn") return resolve_cnn(r, text, observer);
  if (r.hierarchical) resolve_hierarchy(r, text);
  if (text && r.cell == "none") return resolve_bag(r, observer);
  if (r.cell.empty()) r.cell = "lstm";
  if (r.activation.empty()) r.activation = "tanh";
  if (r.hidden_size == 0) r.hidden_size = text ? kTextUnits : small ? 100 : 128;
  if (r.layers == 0) r.layers = 1;
  resolve_text_options(r, text);
  if (r.bidirectional.empty()) r.bidirectional = "true";
  if (r.pool.empty()) r.pool = "mean";
  const std::string shape = r.cell == "none" ? fmt::format("feed-forward, {} layers of {}", r.layers, r.hidden_size)
                                             : fmt::format("{}{}, {} layer{} of {}, pool {}",
                                                           r.bidirectional == "true" ? "bidirectional " : "", r.cell,
                                                           r.layers, r.layers == 1 ? "" : "s", r.hidden_size, r.pool);
  observer.note(
      fmt::format("model: {}{}{}", r.hierarchical ? "sentences of words, each " : "", shape, input_text(r, text)));
  return r;
}

Sequential build_classifier(const ModelOptions& options, const ClassifyData& data,
                            const std::vector<std::int64_t>& training, const std::vector<std::string>& vocabulary) {
  Sequential network;
  std::int64_t features = data.samples.features;
  if (data.is_text()) {
    features = add_token_input(network, options, vocabulary);
    const bool embedded = options.token_input != "one_hot";  // dropping a one would leave nothing of a word
    if (options.dropout > 0 && embedded && options.model != "cnn")
      network.add("embedding_dropout", std::make_unique<Dropout>(options.dropout));
  } else {
    network.add("scale", scale_layer(fit_feature_scales(data.samples, training)));
  }
  if (options.model == "cnn") {
    network.add("convolutions", std::make_unique<Sum>(convolutions(options, features, std::ssize(data.label_names))));
    return network;
  }
  if (options.hierarchical) {
    Sequential words = std::move(network);
    features = add_body(words, options, features, 1);
    network = Sequential();
    network.add("words", std::make_unique<SentenceEncoder>(std::move(words), Vocabulary::kEnd));
  }
  std::int64_t size = 0;
  if (data.is_text() && options.cell == "none") {  // a bag of embedded words
    check_cell_options(options);
    add_pool(network, options, features);
    size = features;
  } else {
    size = add_body(network, options, features, options.cell == "none" ? data.samples.common_length() : 1);
  }
  if (options.dropout > 0) network.add("dropout", std::make_unique<Dropout>(options.dropout));
  network.add("output", std::make_unique<Linear>(size, std::ssize(data.label_names)));
  return network;
}

}  // namespace carousel
