// Oracle: counts worked out by hand.
#include "tasks/tag/tag_score.h"

#include <gtest/gtest.h>

#include <sstream>

namespace carousel {
namespace {

std::vector<std::string> tags(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> list;
  for (std::string word; stream >> word;) list.push_back(word);
  return list;
}

double metric(const TagScore& score, std::string_view name) {
  const Metrics metrics = score.metrics();
  const double* value = find_metric(metrics, name);
  return value ? *value : -1;
}

TEST(TagScore, CountsSpansThatAgreeInBeginEndAndType) {
  TagScore score(TagScheme::kBio);
  // true: X 0-2, Y 3-4, X 5-6. predicted: X 0-2 (right), X 3-4 (wrong type), X 5-7 (too long).
  score.add(tags("B-X I-X O B-Y O B-X O"), tags("B-X I-X O B-X O B-X I-X"));
  // true: Y 0-2. predicted: I after O begins Y 0-2 (right).
  score.add(tags("B-Y I-Y"), tags("I-Y I-Y"));
  // No span, none predicted: the sentence is right.
  score.add(tags("O O O"), tags("O O O"));
  EXPECT_EQ(score.total().correct, 2);
  EXPECT_EQ(score.total().predicted, 4);
  EXPECT_EQ(score.total().actual, 4);
  EXPECT_EQ(score.types().at("X").correct, 1);
  EXPECT_EQ(score.types().at("X").predicted, 3);
  EXPECT_EQ(score.types().at("X").actual, 2);
  EXPECT_EQ(score.types().at("Y").correct, 1);
  EXPECT_EQ(score.types().at("Y").predicted, 1);
  EXPECT_DOUBLE_EQ(score.types().at("X").f1(), 2.0 / 5);
  const std::vector<TypeScore> by_type = score.by_type();
  ASSERT_EQ(by_type.size(), 2u);
  EXPECT_EQ(by_type[0].type, "X");
  EXPECT_DOUBLE_EQ(by_type[0].precision, 1.0 / 3);
  EXPECT_DOUBLE_EQ(by_type[0].recall, 0.5);
  EXPECT_DOUBLE_EQ(by_type[0].f1, 2.0 / 5);
  EXPECT_EQ(by_type[0].support, 2);
  EXPECT_DOUBLE_EQ(metric(score, "span_f1"), 2.0 * 2 / 8);
  EXPECT_DOUBLE_EQ(metric(score, "precision"), 0.5);
  EXPECT_DOUBLE_EQ(metric(score, "recall"), 0.5);
  EXPECT_DOUBLE_EQ(metric(score, "token_accuracy"), 9.0 / 12);
  EXPECT_DOUBLE_EQ(metric(score, "sentence_accuracy"), 1.0 / 3);
  EXPECT_EQ(metric(score, "intent_accuracy"), -1);
  EXPECT_EQ(score.metrics().front().first, "span_f1");
}

TEST(TagScore, ScoresPartsOfSpeechByTokens) {
  TagScore score(TagScheme::kPlain);
  score.add(tags("NN VB NN"), tags("NN VB VB"));
  score.add_intent("a", "a");
  score.add_intent("b", "a");
  EXPECT_EQ(score.metrics().front().first, "token_accuracy");
  EXPECT_DOUBLE_EQ(metric(score, "token_accuracy"), 2.0 / 3);
  EXPECT_DOUBLE_EQ(metric(score, "intent_accuracy"), 0.5);
  EXPECT_EQ(metric(score, "span_f1"), -1);
}

TEST(TagScore, ListsTheMostFrequentConfusionsFirst) {
  TagScore score(TagScheme::kPlain);
  score.add(tags("A A B C"), tags("B C C B"));
  score.add(tags("C C"), tags("B A"));
  const auto list = score.confusions();
  ASSERT_EQ(list.size(), 5u);
  EXPECT_EQ(list[0].first, std::pair(std::string("C"), std::string("B")));
  EXPECT_EQ(list[0].second, 2);
  EXPECT_EQ(list[1].second, 1);
}

TEST(TagScore, OfNothingIsZero) {
  TagScore score(TagScheme::kBio);
  score.add(tags("O"), tags("O"));
  EXPECT_EQ(metric(score, "span_f1"), 0);
  EXPECT_EQ(metric(score, "precision"), 0);
  EXPECT_EQ(metric(score, "recall"), 0);
}

}  // namespace
}  // namespace carousel
