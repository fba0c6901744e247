// The promise of the house: the same bits for any number of threads.
#include <gtest/gtest.h>

#include <cstring>

#include "autograd/ops/add.h"
#include "autograd/ops/concatenate_columns.h"
#include "autograd/ops/cross_entropy.h"
#include "autograd/ops/ctc.h"
#include "autograd/ops/divide.h"
#include "autograd/ops/dropout.h"
#include "autograd/ops/embedding.h"
#include "autograd/ops/exp.h"
#include "autograd/ops/expand.h"
#include "autograd/ops/layer_norm.h"
#include "autograd/ops/linear.h"
#include "autograd/ops/log.h"
#include "autograd/ops/matmul.h"
#include "autograd/ops/mean.h"
#include "autograd/ops/reshape.h"
#include "autograd/ops/row_sums.h"
#include "autograd/ops/select_columns.h"
#include "autograd/ops/select_rows.h"
#include "autograd/ops/sigmoid.h"
#include "autograd/ops/softplus.h"
#include "autograd/ops/tanh.h"
#include "autograd/ops/transpose.h"
#include "autograd/tape.h"
#include "base/random.h"
#include "base/thread_pool.h"

namespace carousel {
namespace {

constexpr std::int64_t kRows = 900, kVocabulary = 50, kWidth = 130, kClasses = 33;

Parameter drawn(std::string name, const Shape& shape, std::uint64_t step) {
  Tensor value(shape);
  fill_normal({9, Purpose::kWeights, step}, 0.0f, 0.3f, value.span());
  return Parameter(std::move(name), value);
}

// One pass of a network whose sizes span several blocks of every operation: the loss and all gradients.
std::vector<float> pass() {
  Parameter table = drawn("table", {kVocabulary, kWidth}, 0), weight = drawn("weight", {kClasses, 2 * kWidth}, 1);
  Parameter bias = drawn("bias", {kClasses}, 2), gain = drawn("gain", {kWidth}, 3), shift = drawn("shift", {kWidth}, 4);
  std::vector<std::int32_t> ids(kRows), labels(kRows);
  std::vector<std::int64_t> order(kRows);
  for (std::size_t i = 0; i < kRows; ++i) {
    ids[i] = static_cast<std::int32_t>(uniform_below({9, Purpose::kTest, 1}, i, kVocabulary));
    labels[i] = static_cast<std::int32_t>(uniform_below({9, Purpose::kTest, 2}, i, kClasses));
  }
  fill_permutation({9, Purpose::kTest, 3}, order);
  Tape<float> tape;
  auto e = embedding<float>(tape.parameter(table), ids);
  auto n = tanh(layer_norm(e, tape.parameter(gain), tape.parameter(shift)));
  auto both = concatenate_columns({n, sigmoid(select_rows<float>(n, order))});
  auto z = linear(dropout(both, 0.3, {9, Purpose::kDropout, 0}), tape.parameter(weight), tape.parameter(bias));
  auto loss = cross_entropy<float>(z, labels, {.label_smoothing = 0.1, .class_weights = {}});
  auto blocks = reshape(n, {30, 30, kWidth});
  auto weights = expand(reshape(row_sums(softplus(select_columns(n, 7, 50))), {kRows, 1}), {kRows, kWidth});
  loss = add(loss, add(mean(matmul(blocks, transpose(blocks))), mean(divide(exp(n), log(exp(weights))))));
  const std::vector<std::vector<std::int32_t>> labellings(30, {1, 2, 2, 5});
  loss = add(loss, mean(ctc_loss<float>(reshape(z, {30, 30, kClasses}), {}, labellings)));
  tape.backward(loss);
  std::vector<float> result{loss.item()};
  for (const Parameter* parameter : {&table, &weight, &bias, &gain, &shift}) {
    result.insert(result.end(), parameter->gradient.span().begin(), parameter->gradient.span().end());
  }
  return result;
}

// Oracle: the same computation with one thread.
TEST(Threads, GradientsAreTheSameBitsForAnyNumber) {
  const int before = threads();
  set_threads(1);
  const std::vector<float> expected = pass();
  for (const int count : {2, 3, 4, 8}) {
    set_threads(count);
    const std::vector<float> got = pass();
    ASSERT_EQ(got.size(), expected.size());
    EXPECT_EQ(std::memcmp(got.data(), expected.data(), got.size() * sizeof(float)), 0) << count << " threads";
  }
  set_threads(before);
}

}  // namespace
}  // namespace carousel
