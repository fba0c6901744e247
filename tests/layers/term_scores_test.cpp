// Oracle: the formula of term_scores.h worked out by hand, one text at a time.
#include "layers/tokens/term_scores.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"

namespace carousel {
namespace {

Tensor tensor(const Shape& shape, const std::vector<float>& values) { return Tensor(shape, values); }

Sequential three_terms() {
  auto layer = std::make_unique<TermScores>(3, 2);
  layer->terms.value = tensor({3, 2}, {4, -1, 4, 6, 6, -1});  // "4", "4 6", "6"
  layer->idf.value = tensor({3}, {1.5F, 2, 1});
  layer->weight.value = tensor({3, 2}, {0.5F, -1, 2, 0.25F, -0.75F, 1});
  layer->bias.value = tensor({2}, {0.1F, -0.2F});
  Sequential network;
  network.add("terms", std::move(layer));
  return network;
}

TEST(TermScores, WordsAndPairsAreCountedWeighedAndScaledToLengthOne) {
  Sequential network = three_terms();
  // Text 0: 4 6 9 6 has one "4", one "4 6", two "6"; text 1 no known word; text 2 is empty; text 3: 6 4.
  IdTensor ids({4, 4});
  const std::int32_t texts[4][4] = {{4, 6, 9, 6}, {9, 9, 0, 0}, {0, 0, 0, 0}, {6, 4, 0, 0}};
  for (std::int64_t n = 0; n < 4; ++n) {
    for (std::int64_t t = 0; t < 4; ++t) ids[t * 4 + n] = texts[n][t];
  }
  const std::vector<std::int32_t> lengths{4, 2, 0, 2};
  const double u[] = {1.5, 2.0, 1 + std::log(2.0)}, size = std::sqrt(u[0] * u[0] + u[1] * u[1] + u[2] * u[2]);
  const double pair = std::sqrt(1.5 * 1.5 + 1.0);
  const std::vector<double> expected{0.1 + (0.5 * u[0] + 2.0 * u[1] - 0.75 * u[2]) / size,
                                     -0.2 + (-1.0 * u[0] + 0.25 * u[1] + 1.0 * u[2]) / size,
                                     0.1,
                                     -0.2,
                                     0.1,
                                     -0.2,
                                     0.1 + (0.5 * 1.5 - 0.75) / pair,
                                     -0.2 + (-1.5 + 1.0) / pair};
  const Tensor scores = network.predict(ids, lengths);
  EXPECT_EQ(scores.shape().to_string(), Shape({4, 2}).to_string());
  expect_near(std::vector<double>(scores.span().begin(), scores.span().end()), expected, 1e-6, "scores");
}

TEST(TermScores, ItsDescriptionBuildsItAgain) {
  Sequential network = three_terms();
  const LayerDescription description = network.describe().branches[0][0].layer;
  EXPECT_EQ(3 * 2 + 3 + 3 * 2 + 2, count_parameters(description));
  EXPECT_EQ(4U, build_module(description)->buffers().size());
  expect_error(Code::kUsage, {"0 terms"}, [] { TermScores(0, 2); });
}

}  // namespace
}  // namespace carousel
