// Oracles: the same rule written out on the alignments of the whole output; a first pass by hand; markup of a small
// matrix.
#include "tasks/translate/translate_write.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "autograd/ops/cross_entropy.h"
#include "tasks/report/heatmap.h"
#include "tasks/translate/translate_training.h"
#include "tests/tasks/translate/translate_case.h"

namespace carousel {
namespace {

using Texts = std::vector<std::string>;

TranslateData letters_data(const TranslateInfo& info) {
  TranslateData data;
  data.pairs.sources = {"abc", "e", "dcba", "bd", "ace", "bbbbb"};
  data.pairs.targets = {"uv", "w", "vvw", "u", "wu", "vwv"};
  add_samples(data, 0, 6, info.kind());
  encode_pairs(data, info);
  return data;
}

TEST(TranslateWrite, AnUnknownTokenBecomesWhatItLooksAt) {
  TranslateInfo info = letters_info();
  const TranslateData data = letters_data(info);
  const std::vector<std::int64_t> samples{0, 1, 2, 3, 4, 5};
  std::int64_t unknown = 0;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    Sequential network = random_network(kShapes[seed % kShapes.size()], seed);
    const Translator model(network);
    const std::span<const Translator> models(&model, 1);
    const auto plain = best_of(write_texts(models, info, data, samples, {}));
    const auto copied = best_of(write_texts(models, info, data, samples, {.search = {}, .copy_unknown = true}));
    const auto alignments = align(models, info, data, samples, plain);
    for (std::size_t n = 0; n < samples.size(); ++n) {
      ASSERT_EQ(plain[n].tokens.size(), copied[n].tokens.size());
      for (std::size_t t = 0; t < plain[n].tokens.size(); ++t) {
        std::string expected = plain[n].tokens[t];
        if (expected == "<unk>") {
          ++unknown;
          std::size_t most = 0;
          const auto S = alignments[n].source.size();
          const auto weight = [&](std::size_t s) {
            return alignments[n].weights[static_cast<std::int64_t>(t * S + s)];
          };
          for (std::size_t s = 0; s + 1 < S; ++s) most = weight(s) > weight(most) ? s : most;
          expected = data.pairs.sources[n].substr(most, 1);
        }
        EXPECT_EQ(copied[n].tokens[t], expected) << "seed " << seed << " sample " << n << " token " << t;
      }
    }
  }
  EXPECT_GT(unknown, 10);
}

// A copied token may stand in the vocabulary of the targets: the decoder read <unk> all the same.
TEST(TranslateWrite, AlignmentsAreOfWhatTheDecoderWrote) {
  TranslateInfo info = letters_info();
  info.target_vocabulary = Vocabulary().tokens();
  for (const char* letter : {"a", "b", "c"}) info.target_vocabulary.emplace_back(letter);
  const TranslateData data = letters_data(info);
  const std::vector<std::int64_t> samples{0, 1, 2, 3, 4, 5};
  std::int64_t copied_known = 0, open = 0;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    Sequential network = random_network(kShapes[seed % kShapes.size()], seed);
    const Translator model(network);
    const std::span<const Translator> models(&model, 1);
    const auto plain = best_of(write_texts(models, info, data, samples, {}));
    const auto copied = best_of(write_texts(models, info, data, samples, {.search = {}, .copy_unknown = true}));
    const auto expected = align(models, info, data, samples, plain), got = align(models, info, data, samples, copied);
    for (std::size_t n = 0; n < samples.size(); ++n) {
      const std::int64_t rows = std::ssize(plain[n].tokens) + (plain[n].ended ? 1 : 0);
      EXPECT_EQ(std::ssize(got[n].output), rows);
      EXPECT_EQ(got[n].weights.shape()[0], rows);
      ASSERT_EQ(expected[n].weights.shape(), got[n].weights.shape());
      for (std::int64_t k = 0; k < got[n].weights.elements(); ++k) {
        EXPECT_EQ(got[n].weights[k], expected[n].weights[k]) << "seed " << seed << " sample " << n;
      }
      for (std::size_t t = 0; t < plain[n].tokens.size(); ++t) {
        const std::string& token = copied[n].tokens[t];
        copied_known += plain[n].tokens[t] == "<unk>" && token >= "a" && token <= "c" ? 1 : 0;
      }
      open += plain[n].ended ? 0 : 1;
    }
  }
  EXPECT_GT(copied_known, 10);
  EXPECT_GT(open, 0);
}

TEST(TranslateWrite, ASourceTokenKeepsItsCase) {
  TranslateInfo info = letters_info();
  info.source.level = TextLevel::kWord;
  info.source.lowercase = true;
  EXPECT_EQ(source_tokens(info, "In Berlin."), (Texts{"In", "Berlin", ".", "<eos>"}));
}

// In the last epoch, which may be the only one, with a share of 1, the decoder reads <bos> and then what it finds most
// probable itself.
TEST(TranslateTraining, ScheduledSamplingReadsTheModelsOwnTokens) {
  const TranslateInfo info = letters_info();
  const TranslateData data = letters_data(info);
  const std::vector<std::int64_t> all{0, 1, 2, 3, 4, 5};
  TrainOptions options;
  options.epochs = 2;
  options.batch_size = 6;
  options.scheduled_sampling = 1;
  Sequential network = random_network(kShapes[0], 11);
  TranslateProblem problem(network, data, info, all, all, options);
  options.epochs = 1;
  TranslateProblem of_one_epoch(network, data, info, all, all, options);
  const auto loss_of = [](TranslateProblem& trained, std::int64_t epoch) {
    EXPECT_EQ(trained.batches_in_epoch(epoch), 1);
    trained.prepare(epoch, 0);
    Tape<float> tape;
    return trained.loss(tape, epoch, 0).item();
  };
  const auto loss = [&](std::int64_t epoch) { return loss_of(problem, epoch); };
  const Translator model(network);
  const PaddedIds source = pad_ids(data.sources, all), target = pad_ids(data.targets, all);
  const SequenceLayout layout(target.ids.shape()[0], target.lengths);
  const auto expected = [&](PaddedIds inputs, PaddedIds* own) {
    Tape<float> tape;
    detail::Layouts layouts;
    const auto encoded = model.encode(tape, layouts, source, false, {});
    const Variable logits = model.decode(tape, layouts, {inputs, encoded, source.lengths}, false, {});
    for (std::int64_t row = 0; own && row < layout.rows(); ++row) {
      const std::int64_t next = layout.padded_rows()[static_cast<std::size_t>(row)] + 6;
      const float* scores = logits.value().data + row * model.target_size();
      if (next >= own->ids.elements()) continue;
      own->ids[next] = static_cast<std::int32_t>(std::max_element(scores, scores + model.target_size()) - scores);
    }
    return cross_entropy<float>(logits, packed_targets(target, layout)).item();
  };
  PaddedIds own = decoder_inputs(target);
  const float forced = expected(decoder_inputs(target), &own);
  EXPECT_NEAR(loss(0), forced, 1e-6f);
  EXPECT_NEAR(loss(1), expected(own, nullptr), 1e-6f);
  EXPECT_NEAR(loss_of(of_one_epoch, 0), expected(own, nullptr), 1e-6f);
  EXPECT_GT(std::abs(loss(1) - forced), 1e-3f);
}

// Oracle: what the arena of the tape hands out at most. Sources and targets of a few lengths, and a cap's checkpoints.
TEST(TranslateTraining, TheMemoryOfAStepIsTold) {
  TranslateData data;
  std::vector<std::int64_t> all;
  for (std::int64_t n = 0; n < 32; ++n) {
    data.sources.emplace_back(static_cast<std::size_t>(40 + n % 3), 4 + static_cast<std::int32_t>(n % 5));
    data.targets.emplace_back(static_cast<std::size_t>(24 + n % 2), 4 + static_cast<std::int32_t>(n % 3));
    data.groups.push_back({n});
    all.push_back(n);
  }
  for (const SmallShape& shape : kShapes) {
    ModelOptions model;
    model.cell = shape.cell;
    model.hidden_size = 48;
    model.layers = shape.layers;
    model.bidirectional = "true";
    model.embedding_size = 32;
    model.dropout = 0.1;
    model.attention = shape.attention;
    if (shape.attention == "dot") model.merge = "sum";
    model.coverage = shape.coverage;
    const TranslateInfo info = letters_info(shape.words);
    Sequential network = build_translator(model, info);
    TrainOptions options;
    options.batch_size = 32;
    options.epochs = 1;
    for (const std::int64_t steps : {0, 10}) {
      TranslateProblem problem(network, data, info, all, all, options);
      problem.checkpoint_steps = steps;
      ASSERT_EQ(problem.batches_in_epoch(0), 1);
      problem.prepare(0, 0);
      Tape<float> tape;
      tape.backward(problem.loss(tape, 0, 0));
      const StepMemory told = step_memory(problem, problem.memory_needs(), {}, steps);
      EXPECT_NEAR(static_cast<double>(told.activations) / static_cast<double>(tape.arena().peak()), 1, 0.05)
          << shape.attention << ", checkpoints every " << steps << ": " << told.activations << " of "
          << tape.arena().peak();
    }
  }
}

TEST(Heatmap, ShowsEveryValueAndEscapesNames) {
  const std::vector<float> values{0, 0.25f, 1, 0.5f};
  const std::string svg = heatmap_svg({{"a", "<b>"}, {"c", " "}, values, "d"});
  for (const char* part : {"/ 0%)", "/ 25%)", "/ 100%)", "/ 50%)", "&lt;b&gt;", "<title>0.250</title>"}) {
    EXPECT_NE(svg.find(part), std::string::npos) << part;
  }
  EXPECT_EQ(svg.find("<b>"), std::string::npos);
}

}  // namespace
}  // namespace carousel
