// Oracles: means and maxima by hand over the valid steps; central differences for the gradients.
#include "layers/pool_ops.h"

#include <gtest/gtest.h>

#include "autograd/ops/select_rows.h"
#include "tests/support/expect_near.h"
#include "tests/support/gradient_check.h"

namespace carousel {
namespace {

const std::vector<std::int32_t> kLengths{1, 3, 0};

// Packed rows: (t0: n1, n0), (t1: n1), (t2: n1).
TEST(PoolOps, MeanAndMaxSeeValidStepsOnly) {
  const SequenceLayout layout(4, kLengths);
  const BasicTensor<double> x({4, 2}, std::vector<double>{1, 8, 5, -5, 3, 2, 2, 5});
  Tape<double> tape;
  const auto rows = tape.constant(x.view());
  expect_near(pool_mean(rows, layout).value(), BasicTensor<double>({3, 2}, std::vector<double>{5, -5, 2, 5, 0, 0}),
              1e-15, "mean");
  expect_near(pool_max(rows, layout).value(), BasicTensor<double>({3, 2}, std::vector<double>{5, -5, 3, 8, 0, 0}), 0,
              "max");
}

TEST(PoolOps, UnpackPutsZerosBehindTheEnd) {
  const SequenceLayout layout(4, kLengths);
  const BasicTensor<double> x({4, 1}, std::vector<double>{1, 2, 3, 4});
  Tape<double> tape;
  expect_near(unpack(tape.constant(x.view()), layout).value(),
              BasicTensor<double>({4, 3, 1}, std::vector<double>{2, 1, 0, 0, 3, 0, 0, 4, 0, 0, 0, 0}), 0, "padded");
}

TEST(PoolOps, GradientsEqualCentralDifferences) {
  const SequenceLayout layout(4, kLengths);
  auto x = random_parameter("x", {4, 5});
  EXPECT_TRUE(check_gradients([&](Tape<double>& tape) { return pool_mean(tape.parameter(x), layout); }, {&x}));
  EXPECT_TRUE(check_gradients([&](Tape<double>& tape) { return pool_max(tape.parameter(x), layout); }, {&x}));
  EXPECT_TRUE(check_gradients([&](Tape<double>& tape) { return unpack(tape.parameter(x), layout); }, {&x}));
}

}  // namespace
}  // namespace carousel
