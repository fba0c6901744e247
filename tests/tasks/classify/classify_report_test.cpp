// Oracles: what a reader must find in the markup; scores of the layer itself; a text on which weights can be read off.
#include "tasks/classify/classify_report.h"

#include <gtest/gtest.h>

#include <cmath>

#include "carousel/attention.h"
#include "layers/tokens/term_scores.h"
#include "tasks/classify/token_weights.h"

namespace carousel {
namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// Terms (0), (0 1), (1), (2) with weights for classes 0 and 1.
Sequential linear_network() {
  TermScores scores(4, 2);
  scores.terms.value = Tensor({4, 2}, std::vector<float>{0, -1, 0, 1, 1, -1, 2, -1});
  scores.idf.value = Tensor({4}, std::vector<float>{1, 2, 1, 1});
  scores.weight.value = Tensor({4, 2}, std::vector<float>{1, 0, 0, 3, 2, 1, 0, -4});
  Sequential network;
  network.add("terms", std::make_unique<TermScores>(std::move(scores)));
  return network;
}

TEST(TokenWeights, PushesAddUpToTheDifferenceOfTheScores) {
  Sequential network = linear_network();
  const std::vector<std::int32_t> ids{0, 1};
  const auto for_one = term_pushes(network, ids, 1, 0, 10), for_zero = term_pushes(network, ids, 0, 1, 10);
  ASSERT_EQ(1u, for_one.size());  // the pair; both words speak for class 0
  EXPECT_EQ(0, for_one[0].first);
  EXPECT_EQ(1, for_one[0].second);
  ASSERT_EQ(2u, for_zero.size());
  const Tensor scores = network.predict(IdTensor({2, 1}, ids));
  EXPECT_NEAR(scores[1] - scores[0], for_one[0].push - for_zero[0].push - for_zero[1].push, 1e-6);
  EXPECT_EQ(1u, term_pushes(network, ids, 0, 1, 1).size());
}

TEST(TokenWeights, AreThoseOfTheAttentionAndEndWithTheText) {
  Embedding embedding(3, 1);
  embedding.weight.value = Tensor({3, 1}, std::vector<float>{0, 100, -100});  // tanh: 0, 1, -1
  AttentionPool pool(1, 1);
  pool.weight.value.fill(1);
  pool.vector.value.fill(2);
  Sequential network{std::move(embedding), std::move(pool)};
  const std::vector<std::int32_t> lengths{3, 1};
  const auto weights = token_weights(network, IdTensor({3, 2}, std::vector<std::int32_t>{1, 2, 0, 0, 2, 0}), lengths);
  ASSERT_EQ(2u, weights.size());
  ASSERT_EQ(3u, weights[0].size());
  const double sum = std::exp(2.0) + 1 + std::exp(-2.0);
  EXPECT_NEAR(std::exp(2.0) / sum, weights[0][0], 1e-6);
  EXPECT_NEAR(1 / sum, weights[0][1], 1e-6);
  EXPECT_EQ(std::vector<float>{1}, weights[1]);
  Sequential other = linear_network();
  EXPECT_TRUE(token_weights(other, IdTensor({1, 1}), lengths).empty());
}

TEST(ClassifyReport, ShowsTheWorstMistakesEscapedAndShortened) {
  Sequential network = linear_network();
  ClassifyInfo info;
  info.labels = {"<no>", "yes"};
  info.vocabulary = {"a&b", "c", "d"};
  ClassifyData data;
  data.label_names = info.labels;
  data.texts = {"right", "<script>" + std::string(400, 'x'), "worse"};
  data.samples.ids = {{2}, {0, 1}, {2}};
  data.labels = {0, 0, 1};
  const Indices samples{0, 1, 2};
  const Tensor scores = predict_samples(network, data.samples, samples);
  std::vector<Figure> figures;
  add_classify_figures({network, info, data, samples, scores}, figures);
  ASSERT_EQ(4u, figures.size());
  const std::string& wrong = figures[3].body;
  EXPECT_LT(wrong.find("worse"), wrong.find("&lt;script&gt;"));  // its true class got less
  EXPECT_FALSE(contains(wrong, "right"));
  EXPECT_FALSE(contains(wrong, "<script"));
  EXPECT_TRUE(contains(wrong, "[... 108 more bytes]"));
  EXPECT_TRUE(contains(wrong, "terms: a&amp;b c "));
  EXPECT_TRUE(contains(wrong, "<td>yes 0.018</td><td>&lt;no&gt; 0.982</td>"));
  EXPECT_TRUE(contains(figures[3].caption, "2 of 2 mistakes"));
  EXPECT_TRUE(contains(figures[1].body, "<th scope=\"row\">&lt;no&gt;</th><td>0.5000</td><td>0.5000</td>"));
  EXPECT_TRUE(contains(figures[2].body, "<svg"));
}

TEST(ClassifyReport, WithoutMistakesThereIsNoTableOfThem) {
  Sequential network = linear_network();
  ClassifyInfo info;
  info.labels = {"no", "yes"};
  ClassifyData data;
  data.texts = {"right"};
  data.samples.ids = {{2}};
  data.labels = {0};
  const Indices samples{0};
  const Tensor scores = predict_samples(network, data.samples, samples);
  std::vector<Figure> figures;
  add_classify_figures({network, info, data, samples, scores}, figures);
  EXPECT_EQ(3u, figures.size());
}

}  // namespace
}  // namespace carousel
