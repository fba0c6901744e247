#include "autograd/ops/ctc.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "autograd/ops/scale.h"
#include "autograd/ops/sum.h"
#include "tests/support/expect_error.h"
#include "tests/support/gradient_check.h"

namespace carousel {
namespace {

using Labels = std::vector<std::int32_t>;

// What an alignment stands for: equal labels that follow each other count once, blanks fall out.
Labels collapsed(const Labels& alignment, std::int32_t blank) {
  Labels labels;
  for (std::size_t t = 0; t < alignment.size(); ++t) {
    if (alignment[t] != blank && (t == 0 || alignment[t] != alignment[t - 1])) labels.push_back(alignment[t]);
  }
  return labels;
}

// The definition: the sum over all K^steps alignments of sample n.
double probability(const BasicTensor<double>& z, std::int64_t n, std::int64_t steps, const Labels& labels,
                   std::int32_t blank) {
  const std::int64_t N = z.shape()[1], K = z.shape()[2];
  double sum = 0;
  const auto count = static_cast<std::int64_t>(std::pow(K, steps) + 0.5);
  for (std::int64_t code = 0; code < count; ++code) {
    Labels alignment;
    double p = 1;
    for (std::int64_t t = 0, rest = code; t < steps; ++t, rest /= K) {
      const double* row = z.data() + (t * N + n) * K;
      double total = 0;
      for (std::int64_t k = 0; k < K; ++k) total += std::exp(row[k]);
      alignment.push_back(static_cast<std::int32_t>(rest % K));
      p *= std::exp(row[rest % K]) / total;
    }
    if (collapsed(alignment, blank) == labels) sum += p;
  }
  return sum;
}

// Oracle: every alignment counted one by one; labellings with repeated labels, empty ones and ones that just fit, for
// every place of the blank.
TEST(Ctc, EqualsTheSumOverAllAlignments) {
  const std::vector<std::int32_t> lengths{5, 4, 3, 2, 5};
  for (const std::int32_t blank : {0, 1, 3}) {
    const std::int32_t a = (blank + 1) % 4, b = (blank + 2) % 4, c = (blank + 3) % 4;
    const std::vector<Labels> labels{{a, b, b}, {c, c}, {a, b, c}, {}, {b, b, b}};
    const auto z = random_parameter("z", {5, 5, 4}, 2.0);
    Tape<double> tape;
    const auto loss = ctc_loss<double>(tape.constant(z.value.view()), lengths, labels, {.blank = blank});
    for (std::int64_t n = 0; n < 5; ++n) {
      const auto place = static_cast<std::size_t>(n);
      EXPECT_NEAR(loss.value().data[n], -std::log(probability(z.value, n, lengths[place], labels[place], blank)), 1e-13)
          << "sample " << n << ", blank " << blank;
    }
  }
}

// Oracle: central differences.
TEST(Ctc, GradientEqualsCentralDifferences) {
  const std::vector<std::int32_t> lengths{6, 3, 5, 4};
  const std::vector<Labels> labels{{1, 2, 2}, {3, 1, 3}, {}, {2, 2}};
  auto z = random_parameter("z", {6, 4, 4}, 1.5);
  EXPECT_TRUE(
      check_gradients([&](Tape<double>& t) { return ctc_loss<double>(t.parameter(z), lengths, labels); }, {&z}));
}

// Oracle: closed form. With the empty labelling every step is blank; with one step a label is its log-softmax.
TEST(Ctc, MatchesClosedForms) {
  BasicParameter<double> z("z", BasicTensor<double>({2, 2, 3}));
  for (std::int64_t i = 0; i < 12; ++i) z.value[i] = std::log(static_cast<double>(i % 3 + 1));  // p = 1/6, 2/6, 3/6
  const std::vector<std::int32_t> lengths{2, 1};
  Tape<double> tape;
  const auto loss = ctc_loss<double>(tape.parameter(z), lengths, std::vector<Labels>{{}, {2}});
  EXPECT_NEAR(loss.value().data[0], 2 * std::log(6.0), 1e-15);
  EXPECT_NEAR(loss.value().data[1], std::log(2.0), 1e-15);
}

// Oracle: what does not fit costs nothing and moves nothing, and the other samples are as they are by themselves; a
// sample without steps can only be empty.
TEST(Ctc, ZeroInfinityLeavesOutWhatDoesNotFit) {
  const std::vector<std::int32_t> lengths{3, 2, 0};
  const std::vector<Labels> labels{{1, 2}, {1, 1}, {}};
  auto z = random_parameter("z", {3, 3, 3});
  const BasicTensor<double> before = z.value;
  Tape<double> tape;
  z.make_gradient();
  const auto loss = ctc_loss<double>(tape.parameter(z), lengths, labels, {.zero_infinity = true});
  EXPECT_NEAR(loss.value().data[0], -std::log(probability(before, 0, 3, labels[0], 0)), 1e-14);
  EXPECT_EQ(loss.value().data[1], 0);
  EXPECT_EQ(loss.value().data[2], 0);
  tape.backward(project(loss, 1));
  for (std::int64_t i = 0; i < z.gradient.elements(); ++i) {
    const std::int64_t n = i / 3 % 3;
    if (n == 0) {
      EXPECT_NE(z.gradient[i], 0) << i;
    } else {
      EXPECT_EQ(z.gradient[i], 0) << i;
    }
  }
}

// Oracle: the same in double, and the law that at every step some label or the blank stands: each row of the gradient
// adds up to 0. 2,000 steps have a probability far below the smallest float, and their table of 961 places, 15 MB, is
// not kept whole.
TEST(Ctc, LongSequencesInFloatEqualThoseInDouble) {
  const Labels one{1, 2, 1, 1, 3, 2, 2, 1};
  std::vector<Labels> labels(2);
  for (int i = 0; i < 60; ++i) labels[0].insert(labels[0].end(), one.begin(), one.end());
  labels[1] = one;
  auto z = random_parameter("z", {2000, 2, 4}, 3.0);
  Tensor rounded(z.value.shape());
  for (std::int64_t i = 0; i < rounded.elements(); ++i) {
    rounded[i] = static_cast<float>(z.value[i]);
    z.value[i] = static_cast<double>(rounded[i]);
  }
  Tape<double> tape;
  Tape<float> float_tape;
  const auto input = tape.input(z.value.view());
  const auto float_input = float_tape.input(rounded.view());
  const auto loss = sum(ctc_loss<double>(input, {}, labels));
  const auto float_loss = sum(ctc_loss<float>(float_input, {}, labels));
  EXPECT_GT(loss.item(), 1000);
  EXPECT_NEAR(static_cast<double>(float_loss.item()) / loss.item(), 1, 1e-7);
  tape.backward(loss);
  float_tape.backward(float_loss);
  for (std::int64_t i = 0; i < rounded.elements(); ++i) {
    ASSERT_NEAR(static_cast<double>(float_input.gradient().data[i]), input.gradient().data[i], 1e-6) << i;
  }
  for (std::int64_t row = 0; row < 4000; ++row) {
    const double* d = input.gradient().data + 4 * row;
    ASSERT_NEAR(d[0] + d[1] + d[2] + d[3], 0, 1e-9) << row;
  }
  EXPECT_LT(tape.arena().peak(), 3U << 20U);
}

// Oracle: the contract. NaN in a logit reaches the loss, so that training can see it.
TEST(Ctc, PassesNanOn) {
  for (std::int64_t i = 0; i < 9; ++i) {
    BasicTensor<double> z({3, 1, 3});
    z[i] = std::nan("");
    Tape<double> tape;
    EXPECT_TRUE(std::isnan(ctc_loss<double>(tape.constant(z.view()), {}, std::vector<Labels>{{1, 2}}).value().data[0]))
        << i;
  }
}

// Oracle: the contract in the header.
TEST(Ctc, NamesWhatDoesNotFit) {
  const BasicTensor<double> z({3, 2, 3});
  Tape<double> tape;
  const auto call = [&](std::vector<std::int32_t> lengths, std::vector<Labels> labels, CtcOptions options = {}) {
    return
        [&tape, &z, lengths, labels, options] { ctc_loss<double>(tape.constant(z.view()), lengths, labels, options); };
  };
  expect_error(Code::kUsage, {"sample 1 has 2 labels", "at least 3 steps", "has 2"}, call({3, 2}, {{1}, {2, 2}}));
  expect_error(Code::kUsage, {"sample 0 has label 3", "0 .. 2"}, call({}, {{3}, {1}}));
  expect_error(Code::kUsage, {"sample 1 has label 0", "not the blank 0"}, call({}, {{1}, {0}}));
  expect_error(Code::kUsage, {"blank is 3"}, call({}, {{1}, {1}}, {.blank = 3}));
  expect_error(Code::kUsage, {"1 labellings", "2 samples"}, call({}, {{1}}));
  expect_error(Code::kUsage, {"length 4", "0 .. 3"}, call({3, 4}, {{1}, {1}}));
}

}  // namespace
}  // namespace carousel
