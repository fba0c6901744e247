#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/thread_pool.h"
#include "layers/output/crf_decode.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"
#include "tests/support/gradient_check.h"

namespace carousel {
namespace {

constexpr double kForbidden = -std::numeric_limits<double>::infinity();

// Random scores of K tags, and emissions [steps, K].
struct Chain {
  std::int64_t K;
  std::vector<double> emissions;
  CrfScores<double> scores;
};

Chain random_chain(std::int64_t steps, std::int64_t K, std::uint64_t seed) {
  Chain chain{K,
              std::vector<double>(static_cast<std::size_t>(steps * K)),
              {BasicTensor<double>({K}), BasicTensor<double>({K}), BasicTensor<double>({K, K})}};
  fill_normal({seed, Purpose::kTest, 0}, 0.0, 1.5, std::span<double>(chain.emissions));
  fill_normal({seed, Purpose::kTest, 1}, 0.0, 1.0, chain.scores.start.span());
  fill_normal({seed, Purpose::kTest, 2}, 0.0, 1.0, chain.scores.end.span());
  fill_normal({seed, Purpose::kTest, 3}, 0.0, 1.0, chain.scores.transitions.span());
  return chain;
}

// Every sequence of tags with its score by the definition, best first.
std::vector<TagPath> all_paths(const Chain& c) {
  const std::int64_t steps = std::ssize(c.emissions) / c.K;
  std::int64_t count = 1;
  for (std::int64_t t = 0; t < steps; ++t) count *= c.K;
  std::vector<TagPath> paths;
  for (std::int64_t number = 0; number < count; ++number) {
    TagPath path;
    for (std::int64_t t = 0, rest = number; t < steps; ++t, rest /= c.K) {
      path.tags.push_back(static_cast<std::int32_t>(rest % c.K));
    }
    path.score = c.scores.start[path.tags.front()] + c.scores.end[path.tags.back()];
    for (std::int64_t t = 0; t < steps; ++t) {
      const std::int32_t tag = path.tags[static_cast<std::size_t>(t)];
      path.score += c.emissions[static_cast<std::size_t>(t * c.K + tag)];
      if (t > 0) path.score += c.scores.transitions[path.tags[static_cast<std::size_t>(t - 1)] * c.K + tag];
    }
    if (path.score != kForbidden) paths.push_back(path);
  }
  std::sort(paths.begin(), paths.end(), [](const TagPath& a, const TagPath& b) { return a.score > b.score; });
  return paths;
}

// Oracle: all sequences, one by one. Sizes are distinct; the last chain has forbidden starts, ends and transitions.
TEST(CrfDecode, AgreesWithEverySequenceOneByOne) {
  std::vector<Chain> chains;
  for (const auto& [steps, K] : {std::pair(1, 3), std::pair(2, 4), std::pair(5, 3), std::pair(6, 2), std::pair(4, 1)}) {
    chains.push_back(random_chain(steps, K, static_cast<std::uint64_t>(10 * steps + K)));
  }
  chains.push_back(random_chain(5, 3, 7));
  chains.back().scores.start[1] = kForbidden;
  chains.back().scores.end[0] = kForbidden;
  chains.back().scores.transitions[1 * 3 + 2] = kForbidden;
  chains.back().scores.transitions[2 * 3 + 1] = kForbidden;
  for (const Chain& c : chains) {
    const std::vector<TagPath> paths = all_paths(c);
    const std::span<const double> e(c.emissions);
    const std::int64_t steps = std::ssize(e) / c.K;
    double z = 0;
    std::vector<double> marginals(e.size());
    double pair = 0;  // of the best path's first two tags
    for (const TagPath& path : paths) {
      z += std::exp(path.score);
      for (std::int64_t t = 0; t < steps; ++t) {
        marginals[static_cast<std::size_t>(t * c.K + path.tags[static_cast<std::size_t>(t)])] += std::exp(path.score);
      }
      if (steps > 1 && std::equal(path.tags.begin(), path.tags.begin() + 2, paths[0].tags.begin())) {
        pair += std::exp(path.score);
      }
    }
    for (double& marginal : marginals) marginal /= z;
    const TagProbabilities p = tag_probabilities<double>(e, c.scores);
    EXPECT_NEAR(p.log_z, std::log(z), 1e-12);
    expect_near(p.marginals, marginals, 1e-12, "marginals");
    if (steps > 1) {
      const std::span<const std::int32_t> two(paths[0].tags.data(), 2);
      EXPECT_NEAR(run_probability<double>(e, c.scores, p, 0, two), pair / z, 1e-12);
    }
    const TagPath best = best_path<double>(e, c.scores);
    EXPECT_EQ(best.tags, paths[0].tags);
    EXPECT_NEAR(best.score, paths[0].score, 1e-12);
    const std::vector<TagPath> found = best_paths<double>(e, c.scores, 1000);
    ASSERT_EQ(found.size(), paths.size());
    for (std::size_t k = 0; k < paths.size(); ++k) {
      EXPECT_EQ(found[k].tags, paths[k].tags) << k;
      EXPECT_NEAR(found[k].score, paths[k].score, 1e-12) << k;
      EXPECT_NEAR(path_score<double>(e, c.scores, paths[k].tags), paths[k].score, 1e-12) << k;
    }
    EXPECT_EQ(best_paths<double>(e, c.scores, 1).at(0).tags, paths[0].tags);
  }
}

// Oracle: the contract. No step: one sequence, without tags.
TEST(CrfDecode, TakesASequenceWithoutSteps) {
  const Chain c = random_chain(0, 3, 1);
  EXPECT_TRUE(best_path<double>(c.emissions, c.scores).tags.empty());
  EXPECT_EQ(best_paths<double>(c.emissions, c.scores, 5).size(), 1u);
  EXPECT_EQ(tag_probabilities<double>(c.emissions, c.scores).log_z, 0);
}

// Oracle: the contract. All scores equal: the lowest tags.
TEST(CrfDecode, OfEqualSequencesTheLowestTagsWin) {
  Chain c = random_chain(3, 3, 1);
  std::fill(c.emissions.begin(), c.emissions.end(), 0.0);
  for (BasicTensor<double>* t : {&c.scores.start, &c.scores.end, &c.scores.transitions}) t->fill(0);
  EXPECT_EQ(best_path<double>(c.emissions, c.scores).tags, (std::vector<std::int32_t>{0, 0, 0}));
  const auto two = best_paths<double>(c.emissions, c.scores, 2);
  EXPECT_EQ(two[0].tags, (std::vector<std::int32_t>{0, 0, 0}));
  EXPECT_EQ(two[1].tags, (std::vector<std::int32_t>{1, 0, 0}));
}

// Oracle: closed form. The only sequence that is allowed leads through tags whose scores are e^-2000 of the others, far
// below what a double holds: its probability is 1, and no sum may lose it.
TEST(CrfDecode, FindsTheOnlyAllowedSequenceHoweverUnlikelyItsStart) {
  Chain c = random_chain(4, 3, 5);
  c.scores.start[2] = -2000;
  for (std::int64_t i = 0; i < 3; ++i) {
    for (std::int64_t j = 0; j < 3; ++j) {
      if ((i == 2) != (j == 2)) c.scores.transitions[i * 3 + j] = kForbidden;
    }
  }
  c.scores.end[0] = c.scores.end[1] = kForbidden;
  const TagProbabilities p = tag_probabilities<double>(c.emissions, c.scores);
  const TagPath best = best_path<double>(c.emissions, c.scores);
  EXPECT_EQ(best.tags, (std::vector<std::int32_t>{2, 2, 2, 2}));
  EXPECT_NEAR(p.log_z, best.score, 1e-9);
  for (std::size_t t = 0; t < 4; ++t) EXPECT_NEAR(p.marginals[t * 3 + 2], 1, 1e-9);
}

// The log-likelihood of samples of 4, 0, 2 and 1 steps.
struct Batch {
  static constexpr std::int64_t kTags = 3;
  SequenceLayout layout{4, std::array<std::int32_t, 4>{4, 0, 2, 1}};
  BasicParameter<double> emissions = random_parameter("emissions", {7, kTags}, 1.5);
  BasicParameter<double> start = random_parameter("start", {kTags}), end = random_parameter("end", {kTags});
  BasicParameter<double> transitions = random_parameter("transitions", {kTags, kTags});
  std::vector<std::int32_t> tags{2, 0, 1, 0, 2, 2, 1};                        // by packed rows
  std::vector<std::uint8_t> ones{1, 1, 1}, rules{1, 1, 1, 1, 1, 0, 0, 1, 1};  // 1 -> 2 and 2 -> 0 are not valid

  BasicVariable<double> likelihood(Tape<double>& tape, const CrfRules& allowed) {
    return crf_log_likelihood<double>(tape.parameter(emissions),
                                      {tape.parameter(start), tape.parameter(end), tape.parameter(transitions)}, tags,
                                      layout, allowed);
  }
  CrfRules some_rules() const { return {ones, ones, rules}; }
};

// Oracle: all sequences, one by one, of each sample; with rules, the valid ones.
TEST(CrfLikelihood, IsTheShareOfTheTagsAmongAllSequences) {
  Batch batch;
  batch.tags = {2, 0, 1, 1, 2, 1, 1};  // 2 1 1 1 | 0 2 | 1: valid
  for (const bool ruled : {false, true}) {
    Tape<double> tape;
    const auto got = batch.likelihood(tape, ruled ? batch.some_rules() : CrfRules());
    for (std::int64_t k = 0; k < 4; ++k) {
      Chain chain{Batch::kTags, {}, {batch.start.value, batch.end.value, batch.transitions.value}};
      for (std::size_t i = 0; i < 9 && ruled; ++i) {
        if (batch.rules[i] == 0) chain.scores.transitions[static_cast<std::int64_t>(i)] = kForbidden;
      }
      std::vector<std::int32_t> tags;
      for (std::int64_t t = 0; t < batch.layout.length(k); ++t) {
        const std::int64_t row = batch.layout.offset(t) + k;
        const double* e = batch.emissions.value.data() + row * Batch::kTags;
        chain.emissions.insert(chain.emissions.end(), e, e + Batch::kTags);
        tags.push_back(batch.tags[static_cast<std::size_t>(row)]);
      }
      double z = 0, own = 0;
      if (!tags.empty()) {
        for (const TagPath& path : all_paths(chain)) {
          z += std::exp(path.score);
          if (path.tags == tags) own = std::exp(path.score);
        }
      }
      EXPECT_NEAR(got.value().data[batch.layout.sample(k)], tags.empty() ? 0 : std::log(own / z), 1e-12) << k;
    }
  }
}

// Oracle: central differences in double.
TEST(CrfLikelihood, GradientsAreCentralDifferences) {
  Batch batch;
  EXPECT_TRUE(check_gradients([&](Tape<double>& tape) { return batch.likelihood(tape, {}); },
                              {&batch.emissions, &batch.start, &batch.end, &batch.transitions}));
  batch.tags = {2, 0, 1, 1, 2, 1, 1};
  EXPECT_TRUE(check_gradients([&](Tape<double>& tape) { return batch.likelihood(tape, batch.some_rules()); },
                              {&batch.emissions, &batch.start, &batch.end, &batch.transitions}));
}

// Oracle: central differences, where the sums are so small that they are formed term by term: the transition from 0 to
// 1 is worth e^1500 of the others, which is where the tags do not go.
TEST(CrfLikelihood, GradientsHoldWhereScaledSumsVanish) {
  Batch batch;
  batch.transitions.value[1] = 1500;
  batch.end.value[1] = -3000;
  EXPECT_TRUE(check_gradients([&](Tape<double>& tape) { return batch.likelihood(tape, {}); },
                              {&batch.emissions, &batch.start, &batch.end, &batch.transitions},
                              {.step = 1e-4, .tolerance = 1e-5}));
}

// Oracle: the same on one thread.
TEST(CrfLikelihood, IsTheSameOnAnyNumberOfThreads) {
  std::vector<double> first;
  for (const int count : {1, 4}) {
    set_threads(count);
    Batch batch;
    Tape<double> tape;
    tape.backward(project(batch.likelihood(tape, {}), 3));
    std::vector<double> all;
    for (auto* parameter : {&batch.emissions, &batch.start, &batch.end, &batch.transitions}) {
      all.insert(all.end(), parameter->gradient.span().begin(), parameter->gradient.span().end());
    }
    if (first.empty()) first = all;
    EXPECT_EQ(all, first);
  }
  set_threads(0);
}

// Oracle: the contract in the header.
TEST(CrfLikelihood, NamesWhatDoesNotFit) {
  Batch batch;
  const auto fails = [&](std::vector<std::string_view> words) {
    Tape<double> tape;
    expect_error(Code::kUsage, {words[0], words[1]}, [&] { batch.likelihood(tape, batch.some_rules()); });
  };
  fails({"crf: the tags of sample", "are not a valid sequence"});
  batch.tags[3] = 3;
  fails({"step 3 has tag 3", "expected 0 .. 2"});
  batch.tags.pop_back();
  fails({"6 tags", "7 steps"});
}

// Oracle: the layer before it. A Crf changes nothing in a pass; built again from its description it is as large.
TEST(Crf, PassesScoresOn) {
  Sequential network;
  network.add("output", std::make_unique<Linear>(3, 4));
  network.add("crf", std::make_unique<Crf>(4));
  network.initialize(1);
  Sequential plain;
  plain.add("output", std::make_unique<Linear>(3, 4));
  plain.parameters()[0]->value = network.parameters()[0]->value;
  plain.parameters()[1]->value = network.parameters()[1]->value;
  Tensor x({5, 2, 3});
  fill_normal({1, Purpose::kTest, 9}, 0.0f, 1.0f, x.span());
  expect_near(network.predict(x), plain.predict(x), 0, "scores");
  Sequential again = build_sequential(network.describe().branches[0]);
  ASSERT_EQ(again.parameters().size(), network.parameters().size());
  EXPECT_EQ(again.named_tensors().back().first, "crf.transitions");
  EXPECT_EQ(count_parameters(network.describe()), 3 * 4 + 4 + 4 + 4 + 16);
  Sequential wrong;
  wrong.add("crf", std::make_unique<Crf>(2));
  expect_error(Code::kUsage, {"crf: expected a row of 2 scores"}, [&] { wrong.predict(x); });
}

}  // namespace
}  // namespace carousel
