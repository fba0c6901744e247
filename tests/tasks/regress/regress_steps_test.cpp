// Regression with targets at every step and with binary targets (--loss bce).
#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "carousel/model.h"
#include "carousel/stream.h"
#include "formats/npy.h"
#include "tasks/regress/regress.h"
#include "tasks/regress/regress_score.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace carousel {
namespace {

constexpr std::int64_t kLongest = 7, kCount = 130, kBits = 3;
const float kGap = std::nanf("");

std::int64_t length_of(std::int64_t sample) { return 2 + sample % 6; }  // 2 to 7

// Random bits [T, N, 3], NaN behind the end of each sample, and what they were a step before: "x.npy", "y.npy".
struct Bits {
  Bits() : x({kLongest, kCount, kBits}), y({kLongest, kCount, kBits}) {
    fill_uniform({8, Purpose::kTest, 0}, 0.0f, 1.0f, x.span());
    for (std::int64_t j = 0; j < x.elements(); ++j) {
      const bool over = j / (kCount * kBits) >= length_of(j / kBits % kCount);
      x[j] = over ? kGap : static_cast<float>(x[j] < 0.3f);
      y[j] = over ? kGap : j < kCount * kBits ? 0 : x[j - kCount * kBits];
    }
    write();
  }
  void write() {
    write_npy<float>(folder / "x.npy", x.view());
    write_npy<float>(folder / "y.npy", y.view());
  }
  Options options() const {
    Options options;
    options.data.data = {folder / "x.npy"};
    options.data.labels = folder / "y.npy";
    options.data.split = "110,10,10";
    options.model.cell = "rnn";
    options.model.hidden_size = 4;
    options.train.loss = "bce";
    options.train.epochs = 2;
    options.output.out = folder / "model.safetensors";
    return options;
  }
  TemporaryFolder folder;
  Tensor x, y;
};

double metric_of(const Metrics& metrics, std::string_view name) {
  const double* value = find_metric(metrics, name);
  return value == nullptr ? NAN : *value;
}

Model trained_regression(const Options& options) {
  Observer quiet;
  regress_task().train(options, quiet);
  return Model::load(options.output.out);
}

struct StepRows final : RowSink {
  void header(const std::vector<std::string>& names) override { columns = names; }
  void row(const std::vector<std::string>& cells) override { rows.push_back(cells); }
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
};

// Oracle: the array by hand. A gap in the middle stays one; only steps without any value at the end go.
TEST(RegressSteps, AnArrayHoldsSamplesOfDifferentLengthsThatEndWhereNoValueIsLeft) {
  const TemporaryFolder folder;
  const Tensor values({2, 3, 2}, std::vector<float>{1, 2, kGap, 4, kGap, kGap, 5, 6, kGap, 7, 8, kGap});
  write_npy<float>(folder / "n.npy", values.view());
  const std::vector<Sequence> batch_first = read_npy_sequences(folder / "n.npy", true);
  ASSERT_EQ(2U, batch_first.size());
  ASSERT_EQ((Shape{2, 2}), batch_first[0].values.shape());
  EXPECT_TRUE(std::isnan(batch_first[0].values[2]));
  EXPECT_EQ(4, batch_first[0].values[3]);
  ASSERT_EQ((Shape{3, 2}), batch_first[1].values.shape());
  EXPECT_EQ(8, batch_first[1].values[4]);
  const std::vector<Sequence> time_first = read_npy_sequences(folder / "n.npy", false);
  ASSERT_EQ(3U, time_first.size());
  ASSERT_EQ((Shape{2, 2}), time_first[0].values.shape());
  EXPECT_EQ(5, time_first[0].values[2]);
  ASSERT_EQ((Shape{2, 2}), time_first[2].values.shape());  // a gap at its first step
  write_npy<float>(folder / "flat.npy", Tensor({4, 3}).view());
  expect_error(Code::kData, {"flat.npy", "[4, 3]", "[T, N, C]"},
               [&] { read_npy_sequences(folder / "flat.npy", false); });
}

// Oracle: - t log p - (1 - t) log(1 - p) with p from the logistic function, summed by hand; logits of 800 by their
// limit, the logit itself.
TEST(RegressSteps, TheNegativeLogLikelihoodIsTheSumOverTheOutputsAndTheMeanOverTheRows) {
  const std::vector<double> z{-2, 0.5, 3, -1}, t{0, 1, 0, 0};
  double sum = 0;
  for (std::size_t j = 0; j < z.size(); ++j) {
    const double p = 1 / (1 + std::exp(-z[j]));
    sum -= t[j] * std::log(p) + (1 - t[j]) * std::log(1 - p);
  }
  const Metrics metrics = score_binary(z, t, 2);
  EXPECT_NEAR(sum / 2, metric_of(metrics, "nll"), 1e-14);
  EXPECT_DOUBLE_EQ(0.75, metric_of(metrics, "accuracy"));
  EXPECT_DOUBLE_EQ(800,
                   metric_of(score_binary(std::vector<double>{800, -800}, std::vector<double>{0, 0}, 1), "nll") * 2);
}

// Oracle: the recurrence h' = tanh(W x + b + R h + b'), z = V h + c in double, sample by sample, from the weights and
// scales in the model file; the frequencies counted by hand.
TEST(RegressSteps, TheScoreIsThatOfTheRecurrenceOfEachSampleByHand) {
  const Bits bits;
  const Model model = trained_regression(bits.options());
  std::map<std::string, const Tensor*> w;
  for (const auto& [name, tensor] : model.network().named_tensors()) w[name] = &tensor->value;
  const auto at = [&](const char* name, std::int64_t row, std::int64_t column = 0, std::int64_t width = 1) {
    return static_cast<double>((*w.at(name))[row * width + column]);
  };
  double nll = 0, frequency_nll = 0, rows = 0;
  std::vector<double> ones(kBits, 0.5);
  double counted = 1;
  for (std::int64_t n = 0; n < 110; ++n) {  // the training part
    for (std::int64_t t = 0; t < length_of(n); ++t, ++counted) {
      for (std::int64_t k = 0; k < kBits; ++k)
        ones[static_cast<std::size_t>(k)] += bits.y[(t * kCount + n) * kBits + k];
    }
  }
  for (std::int64_t n = 120; n < kCount; ++n) {  // the test part
    std::vector<double> h(4, 0.0);
    for (std::int64_t t = 0; t < length_of(n); ++t, ++rows) {
      std::vector<double> a(4);
      for (std::int64_t i = 0; i < 4; ++i) {
        double& sum = a[static_cast<std::size_t>(i)];
        sum = at("recurrent.bias_ih_l0", i) + at("recurrent.bias_hh_l0", i);
        for (std::int64_t c = 0; c < kBits; ++c) {
          const double x = bits.x[(t * kCount + n) * kBits + c] * at("scale.factor", c) + at("scale.offset", c);
          sum += at("recurrent.weight_ih_l0", i, c, kBits) * x;
        }
        for (std::int64_t j = 0; j < 4; ++j) {
          sum += at("recurrent.weight_hh_l0", i, j, 4) * h[static_cast<std::size_t>(j)];
        }
      }
      for (std::size_t i = 0; i < 4; ++i) h[i] = std::tanh(a[i]);
      for (std::int64_t k = 0; k < kBits; ++k) {
        double z = at("output.bias", k);
        for (std::int64_t i = 0; i < 4; ++i) z += at("output.weight", k, i, 4) * h[static_cast<std::size_t>(i)];
        const double f = ones[static_cast<std::size_t>(k)] / counted;
        const bool one = bits.y[(t * kCount + n) * kBits + k] == 1;
        nll -= std::log(one ? 1 / (1 + std::exp(-z)) : 1 / (1 + std::exp(z)));
        frequency_nll -= std::log(one ? f : 1 - f);
      }
    }
  }
  Options options = bits.options();
  options.data.part = "test";
  Observer quiet;
  const EvaluateResult result = regress_task().evaluate(model, options, quiet);
  EXPECT_EQ(10, result.samples);
  EXPECT_NEAR(nll / rows, metric_of(result.metrics, "nll"), 2e-5);
  ASSERT_EQ(1U, result.baselines.size());
  EXPECT_EQ("frequency", result.baselines[0].name);
  EXPECT_NEAR(frequency_nll / rows, metric_of(result.baselines[0].metrics, "nll"), 1e-12);
}

// Oracle: the bits are known a step later, so that nothing need remain of the entropy of frequencies; one sample after
// another in predict, and the same from a stream.
TEST(RegressSteps, ABitThatIsRememberedIsPredictedAndStreamed) {
  const Bits bits;
  Options options = bits.options();
  options.model.cell = "gru";
  options.model.hidden_size = 16;
  options.train.epochs = 100;
  options.train.lr = 0.02;
  const Model model = trained_regression(options);
  options.data.part = "test";
  options.data.labels.clear();
  StepRows rows;
  regress_task().predict(model, options, rows);
  EXPECT_EQ((std::vector<std::string>{"sample", "step", "target", "target_2", "target_3"}), rows.columns);
  std::size_t row = 0;
  for (std::int64_t n = 120; n < kCount; ++n) {
    Stream stream(model);
    for (std::int64_t t = 0; t < length_of(n); ++t, ++row) {
      ASSERT_LT(row, rows.rows.size());
      EXPECT_EQ(std::to_string(n), rows.rows[row][0]);
      EXPECT_EQ(std::to_string(t), rows.rows[row][1]);
      const float* at = bits.x.data() + (t * kCount + n) * kBits;
      const std::span<const float> streamed = stream.step({at, kBits});
      for (std::size_t k = 0; k < kBits; ++k) {
        const double p = std::stod(rows.rows[row][2 + k]);
        EXPECT_NEAR(bits.y[(t * kCount + n) * kBits + static_cast<std::int64_t>(k)], p, 0.2) << n << ' ' << t;
        EXPECT_NEAR(p, streamed[k], 1e-5);
      }
    }
  }
  EXPECT_EQ(row, rows.rows.size());
}

// Oracle: y = 3 x - 1 of the same step, which a line has without error.
TEST(RegressSteps, ValuesAtEveryStepStandBesideALineThroughThatStep) {
  Bits bits;
  fill_normal({9, Purpose::kTest, 0}, 0.0f, 1.0f, bits.x.span());
  bits.y = Tensor({kCount, kLongest, 1});
  for (std::int64_t n = 0; n < kCount; ++n) {
    for (std::int64_t t = 0; t < kLongest; ++t) bits.y[n * kLongest + t] = 3 * bits.x[(t * kCount + n) * kBits] - 1;
  }
  bits.x = transpose_time_and_batch(std::as_const(bits.x).view());
  bits.write();
  Options options = bits.options();
  options.data.batch_first = true;
  options.train.loss.clear();
  options.train.epochs = 20;
  Observer quiet;
  const TrainResult result = regress_task().train(options, quiet);
  ASSERT_EQ(2U, result.baselines.size());
  EXPECT_LT(metric_of(result.baselines[1].metrics, "rmse"), 1e-5);
  EXPECT_NEAR(metric_of(result.baselines[0].metrics, "rmse"), 3, 0.5);
  EXPECT_LT(metric_of(result.metrics, "rmse"), metric_of(result.baselines[0].metrics, "rmse"));
}

TEST(RegressSteps, WhatDoesNotFitIsNamed) {
  Bits bits;
  const auto train = [&](auto change) {
    bits.write();
    Options options = bits.options();
    change(options);
    Observer quiet;
    regress_task().train(options, quiet);
  };
  const auto nothing = [](Options&) {};
  expect_error(Code::kUsage, {"--pool mean", "every step"}, [&] { train([](Options& o) { o.model.pool = "mean"; }); });
  expect_error(Code::kUsage, {"--cell none", "every step"}, [&] { train([](Options& o) { o.model.cell = "none"; }); });
  expect_error(Code::kUsage, {"mse, mae, huber or bce"},
               [&] { train([](Options& o) { o.train.loss = "cross_entropy"; }); });
  const Bits before;
  const auto target = [&](std::int64_t t, std::int64_t n, std::int64_t k) -> float& {
    return bits.y[(t * kCount + n) * kBits + k];
  };
  target(1, 3, 2) = 0.5f;
  expect_error(Code::kData, {"x.npy", "sample 3, step 1", "'target_3'", "0.5", "0 or 1"}, [&] { train(nothing); });
  target(1, 3, 2) = kGap;
  expect_error(Code::kData, {"y.npy: sample 3, step 1", "target 2", "nan", "5 steps"}, [&] { train(nothing); });
  bits.y = before.y;
  target(2, 0, 1) = 1;  // sample 0 has two steps
  expect_error(Code::kData, {"y.npy: sample 0, step 2", "expected NaN", "2 steps"}, [&] { train(nothing); });
  bits.y = Tensor({kLongest - 1, kCount, kBits});
  expect_error(Code::kData, {"y.npy", "[6, 130, 3]", "[7, 130, targets]"}, [&] { train(nothing); });
  bits.y = before.y;
  for (std::int64_t t = 0; t < kLongest; ++t) bits.x[(t * kCount + 4) * kBits] = kGap;
  for (std::int64_t t = 0; t < kLongest; ++t) bits.x[(t * kCount + 4) * kBits + 1] = kGap;
  for (std::int64_t t = 0; t < kLongest; ++t) bits.x[(t * kCount + 4) * kBits + 2] = kGap;
  expect_error(Code::kData, {"x.npy: sample 4 has no value"}, [&] { train(nothing); });
}

TEST(RegressSteps, AModelWantsTargetsOfItsOwnKind) {
  Bits bits;
  Options options = bits.options();
  const Model model = trained_regression(options);
  bits.y = Tensor({kCount, kBits});
  bits.write();
  Observer quiet;
  expect_error(Code::kData, {"one row of targets per sample", "targets at every step"},
               [&] { regress_task().evaluate(model, options, quiet); });
}

}  // namespace
}  // namespace carousel
