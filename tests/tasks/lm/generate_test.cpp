// Oracles: closed forms on a distribution of four tokens, Pearson's chi-square statistic of many draws, and the
// probabilities that score_stream() gives the generated text.
#include "tasks/lm/generate.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "data/text/utf8.h"
#include "tasks/lm/lm_training.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"

namespace carousel {
namespace {

// p = 0.5, 0.3, 0.15, 0.05 in another order.
const std::vector<float> kScores{std::log(0.15f), std::log(0.5f), std::log(0.05f), std::log(0.3f)};

std::vector<double> distribution(const SamplingOptions& options, std::vector<std::int32_t> seen = {}) {
  Sampler sampler(options, 4);
  for (const std::int32_t token : seen) sampler.saw(token);
  const std::span<const double> p = sampler.distribution(kScores);
  return {p.begin(), p.end()};
}

TEST(Sampler, TakesTheLargestScoreAtTemperatureZeroAndNearIt) {
  expect_near(distribution({.temperature = 0}), std::vector<double>{0, 1, 0, 0}, 0, "zero");
  expect_near(distribution({.temperature = 1e-3}), std::vector<double>{0, 1, 0, 0}, 1e-12, "near zero");
  Sampler sampler({.temperature = 0}, 3);
  EXPECT_EQ(sampler.choose(std::vector<float>{1, 2, 2}, {}, 0), 1);  // the first of equal ones
}

TEST(Sampler, TemperatureTopKAndTopPFollowTheirFormulas) {
  expect_near(distribution({}), std::vector<double>{0.15, 0.5, 0.05, 0.3}, 1e-7, "plain");
  const double sum = 0.15 * 0.15 + 0.25 + 0.05 * 0.05 + 0.09;  // p^(1/T) / sum with T = 1/2
  expect_near(distribution({.temperature = 0.5}),
              std::vector<double>{0.0225 / sum, 0.25 / sum, 0.0025 / sum, 0.09 / sum}, 1e-6, "temperature");
  expect_near(distribution({.top_k = 2}), std::vector<double>{0, 0.625, 0, 0.375}, 1e-6, "top-k");
  expect_near(distribution({.top_p = 0.81}), std::vector<double>{0.15 / 0.95, 0.5 / 0.95, 0, 0.3 / 0.95}, 1e-6, "p");
  expect_near(distribution({.top_p = 0.79}), std::vector<double>{0, 0.625, 0, 0.375}, 1e-6, "p below the sum of two");
  expect_near(distribution({.top_k = 3, .top_p = 0.5}), std::vector<double>{0, 1, 0, 0}, 1e-6, "both");
}

TEST(Sampler, RepetitionPenaltyMakesWhatWasThereLessLikely) {
  const double p = std::pow(0.5, 2);  // a negative score times 2
  const double sum = 0.15 + p + 0.05 + 0.3;
  expect_near(distribution({.repetition_penalty = 2}, {1}),
              std::vector<double>{0.15 / sum, p / sum, 0.05 / sum, 0.3 / sum}, 1e-6, "penalty");
}

// 3 degrees of freedom: 16.27 is exceeded with probability 0.001.
TEST(Sampler, DrawsAsOftenAsTheProbabilitiesSay) {
  Sampler sampler({}, 4);
  std::vector<double> counts(4);
  constexpr int kDraws = 100000;
  for (std::uint64_t k = 0; k < kDraws; ++k) {
    ++counts[static_cast<std::size_t>(sampler.choose(kScores, {7, Purpose::kTest, 1}, k))];
  }
  const double p[] = {0.15, 0.5, 0.05, 0.3};
  double chi_square = 0;
  for (std::size_t k = 0; k < 4; ++k) chi_square += std::pow(counts[k] - p[k] * kDraws, 2) / (p[k] * kDraws);
  EXPECT_LT(chi_square, 16.27);
  EXPECT_GT(chi_square, 0);
}

TEST(Sampler, NamesOptionsOutOfRange) {
  expect_error(Code::kUsage, {"temperature is -1"}, [] { Sampler({.temperature = -1}, 4); });
  expect_error(Code::kUsage, {"top_p is 0"}, [] { Sampler({.top_p = 0}, 4); });
}

// Characters of one and two bytes, random weights.
Model random_model(const std::string& tie) {
  ModelOptions options;
  options.cell = "lstm";
  options.hidden_size = options.embedding_size = 6;
  options.layers = 1;
  options.dropout = 0.5;
  options.bidirectional = "false";
  options.tie_embeddings = tie;
  LmInfo info;
  info.text = {.nfkc = false, .lowercase = false, .level = TextLevel::kCharacter};
  info.vocabulary = {"<pad>", "<unk>", "<bos>", "<eos>", "a", "b", "\xC3\xA9", "\n", " "};
  info.counts = {0, 1, 0, 1, 1, 1, 1, 1, 1};
  Model model("lm", build_lm(options, std::vector<std::string>(9)));
  model.network().initialize(5);
  for (Parameter* parameter : model.network().parameters()) {
    for (float& w : parameter->value.span()) w *= 3;
  }
  model.set_task_data(info.to_json());
  return model;
}

GeneratedText generate_once(const Model& model, const GenerateOptions& options, std::int64_t number = 0) {
  std::string pieces;
  GeneratedText result = Generator(model, options).sample(number, [&](std::string_view piece) { pieces += piece; });
  EXPECT_EQ(pieces, result.text);
  return result;
}

TEST(Generator, SaysTheProbabilitiesThatScoringItsTextGives) {
  for (const std::string tie : {"false", "true"}) {
    const Model model = random_model(tie);
    const GenerateOptions options{.prompt = "ab\xC3\xA9", .tokens = 50, .sampling = {.temperature = 0.7, .top_k = 5}};
    const GeneratedText text = generate_once(model, options);
    std::vector<std::int32_t> ids{4, 5, 6};
    ids.insert(ids.end(), text.ids.begin(), text.ids.end());
    const StreamScore score = score_stream(model.network(), ids, 7);
    for (std::size_t k = 0; k < text.ids.size(); ++k) {
      EXPECT_NEAR(text.log_probabilities[k], -score.losses[k + 3], 1e-5) << k;
    }
  }
}

// A model of words, all of which training has seen but `never`.
Model word_model(const TextSettings& settings, const std::vector<std::string>& vocabulary, std::size_t never) {
  ModelOptions options;
  options.cell = "lstm";
  options.hidden_size = options.embedding_size = 6;
  options.layers = 1;
  options.dropout = 0;
  options.bidirectional = "false";
  options.tie_embeddings = "true";
  LmInfo info{settings, vocabulary, std::vector<std::int64_t>(vocabulary.size(), 1), ""};
  info.counts[Vocabulary::kPad] = info.counts[Vocabulary::kBegin] = info.counts[never] = 0;
  Model model("lm", build_lm(options, vocabulary));
  model.network().initialize(5);
  model.set_task_data(info.to_json());
  return model;
}

const std::vector<std::string> kWords{"<pad>", "<unk>", "<bos>", "<eos>", "a", "b", "c"};

TextSettings whitespace() {
  return {.nfkc = false, .lowercase = false, .level = TextLevel::kWhitespace, .add_eos = true};
}

// Oracle: the loss of the same tokens, line ends where the prompt has them.
TEST(Generator, APromptOfSeveralLinesIsReadAsATextOfThem) {
  const Model model = word_model(whitespace(), kWords, Vocabulary::kUnknown);
  const struct {
    const char* prompt;
    std::vector<std::int32_t> ids;
  } cases[] = {{"a b\nc", {4, 5, 3, 6}}, {"a\r\n\nb\n", {4, 3, 3, 5, 3}}, {"a b c", {4, 5, 6}}, {"", {}}};
  for (const auto& [prompt, prompt_ids] : cases) {
    const GeneratedText text = generate_once(model, {.prompt = prompt, .tokens = 5});
    std::vector<std::int32_t> ids = prompt_ids;
    ids.insert(ids.end(), text.ids.begin(), text.ids.end());
    const StreamScore score = score_stream(model.network(), ids, Vocabulary::kEnd);
    for (std::size_t k = 0; k < text.ids.size(); ++k) {
      EXPECT_NEAR(text.log_probabilities[k], -score.losses[k + prompt_ids.size()], 1e-5) << prompt;
    }
  }
}

// By hand: at a high temperature every token comes soon.
TEST(Generator, NeverDrawsATokenThatTrainingDidNotSee) {
  const GenerateOptions options{.tokens = 2000, .sampling = {.temperature = 100}};
  std::vector<int> drawn(kWords.size());
  for (const std::int32_t id : generate_once(word_model(whitespace(), kWords, 5), options).ids) {
    ++drawn[static_cast<std::size_t>(id)];
  }
  for (const std::size_t id : {0, 2, 5}) EXPECT_EQ(drawn[id], 0) << id;
  for (const std::size_t id : {1, 3, 4, 6}) EXPECT_GT(drawn[id], 100) << id;
  Model empty = word_model(whitespace(), kWords, 5);
  empty.set_task_data(LmInfo{whitespace(), kWords, std::vector<std::int64_t>(7), ""}.to_json());
  expect_error(Code::kModel, {"counted no token"}, [&] { Generator(empty, {}); });
}

// By hand: if e, which the prompt ends with, and x are equally likely, a penalty moves the first alone; the line end
// before the prompt, which nobody wrote, is not punished.
TEST(Generator, PunishesTokensOfThePromptAndNotTheLineEndBeforeIt) {
  Model model = word_model(whitespace(), kWords, Vocabulary::kUnknown);
  for (Parameter* parameter : model.network().parameters()) {
    for (float& w : parameter->value.span()) w = parameter->name == "bias" ? 1 : 0;  // every score is the bias
  }
  const GenerateOptions options{.prompt = "a b", .tokens = 1, .sampling = {.repetition_penalty = 100}};
  std::vector<int> drawn(kWords.size());
  for (std::int64_t n = 0; n < 400; ++n) {
    ++drawn[static_cast<std::size_t>(generate_once(model, options, n).ids[0])];
  }
  EXPECT_GT(drawn[Vocabulary::kEnd], 2 * drawn[4] - 40);
  EXPECT_NEAR(drawn[Vocabulary::kEnd], 400 * std::exp(1) / (2 * std::exp(1) + 2 * std::exp(0.01)), 50);
}

TEST(Generator, NamesTheWordsThatItDoesNotKnow) {
  const Model model = word_model(whitespace(), kWords, 5);
  EXPECT_EQ(Generator(model, {.prompt = "a zebra\n<unk> yak zebra"}).unknown_words(),
            (std::vector<std::string>{"zebra", "yak"}));
}

// Oracle: every piece that is written is UTF-8 by itself; bytes drawn at random make characters seldom.
TEST(Generator, PiecesOfBytesAreWrittenAsWholeCharacters) {
  const std::string corpus[] = {"one two three one two"};
  TextSettings settings = whitespace();
  settings.level = TextLevel::kSubword;
  settings.subwords = train_subwords(corpus, "bpe", 280);
  const Model model = word_model(settings, Subwords(settings.subwords).tokens(), Vocabulary::kUnknown);
  std::size_t replaced = 0, longer = 0;
  for (std::int64_t n = 0; n < 20; ++n) {
    Generator(model, {.tokens = 101}).sample(n, [&](std::string_view piece) {
      ASSERT_FALSE(find_invalid_utf8(piece)) << piece;
      for (std::size_t at = 0; at < piece.size();) {
        const std::int32_t character = next_character(piece, at);
        replaced += character == 0xFFFD ? 1 : 0;
        longer += character >= 0x80 && character != 0xFFFD ? 1 : 0;
      }
    });
  }
  EXPECT_GT(replaced, 100u);
  EXPECT_GT(longer, 3u);  // two bytes that belong together, by chance
}

TEST(Generator, TheSameSeedGivesTheSameTextAndEverySampleItsOwn) {
  const Model model = random_model("true");
  const GenerateOptions options{.tokens = 60};
  EXPECT_EQ(generate_once(model, options).ids, generate_once(model, options).ids);
  EXPECT_NE(generate_once(model, options, 0).ids, generate_once(model, options, 1).ids);
  Generator generator(model, options);  // a sample leaves nothing behind
  generator.sample(0, [](std::string_view) {});
  EXPECT_EQ(generator.sample(1, [](std::string_view) {}).ids, generate_once(model, options, 1).ids);
}

TEST(Generator, EndsBeforeAStopTextAndNeverShowsPartOfIt) {
  const Model model = random_model("true");
  const std::string whole = generate_once(model, {.tokens = 60}).text;
  const std::size_t at = 20;
  ASSERT_GT(whole.size(), at + 4);
  const std::string stop = whole.substr(at, 4);
  const GeneratedText cut = generate_once(model, {.tokens = 60, .stop = {"never", stop}});
  EXPECT_TRUE(cut.stopped);
  EXPECT_EQ(cut.text, whole.substr(0, whole.find(stop)));
  expect_error(Code::kUsage, {"stop text is empty"}, [&] { Generator(model, {.stop = {""}}); });
}

TEST(Generator, GreedyTakesTheLikeliestTokenOfEveryStep) {
  const Model model = random_model("false");
  const GeneratedText text = generate_once(model, {.prompt = "b", .tokens = 20, .sampling = {.temperature = 0}});
  for (std::size_t k = 0; k < text.ids.size(); ++k) {
    for (std::int32_t other = 4; other < 9; ++other) {
      std::vector<std::int32_t> ids{5};
      ids.insert(ids.end(), text.ids.begin(), text.ids.begin() + static_cast<std::ptrdiff_t>(k));
      ids.push_back(other);
      EXPECT_GE(text.log_probabilities[k], -score_stream(model.network(), ids, 7).losses.back() - 1e-5);
    }
  }
}

// A model file may say that there are more words, or fewer, than its network has scores.
TEST(LmInfo, RefusesAVocabularyOfAnotherSizeThanTheNetwork) {
  for (const std::size_t words : {6, 8}) {
    Model model = word_model(whitespace(), kWords, 5);
    std::vector<std::string> vocabulary = kWords;
    vocabulary.resize(words, "more");
    model.set_task_data(LmInfo{whitespace(), vocabulary, std::vector<std::int64_t>(words, 1), ""}.to_json());
    expect_error(Code::kModel, {fmt::format("{} tokens", words), "reads 7 and scores 7"},
                 [&] { LmInfo::from_model(model); });
  }
}

}  // namespace
}  // namespace carousel
