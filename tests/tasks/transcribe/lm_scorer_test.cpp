// Oracle: what score_stream() says of the same text in one pass.
#include "tasks/transcribe/lm_scorer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "tasks/lm/lm_training.h"
#include "tests/support/expect_error.h"

namespace carousel {
namespace {

// Random weights.
Model random_lm(TextLevel level, const std::vector<std::string>& tokens) {
  ModelOptions options;
  options.cell = "gru";
  options.hidden_size = options.embedding_size = 5;
  options.layers = 1;
  options.dropout = 0;
  options.bidirectional = "false";
  options.tie_embeddings = "false";
  LmInfo info;
  info.text = {.nfkc = false, .lowercase = false, .level = level};
  info.vocabulary = {"<pad>", "<unk>", "<bos>", "<eos>"};
  info.vocabulary.insert(info.vocabulary.end(), tokens.begin(), tokens.end());
  info.counts.resize(info.vocabulary.size());
  Model model("lm", build_lm(options, info.vocabulary));
  model.network().initialize(3);
  model.set_task_data(info.to_json());
  return model;
}

TranscriptLabels labels_of(TextLevel level, std::vector<std::string> tokens) {
  tokens.insert(tokens.begin(), {"<pad>", "<unk>", "<bos>", "<eos>"});
  return TranscriptLabels({.level = level}, tokens);
}

TEST(LmScorer, AddsUpToWhatTheModelSaysOfTheText) {
  const Model lm = random_lm(TextLevel::kWord, {"one", "two", "three"});
  const TranscriptLabels labels = labels_of(TextLevel::kWord, {"three", "four", "one"});  // four: <unk> there
  LmScorer scorer(lm, labels);
  const Labelling labelling{1, 3, 2, 3, 1};
  const std::vector<std::int32_t> ids{6, 4, Vocabulary::kUnknown, 4, 6, Vocabulary::kEnd};
  std::vector<double> log_p(4);
  double sum = 0;
  for (std::size_t k = labelling.size() + 1; k-- > 0;) {  // the longest prefix first: what is before it is found, too
    scorer.score(std::span(labelling).first(k), log_p);
    sum += log_p[k == labelling.size() ? 0 : static_cast<std::size_t>(labelling[k])];
  }
  EXPECT_NEAR(-sum, score_stream(lm.network(), ids, Vocabulary::kEnd).sum, 1e-5);
}

TEST(LmScorer, OfCharactersTheEndIsTheLineFeed) {
  const Model lm = random_lm(TextLevel::kCharacter, {"a", "\n", "b"});
  LmScorer scorer(lm, labels_of(TextLevel::kCharacter, {"b", "a"}));
  std::vector<double> log_p(3);
  scorer.score(Labelling{2}, log_p);  // a
  for (const auto& [label, id] : {std::pair{0, 5}, std::pair{1, 6}, std::pair{2, 4}}) {
    const std::vector<std::int32_t> ids{4, id};
    EXPECT_NEAR(-log_p[static_cast<std::size_t>(label)], score_stream(lm.network(), ids, 5).losses[1], 1e-6) << label;
  }
}

// Oracle: the tokens of both by eye.
TEST(LmScorer, NamesTheLabelsThatAreUnknownToTheModel) {
  const Model lm = random_lm(TextLevel::kWord, {"One", "two", "three"});
  const TranscriptLabels labels = labels_of(TextLevel::kWord, {"three", "four", "one"});
  EXPECT_EQ(labels_unknown_to(lm, labels), (std::vector<std::string>{"four", "one"}));
}

TEST(LmScorer, RefusesAnotherLevel) {
  const Model lm = random_lm(TextLevel::kCharacter, {"a", "\n"});
  expect_error(Code::kUsage, {"--lm", "level 'char'", "level 'word'"},
               [&] { LmScorer scorer(lm, labels_of(TextLevel::kWord, {"one"})); });
}

}  // namespace
}  // namespace carousel
