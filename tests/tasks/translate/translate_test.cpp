// Oracles: the same answer by another road (one pass over the whole target, one sample at a time, the file read back,
// finite differences); counts by hand; the sizes that docs/results.md was measured with.
#include "tasks/translate/translate.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/ops/cross_entropy.h"
#include "base/random.h"
#include "tasks/edit_distance.h"
#include "tasks/translate/translate_score.h"
#include "tasks/translate/translate_training.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"
#include "tests/tasks/translate/translate_case.h"

namespace carousel {
namespace {

using Texts = std::vector<std::string>;

double sum(const std::vector<float>& values) {
  double total = 0;
  for (const float value : values) total += static_cast<double>(value);
  return total;
}

TokenIds with_end(TokenIds ids) {
  ids.push_back(Vocabulary::kEnd);
  return ids;
}

TEST(Translate, StepByStepGivesTheProbabilitiesOfOnePass) {
  const std::vector<TokenIds> sources = random_sources(15);
  for (const SmallShape& shape : kShapes) {
    Sequential network = random_network(shape, 3);
    const Translator model(network);
    for (const std::int64_t beam : {1, 3}) {
      const auto results =
          translate({&model, 1}, letters_info(), sources, {.beam = beam, .n_best = 1, .length_penalty = 1});
      for (std::size_t n = 0; n < sources.size(); ++n) {
        const SearchResult& result = results[n].front();
        const std::vector<TokenIds> source{sources[n]}, target{with_end(result.tokens)};
        std::vector<float> log_p = force({&model, 1}, source, target, false).front().log_p;
        if (!result.ended) log_p.pop_back();
        EXPECT_NEAR(result.log_probability, sum(log_p), 1e-5)
            << shape.cell << " " << shape.attention << " sample " << n;
      }
    }
  }
}

TEST(Translate, ALargeDictionaryGetsALargerNetwork) {
  TranslateInfo info = letters_info();
  Observer quiet;
  info.target.level = TextLevel::kWord;
  const ModelOptions large = resolve_translate_model({}, info, 110'771, quiet);
  const ModelOptions small = resolve_translate_model({}, info, 3'600, quiet);
  EXPECT_EQ(large.layers, 2);
  EXPECT_EQ(large.hidden_size, 512);
  EXPECT_EQ(large.dropout, 0.3);
  EXPECT_EQ(small.layers, 1);
  EXPECT_EQ(small.hidden_size, 128);
  EXPECT_EQ(small.dropout, 0.2);
  info.source.level = TextLevel::kWord;
  EXPECT_EQ(resolve_translate_model({}, info, 29'000, quiet).layers, 1);
}

TEST(Translate, ScoresBetweenWordsAreScaledWhereTheyCanBe) {
  const auto scaled = [](const SmallShape& shape) {
    Sequential network = random_network(shape, 1);
    return Translator(network).attention().options().scaled;
  };
  for (const char* attention : {"general", "dot"}) {
    EXPECT_TRUE(scaled({"gru", attention, 1, false, true})) << attention;
    EXPECT_FALSE(scaled({"gru", attention, 1, false, false})) << attention;
  }
  EXPECT_FALSE(scaled({"gru", "concat", 1, false, true}));
}

TEST(Translate, ASampleAloneIsWhatItIsInABatch) {
  const std::vector<TokenIds> sources = random_sources(15);
  for (const SmallShape& shape : kShapes) {
    Sequential network = random_network(shape, 4);
    const Translator model(network);
    const auto together = translate({&model, 1}, letters_info(), sources, {.beam = 3, .n_best = 2});
    for (std::size_t n = 0; n < sources.size(); ++n) {
      const std::vector<TokenIds> one{sources[n]};
      const auto alone = translate({&model, 1}, letters_info(), one, {.beam = 3, .n_best = 2}).front();
      ASSERT_EQ(alone.size(), together[n].size());
      for (std::size_t k = 0; k < alone.size(); ++k) {
        EXPECT_EQ(alone[k].tokens, together[n][k].tokens);
        EXPECT_EQ(alone[k].log_probability, together[n][k].log_probability);
      }
    }
  }
}

TEST(Translate, AnEnsembleIsTheMeanOfProbabilities) {
  const std::vector<TokenIds> sources = random_sources(8);
  Sequential first = random_network(kShapes[0], 5), second = random_network(kShapes[1], 6);
  std::vector<Translator> both;
  both.emplace_back(first);
  both.emplace_back(second);
  const auto results = translate(both, letters_info(), sources, {.beam = 3, .n_best = 1});
  for (std::size_t n = 0; n < sources.size(); ++n) {
    const SearchResult& result = results[n].front();
    const std::vector<TokenIds> source{sources[n]}, target{with_end(result.tokens)};
    const auto a = force({&both[0], 1}, source, target, true).front();
    const auto b = force({&both[1], 1}, source, target, true).front();
    const auto mean = force(both, source, target, true).front();
    double expected = 0;
    for (std::size_t t = 0; t < result.tokens.size() + (result.ended ? 1 : 0); ++t) {
      const double p = std::log((std::exp(double{a.log_p[t]}) + std::exp(double{b.log_p[t]})) / 2);
      EXPECT_NEAR(double{mean.log_p[t]}, p, 1e-5);
      expected += p;
    }
    EXPECT_NEAR(result.log_probability, expected, 1e-5);
    for (std::int64_t k = 0; k < mean.alignment.elements(); ++k) {
      EXPECT_NEAR(mean.alignment[k], (a.alignment[k] + b.alignment[k]) / 2, 1e-6f);
    }
  }
}

// The states that the bridge gives the decoder are on the way of the gradient.
TEST(Translate, TheGradientReachesEveryParameter) {
  const std::vector<TokenIds> sources = random_sources(7);
  const std::vector<TokenIds> targets{{4, 3}, {5, 6, 3}, {3}, {4, 4, 5, 3}, {6, 3}, {5, 3}, {4, 6, 5, 3}};
  const std::vector<std::int64_t> all{0, 1, 2, 3, 4, 5, 6};
  const PaddedIds source = pad_ids(sources, all), target = pad_ids(targets, all), inputs = decoder_inputs(target);
  const SequenceLayout layout(inputs.ids.shape()[0], inputs.lengths);
  for (const SmallShape& shape : kShapes) {
    Sequential network = random_network(shape, 7);
    const Translator model(network);
    const auto loss = [&](bool backward) {
      Tape<float> tape;
      detail::Layouts layouts;
      const auto encoded = model.encode(tape, layouts, source, false, {});
      const Variable logits = model.decode(tape, layouts, {inputs, encoded, source.lengths}, false, {});
      const Variable value = cross_entropy<float>(logits, packed_targets(target, layout));
      if (backward) tape.backward(value);
      return static_cast<double>(value.item());
    };
    loss(true);
    for (const auto& [name, parameter] : network.named_tensors()) {
      // The element of the largest gradient, which finite differences in float can see.
      std::int64_t at = 0;
      for (std::int64_t k = 0; k < parameter->gradient.elements(); ++k) {
        if (std::abs(parameter->gradient[k]) > std::abs(parameter->gradient[at])) at = k;
      }
      const float before = parameter->value[at];
      constexpr float kStep = 1e-2f;
      parameter->value[at] = before + kStep;
      const double above = loss(false);
      parameter->value[at] = before - kStep;
      const double below = loss(false);
      parameter->value[at] = before;
      EXPECT_NE(parameter->gradient[at], 0) << name;
      EXPECT_NEAR(double{parameter->gradient[at]}, (above - below) / (2 * double{kStep}),
                  2e-4 + 0.01 * std::abs(double{parameter->gradient[at]}))
          << shape.cell << " " << shape.attention << " " << name << " element " << at;
    }
  }
}

// Oracle: the weights that force() gives of each target alone, the formula in plain doubles.
TEST(Translate, TheCoverageLossIsAddedToTheLossOfTraining) {
  const TranslateInfo info = letters_info();
  TranslateData data;
  data.sources = random_sources(7);
  data.targets = {{4, 3}, {5, 6, 3}, {3}, {4, 4, 5, 3}, {6, 3}, {5, 3}, {4, 6, 5, 3}};
  for (std::int64_t n = 0; n < 7; ++n) data.groups.push_back({n});
  Sequential network = random_network({"gru", "concat", 1, true}, 7);
  const auto loss_with = [&](double weight) {
    TrainOptions options;
    options.batch_size = 7;
    options.epochs = 1;
    options.coverage_loss = weight;
    TranslateProblem problem(network, data, info, {0, 1, 2, 3, 4, 5, 6}, {0}, options);
    EXPECT_EQ(problem.batches_in_epoch(0), 1);
    problem.prepare(0, 0);
    Tape<float> tape;
    return static_cast<double>(problem.loss(tape, 0, 0).item());
  };
  const Translator model(network);
  double overlap = 0, tokens = 0;
  for (const Forced& one : force({&model, 1}, data.sources, data.targets, true)) {
    const std::int64_t steps = one.alignment.shape()[0], places = one.alignment.shape()[1];
    tokens += static_cast<double>(steps);
    for (std::int64_t s = 0; s < places; ++s) {
      double former = 0;
      for (std::int64_t t = 0; t < steps; ++t) {
        const auto weight = static_cast<double>(one.alignment[t * places + s]);
        overlap += std::min(weight, former);
        former += weight;
      }
    }
  }
  EXPECT_GT(overlap / tokens, 0.1);
  EXPECT_NEAR(loss_with(1.5) - loss_with(0), 1.5 * overlap / tokens, 1e-5);
}

TEST(Translate, LevelsGoByWhatTheTextsAre) {
  const std::vector<std::int64_t> rows{0, 1};
  EXPECT_EQ(choose_side_level(Texts{"A man in a hat.", "Two dogs run"}, rows), TextLevel::kWord);
  EXPECT_EQ(choose_side_level(Texts{"AAA", "ABBY"}, rows), TextLevel::kCharacter);
  EXPECT_EQ(choose_side_level(Texts{"AE B IY", "B ER G"}, rows), TextLevel::kWord);
  EXPECT_EQ(choose_side_level(Texts{"august 19, 2003", "2/10/93"}, rows), TextLevel::kCharacter);
  EXPECT_EQ(choose_side_level(Texts{"state-of-the-art", "CC(=O)Oc1ccccc1C(=O)O"}, rows), TextLevel::kCharacter);
}

// Characters are counted, not bytes: 5 digits of 17 characters, which take 29 bytes ("3 September of the year 2010").
TEST(Translate, DatesInOtherAlphabetsAreNumbers) {
  const std::string date = "3 \u0441\u0435\u043D\u0442\u044F\u0431\u0440\u044F 2010 \u0433\u043E\u0434\u0430";
  EXPECT_EQ(choose_side_level(Texts{date}, std::vector<std::int64_t>{0}), TextLevel::kCharacter);
}

// Sentences: "I like to eat apples", "Yesterday he went to Beijing"; "Yesterday I read a book". Words: apple, Beijing.
TEST(Translate, SentencesWithoutBlanksAreNotSingleWords) {
  const std::vector<std::int64_t> rows{0, 1};
  EXPECT_EQ(choose_side_level(
                Texts{"\u6211\u559C\u6B22\u5403\u82F9\u679C\u3002", "\u4ED6\u6628\u5929\u53BB\u4E86\u5317\u4EAC\u3002"},
                rows),
            TextLevel::kWord);
  const std::string japanese = "\u79C1\u306F\u6628\u65E5\u672C\u3092\u8AAD\u307F\u307E\u3057\u305F\u3002";
  EXPECT_EQ(choose_side_level(Texts{japanese, japanese}, rows), TextLevel::kWord);
  EXPECT_EQ(choose_side_level(Texts{"\u82F9\u679C", "\u5317\u4EAC"}, rows), TextLevel::kCharacter);
}

// Oracle: counting by hand. A model file without the lengths, as older ones, keeps the mean alone.
TEST(Translate, AnOutputMayBeAsLongAsTheTargetsOfTraining) {
  TranslateInfo info = letters_info();
  TranslateData data;
  for (const std::size_t tokens : {2, 4, 4, 6, 5}) data.sources.emplace_back(tokens);
  for (const std::size_t tokens : {30, 3, 50, 9, 99}) data.targets.emplace_back(tokens);
  info.length_ratio = 1.2;
  info.longest_targets = longest_targets(data, {0, 1, 2, 3});
  EXPECT_EQ(info.longest_targets, (std::vector<std::int64_t>{0, 0, 30, 30, 50, 50, 50}));
  Model model("translate", random_network(kShapes[0], 1));
  model.set_task_data(info.to_json());
  const auto limits = [&] {
    const TranslateInfo read = TranslateInfo::from_model(model);
    std::vector<std::int64_t> list;
    for (const std::int64_t tokens : {1, 2, 3, 4, 6, 7, 100}) list.push_back(read.output_limit(tokens));
    return list;
  };
  EXPECT_EQ(limits(), (std::vector<std::int64_t>{13, 30, 30, 50, 50, 50, 250}));
  auto object = parse_json(info.to_json());
  object.erase("longest_targets");
  model.set_task_data(object.dump());
  EXPECT_EQ(limits(), (std::vector<std::int64_t>{13, 15, 18, 20, 25, 27, 250}));
  object["longest_targets"] = {3, -1};
  model.set_task_data(object.dump());
  expect_error(Code::kModel, {"longest_targets has -1"}, [&] { TranslateInfo::from_model(model); });
}

// Words with two pronunciations: one sample, right with either.
TEST(Translate, VariantsAreOneSample) {
  TranslateInfo info = letters_info();
  info.target.level = TextLevel::kWord;
  TranslateData data;
  data.pairs = {{"ab", "c", "ab"}, {"X Y Z", "Z", "X Z"}, {}};
  add_samples(data, 0, 3, info.kind());
  ASSERT_EQ(data.groups, (std::vector<std::vector<std::int64_t>>{{0, 2}, {1}}));
  const std::vector<std::int64_t> samples{0, 1};
  const auto score = [&](const Texts& first, const Texts& second) {
    const std::vector<WrittenText> written{{.tokens = first, .text = ""}, {.tokens = second, .text = ""}};
    return score_written(info, data, samples, written);
  };
  EXPECT_EQ(score({"X", "Z"}, {"Z"}), (Metrics{{"wer", 0}, {"per", 0}, {"accuracy", 1}}));
  // One edit of the nearest variant's two tokens, one of one.
  EXPECT_EQ(score({"X"}, {"X"}), (Metrics{{"wer", 100}, {"per", 100 * 2.0 / 3}, {"accuracy", 0}}));
  EXPECT_EQ(score({"X", "Y", "Z"}, {}), (Metrics{{"wer", 50}, {"per", 100 * 1.0 / 4}, {"accuracy", 0.5}}));
}

TEST(Translate, EditDistance) {
  const auto distance = [](const Texts& a, const Texts& b) { return edit_distance(a, b); };
  EXPECT_EQ(distance({"k", "i", "t", "t", "e", "n"}, {"s", "i", "t", "t", "i", "n", "g"}), 3);
  EXPECT_EQ(distance({}, {"a", "b"}), 2);
  EXPECT_EQ(distance({"a", "b", "c"}, {"b", "c"}), 1);
  EXPECT_EQ(distance({"a"}, {"a"}), 0);
}

// Trained on words whose letters become other letters, in three epochs: the file holds all that is needed.
TEST(Translate, TrainsSavesAndPredicts) {
  const TemporaryFolder folder;
  std::string pairs;
  for (std::uint64_t n = 0; n < 400; ++n) {
    std::string source, target;
    for (std::uint64_t k = 0; k < 1 + n % 4; ++k) {
      const auto letter = uniform_below({9, Purpose::kTest, n}, k, 4);
      source += static_cast<char>('a' + letter);
      target += static_cast<char>('W' + letter);
    }
    pairs += source + "\t" + target + "\n";
  }
  put_file(folder / "pairs.tsv", pairs);
  Options options;
  options.data.data = {folder / "pairs.tsv"};
  options.output.out = folder / "model.safetensors";
  options.model.hidden_size = 32;
  options.model.embedding_size = 16;
  options.train.epochs = 12;
  options.train.batch_size = 16;
  options.train.lr = 0.01;
  Observer quiet;
  const TrainResult trained = translate_task().train(options, quiet);
  ASSERT_EQ(trained.metrics.front().first, "accuracy");
  EXPECT_GT(trained.metrics.front().second, 0.9);
  const Model model = Model::load(options.output.out);
  const EvaluateResult evaluated = translate_task().evaluate(model, options, quiet);
  EXPECT_EQ(evaluated.samples, 400);
  EXPECT_GT(evaluated.metrics.front().second, 0.9);

  struct Rows final : RowSink {
    void header(const std::vector<std::string>&) override {}
    void row(const std::vector<std::string>& cells) override { rows.push_back(cells); }
    std::vector<std::vector<std::string>> rows;
  } rows;
  put_file(folder / "new.txt", "abc\nd\n");
  options.data.data = {folder / "new.txt"};
  options.output.alignments = folder / "alignments.jsonl";
  translate_task().predict(model, options, rows);
  ASSERT_EQ(rows.rows.size(), 2U);
  EXPECT_EQ(rows.rows[0].front(), "WXY");
  EXPECT_EQ(rows.rows[1].front(), "Z");
  const std::string lines = read_text(folder / "alignments.jsonl");
  const auto first = parse_json(lines.substr(0, lines.find('\n')));
  EXPECT_EQ(first.at("source"), (Texts{"a", "b", "c", "<eos>"}));
  EXPECT_EQ(first.at("output"), (Texts{"W", "X", "Y", "<eos>"}));
  for (const auto& row : first.at("weights")) {
    double total = 0;
    for (const double weight : row) total += weight;
    EXPECT_NEAR(total, 1, 1e-5);
  }
}

}  // namespace
}  // namespace carousel
