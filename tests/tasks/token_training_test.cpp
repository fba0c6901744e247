// What a step of training a tagger or a language model reads and takes, and the page about a text that was scored. Each
// test names its oracle.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "data/text/singleton.h"
#include "tasks/lm/lm_report.h"
#include "tasks/lm/lm_training.h"
#include "tasks/tag/tag_network.h"
#include "tasks/tag/tag_training.h"

namespace carousel {
namespace {

// Oracle: what the arena of a tape hands out at most, within the 2 % that single layers are held to.
double share_of_peak(TaskProblem& problem) {
  problem.batches_in_epoch(0);
  problem.prepare(0, 0);
  Tape<float> tape;
  tape.backward(problem.loss(tape, 0, 0));
  const StepMemory memory = step_memory(problem, problem.memory_needs(), {}, 0);
  return static_cast<double>(memory.activations) / static_cast<double>(tape.arena().peak());
}

// 40 sentences of different lengths and many words; all of them are the one batch.
TagData long_sentences() {
  TagData data;
  for (int n = 0; n < 40; ++n) {
    TaggedSentence sentence;
    for (int t = 0; t < 20 + n % 7; ++t) {
      const int word = (n * 31 + t * 17) % 211;
      sentence.tokens.push_back(fmt::format("word{}", word));
      sentence.tags.push_back(fmt::format("T{}", word % 23));
    }
    sentence.label = n % 2 == 0 ? "a" : "b";
    data.sentences.push_back(std::move(sentence));
  }
  return data;
}

struct SmallTagger {
  explicit SmallTagger(std::int64_t word_window) : data(long_sentences()) {
    for (std::int64_t n = 0; n < data.size(); ++n) split.train.push_back(n);
    split.valid = {0};
    options.hidden_size = 5;
    options.embedding_size = 4;
    options.dropout = 0;
    options.word_window = word_window;
    options.token_pairs = "true";
    options = resolve_tag_model(options, TextLevel::kWord);
    DataOptions of_data;
    of_data.level = "word";
    info = fit_tag_info(data, split.train, of_data, options);
    encode_sentences(info, data);
    network = build_tagger(options, info);
    network.initialize(1);
  }
  TagData data;
  Split split;
  ModelOptions options;
  TagInfo info;
  Sequential network;
};

// Oracle: each sentence alone, and what stands for its neighbours side by side, zeros beyond the ends.
TEST(TokenTasks, ATokenIsReadWithItsNeighboursInABatchAsAlone) {
  SmallTagger tagger(3);
  const std::vector<std::int64_t> batch{3, 12, 1};
  const Tensor all = token_inputs(tagger.network, tagger.data, batch, 3);
  const std::int64_t C = all.shape()[2], one = C / 3;
  for (std::int64_t n = 0; n < 3; ++n) {
    const std::span<const std::int64_t> sample(&batch[static_cast<std::size_t>(n)], 1);
    const Tensor alone = token_inputs(tagger.network, tagger.data, sample, 1);
    const std::int64_t T = alone.shape()[0];
    ASSERT_EQ(alone.shape()[2], one);
    for (std::int64_t t = 0; t < T; ++t) {
      for (std::int64_t k = 0; k < 3; ++k) {
        const std::int64_t from = t + k - 1;
        for (std::int64_t j = 0; j < one; ++j) {
          const float expected = from < 0 || from >= T ? 0 : alone[from * one + j];
          ASSERT_EQ(all[(t * 3 + n) * C + k * one + j], expected) << n << ' ' << t << ' ' << k << ' ' << j;
        }
      }
    }
  }
}

// Oracle: the loss of the same sentences whose words were hidden by hand.
TEST(TokenTasks, ATaggerHidesTheWordsThatOccurOnce) {
  SmallTagger tagger(1);
  std::vector<bool> once(static_cast<std::size_t>(tagger.info.words.size()));
  for (std::size_t id = 10; id < once.size(); id += 2) once[id] = true;
  for (std::size_t n = 0; n < 40; ++n) {  // 100 words that occur once, the others often
    for (std::size_t t = 0; t < tagger.data.words[n].size(); ++t) {
      std::int32_t& word = tagger.data.words[n][t];
      word = static_cast<std::int32_t>(4 + (n + t) % 5);
      if (t == 4 + n % 3) word = static_cast<std::int32_t>(10 + 2 * n);
    }
  }
  for (std::size_t id = 10 + 2 * 40; id < once.size(); ++id) once[id] = false;
  for (Parameter* parameter : tagger.network.parameters()) {
    for (float& w : parameter->value.span()) w *= 5;  // so that a word tells
  }
  TrainOptions training;
  training.batch_size = 40;
  training.seed = 9;
  TagProblem problem(tagger.network, tagger.data, tagger.info, tagger.split, tagger.options, training);
  problem.batches_in_epoch(2);
  problem.prepare(2, 0);
  Tape<float> tape;
  const double loss = problem.loss(tape, 2, 0).item();
  const auto expected = [&](bool hide) {
    TagData hidden = tagger.data;
    for (std::size_t n = 0; n < 40 && hide; ++n) {
      drop_singletons(once, 0.5, {9, Purpose::kNoise, std::uint64_t{2} << 32 | n}, hidden.words[n]);
    }
    Tape<float> other;
    detail::Layouts layouts;
    TagBatch batch;
    batch.assign(hidden, tagger.split.train);
    const TagScores scores = run_tagger(tagger.network, other, layouts, batch, {});
    return static_cast<double>(tag_loss(tagger.network, hidden, scores, tagger.split.train, {}).item());
  };
  EXPECT_NEAR(loss, expected(true), 1e-6 * loss);
  EXPECT_GT(std::abs(loss - expected(false)), 1e-4 * loss);
}

// Oracle: the loss of each sentence by itself; 40 sentences do not divide by 7.
TEST(TokenTasks, TheValidationLossOfATaggerIsTheMeanOverItsSentences) {
  SmallTagger tagger(1);
  tagger.split.valid = tagger.split.train;
  double sum = 0;
  for (std::int64_t n = 0; n < 40; ++n) {
    const std::int64_t one[] = {n};
    Tape<float> tape;
    detail::Layouts layouts;
    TagBatch batch;
    batch.assign(tagger.data, one);
    const TagScores scores = run_tagger(tagger.network, tape, layouts, batch, {});
    sum += static_cast<double>(tag_loss(tagger.network, tagger.data, scores, one, {}).item());
  }
  TrainOptions training;
  training.batch_size = 7;
  TagProblem problem(tagger.network, tagger.data, tagger.info, tagger.split, tagger.options, training);
  EXPECT_NEAR(problem.validate()->loss, sum / 40, 1e-5 * sum / 40);
}

// Oracle: by hand: each token with the one behind it, the last one with nothing.
TEST(TokenTasks, PairsAreOfATokenAndTheNextOne) {
  TagVocabularies known;
  known.pairs = Vocabulary::from_tokens({"<pad>", "<unk>", "<bos>", "<eos>", "a b", "b a", "a ", "a a"});
  TagData data;
  data.sentences.emplace_back().tokens = {"a", "B", "a"};
  encode_sentences(known, data);
  EXPECT_EQ(data.pairs[0], (std::vector<std::int32_t>{4, 5, 6}));
}

// Oracle: by hand: words that training saw once are <unk>, which has no tag of its own.
TEST(TokenTasks, TheBaselineOfATaggerKnowsNothingOfUnknownWords) {
  TagData data;
  for (const char* word : {"a", "a", "b", "c", "d"}) {
    TaggedSentence sentence;
    sentence.tokens = {"x", word};
    sentence.tags = {"O", *word == 'a' ? "O" : "T"};
    data.sentences.push_back(sentence);
  }
  DataOptions options;
  options.level = "word";
  options.min_count = 2;
  const std::int64_t all[] = {0, 1, 2, 3, 4};
  const TagInfo info = fit_tag_info(data, all, options, resolve_tag_model({}, TextLevel::kWord));
  ASSERT_EQ(info.words.size(), Vocabulary::kSpecials + 2);
  EXPECT_EQ(info.word_tags[Vocabulary::kUnknown], -1);
  EXPECT_EQ(info.word_tags[static_cast<std::size_t>(info.words.id("x"))], 0);
}

TEST(TokenTasks, TheMemoryOfATaggersStepIsPredicted) {
  struct Case {
    const char *crf, *characters, *pairs;
    std::int64_t window;
    const char* input;
  };
  for (const Case& c : {Case{"true", "cnn", "false", 1, "embedding"}, Case{"false", "lstm", "true", 1, "embedding"},
                        Case{"true", "none", "false", 3, "one_hot"}, Case{"true", "none", "true", 1, "trigrams"}}) {
    TagData data = long_sentences();
    Split split;
    for (std::int64_t n = 0; n < data.size(); ++n) split.train.push_back(n);
    split.valid = {0};
    ModelOptions asked;
    asked.hidden_size = 30;
    asked.embedding_size = 40;
    asked.crf = c.crf;
    asked.characters = c.characters;
    asked.token_pairs = c.pairs;
    asked.word_window = c.window;
    asked.token_input = c.input;
    const ModelOptions model = resolve_tag_model(asked, TextLevel::kWord);
    DataOptions options;
    options.level = "word";
    const TagInfo info = fit_tag_info(data, split.train, options, model);
    encode_sentences(info, data);
    Sequential network = build_tagger(model, info);
    network.initialize(1);
    TrainOptions training;
    training.batch_size = 40;
    TagProblem problem(network, data, info, split, model, training);
    EXPECT_NEAR(share_of_peak(problem), 1, 0.02) << c.crf << c.characters << c.window << c.input;
  }
}

TEST(TokenTasks, TheMemoryOfALanguageModelsStepIsPredicted) {
  for (const std::string tie : {"true", "false", "sampled"}) {
    const bool sampled = tie == "sampled";
    for (const std::int64_t vocabulary : {300, 4000}) {
      ModelOptions model;
      model.cell = "lstm";
      model.hidden_size = model.embedding_size = 40;
      model.layers = 1;
      model.dropout = 0;
      model.bidirectional = "false";
      model.tie_embeddings = sampled ? "true" : tie;
      Sequential network = build_lm(model, std::vector<std::string>(static_cast<std::size_t>(vocabulary)));
      network.initialize(1);
      TokenStream text;
      for (std::int64_t k = 0; k < 16 * 250; ++k) {  // 16 streams; the tokens of each chunk differ as far as they can
        text.ids.push_back(static_cast<std::int32_t>((k % 250 % 30 * 16 + k / 250) % vocabulary));
      }
      TrainOptions training;
      training.batch_size = 16;
      training.bptt = 30;
      LmProblem problem(network, {&text, &text, 3, TextLevel::kWord, sampled}, training);
      EXPECT_NEAR(share_of_peak(problem), 1, 0.03) << tie << vocabulary;
    }
  }
}

// Oracle: shares of the shade by hand: p = 1, 0.01 and less than 1e-4; sums and means of -log p by hand.
TEST(LmReport, ShadesTokensByTheirProbability) {
  TextSettings settings;
  settings.nfkc = settings.lowercase = false;
  settings.level = TextLevel::kWhitespace;
  settings.add_eos = true;
  const LmEncoder encoder(settings, {"<pad>", "<unk>", "<bos>", "<eos>", "a", "<b>"});
  const std::vector<std::int32_t> ids{4, 5, 3, 5};
  const std::vector<double> losses{0, std::log(100.0), 20, std::log(10000.0)};
  const std::string body = surprise_figure({encoder, ids, losses}).body;
  EXPECT_NE(body.find("--share:0.00\" title=\"p = 1\">a</span>"), std::string::npos) << body;
  EXPECT_NE(body.find("--share:0.50\" title=\"p = 0.01\"> &lt;b&gt;</span>"), std::string::npos) << body;
  EXPECT_NE(body.find("--share:1.00\" title=\"p = 2.06e-09\">\n</span>"), std::string::npos) << body;
  const std::string table = costly_tokens_figure({encoder, ids, losses}).body;
  const double total = 20 + std::log(1e6);
  const auto row = [&](const char* token, int count, double loss) {
    return fmt::format("<th scope=\"row\">{}</th><td>{}</td><td>{:.2f} %</td><td>{:.3g}</td>", token, count,
                       100 * loss / total, std::exp(-loss / count));
  };
  const auto first = table.find(row("&lt;eos&gt;", 1, 20)), second = table.find(row("&lt;b&gt;", 2, std::log(1e6)));
  EXPECT_LT(first, second) << table;
  EXPECT_NE(second, std::string::npos) << table;
  EXPECT_EQ(table.find("pad"), std::string::npos);
}

}  // namespace
}  // namespace carousel
