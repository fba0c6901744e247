// Oracles: moments of the normal distribution; the same noise however samples are batched and padded; and a line fitted
// to noisy inputs, whose slope is that of ridge regression.
#include "tasks/input_noise.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/file.h"
#include "base/random.h"
#include "carousel/model.h"
#include "tasks/task.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace carousel {
namespace {

TEST(InputNoise, HasTheDeviationOfEachColumn) {
  constexpr std::int64_t T = 500, N = 40, C = 2;
  const InputNoise noise(0.5, 3, {1, 4});
  Tensor values({T, N, C});
  std::vector<std::int64_t> samples(N);
  for (std::int64_t n = 0; n < N; ++n) samples[static_cast<std::size_t>(n)] = n;
  noise.add(0, samples, std::vector<std::int32_t>(N, T), values);
  for (std::int64_t c = 0; c < C; ++c) {
    double sum = 0, squares = 0;
    for (std::int64_t j = c; j < values.elements(); j += C) {
      sum += values[j];
      squares += double{values[j]} * values[j];
    }
    const double deviation = c == 0 ? 0.5 : 2, count = T * N;
    EXPECT_NEAR(sum / count, 0, 4 * deviation / std::sqrt(count));  // four standard errors
    EXPECT_NEAR(squares / count, deviation * deviation, 4 * deviation * deviation * std::sqrt(2 / count));
  }
}

TEST(InputNoise, OfASampleDependsOnNothingButItsNumberAndTheEpoch) {
  const InputNoise noise(1, 3, {1});
  Tensor wide({6, 2, 1}), narrow({3, 1, 1}), later({3, 1, 1}), other({3, 1, 1});
  noise.add(1, std::vector<std::int64_t>{8, 5}, std::vector<std::int32_t>{6, 3}, wide);
  noise.add(1, std::vector<std::int64_t>{5}, std::vector<std::int32_t>{3}, narrow);
  noise.add(2, std::vector<std::int64_t>{5}, std::vector<std::int32_t>{3}, later);
  InputNoise(1, 4, {1}).add(1, std::vector<std::int64_t>{5}, std::vector<std::int32_t>{3}, other);
  for (std::int64_t t = 0; t < 3; ++t) {
    EXPECT_EQ(wide[2 * t + 1], narrow[t]);
    EXPECT_NE(narrow[t], later[t]);
    EXPECT_NE(narrow[t], other[t]);
    EXPECT_NE(narrow[t], wide[2 * t]);
    EXPECT_EQ(wide[2 * (t + 3) + 1], 0);  // padding stays as it is
  }
}

struct Values final : RowSink {
  void header(const std::vector<std::string>&) override {}
  void row(const std::vector<std::string>& cells) override { values.push_back(std::stod(cells[0])); }
  std::vector<double> values;
};

// y = 3 x for x of deviation 2. With noise of deviation s on the scaled x the least squares line has the slope
// 3 / (1 + s^2): noise acts as ridge regression (Bishop 1995).
TEST(InputNoise, ShrinksTheSlopeOfALineAsRidgeRegressionDoes) {
  const TemporaryFolder folder;
  std::vector<float> x(20000);
  fill_normal({5, Purpose::kTest, 0}, 0.0f, 2.0f, std::span<float>(x));
  std::string text = "x,y\n";
  for (const float value : x) text += fmt::format("{},{}\n", value, 3 * value);
  put_file(folder / "line.csv", text);
  put_file(folder / "ends.csv", "x\n1\n-1\n");
  for (const double deviation : {0.0, 0.5, 1.0}) {
    Options options;
    options.data.data = {folder / "line.csv"};
    options.model.cell = "rnn_linear";
    options.model.hidden_size = 1;
    options.model.dropout = 0;
    options.train.epochs = 1;  // of several the one that is best without noise would be kept
    options.train.lr = 0.02;
    options.train.input_noise = deviation;
    options.output.out = folder / "model.safetensors";
    Observer quiet;
    find_task("regress").train(options, quiet);
    options.data.data = {folder / "ends.csv"};
    Values ends;
    find_task("regress").predict(Model::load(options.output.out), options, ends);
    EXPECT_NEAR((ends.values[0] - ends.values[1]) / 2, 3 / (1 + deviation * deviation), 0.1) << deviation;
  }
}

TEST(InputNoise, IsNotForTexts) {
  const TemporaryFolder folder;
  put_file(folder / "texts.csv", "text,label\ngood,a\nbad,b\nfine,a\npoor,b\n");
  Options options;
  options.data.data = {folder / "texts.csv"};
  options.data.valid_fraction = 0.5;
  options.train.input_noise = 0.1;
  options.output.out = folder / "model.safetensors";
  Observer quiet;
  expect_error(Code::kUsage, {"--input-noise", "texts"}, [&] { find_task("classify").train(options, quiet); });
}

}  // namespace
}  // namespace carousel
