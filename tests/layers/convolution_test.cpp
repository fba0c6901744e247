// Oracles: direct loops in double over the padded form; central differences; the batch with other padding.
#include "layers/convolution.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "autograd/ops/tanh.h"
#include "carousel/convolution.h"
#include "carousel/loss.h"
#include "layers/pool_ops.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"
#include "tests/support/gradient_check.h"
#include "tests/support/random_tensor.h"

namespace carousel {
namespace {

const std::vector<std::int32_t> kLengths{6, 2, 0, 5, 1};
constexpr std::int64_t kSteps = 7, kSamples = 5, kIn = 3, kOut = 4;

BasicTensor<double> pack(const BasicTensor<double>& padded, const SequenceLayout& layout) {
  const std::int64_t C = padded.shape()[2];
  BasicTensor<double> rows({layout.rows(), C});
  for (std::int64_t r = 0; r < layout.rows(); ++r) {
    std::copy_n(padded.data() + layout.padded_rows()[static_cast<std::size_t>(r)] * C, C, rows.data() + r * C);
  }
  return rows;
}

// y [T', N, O] of x [T, N, C], straight from the definition.
BasicTensor<double> direct(const BasicTensor<double>& x, const BasicTensor<double>& w, const BasicTensor<double>& b,
                           bool same) {
  const std::int64_t K = w.shape()[2], left = same ? (K - 1) / 2 : 0, lost = same ? 0 : K - 1;
  BasicTensor<double> y({std::max<std::int64_t>(kSteps - lost, 0), kSamples, kOut});
  for (std::int64_t n = 0; n < kSamples; ++n) {
    const std::int64_t length = kLengths[static_cast<std::size_t>(n)];
    for (std::int64_t t = 0; t < length - lost; ++t) {
      for (std::int64_t o = 0; o < kOut; ++o) {
        double sum = b[o];
        for (std::int64_t k = 0; k < K; ++k) {
          const std::int64_t step = t + k - left;
          if (step < 0 || step >= length) continue;
          for (std::int64_t c = 0; c < kIn; ++c) {
            sum += w[(o * kIn + c) * K + k] * x[(step * kSamples + n) * kIn + c];
          }
        }
        y[(t * kSamples + n) * kOut + o] = sum;
      }
    }
  }
  return y;
}

// Kernels of even and odd width, of one step, and longer than every sample.
TEST(Convolution, EqualsTheDirectLoops) {
  const auto x = random_parameter("x", {kSteps, kSamples, kIn}), b = random_parameter("b", {kOut});
  const SequenceLayout layout(kSteps, kLengths);
  const BasicTensor<double> rows = pack(x.value, layout);
  for (const std::int64_t K : {1, 2, 3, 4, 8}) {
    const auto w = random_parameter("w" + std::to_string(K), {kOut, kIn, K});
    for (const bool same : {true, false}) {
      Tape<double> tape;
      const auto got = convolve<double>({.x = tape.constant(rows.view()),
                                         .layout = &layout,
                                         .weight = tape.constant(w.value.view()),
                                         .bias = tape.constant(b.value.view()),
                                         .same = same});
      expect_near(unpack(got.output, *got.layout).value(), direct(x.value, w.value, b.value, same), 1e-14,
                  (same ? "same " : "valid ") + std::to_string(K));
    }
  }
}

TEST(Convolution, GradientsEqualCentralDifferences) {
  const SequenceLayout layout(kSteps, kLengths);
  auto x = random_parameter("x", {layout.rows(), kIn}), b = random_parameter("b", {kOut});
  for (const std::int64_t K : {2, 3}) {
    auto w = random_parameter("w", {kOut, kIn, K});
    for (const bool same : {true, false}) {
      EXPECT_TRUE(check_gradients(
          [&](Tape<double>& tape) {
            const auto got = convolve<double>({.x = tanh(tape.parameter(x)),
                                               .layout = &layout,
                                               .weight = tape.parameter(w),
                                               .bias = tape.parameter(b),
                                               .same = same});
            return pool_max(got.output, *got.layout);
          },
          {&x, &w, &b}))
          << K << (same ? " same" : " valid");
    }
  }
}

TEST(Conv1d, PaddingChangesNothing) {
  for (const std::string padding : {"same", "valid"}) {
    Sequential net{Conv1d{{.input_size = kIn, .output_size = kOut, .kernel_size = 3, .padding = padding}},
                   Activation{"gelu"},
                   Conv1d{{.input_size = kOut, .output_size = 2, .kernel_size = 2, .padding = padding}}};
    Sequential pooled{Conv1d{{.input_size = kIn, .output_size = kOut, .kernel_size = 3, .padding = padding}},
                      Pool{"max"}};
    const Tensor x = random_tensor({kSteps, kSamples, kIn}, 1);
    Tensor noisy = x;
    for (std::int64_t t = 0; t < kSteps; ++t) {
      for (std::int64_t n = 0; n < kSamples; ++n) {
        if (t >= kLengths[static_cast<std::size_t>(n)]) {
          std::fill_n(noisy.data() + (t * kSamples + n) * kIn, kIn, std::numeric_limits<float>::quiet_NaN());
        }
      }
    }
    const Tensor y = net.predict(x, kLengths);
    EXPECT_EQ((padding == "same" ? Shape{7, 5, 2} : Shape{4, 5, 2}), y.shape());
    expect_near(net.predict(noisy, kLengths), y, 0, padding);
    expect_near(pooled.predict(noisy, kLengths), pooled.predict(x, kLengths), 0, padding + " pooled");
    // A sample alone, without padding, gives the bits that it gives in the batch.
    Tensor alone({6, 1, kIn});
    for (std::int64_t t = 0; t < 6; ++t) std::copy_n(x.data() + t * kSamples * kIn, kIn, alone.data() + t * kIn);
    const Tensor single = net.predict(alone);
    for (std::int64_t t = 0; t < single.shape()[0]; ++t) {
      for (std::int64_t o = 0; o < 2; ++o) EXPECT_EQ(y[t * kSamples * 2 + o], single[t * 2 + o]) << padding << t;
    }
  }
}

TEST(Conv1d, StandsBelowRecurrentLayersAndInBranches) {
  Sequential net{Conv1d{{.input_size = kIn, .output_size = kOut, .kernel_size = 3, .padding = "valid"}},
                 Recurrent{{.cell = "gru", .input_size = kOut, .hidden_size = 3}}};
  EXPECT_EQ((Shape{5, 5, 3}), net.predict(random_tensor({kSteps, kSamples, kIn}, 2), kLengths).shape());
  const auto branch = [](const std::string& padding) {
    return Sequential{Conv1d{{.input_size = kIn, .output_size = 2, .kernel_size = 2, .padding = padding}}};
  };
  std::vector<Sequential> alike, different;
  for (const std::string padding : {"valid", "valid"}) alike.push_back(branch(padding));
  for (const std::string padding : {"valid", "same"}) different.push_back(branch(padding));
  Sequential sum{Sum{std::move(alike)}}, wrong{Sum{std::move(different)}};
  EXPECT_EQ((Shape{6, 5, 2}), sum.predict(random_tensor({kSteps, kSamples, kIn}, 2), kLengths).shape());
  expect_error(Code::kUsage, {"different numbers of steps"}, [&] {
    wrong.predict(random_tensor({kSteps, kSamples, kIn}, 2), kLengths);
  });
}

// The text CNN of Kim (2014): which of four words comes directly before word 0 is a matter of neighbours, not of words:
// every text has the words 0 to 4 once. The network must learn it from 64 texts for 64 others.
TEST(Conv1d, ATextCnnLearnsPairsOfNeighbours) {
  constexpr std::int64_t kTexts = 64, kWords = 5;
  const auto texts = [](std::uint64_t seed, IdTensor& labels) {
    IdTensor ids({kWords, kTexts});
    for (std::int64_t n = 0; n < kTexts; ++n) {
      std::vector<std::int64_t> order(kWords);
      for (std::uint64_t draw = 0; order[0] == 0; ++draw) {  // word 0 is never the first
        fill_permutation({seed, Purpose::kTest, static_cast<std::uint64_t>(n) * 100 + draw}, order);
      }
      for (std::int64_t t = 0; t < kWords; ++t) {
        ids[t * kTexts + n] = static_cast<std::int32_t>(order[static_cast<std::size_t>(t)]) + 1;
        if (order[static_cast<std::size_t>(t)] == 0) {
          labels[n] = static_cast<std::int32_t>(order[static_cast<std::size_t>(t - 1)]) - 1;
        }
      }
    }
    return ids;
  };
  std::vector<Sequential> widths;
  for (const std::int64_t width : {2, 3}) {
    widths.push_back(Sequential{Conv1d{{.input_size = 8, .output_size = 16, .kernel_size = width}}, Activation{"relu"},
                                Pool{"max"}, Linear{16, 4}});
  }
  Sequential net{Embedding{kWords + 1, 8}, Sum{std::move(widths)}};
  net.initialize(1);
  IdTensor labels({kTexts}), test_labels({kTexts});
  const IdTensor ids = texts(1, labels), test = texts(2, test_labels);
  for (int step = 0; step < 200; ++step) {
    backward(cross_entropy(net(ids), labels));
    for (Parameter* p : net.parameters()) {
      for (std::int64_t j = 0; j < p->value.elements(); ++j) p->value[j] -= 0.5f * p->gradient[j];
      p->gradient.fill(0);
    }
  }
  const Tensor scores = net.predict(test);
  int right = 0;
  for (std::int64_t n = 0; n < kTexts; ++n) {
    const float* row = scores.data() + n * 4;
    right += std::max_element(row, row + 4) - row == test_labels[n] ? 1 : 0;
  }
  EXPECT_EQ(kTexts, right);
}

TEST(Conv1d, WhatDoesNotFitIsNamed) {
  expect_error(Code::kUsage, {"conv1d", "kernel_size", "0"},
               [] { Conv1d({.input_size = 2, .output_size = 2, .kernel_size = 0}); });
  expect_error(Code::kUsage, {"conv1d", "'full'", "same or valid"},
               [] { Conv1d({.input_size = 2, .output_size = 2, .padding = "full"}); });
  Sequential net{Conv1d{{.input_size = 2, .output_size = 3}}},
      pooled{Pool{"mean"}, Conv1d{{.input_size = 2, .output_size = 3}}};
  expect_error(Code::kUsage, {"conv1d", "[8, 5]", "[3, 2, 3]"}, [&] { net.predict(random_tensor({4, 2, 5}, 1)); });
  expect_error(Code::kUsage, {"conv1d", "expected a sequence"}, [&] { pooled.predict(random_tensor({4, 2, 2}, 1)); });
  expect_error(Code::kUsage, {"put an Embedding before it"}, [&] { net.predict(IdTensor({4, 2})); });
}

}  // namespace
}  // namespace carousel
