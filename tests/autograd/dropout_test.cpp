#include "autograd/ops/dropout.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "autograd/ops/sum.h"
#include "autograd/ops/tanh.h"
#include "tests/support/gradient_check.h"

namespace carousel {
namespace {

const RandomKey kKey{11, Purpose::kDropout, 3};

// Oracle: the binomial distribution. 100000 elements, 5 standard deviations of the share that is dropped.
TEST(Dropout, DropsTheStatedShareAndScalesTheRest) {
  for (const double p : {0.1, 0.5, 0.8}) {
    std::vector<float> mask(100000);
    fill_dropout_mask<float>(p, kKey, mask);
    double dropped = 0;
    for (const float m : mask) {
      if (m == 0) {
        ++dropped;
      } else {
        ASSERT_EQ(m, static_cast<float>(1 / (1 - p)));
      }
    }
    EXPECT_NEAR(dropped / 100000, p, 5 * std::sqrt(p * (1 - p) / 100000)) << p;
  }
}

// Oracle: the definition in dropout.h, element by element.
TEST(Dropout, MultipliesByTheMaskOfPhilox) {
  BasicTensor<double> x({3, 7});
  fill_normal({12, Purpose::kTest, 0}, 0.0, 1.0, x.span());
  Tape<double> tape;
  auto y = dropout(tape.constant(x.view()), 0.25, kKey);
  for (std::int64_t i = 0; i < 21; ++i) {
    const std::uint32_t word = philox(kKey, static_cast<std::uint64_t>(i / 4))[static_cast<std::size_t>(i % 4)];
    EXPECT_EQ(y.value().data[i], word < 0x40000000u ? 0 : (1 / 0.75) * x[i]) << i;
  }
}

// Oracle: the contract. The mask is a function of key and index alone: same key same mask, another step another mask,
// and a longer mask begins with the shorter one.
TEST(Dropout, MaskIsAFunctionOfKeyAndIndex) {
  std::vector<double> first(41), again(20003), other(41);
  fill_dropout_mask<double>(0.5, kKey, first);
  fill_dropout_mask<double>(0.5, kKey, again);
  fill_dropout_mask<double>(0.5, {11, Purpose::kDropout, 4}, other);
  EXPECT_TRUE(std::equal(first.begin(), first.end(), again.begin()));
  EXPECT_NE(first, other);
}

// Oracle: central differences in double (the mask does not change while the input does).
TEST(Dropout, GradientsMatchCentralDifferences) {
  auto x = random_parameter("x", {7, 3});
  constexpr std::array<std::int64_t, 7> samples{0, 1, 2, 0, 1, 0, 1};
  EXPECT_TRUE(check_gradients([&](Tape<double>& t) { return dropout(t.parameter(x), 0.4, kKey); }, {&x}));
  EXPECT_TRUE(check_gradients([&](Tape<double>& t) { return dropout(tanh(t.parameter(x)), 0.4, kKey); }, {&x}));
  EXPECT_TRUE(check_gradients(
      [&](Tape<double>& t) { return dropout_per_sequence<double>(t.parameter(x), 0.4, kKey, samples, 3); }, {&x}));
  EXPECT_TRUE(check_gradients(
      [&](Tape<double>& t) { return dropout_per_sequence<double>(tanh(t.parameter(x)), 0.4, kKey, samples, 3); },
      {&x}));
}

// Oracle: the mask of shape [samples, C], drawn on its own. Every step of a sample has the same mask.
TEST(Dropout, OneMaskPerSequenceIsTheSameAtEveryStep) {
  constexpr std::array<std::int64_t, 7> samples{0, 1, 2, 0, 1, 0, 1};
  BasicTensor<double> x({7, 5}), mask({3, 5});
  x.fill(1);
  fill_dropout_mask<double>(0.5, kKey, mask.span());
  Tape<double> tape;
  auto y = dropout_per_sequence<double>(tape.constant(x.view()), 0.5, kKey, samples, 3);
  bool dropped = false, kept = false;
  for (std::int64_t row = 0; row < 7; ++row) {
    for (std::int64_t j = 0; j < 5; ++j) {
      const double m = mask[samples[static_cast<std::size_t>(row)] * 5 + j];
      EXPECT_EQ(y.value().row(row)[j], m) << row << ", " << j;
      (m == 0 ? dropped : kept) = true;
    }
  }
  EXPECT_TRUE(dropped && kept);
}

// Oracle: the contract. p = 0 gives the input back; p outside [0, 1) and wrong samples are refused.
TEST(Dropout, ChecksItsOptions) {
  const BasicTensor<double> x({2, 3});
  Tape<double> tape;
  auto v = tape.input(x.view());
  EXPECT_EQ(dropout(v, 0, kKey).node(), v.node());
  EXPECT_THROW(dropout(v, 1.0, kKey), Error);
  EXPECT_THROW(dropout(v, -0.1, kKey), Error);
  EXPECT_THROW(dropout(v, std::nan(""), kKey), Error);
  EXPECT_THROW(dropout_per_sequence<double>(v, 0.5, kKey, std::array<std::int64_t, 2>{0, 3}, 3), Error);
  EXPECT_THROW(dropout_per_sequence<double>(v, 0.5, kKey, std::array<std::int64_t, 1>{0}, 3), Error);
}

}  // namespace
}  // namespace carousel
