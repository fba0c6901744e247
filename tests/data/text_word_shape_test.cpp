// Oracle: words sorted by hand; and, for singleton dropout, counts by hand and the binomial law.
#include <gtest/gtest.h>

#include <cmath>

#include "data/text/singleton.h"
#include "data/text/vocabulary.h"
#include "data/text/word_shape.h"

namespace carousel {
namespace {

TEST(WordShape, IsThatOfUnicodesProperties) {
  const std::pair<WordShape, std::vector<std::string_view>> cases[] = {
      {WordShape::kLower, {"film", "d'accord", "\u00E9t\u00E9", "e\u0301", "stra\u00DFe", "\u0436\u0443\u043A"}},
      {WordShape::kInitial, {"Film", "I", "'Tis", "\u00C9cole", "E\u0301cole", "\u0416\u0443\u043A", "\u01C5"}},
      {WordShape::kUpper, {"NASA", "U.S.", "\u00C9\u00C9", "\u0416\u0423\u041A"}},
      {WordShape::kMixed, {"iPhone", "McDonald", "eBay", "NASAs"}},
      {WordShape::kUncased, {"\u5317\u4EAC", "\u0633\u0644\u0627\u0645", "\u05E9\u05DC\u05D5\u05DD", "\u30AB"}},
      {WordShape::kDigits, {"1997", "3.14", "10:30", "\u0661\u0662", "\uFF11", "$5"}},
      {WordShape::kWithDigits, {"B2B", "3rd", "\u4E002"}},
      {WordShape::kPunctuation, {",", "...", "--", "\u3002", "\u00BF"}},
      {WordShape::kSymbol, {"$", "+", "\U0001F600", " ", "", "\u20AC!"}}};
  EXPECT_EQ(std::size(cases), static_cast<std::size_t>(kWordShapes));
  for (const auto& [shape, words] : cases) {
    for (const std::string_view word : words) {
      EXPECT_EQ(word_shape_name(word_shape(word)), word_shape_name(shape)) << word;
    }
  }
  EXPECT_EQ(word_shape_name(WordShape::kSymbol), "symbol");
}

using Ids = std::vector<std::int32_t>;

TEST(Singletons, AreTheIdsThatOccurOnceAndAreNoSpecials) {
  const std::vector<Ids> sequences = {{2, 4, 5, 4}, {6, 7, 7}, {}};
  EXPECT_EQ(find_singletons(sequences, 9),
            (std::vector<bool>{false, false, false, false, false, true, true, false, false}));
}

TEST(Singletons, BecomeUnknownAsOftenAsAskedAndNothingElseDoes) {
  constexpr int kCount = 20000;
  const std::vector<bool> singletons = {false, false, false, false, true, false};
  Ids ids;
  for (int i = 0; i < kCount; ++i) ids.insert(ids.end(), {4, 5});
  const Ids before = ids;
  const RandomKey key{3, Purpose::kNoise, 7};
  drop_singletons(singletons, 0.3, key, ids);
  int dropped = 0;
  for (std::size_t t = 0; t < ids.size(); ++t) {
    if (ids[t] == before[t]) continue;
    EXPECT_EQ(ids[t], Vocabulary::kUnknown);
    EXPECT_EQ(before[t], 4);
    ++dropped;
  }
  // 4 deviations of a binomial of 20,000 draws
  EXPECT_NEAR(dropped, 0.3 * kCount, 4 * std::sqrt(kCount * 0.3 * 0.7));
  Ids again = before, other = before, never = before, always = before;
  drop_singletons(singletons, 0.3, key, again);
  EXPECT_EQ(again, ids);
  drop_singletons(singletons, 0.3, {3, Purpose::kNoise, 8}, other);
  EXPECT_NE(other, ids);
  drop_singletons(singletons, 0, key, never);
  EXPECT_EQ(never, before);
  drop_singletons(singletons, 1, key, always);
  EXPECT_EQ(std::count(always.begin(), always.end(), 4), 0);
}

}  // namespace
}  // namespace carousel
