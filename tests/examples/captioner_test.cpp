// Oracles: weights of attention are positive and add up to 1; held scores give each patch the same; a loss of
// log(words) before anything is learnt, and a smaller one afterwards.
#include "examples/generative/captioner.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/examples/grey_digits.h"

namespace carousel {
namespace {

std::vector<generative::Scene> some_scenes(int count) {
  std::mt19937 random(7);
  return draw_scenes(grey_digits(2), count, random);
}

TEST(Captioner, EveryWordHasWeightsThatAddUpToOne) {
  generative::Captioner captioner(true);
  const auto scenes = some_scenes(5);
  for (int step = 0; step < 20; ++step) captioner.train(scenes, 1);
  const generative::Told told = captioner.describe(scenes);
  for (std::size_t n = 0; n < scenes.size(); ++n) {
    ASSERT_EQ(told.captions[n].size(), told.at[n].size());
    ASSERT_LE(told.captions[n].size(), 7u);
    for (const Tensor& weights : told.at[n]) {
      double total = 0;
      for (const float weight : weights.span()) {
        EXPECT_GE(weight, 0);
        total += weight;
      }
      EXPECT_NEAR(1, total, 1e-5);
    }
  }
}

TEST(Captioner, WithoutAttentionEveryPatchCountsTheSameAlsoAfterTraining) {
  generative::Captioner captioner(false);
  const auto scenes = some_scenes(5);
  for (int step = 0; step < 20; ++step) captioner.train(scenes, 1);
  const generative::Told told = captioner.describe(scenes);
  for (const auto& words : told.at) {
    for (const Tensor& weights : words) {
      for (const float weight : weights.span()) EXPECT_FLOAT_EQ(1.0f / 49, weight);
    }
  }
}

TEST(Captioner, LearnsAFewCaptionsByHeart) {
  generative::Captioner captioner(true);
  const auto scenes = some_scenes(4);
  EXPECT_NEAR(std::log(18.0), captioner.train(scenes, 1), 0.3);
  for (int step = 0; step < 150; ++step) captioner.train(scenes, 1);
  const generative::Told told = captioner.describe(scenes);
  for (std::size_t n = 0; n < scenes.size(); ++n) EXPECT_EQ(scenes[n].caption, told.captions[n]) << n;
}

}  // namespace
}  // namespace carousel
