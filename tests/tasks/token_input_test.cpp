// How language models and taggers take tokens: vectors that are given, one of N, letter trigrams. Oracles: the same by
// another road (step by step against the whole, hand-made sums), the file that was given.
#include <gtest/gtest.h>

#include "carousel/stream.h"
#include "data/text/trigrams.h"
#include "kernels/softmax.h"
#include "tasks/lm/lm.h"
#include "tasks/lm/lm_training.h"
#include "tasks/tag/tag.h"
#include "tasks/tag/tag_model.h"
#include "tasks/tag/tag_network.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"
#include "tests/support/temporary_folder.h"

namespace carousel {
namespace {

const std::vector<std::string> kWords{"<pad>", "<unk>", "<bos>", "<eos>", "the", "cat", "cats", "sat"};

ModelOptions small_lm(const std::string& token_input) {
  ModelOptions options;
  options.cell = "lstm";
  options.hidden_size = 7;
  options.embedding_size = 5;
  options.layers = 1;
  options.dropout = 0;
  options.bidirectional = "false";
  options.tie_embeddings = "false";
  options.token_input = token_input;
  options.freeze_vectors = token_input == "embedding";
  options.buckets = token_input == "trigrams" ? 50 : 0;
  return options;
}

// Oracle: the network's prediction as a whole.
TEST(TokenInput, ALanguageModelStreamsAndScoresEveryOneOfThem) {
  const std::vector<std::int32_t> ids{4, 5, 3, 7, 1, 6, 4};
  for (const std::string input : {"embedding", "one_hot", "trigrams"}) {
    Sequential network = build_lm(small_lm(input), kWords);
    network.initialize(3);
    IdTensor inputs({std::ssize(ids), 1});
    inputs[0] = 3;
    std::copy(ids.begin(), ids.end() - 1, inputs.data() + 1);
    const Tensor logits = network.predict(inputs);
    Tensor log_p(logits.shape());
    kernels::log_softmax<float>(std::ssize(ids), 8, logits.data(), log_p.data());
    const StreamScore score = score_stream(network, ids, 3);
    Stream stream(network);
    for (std::int64_t t = 0; t < std::ssize(ids); ++t) {
      EXPECT_NEAR(-log_p[t * 8 + ids[static_cast<std::size_t>(t)]], score.losses[static_cast<std::size_t>(t)], 1e-5);
      expect_near(stream.step(inputs[t]), std::span(logits.data() + t * 8, 8), 1e-5, input);
    }
    expect_error(Code::kUsage, {"token id 8 is out of range, expected 0 to 7"}, [&] { stream.step(8); });
  }
}

Options lm_options(const TemporaryFolder& folder) {
  std::string text;
  for (int k = 0; k < 60; ++k) text += k % 3 == 0 ? "the cat sat down here\n" : "the cats sat <unk> there\n";
  put_file(folder / "text.txt", text);
  put_file(folder / "vectors.txt", "cat 1 2 3\ncats 4 5 6\nthe 7 8 9\nzebra 1 1 1\n");
  Options options;
  options.data.data = {folder / "text.txt"};
  options.model.hidden_size = 8;
  options.model.layers = 1;
  options.train.epochs = 2;
  options.output.out = folder / "model.safetensors";
  return options;
}

struct Notes final : Observer {
  void note(const std::string& line) override { text += line + "\n"; }
  std::string text;
};

// Oracle: the file: frozen vectors are those numbers after training, others moved away from them.
TEST(TokenInput, ALanguageModelStartsFromGivenVectors) {
  const TemporaryFolder folder;
  Options options = lm_options(folder);
  options.data.vectors = folder / "vectors.txt";
  for (const bool freeze : {true, false}) {
    options.model.freeze_vectors = freeze;
    Notes notes;
    const TrainResult result = lm_task().train(options, notes);
    EXPECT_NE(notes.text.find("vectors: vectors.txt has 3 of 7 words"), std::string::npos) << notes.text;
    EXPECT_EQ(result.options.model.embedding_size, 3);
    const Model model = Model::load(options.output.out);
    const LmInfo info = LmInfo::from_model(model);
    const auto id = std::find(info.vocabulary.begin(), info.vocabulary.end(), "cats") - info.vocabulary.begin();
    for (const auto& [name, tensor] : model.network().named_tensors()) {
      if (name != "body.embedding.weight") continue;
      const bool same = tensor->value[3 * id] == 4 && tensor->value[3 * id + 1] == 5 && tensor->value[3 * id + 2] == 6;
      EXPECT_EQ(same, freeze);
    }
  }
}

TEST(TokenInput, ALanguageModelSaysWhatDoesNotGoTogether) {
  const TemporaryFolder folder;
  Options options = lm_options(folder);
  const auto refused = [&](std::string_view text) {
    Observer quiet;
    expect_error(Code::kUsage, {text}, [&] { lm_task().train(options, quiet); });
  };
  options.model.token_input = "one_hot";
  options.model.tie_embeddings = "true";
  refused("--tie-embeddings: not with --token-input one_hot");
  options.model.token_input = "trigrams";
  options.model.tie_embeddings.clear();
  options.data.level = "char";
  refused("--token-input trigrams: are of words");
  options.data.level.clear();
  options.model.token_input.clear();
  options.model.freeze_vectors = true;
  refused("--freeze-vectors: needs --vectors");
}

struct TagCase {
  TagCase() {
    std::string tokens, tags, intents;
    for (int k = 0; k < 30; ++k) {
      tokens += k % 2 == 0 ? "flights to boston now\n" : "book paris\n";
      tags += k % 2 == 0 ? "O O B-city O\n" : "O B-city\n";
      intents += k % 2 == 0 ? "ask\n" : "book\n";
    }
    put_file(folder / "in", tokens);
    put_file(folder / "out", tags);
    put_file(folder / "intents", intents);
    put_file(folder / "vectors.txt", "boston 1 2 3\nBook 4 5 6\n");
    options.data.data = {folder / "in"};
    options.data.tags = {folder / "out"};
    options.model.hidden_size = 6;
    options.model.embedding_size = 4;
    options.train.epochs = 2;
    options.output.out = folder / "model.safetensors";
  }
  Model trained() {
    Observer quiet;
    tag_task().train(options, quiet);
    return Model::load(options.output.out);
  }
  // The numbers that stand for these tokens: [tokens, C].
  Tensor inputs_of(const Model& model, const std::string& tokens) {
    put_file(folder / "some", tokens + "\n");
    put_file(folder / "none", tags_for(tokens) + "\n");
    DataOptions data;
    data.data = {folder / "some"};
    data.tags = {folder / "none"};
    const TagInfo info = TagInfo::from_model(model);
    TagData sentences = read_tag_data(data, false);
    encode_sentences(info, sentences);
    const std::int64_t one[] = {0};
    return token_inputs(model.network(), sentences, one, info.word_window);
  }
  static std::string tags_for(const std::string& tokens) {
    std::string tags = "O";
    for (const char c : tokens) tags += c == ' ' ? " O" : "";
    return tags;
  }
  Options options;
  TemporaryFolder folder;
};

// Oracle: the rows of the word's trigrams added up by hand, of a word that training had not.
TEST(TokenInput, ATaggerReadsUnseenWordsByTheirTrigrams) {
  TagCase c;
  c.options.model.token_input = "trigrams";
  c.options.model.buckets = 97;
  c.options.model.characters = "none";
  const Model model = c.trained();
  const Tensor inputs = c.inputs_of(model, "book Berlin boston");
  const Tensor* table = nullptr;
  for (const auto& [name, tensor] : model.network().named_tensors()) {
    if (name == "words.embedding.weight") table = &tensor->value;
  }
  ASSERT_TRUE(table);
  ASSERT_EQ(table->shape()[0], 97);
  std::vector<float> sum(4);
  for (const std::string& trigram : letter_trigrams("berlin")) {
    for (std::int64_t j = 0; j < 4; ++j) {
      sum[static_cast<std::size_t>(j)] += (*table)[trigram_bucket(trigram, 97) * 4 + j];
    }
  }
  const std::int64_t C = inputs.shape()[2];
  expect_near(std::span(inputs.data() + C, 4), sum, 1e-6, "berlin");
  c.options.data.data = {c.folder / "some"};
  c.options.data.tags = {c.folder / "none"};
  Observer quiet;
  EXPECT_EQ(tag_task().evaluate(model, c.options, quiet).samples, 1);  // the baseline meets the unseen word, too
}

// Oracle: the file, whose words are found as the tagger writes them, in lower case; and one of N by hand.
TEST(TokenInput, ATaggerTakesGivenVectorsAndOneOfN) {
  TagCase c;
  c.options.data.vectors = c.folder / "vectors.txt";
  c.options.model.embedding_size = 0;
  c.options.model.freeze_vectors = true;
  const Tensor inputs = c.inputs_of(c.trained(), "BOSTON book");
  const std::int64_t C = inputs.shape()[2];
  expect_near(std::span(inputs.data(), 3), std::vector<float>{1, 2, 3}, 0, "boston");
  expect_near(std::span(inputs.data() + C, 3), std::vector<float>{4, 5, 6}, 0, "book");
  c.options.data.vectors.clear();
  c.options.model.freeze_vectors = false;
  c.options.model.token_input = "one_hot";
  const Model model = c.trained();
  const TagInfo info = TagInfo::from_model(model);
  const Tensor ones = c.inputs_of(model, "paris");
  for (std::int64_t id = 0; id < info.words.size(); ++id) EXPECT_EQ(ones[id], id == info.words.id("paris")) << id;
}

}  // namespace
}  // namespace carousel
