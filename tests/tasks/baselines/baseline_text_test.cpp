// Oracle: the optimum found by Newton's method on the same objective, conditions of the optimum, and data whose answer
// is known. The quality on real texts was compared with another implementation of the same model (to one text in
// 1,000).
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <numeric>
#include <string>

#include "base/random.h"
#include "base/thread_pool.h"
#include "tasks/baselines/lbfgs.h"
#include "tasks/baselines/logistic_regression.h"
#include "tasks/baselines/text_baselines.h"
#include "tasks/metrics.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"

namespace carousel {
namespace {

using Labels = std::vector<std::int32_t>;

SparseRows one_feature(const std::vector<float>& values) {
  SparseRows rows;
  for (float value : values) {
    rows.features.push_back(0);
    rows.values.push_back(value);
    rows.end_row();
  }
  return rows;
}

TEST(Lbfgs, FindsTheMinimumOfRosenbrocksValley) {
  std::vector<double> x = {-1.2, 1};
  const auto objective = [](std::span<const double> p, std::span<double> g) {
    const double a = 1 - p[0], b = p[1] - p[0] * p[0];
    g[0] = -2 * a - 400 * p[0] * b;
    g[1] = 200 * b;
    return a * a + 100 * b * b;
  };
  const int iterations = minimise_lbfgs(objective, x, {.max_iterations = 200, .tolerance = 1e-10});
  expect_near(x, std::vector<double>{1, 1}, 1e-9, "x");
  EXPECT_LT(iterations, 100);
}

TEST(LogisticRegression, OneDimensionIsNewtonsSolution) {
  const std::vector<float> x = {-2, -1, -0.5F, 0.25F, 0.5F, 1, 1.5F, 3};
  const Labels y = {0, 0, 1, 0, 1, 0, 1, 1};
  const double strength = 2.5;
  double w = 0, b = 0;
  for (int step = 0; step < 50; ++step) {
    double gw = w, gb = 0, hww = 1, hwb = 0, hbb = 0;
    for (std::size_t n = 0; n < x.size(); ++n) {
      const double p = 1 / (1 + std::exp(-(w * x[n] + b))), v = strength * p * (1 - p);
      gw += strength * (p - y[n]) * x[n];
      gb += strength * (p - y[n]);
      hww += v * x[n] * x[n];
      hwb += v * x[n];
      hbb += v;
    }
    const double det = hww * hbb - hwb * hwb;
    w -= (hbb * gw - hwb * gb) / det;
    b -= (hww * gb - hwb * gw) / det;
  }
  const auto model = LogisticRegression::fit(one_feature(x), y, 2, 1, {.strength = strength, .tolerance = 1e-10});
  EXPECT_NEAR(model.weight(1, 0), w, 1e-7);
  EXPECT_NEAR(model.weight(1, 1), b, 1e-7);
  EXPECT_EQ(model.weight(0, 0), 0);
}

TEST(LogisticRegression, ThreeClassesEndWhereTheGradientIsZero) {
  const std::int64_t samples = 30, features = 4;
  std::vector<float> values(static_cast<std::size_t>(samples * features));
  fill_normal({31, Purpose::kTest, 1}, 0.0F, 1.0F, std::span<float>(values));
  SparseRows rows;
  Labels labels;
  for (std::int64_t n = 0; n < samples; ++n) {
    for (std::int32_t f = 0; f < features; ++f) {
      if ((n + f) % 3 == 0) continue;  // absent features count 0
      rows.features.push_back(f);
      rows.values.push_back(values[static_cast<std::size_t>(n * features + f)]);
    }
    rows.end_row();
    labels.push_back(static_cast<std::int32_t>(n * n % 3));
  }
  labels[0] = 2;
  const double strength = 4;
  const auto model = LogisticRegression::fit(rows, labels, 3, features, {.strength = strength, .tolerance = 1e-10});
  std::vector<double> gradient(static_cast<std::size_t>(3 * (features + 1)), 0.0);
  for (std::int64_t n = 0; n < samples; ++n) {
    std::vector<double> dense(static_cast<std::size_t>(features) + 1, 0.0), p(3);
    dense.back() = 1;
    for (auto i = static_cast<std::size_t>(rows.starts[static_cast<std::size_t>(n)]);
         i < static_cast<std::size_t>(rows.starts[static_cast<std::size_t>(n) + 1]); ++i) {
      dense[static_cast<std::size_t>(rows.features[i])] = rows.values[i];
    }
    for (std::int64_t k = 0; k < 3; ++k) {
      double score = 0;
      for (std::int64_t f = 0; f <= features; ++f) score += model.weight(k, f) * dense[static_cast<std::size_t>(f)];
      p[static_cast<std::size_t>(k)] = std::exp(score);
    }
    const double sum = std::accumulate(p.begin(), p.end(), 0.0);
    for (std::size_t k = 0; k < 3; ++k) {
      const double slope = p[k] / sum - (labels[static_cast<std::size_t>(n)] == static_cast<std::int32_t>(k) ? 1 : 0);
      for (std::size_t f = 0; f < dense.size(); ++f) gradient[k * dense.size() + f] += strength * slope * dense[f];
    }
  }
  for (std::int64_t k = 0; k < 3; ++k) {
    for (std::int64_t f = 0; f < features; ++f) {
      gradient[static_cast<std::size_t>(k * (features + 1) + f)] += model.weight(k, f);
    }
  }
  expect_near(gradient, std::vector<double>(gradient.size()), 1e-7, "gradient");
}

TEST(LogisticRegression, SeparableDataIsSeparated) {
  const SparseRows rows = one_feature({-3, -2, -1.5F, 0.9F, 1.1F, 4});
  const Labels labels = {0, 0, 0, 1, 1, 1};
  EXPECT_EQ(LogisticRegression::fit(rows, labels, 2, 1, {.strength = 100}).predict(rows), labels);
  const Labels three = {2, 2, 2, 0, 0, 1};
  EXPECT_EQ(LogisticRegression::fit(rows, three, 3, 1, {.strength = 1000}).predict(rows), three);
}

TEST(LogisticRegression, WrongInputsAreErrors) {
  const SparseRows rows = one_feature({1, 2});
  expect_error(Code::kUsage, {"1 classes"}, [&] { LogisticRegression::fit(rows, Labels{0, 0}, 1, 1); });
  expect_error(Code::kUsage, {"2 rows", "1 labels"}, [&] { LogisticRegression::fit(rows, Labels{0}, 2, 1); });
  expect_error(Code::kUsage, {"label 2"}, [&] { LogisticRegression::fit(rows, Labels{0, 2}, 2, 1); });
}

std::vector<TextBaseline::Words> small_texts() {
  return {{"a", "good", "film"}, {"not", "bad"},       {"good", "good", "fun"},      {"not", "good"},
          {"bad", "film"},       {"a", "bad", "idea"}, {"not", "good", "a", "film"}, {"not", "bad", "fun"}};
}
const Labels kSentiment = {1, 1, 1, 0, 0, 0, 0, 1};

TEST(TextBaseline, PairsOfWordsTellWhatSingleWordsCannot) {
  const auto texts = small_texts();
  const TextBaseline model = TextBaseline::fit(texts, kSentiment, 2, {.min_texts = 1, .strength = 100});
  EXPECT_EQ(model.predict(texts), kSentiment);
  const std::vector<TextBaseline::Words> fresh = {{"not", "bad", "zebra"}, {"idea", "not", "good"}, {}, {"zebra"}};
  const Labels labels = model.predict(fresh);
  EXPECT_EQ(labels[0], 1);
  EXPECT_EQ(labels[1], 0);
  EXPECT_EQ(labels[2], labels[3]);  // nothing known in either: the intercept decides
}

// Texts of 12 random words among which stands the pair 1 2, 2 3 or 3 1, which tells the class.
std::vector<TextBaseline::Text> texts_told_by_pairs(std::uint64_t seed, Labels& labels) {
  std::vector<TextBaseline::Text> texts;
  for (std::uint64_t n = 0; n < 90; ++n) {
    std::vector<float> noise(12);
    fill_uniform({seed, Purpose::kTest, n}, 0.0F, 8.0F, std::span(noise));
    TextBaseline::Text& text = texts.emplace_back();
    for (const float value : noise) text.push_back(static_cast<std::int32_t>(value) + 4);
    const auto label = static_cast<std::int32_t>(n % 3);
    labels.push_back(label);
    text.insert(text.begin() + static_cast<std::ptrdiff_t>(n % 5), {1 + label, 1 + (label + 1) % 3});
  }
  return texts;
}

TEST(TextBaseline, AsALayerItGivesTheSameClasses) {
  Labels labels, fresh_labels;
  const auto texts = texts_told_by_pairs(1, labels), fresh = texts_told_by_pairs(2, fresh_labels);
  const TextBaseline model = TextBaseline::fit(texts, labels, 3, {.min_texts = 2, .strength = 0.2});
  Sequential network;
  network.add("terms", model.as_layer(0.5));
  const std::vector<std::int32_t> predicted = model.predict(fresh);
  EXPECT_GT(accuracy(predicted, fresh_labels), 0.7);
  for (std::size_t n = 0; n < fresh.size(); ++n) {
    IdTensor ids({std::ssize(fresh[n]), 1});
    std::copy(fresh[n].begin(), fresh[n].end(), ids.data());
    const Tensor scores = network.predict(ids);
    EXPECT_EQ(predicted[n], std::max_element(scores.data(), scores.data() + 3) - scores.data()) << n;
  }
}

TEST(TextBaseline, TermsThatAreTooRareDoNotCount) {
  // In at least 2 texts: a good film not bad fun, and the pairs "not bad", "not good". "good good" is one text only.
  EXPECT_EQ(TextBaseline::fit(small_texts(), kSentiment, 2, {.min_texts = 2}).terms(), 8);
  // In at least 3: good (4), bad (4), not (4), film (3), a (3).
  EXPECT_EQ(TextBaseline::fit(small_texts(), kSentiment, 2, {.min_texts = 3}).terms(), 5);
}

TEST(TextBaseline, IdsAndWordsGiveTheSameAnswers) {
  const std::vector<std::string> names = {"a", "good", "film", "not", "bad", "fun", "idea"};
  std::vector<TextBaseline::Text> ids;
  for (const auto& text : small_texts()) {
    auto& one = ids.emplace_back();
    for (const auto& word : text) {
      one.push_back(static_cast<std::int32_t>(std::find(names.begin(), names.end(), word) - names.begin()));
    }
  }
  const TextBaselineOptions options{.min_texts = 1, .strength = 3};
  const auto texts = small_texts();
  EXPECT_EQ(TextBaseline::fit(ids, kSentiment, 2, options).predict(ids),
            TextBaseline::fit(texts, kSentiment, 2, options).predict(texts));
}

TEST(TextBaseline, TheNumberOfThreadsChangesNoBit) {
  SparseRows rows;
  Labels labels;
  std::vector<float> values(3000 * 3);
  fill_normal({32, Purpose::kTest, 1}, 0.0F, 1.0F, std::span<float>(values));
  for (std::size_t n = 0; n < 3000; ++n) {
    for (std::size_t i = 0; i < 3; ++i) {
      rows.features.push_back(static_cast<std::int32_t>(300 * i + (n * 7 + i) % 300));
      rows.values.push_back(values[n * 3 + i]);
    }
    rows.end_row();
    labels.push_back(values[n * 3] + values[n * 3 + 1] > 0 ? 1 : n % 4 == 0 ? 2 : 0);
  }
  set_threads(1);
  const auto one = LogisticRegression::fit(rows, labels, 3, 900, {.max_iterations = 20});
  set_threads(3);
  const auto three = LogisticRegression::fit(rows, labels, 3, 900, {.max_iterations = 20});
  set_threads(1);
  for (std::int64_t f = 0; f <= 900; ++f) EXPECT_EQ(one.weight(1, f), three.weight(1, f)) << f;
}

TEST(MajorityClass, IsTheMostFrequentAndOfEqualsTheSmallest) {
  EXPECT_EQ(majority_class(Labels{2, 0, 2, 1}), 2);
  EXPECT_EQ(majority_class(Labels{3, 1, 1, 3, 0}), 1);
  expect_error(Code::kUsage, {"no labels"}, [] { majority_class({}); });
}

TEST(SequenceBaseline, SummaryIsMeanDeviationLeastGreatestFirstLastPerChannel) {
  const Tensor sequence(Shape{4, 2}, std::vector<float>{1, 10, 5, 10, 3, 10, 3, 10});
  expect_near(sequence_summary(sequence.view()),
              std::vector<double>{3, std::sqrt(2.0), 1, 5, 1, 3, 10, 0, 10, 10, 10, 10}, 1e-15, "summary");
  EXPECT_EQ(sequence_summary(Tensor(Shape{0, 1}).view()), std::vector<double>(6, 0.0));
}

TEST(SequenceBaseline, TellsSequencesByTheirSpread) {
  std::vector<Tensor> sequences;
  Labels labels;
  for (std::int64_t n = 0; n < 40; ++n) {
    Tensor& one = sequences.emplace_back(Shape{5 + n % 3, 2});  // lengths differ
    fill_normal({33, Purpose::kTest, static_cast<std::uint64_t>(n)}, 0.0F, n % 2 == 0 ? 0.2F : 3.0F, one.span());
    labels.push_back(static_cast<std::int32_t>(n % 2));
  }
  std::vector<View<const float>> views;
  for (const Tensor& one : sequences) views.push_back(one.view());
  const auto first = std::span(views).first(30), last = std::span(views).last(10);
  const SequenceBaseline model = SequenceBaseline::fit(first, std::span(labels).first(30), 2);
  EXPECT_EQ(model.predict(last), Labels(labels.end() - 10, labels.end()));
  const Tensor narrow(Shape{3, 1});
  const std::vector<View<const float>> wrong = {narrow.view()};
  expect_error(Code::kUsage, {"1 channels", "expected 2"}, [&] { model.predict(wrong); });
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // whose heaps are larger

// Oracle: what the kernel says of the process. In these texts nearly all pairs of words differ.
TEST(TextBaseline, SaysWhatFittingTakes) {
  const RandomKey key{2, Purpose::kTest, 0};
  std::vector<TextBaseline::Text> texts(3000);
  Labels labels;
  std::uint64_t draw = 0;
  for (auto& text : texts) {
    labels.push_back(static_cast<std::int32_t>(labels.size() % 2));
    for (int k = 0; k < 100; ++k) text.push_back(static_cast<std::int32_t>(uniform_below(key, draw++, 5000)));
  }
  const auto kilobytes = [](const std::string& field) {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
      if (word == field && status >> word) return std::stod(word);
    }
    return 0.0;
  };
  std::ofstream("/proc/self/clear_refs") << "5";  // the most so far is what it is now
  const double before = kilobytes("VmRSS:");
  const TextBaseline baseline = TextBaseline::fit(texts, labels, 2);
  EXPECT_NEAR(static_cast<double>(baseline.fit_bytes()) / 1024 / (kilobytes("VmHWM:") - before), 1, 0.2);
}

#endif

}  // namespace
}  // namespace carousel
