// Oracles: the text pipeline by hand, the numbers of the file, and the network's own output for the worked step.
#include "tasks/inspect_input.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <stdexcept>

#include "formats/npy.h"
#include "tasks/classify/classify_model.h"
#include "tasks/forecast/forecast_model.h"
#include "tasks/inspect_model.h"
#include "tasks/lm/lm_model.h"
#include "tasks/tag/tag_model.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"
#include "tests/tasks/translate/translate_case.h"

namespace carousel {
namespace {

// Vocabulary: <pad> 0, <unk> 1, <bos> 2, <eos> 3, good 4, film 5, bad 6.
Model text_model() {
  ClassifyInfo info;
  info.labels = {"no", "yes"};
  info.text.emplace();
  info.text->level = TextLevel::kWord;
  info.vocabulary = {"<pad>", "<unk>", "<bos>", "<eos>", "good", "film", "bad"};
  Model model("classify", Sequential{Embedding{7, 3}, Recurrent{{.cell = "lstm", .input_size = 3, .hidden_size = 4}},
                                     Pool{"last"}, Linear{4, 2}});
  model.set_task_data(info.to_json());
  return model;
}

TEST(InspectInput, ATextIsShownFromItsWordsToItsMask) {
  const Model model = text_model();
  const InspectData data = read_inspect_data(model, {}, {.texts = {"A GOOD film", "bad"}});
  ASSERT_EQ(2u, data.traces.size());
  EXPECT_EQ((std::vector<std::string>{"a", "good", "film"}), data.traces[0].tokens);
  EXPECT_EQ((std::vector<std::int32_t>{1, 4, 5}), data.traces[0].ids);
  EXPECT_EQ((std::vector<std::int32_t>{6, 0, 0}), data.traces[1].padded);
  EXPECT_EQ((std::vector<std::int32_t>{1, 0, 0}), data.traces[1].mask);
  const std::vector<std::int32_t> ids{1, 6, 4, 0, 5, 0};  // [time, sample]
  EXPECT_EQ(ids, std::vector<std::int32_t>(data.ids.span().begin(), data.ids.span().end()));

  const InspectResult result = inspect_model(model, data, 1);
  EXPECT_EQ((std::vector<std::int32_t>{3, 1}), result.lengths);
  EXPECT_EQ((std::vector<std::string>{"sample", "class"}), result.outputs[0].axes);
  ASSERT_TRUE(result.step.has_value());
  EXPECT_EQ(0, result.step->sample);
  EXPECT_LT(result.step->largest_difference, 1e-6);
}

TEST(InspectInput, OnlyTheFirstSamplesOfAFileAreShown) {
  const TemporaryFolder folder;
  put_file(folder / "t.csv", "text,label\ngood film,yes\nbad,no\nfilm,yes\n");
  DataOptions options;
  options.data = {folder / "t.csv"};
  const InspectData data = read_inspect_data(text_model(), options, {.texts = {}, .samples = 2});
  EXPECT_EQ(2u, data.traces.size());
  EXPECT_EQ((Shape{2, 2}), data.ids.shape());
}

TEST(InspectInput, AForecasterIsShownTheLastWindowOfTheSeries) {
  const TemporaryFolder folder;
  put_file(folder / "s.csv", "a,b\n1,10\n2,20\n3,30\n4,40\n5,50\n");
  ForecastInfo info;
  info.columns = {"a", "b"};
  info.targets = {"b"};
  info.window = 3;
  info.horizon = 2;
  info.valid_fraction = 0.2;
  info.scaler = Scaler({{0, 1}, {0, 1}});
  Model model("forecast",
              Sequential{Recurrent{{.cell = "gru", .input_size = 2, .hidden_size = 4}}, Pool{"last"}, Linear{4, 2}});
  model.set_task_data(info.to_json());
  DataOptions options;
  options.data = {folder / "s.csv"};
  const InspectData data = read_inspect_data(model, options, {});
  const std::vector<float> expected{3, 30, 4, 40, 5, 50};
  EXPECT_EQ(expected, std::vector<float>(data.values.span().begin(), data.values.span().end()));
  EXPECT_EQ((std::vector<std::string>{"b +1", "b +2"}), data.results);
  EXPECT_EQ("horizon x target", inspect_model(model, data, 0).outputs[0].axes[1]);
}

TEST(InspectInput, ANetworkOfOnesOwnIsShownAnArray) {
  const TemporaryFolder folder;
  Tensor x({3, 5, 2});
  for (std::int64_t k = 0; k < x.elements(); ++k) x[k] = static_cast<float>(k);
  write_npy<float>(folder / "x.npy", x.view());
  const Model model("mine", Sequential{Recurrent{{.cell = "rnn", .input_size = 2, .hidden_size = 4}}});
  DataOptions options;
  options.data = {folder / "x.npy"};
  const InspectData data = read_inspect_data(model, options, {.texts = {}, .samples = 2});
  EXPECT_EQ((Shape{3, 2, 2}), data.values.shape());
  EXPECT_EQ(x[2 * 5 * 2 + 1 * 2 + 1], data.values[2 * 2 * 2 + 1 * 2 + 1]);  // time 2, sample 1, feature 1
  expect_error(Code::kUsage, {"--text", "'mine'"}, [&] { read_inspect_data(model, {}, {.texts = {"a"}}); });
}

// Words <eos> 3, good 4, film 5, bad 6.
Model language_model(ModelOptions options) {
  options.cell = "lstm";
  options.hidden_size = options.embedding_size = 4;
  options.layers = 2;
  options.bidirectional = "false";
  options.dropout = 0.5;
  LmInfo info;
  info.text.level = TextLevel::kWord;
  info.text.buckets = options.buckets;
  info.vocabulary = {"<pad>", "<unk>", "<bos>", "<eos>", "good", "film", "bad"};
  info.counts.assign(info.vocabulary.size(), 1);
  Sequential network = build_lm(options, info.vocabulary);
  network.initialize(3);
  Model model("lm", std::move(network));
  model.set_task_data(info.to_json());
  return model;
}

// Oracle: the network's own state after the step.
TEST(InspectInput, ALanguageModelHasAWorkedStep) {
  ModelOptions tied, adaptive, one_hot, trigrams, variational;
  tied.token_input = adaptive.token_input = variational.token_input = "embedding";
  tied.tie_embeddings = "true";
  adaptive.softmax = "adaptive";
  one_hot.token_input = "one_hot";
  trigrams.token_input = "trigrams";
  trigrams.buckets = 11;
  variational.variational_dropout = true;
  for (const ModelOptions& options : {tied, adaptive, one_hot, trigrams, variational}) {
    SCOPED_TRACE(options.token_input + " " + options.tie_embeddings + " " + options.softmax);
    const Model model = language_model(options);
    const InspectData data = read_inspect_data(model, {}, {.texts = {"bad", "good new film"}});
    const InspectResult result = inspect_model(model, data, 2);
    ASSERT_TRUE(result.step.has_value());
    EXPECT_EQ(options.variational_dropout ? "body.layer0.recurrent" : "body.recurrent", result.step->layer);
    EXPECT_EQ(1, result.step->sample);  // bad <eos> has no step 2
    EXPECT_EQ(4u, result.step->gates.size());
    EXPECT_EQ(options.token_input == "one_hot" ? 7u : 4u, result.step->x.size());
    EXPECT_LT(result.step->largest_difference, 1e-6);
    const bool starts = std::ranges::all_of(result.step->h_before, [](double h) { return h == 0; });
    EXPECT_FALSE(starts);
  }
}

TEST(InspectInput, EveryTextIsShownAndTheFirstLinesOfAFile) {
  const TemporaryFolder folder;
  put_file(folder / "t.txt", "good\nbad\nfilm\ngood film\nbad film\ngood\n");
  ModelOptions one_hot;
  one_hot.token_input = "one_hot";
  const Model model = language_model(one_hot);
  EXPECT_EQ(5u, read_inspect_data(model, {}, {.texts = {"a", "b", "c", "d", "e"}, .samples = 4}).traces.size());
  DataOptions options;
  options.data = {folder / "t.txt"};
  EXPECT_EQ(4u, read_inspect_data(model, options, {.texts = {}, .samples = 4}).traces.size());
}

// Tags O and X, words fly 4, to 5, rome 6; `options` says how words and characters are read.
Model tagger(ModelOptions options) {
  options.cell = "lstm";
  options.hidden_size = 3;
  options.embedding_size = 5;
  options.layers = 1;
  options.bidirectional = "true";
  options.dropout = 0.5;
  options.crf = "true";
  options.word_window = 3;
  TagInfo info;
  info.text.level = TextLevel::kWord;
  info.buckets = info.text.buckets = options.buckets;
  info.tags = {"O", "X"};
  info.intents = {"ask", "book"};
  std::vector<std::string> tokens = Vocabulary().tokens();
  tokens.insert(tokens.end(), {"fly", "to", "rome"});
  info.words = Vocabulary::from_tokens(tokens);
  info.word_tags.assign(tokens.size(), 0);
  info.word_window = options.word_window;
  tokens.insert(tokens.end() - 3, "fly to");
  info.pairs = Vocabulary::from_tokens(tokens);
  tokens.resize(Vocabulary::kSpecials);
  for (const char* letter : {"f", "l", "y", "t", "o"}) tokens.emplace_back(letter);
  if (options.characters != "none") info.characters = Vocabulary::from_tokens(tokens);
  Sequential network = build_tagger(options, info);
  network.initialize(5);
  Model model("tag", std::move(network));
  model.set_task_data(info.to_json());
  return model;
}

std::int64_t trained_numbers(const Model& model) {
  std::int64_t count = 0;
  for (const Parameter* parameter : model.network().parameters()) count += parameter->value.elements();
  return count;
}

const TensorInfo& find_tensor(const std::vector<TensorInfo>& tensors, const std::string& name) {
  const auto found = std::ranges::find(tensors, name, &TensorInfo::name);
  if (found == tensors.end()) throw std::out_of_range(name);
  return *found;
}

// Oracles: the tensors that training changes; T = 3 tokens, N = 2 texts, 3 distinct tokens of up to 4 letters.
TEST(InspectInput, OfATaggerEveryPartIsShown) {
  ModelOptions convolution, recurrent, neither;
  convolution.token_input = neither.token_input = "embedding";
  convolution.characters = "cnn";
  recurrent.token_input = "trigrams";
  recurrent.buckets = 11;
  recurrent.characters = "lstm";
  neither.characters = "none";
  for (const ModelOptions& options : {convolution, recurrent, neither}) {
    SCOPED_TRACE(options.characters);
    const Model model = tagger(options);
    const InspectData data = read_inspect_data(model, {}, {.texts = {"to", "fly to oslo"}});
    const InspectResult result = inspect_model(model, data, 2);
    EXPECT_EQ(trained_numbers(model), result.parameter_count);
    EXPECT_EQ(trained_numbers(model), inspect_model(model, read_inspect_data(model, {}, {}), 0).parameter_count);
    const bool has_characters = options.characters != "none";
    std::map<std::string, std::vector<std::int64_t>> ids{
        {"words.input", {3, 2}}, {"shapes.input", {3, 2}}, {"pairs.input", {3, 2}}};
    if (has_characters) ids["characters.input"] = {4, 3};  // to, fly, oslo
    for (const auto& [name, shape] : ids) {
      const TensorInfo& input = find_tensor(result.inputs, name);
      EXPECT_EQ("int32", input.type) << name;
      EXPECT_EQ((std::vector<std::string>{"time", "sample"}), input.axes) << name;
      EXPECT_EQ(shape, input.shape) << name;
    }
    // A word of 5 numbers, a shape of 10, a pair of 50, characters of 50; three tokens together.
    const std::int64_t C = 3 * (5 + 10 + 50 + (has_characters ? 50 : 0));
    EXPECT_EQ((std::vector<std::int64_t>{3, 2, C}), find_tensor(result.inputs, "body.input").shape);
    EXPECT_EQ((std::vector<std::string>{"sample", "intent"}), find_tensor(result.outputs, "intent.output").axes);
    EXPECT_EQ("slots.output", result.outputs.back().name);
    EXPECT_EQ((std::vector<std::string>{"time", "sample", "tag"}), result.outputs.back().axes);
    EXPECT_EQ((std::vector<std::int32_t>{1, 3}), result.lengths);
    ASSERT_TRUE(result.step.has_value());
    EXPECT_EQ("body.recurrent", result.step->layer);
    EXPECT_EQ(1, result.step->sample);
    EXPECT_LT(result.step->largest_difference, 1e-6);
  }
}

TEST(InspectInput, ATaggerIsNotShownTextsWithoutATokenOrUnderOtherNames) {
  ModelOptions options;
  options.token_input = "embedding";
  options.characters = "none";
  Model model = tagger(options);
  expect_error(Code::kUsage, {"--text", "no token"}, [&] { read_inspect_data(model, {}, {.texts = {"", " "}}); });
  const InspectData data = read_inspect_data(model, {}, {.texts = {"", "fly"}});
  EXPECT_EQ((std::vector<std::int32_t>{0, 1}), inspect_model(model, data, 0).lengths);

  TagInfo info = TagInfo::from_model(model);
  info.intents = {"ask"};
  model.set_task_data(info.to_json());
  for (const InspectRequest& request : {InspectRequest{}, InspectRequest{.texts = {"fly"}}}) {
    expect_error(Code::kModel, {"2 tags and 2 intents", "names 2 and 1"},
                 [&] { inspect_model(model, read_inspect_data(model, {}, request), 0); });
  }
}

// Oracle: E = 2 H = 8 numbers of the encoder, and as many target tokens.
TEST(InspectInput, OfATranslatorTheLogitsAloneAreOfTargetTokens) {
  ModelOptions options;
  options.cell = "gru";
  options.attention = "general";
  options.layers = 1;
  options.hidden_size = 4;
  options.embedding_size = 5;
  options.bidirectional = "true";
  options.dropout = 0;
  TranslateInfo info = letters_info();
  info.target_vocabulary.emplace_back("x");
  Sequential network = build_translator(options, info);
  network.initialize(7);
  Model model("translate", std::move(network));
  model.set_task_data(info.to_json());
  const InspectResult result = inspect_model(model, read_inspect_data(model, {}, {.texts = {"abc"}}), 1);
  EXPECT_EQ("direction x hidden", find_tensor(result.outputs, "encoder.output").axes.back());
  EXPECT_EQ("decoder.output", result.outputs.back().name);
  EXPECT_EQ("target token", result.outputs.back().axes.back());
  EXPECT_EQ(8, result.outputs.back().shape.back());
  EXPECT_EQ(trained_numbers(model), result.parameter_count);
  ASSERT_TRUE(result.step.has_value());
  EXPECT_EQ("encoder.recurrent", result.step->layer);
  EXPECT_EQ(1, std::ranges::count(result.layers, result.step->layer, &LayerInfo::name));

  info.target_vocabulary.emplace_back("y");
  model.set_task_data(info.to_json());
  expect_error(Code::kModel, {"reads 9 and writes 8", "have 9 and 9"}, [&] { read_inspect_data(model, {}, {}); });
}

TEST(InspectInput, WithoutDataOnlyTheNamesAreKnown) {
  const Model model = text_model();
  const InspectData data = read_inspect_data(model, {}, {});
  EXPECT_TRUE(data.lengths.empty());
  EXPECT_EQ((std::vector<std::string>{"no", "yes"}), data.results);
  EXPECT_EQ(kAnySize, inspect_model(model, data, 0).inputs[0].shape[0]);
}

}  // namespace
}  // namespace carousel
