// Oracles: digits of one grey for each label, so that a canvas tells which digit stands where; plain arithmetic.
#include <gtest/gtest.h>

#include <set>

#include "examples/generative/caption_report.h"
#include "tests/examples/grey_digits.h"

namespace carousel {
namespace {

using generative::Scene;

std::string words_of(const Scene& scene) {
  // The outer corner of a digit, away from the other one, is covered by nothing else.
  const auto [one, other] = scene.places;
  const auto label = [&](const generative::Place& place, const generative::Place& away) {
    const int x = place.x + (place.x < away.x ? 0 : 27), y = place.y + (place.y < away.y ? 0 : 27);
    return static_cast<std::size_t>(scene.canvas[static_cast<std::size_t>(y * 56 + x)]) / 20 - 1;
  };
  constexpr std::array names{"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"};
  const int right = one.x - other.x, down = one.y - other.y;
  EXPECT_GE(std::max(std::abs(right), std::abs(down)), 20);
  EXPECT_LE(std::min(std::abs(right), std::abs(down)), 10);
  const std::string relation =
      std::abs(right) > std::abs(down) ? (right < 0 ? "left of" : "right of") : (down < 0 ? "above" : "below");
  const auto named = [](std::string name) { return (name == "eight" ? "an " : "a ") + name; };
  return named(names[label(one, other)]) + " " + relation + " " + named(names[label(other, one)]) + ".";
}

TEST(Scenes, CaptionsSayWhatStandsWhere) {
  std::mt19937 random(5);
  const generative::Digits digits = grey_digits(1);
  std::set<std::string> seen;
  for (const Scene& scene : draw_scenes(digits, 4000, random)) {
    const std::string caption = generative::sentence(scene.caption);
    EXPECT_EQ(words_of(scene), caption);
    seen.insert(caption);
  }
  EXPECT_EQ(45u * 4 + 10 * 2, seen.size());  // every pair in every relation; two equal digits left of or above alone
}

TEST(Scenes, PatchesAreWindowsOfTheCanvasWithTheirPlace) {
  std::mt19937 random(6);
  const std::vector<Scene> scenes = draw_scenes(grey_digits(1), 3, random);
  const Tensor patches = generative::cut_patches(scenes);
  ASSERT_EQ((Shape{49, 3, 24 * 24 + 14}), patches.shape());
  for (int p = 0; p < 49; ++p) {
    const float* values = patches.view().row(p * 3 + 2);
    for (int y = 0; y < 24; ++y) {
      for (int x = 0; x < 24; ++x) {
        const int row = p / 7 * 8 - 8 + y, column = p % 7 * 8 - 8 + x;
        const bool inside = row >= 0 && row < 56 && column >= 0 && column < 56;
        const float ink = inside ? scenes[2].canvas[static_cast<std::size_t>(row * 56 + column)] / 255.0f : 0;
        ASSERT_EQ(ink, values[y * 24 + x]) << p << " " << y << " " << x;
      }
    }
    for (int k = 0; k < 14; ++k) ASSERT_EQ(k == p / 7 || k == 7 + p % 7 ? 1.0f : 0.0f, values[24 * 24 + k]);
  }
}

TEST(CaptionScore, CountsWordsDigitsRelationsAndWholeCaptions) {
  using namespace generative;
  const Scene left{{}, {kA, kZero + 7, kLeft, kOf, kA, kZero + 3, kStop}, {{{0, 0}, {28, 0}}}};
  const Scene above{{}, {kA, kZero + 2, kAbove, kA, kZero + 1, kStop}, {{{0, 0}, {0, 28}}}};
  Tensor on_first({kPatches}), even({kPatches});
  on_first[8] = 1;  // its centre is at 12, 12
  even.fill(1.0f / kPatches);
  Told told{{{kA, kZero + 7, kRight, kOf, kA, kZero + 3, kStop}, above.caption},
            {{even, on_first, even, even, even, on_first, even}, {even, even, even, even, even, even}}};
  CaptionScore result = score(std::vector<Scene>{left, above}, told);
  EXPECT_DOUBLE_EQ(12.0 / 13, result.words);
  EXPECT_DOUBLE_EQ(1, result.digits);
  EXPECT_DOUBLE_EQ(0.5, result.relations);
  EXPECT_DOUBLE_EQ(0.5, result.captions);
  // All and nothing of the first caption's; of even weights 3 x 3 of the 49 patches, with centres at 4, 12, 20, and 3
  // x 4.
  EXPECT_NEAR((1 + 0 + 9 / 49.0 + 12 / 49.0) / 4, result.on_digit, 1e-6);
  told.captions[1].pop_back();  // a caption that stops too early, or not at all, is wrong
  result = score(std::vector<Scene>{left, above}, told);
  EXPECT_DOUBLE_EQ(11.0 / 13, result.words);
  EXPECT_DOUBLE_EQ(0, result.captions);
}

TEST(CaptionScore, MostFrequentWordsAreThoseOfEachPlace) {
  using namespace generative;
  const Scene left{{}, {kA, kZero + 7, kLeft, kOf, kA, kZero + 3, kStop}, {}};
  const Scene above{{}, {kA, kZero + 2, kAbove, kA, kZero + 1, kStop}, {}};
  const Told told = most_frequent(std::vector<Scene>{left, above, left}, 2);
  EXPECT_EQ((std::vector<std::vector<int>>{left.caption, left.caption}), told.captions);
}

}  // namespace
}  // namespace carousel
