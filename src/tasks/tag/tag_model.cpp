#include "tasks/tag/tag_model.h"

#include <algorithm>
#include <map>

#include "base/fail.h"
#include "base/json.h"
#include "carousel/convolution.h"
#include "data/text/word_shape.h"
#include "layers/output/crf.h"
#include "tasks/task_data.h"
#include "tasks/text_json.h"
#include "tasks/token_input.h"
#include "tasks/training_run.h"

namespace carousel {

using nlohmann::json;

namespace {

constexpr std::int64_t kShapeSize = 10;      // numbers that say how a word is written
constexpr std::int64_t kPairSize = 50;       // of two neighbouring tokens
constexpr std::int64_t kCharacterSize = 30;  // numbers per character

// What occurs most, the smallest of those; 0 if nothing does.
std::int32_t most_frequent(const std::map<std::int32_t, std::int64_t>& counts) {
  const auto best =
      std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return best == counts.end() ? 0 : best->first;
}

std::vector<std::string> sorted_names(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

// The most frequent tag of each word of the vocabulary, and of all words; the most frequent intent.
void fit_baseline(const TagData& data, std::span<const std::int64_t> training, TagInfo& info) {
  TagData part;
  for (const std::int64_t n : training) part.sentences.push_back(data.sentences[static_cast<std::size_t>(n)]);
  encode_sentences(info, part);
  std::vector<std::map<std::int32_t, std::int64_t>> counts(static_cast<std::size_t>(info.words.size()));
  std::map<std::int32_t, std::int64_t> all, intents;
  for (std::size_t n = 0; n < part.sentences.size(); ++n) {
    for (std::size_t t = 0; t < part.words[n].size(); ++t) {
      const auto word = static_cast<std::size_t>(part.words[n][t]);
      if (word < counts.size()) ++counts[word][part.tags[n][t]];  // a hashed one stands behind the vocabulary
      ++all[part.tags[n][t]];
    }
    ++intents[part.intents[n]];
  }
  for (const auto& of_word : counts) info.word_tags.push_back(of_word.empty() ? -1 : most_frequent(of_word));
  info.word_tags[Vocabulary::kUnknown] = -1;
  info.majority_tag = most_frequent(all);
  info.majority_intent = info.intents.empty() ? 0 : most_frequent(intents);
}

}  // namespace

std::string TagInfo::to_json() const {
  return json_text(json{{"tags", tags},
                        {"intents", intents},
                        {"scheme", scheme_name(scheme)},
                        {"text", text_to_json(text, words.tokens())},
                        {"pairs", pairs.tokens()},
                        {"characters", characters.tokens()},
                        {"word_tags", word_tags},
                        {"majority_tag", majority_tag},
                        {"majority_intent", majority_intent},
                        {"word_window", word_window},
                        {"split", split}});
}

TagInfo TagInfo::from_model(const Model& model) {
  TagInfo info;
  std::vector<std::string> words, pairs, characters;
  std::string scheme;
  read_task_data(model, "tag", [&](const json& object) {
    object.at("tags").get_to(info.tags);
    object.at("intents").get_to(info.intents);
    object.at("scheme").get_to(scheme);
    text_from_json(object.at("text"), info.text, words);
    object.at("pairs").get_to(pairs);
    object.at("characters").get_to(characters);
    object.at("word_tags").get_to(info.word_tags);
    object.at("majority_tag").get_to(info.majority_tag);
    object.at("majority_intent").get_to(info.majority_intent);
    object.at("word_window").get_to(info.word_window);
    object.at("split").get_to(info.split);
  });
  info.scheme = parse_scheme(scheme);
  info.buckets = info.text.buckets;
  info.words = Vocabulary::from_tokens(words);
  info.pairs = Vocabulary::from_tokens(pairs);
  info.characters = Vocabulary::from_tokens(characters);
  const auto tags = std::ssize(info.tags);
  const bool tags_fit = std::all_of(info.word_tags.begin(), info.word_tags.end(),
                                    [&](std::int32_t tag) { return tag >= -1 && tag < tags; }) &&
                        info.majority_tag >= 0 && info.majority_tag < tags;
  const bool intents_fit =
      info.intents.empty() || (info.majority_intent >= 0 && info.majority_intent < std::ssize(info.intents));
  if (tags < 2 || !std::is_sorted(info.tags.begin(), info.tags.end()) ||
      !std::is_sorted(info.intents.begin(), info.intents.end()) || !tags_fit || !intents_fit ||
      std::ssize(info.word_tags) != info.words.size() || info.word_window < 1 || info.word_window % 2 == 0) {
    fail(Code::kModel, "the description of the tagger contradicts itself");
  }
  return info;
}

namespace {

// The vocabularies of words and what else the model reads.
void fit_vocabularies(const TagData& data, std::span<const std::int64_t> training, const DataOptions& options,
                      const ModelOptions& model, TagInfo& info) {
  TokenCounter words, pairs, characters;
  Segmenter segmenter(TextLevel::kCharacter);
  std::vector<std::string> normalized;
  for (const std::int64_t n : training) {
    normalized.clear();
    for (const std::string& token : data.sentences[static_cast<std::size_t>(n)].tokens) {
      normalized.push_back(normalized_token(token));
      words.add(normalized.back());
      if (model.characters == "none") continue;
      for (const std::string& character : characters_of(segmenter, token)) characters.add(character);
    }
    for (std::size_t t = 0; t < normalized.size() && model.token_pairs == "true"; ++t) {
      pairs.add(pair_of(normalized[t], t + 1 < normalized.size() ? normalized[t + 1] : ""));
    }
  }
  info.words = words.build({std::max<std::int64_t>(options.min_count, 1), options.max_vocabulary});
  constexpr std::int64_t kLeastPairs = 2;  // seen once is <unk>, which is learnt so
  info.pairs = pairs.build({.min_count = kLeastPairs});
  info.characters = characters.build({});
}

}  // namespace

TagInfo fit_tag_info(const TagData& data, std::span<const std::int64_t> training, const DataOptions& options,
                     const ModelOptions& model) {
  TagInfo info;
  info.text.level = tag_level(options, data, training);
  info.split = options.split;
  info.word_window = model.word_window;
  info.buckets = info.text.buckets = model.buckets;
  fit_vocabularies(data, training, options, model, info);
  std::vector<std::vector<std::string>> tags;
  for (const std::int64_t n : training) {
    const TaggedSentence& sentence = data.sentences[static_cast<std::size_t>(n)];
    tags.push_back(sentence.tags);
    info.tags.insert(info.tags.end(), sentence.tags.begin(), sentence.tags.end());
    if (!sentence.label.empty()) info.intents.push_back(sentence.label);
  }
  info.tags = sorted_names(std::move(info.tags));
  info.intents = sorted_names(std::move(info.intents));
  if (info.tags.size() < 2) {
    fail(Code::kData, "{}: all tokens have the tag '{}', expected at least two tags", fmt::join(options.data, ", "),
         info.tags.front());
  }
  info.scheme = recognise_scheme(info.tags, tags);
  fit_baseline(data, training, info);
  return info;
}

ModelOptions resolve_tag_model(const ModelOptions& options, TextLevel level) {
  ModelOptions r = options;
  if (r.cell.empty()) r.cell = "lstm";
  if (r.cell == "none") fail(Code::kUsage, "--cell none: a tagger reads sentences of any length, choose a cell");
  if (r.activation.empty()) r.activation = "tanh";
  if (r.hidden_size == 0) r.hidden_size = 100;
  if (r.layers == 0) r.layers = 1;
  if (r.embedding_size == 0) r.embedding_size = 100;
  if (r.token_input.empty()) r.token_input = "embedding";
  r.buckets = trigram_buckets(r);
  if (r.bidirectional.empty()) r.bidirectional = "true";
  if (r.dropout < 0) r.dropout = 0.5;
  if (r.crf.empty()) r.crf = "true";
  // The one character of a token says what the token says.
  if (r.characters.empty()) r.characters = level == TextLevel::kCharacter ? "none" : "cnn";
  if (r.token_pairs.empty()) r.token_pairs = level == TextLevel::kCharacter ? "true" : "false";
  if (r.word_window == 0) r.word_window = 1;
  if (r.word_window % 2 == 0) fail(Code::kUsage, "--word-window {}: expected an odd number", r.word_window);
  if (r.crf_valid_tags_only && r.crf != "true") fail(Code::kUsage, "--crf-valid-tags-only: there is no CRF");
  return r;
}

std::string describe_tag_model(const ModelOptions& r) {
  return fmt::format("model: {}{}, {} layer{} of {}{}, characters {}{}, word_window {}, {}, dropout {}",
                     r.bidirectional == "true" ? "bidirectional " : "", r.cell, r.layers, r.layers == 1 ? "" : "s",
                     r.hidden_size, token_input_text(r), r.characters, r.token_pairs == "true" ? ", pairs" : "",
                     r.word_window, r.crf == "true" ? "CRF" : "softmax", r.dropout);
}

namespace {

void add_dropout(Sequential& part, double dropout) {
  if (dropout > 0) part.add("dropout", std::make_unique<Dropout>(dropout));
}

std::unique_ptr<Sequential> spelling_part(const ModelOptions& options, std::int64_t characters) {
  auto part = std::make_unique<Sequential>();
  part->add("embedding", std::make_unique<Embedding>(characters, kCharacterSize));
  if (options.characters == "cnn") {
    part->add("convolution",
              std::make_unique<Conv1d>(Conv1dOptions{.input_size = kCharacterSize, .output_size = kSpellingSize}));
    part->add("pool", std::make_unique<Pool>("max"));
  } else {
    part->add("recurrent", std::make_unique<Recurrent>(RecurrentOptions{
                               .input_size = kCharacterSize, .hidden_size = kSpellingSize / 2, .bidirectional = true}));
    part->add("pool", std::make_unique<Pool>("last"));
  }
  return part;
}

}  // namespace

Sequential build_tagger(const ModelOptions& options, const TagInfo& info) {
  Sequential network;
  const bool reads_characters = options.characters != "none";
  const auto embedding = [](std::int64_t count, std::int64_t size) {
    auto part = std::make_unique<Sequential>();
    part->add("embedding", std::make_unique<Embedding>(count, size));
    return part;
  };
  auto words = std::make_unique<Sequential>();
  const std::int64_t word_size = add_token_input(*words, options, info.words.tokens());
  network.add("words", std::move(words));
  network.add("shapes", embedding(1 + kWordShapes, kShapeSize));
  const bool reads_pairs = info.pairs.size() > Vocabulary::kSpecials;
  if (reads_pairs) network.add("pairs", embedding(info.pairs.size(), kPairSize));
  if (reads_characters) network.add("characters", spelling_part(options, info.characters.size()));
  const std::int64_t token_size =
      word_size + kShapeSize + (reads_pairs ? kPairSize : 0) + (reads_characters ? kSpellingSize : 0);

  auto body = std::make_unique<Sequential>();
  add_dropout(*body, options.dropout);
  ModelOptions recurrent = options;
  recurrent.pool.clear();
  const std::int64_t size = add_body(*body, recurrent, options.word_window * token_size, 1);
  network.add("body", std::move(body));

  auto slots = std::make_unique<Sequential>();
  add_dropout(*slots, options.dropout);
  slots->add("output", std::make_unique<Linear>(size, std::ssize(info.tags)));
  if (options.crf == "true") slots->add("crf", std::make_unique<Crf>(std::ssize(info.tags)));
  network.add("slots", std::move(slots));

  if (!info.intents.empty()) {
    auto intent = std::make_unique<Sequential>();
    intent->add("pool", std::make_unique<Pool>("max"));
    add_dropout(*intent, options.dropout);
    intent->add("output", std::make_unique<Linear>(size, std::ssize(info.intents)));
    network.add("intent", std::move(intent));
  }
  return network;
}

}  // namespace carousel
