#include "layers/output/ctc_decoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "base/random.h"
#include "tests/support/expect_error.h"

namespace carousel {
namespace {

BasicTensor<double> random_log_p(std::int64_t time_steps, std::int64_t classes, std::uint64_t seed) {
  Tensor logits({time_steps, classes});
  fill_normal({seed, Purpose::kTest, 0}, 0.0F, 1.5F, logits.span());
  return ctc_log_probabilities(logits.view());
}

// Calls visit(alignment, its log-probability) for all K^T alignments.
void for_alignments(const BasicTensor<double>& log_p, const std::function<void(const Labelling&, double)>& visit) {
  const std::int64_t T = log_p.shape()[0], K = log_p.shape()[1];
  const auto count = static_cast<std::int64_t>(std::pow(K, T) + 0.5);
  for (std::int64_t code = 0; code < count; ++code) {
    Labelling alignment;
    double p = 0;
    for (std::int64_t t = 0, rest = code; t < T; ++t, rest /= K) {
      alignment.push_back(static_cast<std::int32_t>(rest % K));
      p += log_p[t * K + rest % K];
    }
    visit(alignment, p);
  }
}

Labelling collapsed(const Labelling& alignment) {
  Labelling labels;
  for (std::size_t t = 0; t < alignment.size(); ++t) {
    if (alignment[t] != 0 && (t == 0 || alignment[t] != alignment[t - 1])) labels.push_back(alignment[t]);
  }
  return labels;
}

std::map<Labelling, double> all_labellings(const BasicTensor<double>& log_p) {
  std::map<Labelling, double> probabilities;
  for_alignments(log_p,
                 [&](const Labelling& alignment, double p) { probabilities[collapsed(alignment)] += std::exp(p); });
  return probabilities;
}

// log p(next | last label), the end being class 0: numbers that follow from the two labels.
class Bigram final : public LabelScorer {
 public:
  explicit Bigram(std::int64_t classes) : classes_(classes) {}
  static double weight(std::int64_t last, std::int64_t next) {
    return static_cast<double>((3 * last + 5 * next) % 7 + 1);
  }
  double log_p(std::int64_t last, std::int64_t next) const {
    double sum = 0;
    for (std::int64_t k = 0; k < classes_; ++k) sum += weight(last, k);
    return std::log(weight(last, next) / sum);
  }
  void score(std::span<const std::int32_t> prefix, std::span<double> out) override {
    for (std::int64_t k = 0; k < classes_; ++k) {
      out[static_cast<std::size_t>(k)] = log_p(prefix.empty() ? 0 : prefix.back(), k);
    }
  }

 private:
  std::int64_t classes_;
};

// Oracle: every alignment of every labelling counted one by one. As wide as there are prefixes the search is exact.
TEST(CtcDecoder, FullWidthBeamGivesEveryLabellingItsProbability) {
  for (const auto& [time_steps, classes] : {std::pair{5, 3}, {4, 4}, {1, 3}, {6, 2}}) {
    const BasicTensor<double> log_p = random_log_p(time_steps, classes, 3);
    const auto expected = all_labellings(log_p);
    const auto found = ctc_beam_search(log_p, {.beam = 10000, .n_best = 10000});
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_NEAR(found[i].log_probability, std::log(expected.at(found[i].labels)), 1e-12);
      EXPECT_EQ(found[i].score, found[i].log_probability);
      if (i > 0) {
        EXPECT_LE(found[i].score, found[i - 1].score);
      }
    }
  }
}

// Oracle: as above, with the sum of the bigram's logarithms, that of the end and a bonus for every label.
TEST(CtcDecoder, AddsScorerAndBonus) {
  const BasicTensor<double> log_p = random_log_p(4, 4, 8);
  Bigram bigram(4);
  const double weight = 0.7, bonus = 0.4;
  const auto found = ctc_beam_search(
      log_p, {.beam = 10000, .n_best = 10000, .scorer = &bigram, .scorer_weight = weight, .insertion_bonus = bonus});
  const auto expected = all_labellings(log_p);
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    const Labelling& labels = found[i].labels;
    double score = std::log(expected.at(labels)) + bonus * static_cast<double>(labels.size());
    std::int32_t last = 0;
    for (const std::int32_t label : labels) {
      score += weight * bigram.log_p(last, label);
      last = label;
    }
    score += weight * bigram.log_p(last, 0);
    EXPECT_NEAR(found[i].score, score, 1e-12);
    if (i > 0) {
      EXPECT_LE(found[i].score, found[i - 1].score);
    }
  }
}

// Oracle: worked by hand. Both steps: blank 0.6, label 0.4. The best path is empty (0.36), but the label alone has
// 0.64.
TEST(CtcDecoder, BeamSumsWhatTheBestPathMisses) {
  BasicTensor<double> log_p({2, 2});
  for (std::int64_t t = 0; t < 2; ++t) {
    log_p[2 * t] = std::log(0.6);
    log_p[2 * t + 1] = std::log(0.4);
  }
  EXPECT_EQ(ctc_greedy(log_p), Labelling{});
  const auto best = ctc_beam_search(log_p, {.beam = 2});
  ASSERT_EQ(best.size(), 1);
  EXPECT_EQ(best[0].labels, Labelling{1});
  EXPECT_NEAR(best[0].log_probability, std::log(0.64), 1e-15);
}

// Oracle: the most probable of all alignments.
TEST(CtcDecoder, GreedyIsTheBestAlignmentCollapsed) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const BasicTensor<double> log_p = random_log_p(6, 3, seed);
    Labelling best;
    double most = -1e300;
    for_alignments(log_p, [&](const Labelling& alignment, double p) {
      if (p <= most) return;
      most = p;
      best = alignment;
    });
    EXPECT_EQ(ctc_greedy(log_p), collapsed(best)) << seed;
  }
}

// Oracle: the most probable of all alignments of the labelling.
TEST(CtcDecoder, AlignmentBeginsWhereTheBestOneDoes) {
  const std::vector<Labelling> labellings{{1, 2}, {2, 2}, {1, 2, 1, 2, 1, 2}, {1, 1, 2}, {2}, {}};
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const BasicTensor<double> log_p = random_log_p(6, 3, seed);
    for (const Labelling& labels : labellings) {
      Labelling best;
      double most = -1e300;
      for_alignments(log_p, [&](const Labelling& alignment, double p) {
        if (p <= most || collapsed(alignment) != labels) return;
        most = p;
        best = alignment;
      });
      std::vector<std::int64_t> begins;
      for (std::size_t t = 0; t < best.size(); ++t) {
        if (best[t] != 0 && (t == 0 || best[t] != best[t - 1])) begins.push_back(static_cast<std::int64_t>(t));
      }
      EXPECT_EQ(ctc_align(log_p, labels), begins) << "seed " << seed << ", " << labels.size() << " labels";
    }
  }
}

// Oracle: the exact probability. What a narrow search leaves out can only be missing from its sum.
TEST(CtcDecoder, NarrowBeamGivesALowerBound) {
  const BasicTensor<double> log_p = random_log_p(7, 4, 5);
  const auto expected = all_labellings(log_p);
  bool misses_some = false;
  for (const std::int64_t beam : {1, 2, 4, 8}) {
    const auto best = ctc_beam_search(log_p, {.beam = beam, .n_best = beam});
    EXPECT_EQ(std::ssize(best), beam);
    for (const CtcHypothesis& one : best) {
      const double exact = std::log(expected.at(one.labels));
      EXPECT_LE(one.log_probability, exact + 1e-12) << beam;
      misses_some |= one.log_probability < exact - 1e-6;
    }
  }
  EXPECT_TRUE(misses_some);
}

// Oracle: the contract in the header.
TEST(CtcDecoder, NamesWhatDoesNotFit) {
  const BasicTensor<double> log_p = random_log_p(3, 3, 1);
  expect_error(Code::kUsage, {"beam is 0"}, [&] { ctc_beam_search(log_p, {.beam = 0}); });
  expect_error(Code::kUsage, {"2 labels", "2 steps"}, [&] { ctc_align(random_log_p(2, 3, 1), Labelling{1, 1}); });
  expect_error(Code::kUsage, {"[3]", "[T, K]"}, [&] { ctc_log_probabilities(Tensor({3}).view()); });
}

// Oracle: no step, no label, certainty.
TEST(CtcDecoder, NothingHeardIsNothingSaid) {
  const BasicTensor<double> log_p({0, 3});
  EXPECT_EQ(ctc_greedy(log_p), Labelling{});
  EXPECT_TRUE(ctc_align(log_p, Labelling{}).empty());
  const auto best = ctc_beam_search(log_p, {});
  ASSERT_EQ(best.size(), 1);
  EXPECT_EQ(best[0].labels, Labelling{});
  EXPECT_EQ(best[0].log_probability, 0);
}

}  // namespace
}  // namespace carousel
