// Forecasters with an encoder and a decoder. Oracles: the linear map alone; what must not change when a value that is
// known ahead does; the numbers before saving; a seasonal law that only the columns known ahead tell.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "carousel/stream.h"
#include "formats/c_header.h"
#include "layers/attention/sequence_to_sequence.h"
#include "tasks/forecast/forecast_columns.h"
#include "tasks/forecast/forecast_outputs.h"
#include "tasks/forecast/forecast_shrinkage.h"
#include "tasks/forecast/forecast_training.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"
#include "tests/support/random_tensor.h"
#include "tests/support/temporary_folder.h"
#include "tests/tasks/forecast/forecast_case.h"

namespace carousel {
namespace {

constexpr std::int64_t kWindow = 6, kHorizon = 3, kRows = 30;

// y, and f, known ahead.
Series made() {
  Series series;
  series.columns = {"y", "f"};
  const Tensor values = random_tensor({kRows, 2}, 3);
  series.values.assign(values.span().begin(), values.span().end());
  std::vector<std::string> times;
  for (std::int64_t t = 0; t < kRows; ++t) times.push_back(fmt::format("2020-03-{:02}", t + 1));
  series.times = TimeAxis(times);
  return series;
}

ForecastInfo make_info(const std::string& distribution = "point") {
  ForecastInfo info;
  const Series series = made();
  const std::vector<SeriesSplit> splits{split_series(series, "24,6")};
  info.reading.future = {"f"};
  info.derived = fit_derived_columns(std::span(&series, 1), splits, info.reading, {"weekday"}, true);
  info.columns = {"y", "f"};
  for (const std::string& name : info.derived.names()) info.columns.push_back(name);
  info.targets = {"y"};
  info.horizon = kHorizon;
  info.window = kWindow;
  info.scaler = Scaler({{0, 1}, {0, 1}});
  info.distribution = distribution;
  info.levels = {0.1, 0.5, 0.9};
  return info;
}

Tensor forecasts(Sequential& network, const Series& series, const ForecastInfo& info) {
  const Series scaled = network_series(series, info.scaler, info.derived, info.horizon);
  const std::vector<WindowAt> windows{{0, 12}, {0, 20}};
  return predict_windows(network, std::span(&scaled, 1), windows, info);
}

ModelOptions model_options() {
  ModelOptions options;
  options.strategy = "seq2seq";
  options.cell = "lstm";
  options.hidden_size = 5;
  options.layers = 2;
  options.dropout = 0.1;
  return options;
}

ModelOptions resolved(const ModelOptions& options, const ForecastInfo& info = make_info()) {
  Observer quiet;
  return resolve_forecast_model(options, info, 100, quiet);
}

// For each distribution: the first block is the map, the others are 0.
TEST(ForecastSeq2Seq, TheUntrainedNetworkIsTheLinearMap) {
  for (const char* distribution : {"point", "quantile", "student_t"}) {
    const ForecastInfo info = make_info(distribution);
    const std::int64_t inputs = kWindow * std::ssize(info.columns);
    LinearStart start{random_tensor({kHorizon, inputs}, 5), random_tensor({kHorizon}, 6), ""};
    start.width = network_outputs(info) / kHorizon;
    Sequential network = build_forecaster(resolved(model_options()), info, start, {}, 7);
    const Tensor x = random_tensor({kWindow, 2, std::ssize(info.columns)}, 8), y = network.predict(x);
    ASSERT_EQ((Shape{2, start.width * kHorizon}), y.shape());
    for (std::int64_t i = 0; i < y.elements(); ++i) {
      const std::int64_t n = i / y.shape()[1], h = i % y.shape()[1];
      double expected = h < kHorizon ? start.bias[h] : 0.0;
      for (std::int64_t j = 0; j < inputs && h < kHorizon; ++j) {
        const std::int64_t t = j / std::ssize(info.columns), c = j % std::ssize(info.columns);
        expected += double{start.weight[h * inputs + j]} * x[(t * 2 + n) * std::ssize(info.columns) + c];
      }
      EXPECT_NEAR(expected, y[i], 1e-5) << distribution << ' ' << i;
    }
  }
}

// As a direct forecaster does: for each step the spread that the errors of the linear start have there.
TEST(ForecastSeq2Seq, TheUntrainedNetworkIsAsSureOfItselfAsADirectOne) {
  const ForecastInfo info = make_info("gaussian");
  ForecastData data;
  data.series = {made()};
  data.scalers = {info.scaler};
  data.scaled = {network_series(data.series[0], info.scaler, info.derived, info.horizon)};
  data.splits = {split_series(data.series[0], "24,6")};
  LinearStart start{random_tensor({kHorizon, kWindow * std::ssize(info.columns)}, 5), random_tensor({kHorizon}, 6), ""};
  start.width = 2;
  ModelOptions direct = model_options();
  direct.strategy = "direct";
  Tensor outputs[2];
  for (const ModelOptions& options : {direct, model_options()}) {
    Sequential network = build_forecaster(resolved(options), info, start, {}, 7);
    calibrate_start(network, data, info);
    const std::vector<Tensor> before = output_weights(network);
    for (const auto& [name, tensor] : network.named_tensors()) {  // as training would, and back
      if (name.find(".output.") != std::string::npos) {
        tensor->value = random_tensor(tensor->value.shape(), 11);
      }
    }
    keep_share(network, before, 0);
    outputs[options.strategy == "direct" ? 0 : 1] = forecasts(network, made(), info);
  }
  expect_near(outputs[1], outputs[0], 0, "the same bits");
  EXPECT_NE(outputs[0][kHorizon], outputs[0][kHorizon + 1]);
}

// The encoder and the linear map are made blind to all but the target: the rest reaches a step through the decoder
// alone.
TEST(ForecastSeq2Seq, AStepKnowsWhatIsKnownOfItselfAndOfThoseBefore) {
  const ForecastInfo info = make_info();
  Sequential network = random_forecaster(info, "gru", 4, 1, "seq2seq");
  const std::int64_t C = std::ssize(info.columns);
  for (const auto& [name, tensor] : network.named_tensors()) {
    const bool encodes = name.ends_with("encoder.recurrent.weight_ih_l0"), maps = name == "forecast.1.linear.weight";
    for (std::int64_t j = 0; (encodes || maps) && j < tensor->value.elements(); ++j) {
      if (j % C > 0) tensor->value[j] = 0;
    }
  }
  const Tensor before = forecasts(network, made(), info);
  for (std::int64_t step = -1; step < kHorizon; ++step) {  // -1: the last row of the window
    Series changed = made();
    for (const std::int64_t origin : {12, 20}) changed.values[static_cast<std::size_t>((origin + step) * 2 + 1)] += 1;
    const Tensor after = forecasts(network, changed, info);
    for (std::int64_t i = 0; i < 2 * kHorizon; ++i) {
      EXPECT_EQ(step < 0 || i % kHorizon < step, before[i] == after[i]) << "step " << step << ", forecast " << i;
    }
  }
  Series later = made();
  later.times = TimeAxis(later.times.texts(1, kRows + 1));
  const Tensor after = forecasts(network, later, info);
  for (std::int64_t i = 0; i < 2 * kHorizon; ++i) EXPECT_NE(before[i], after[i]) << "calendar, forecast " << i;
}

TEST(ForecastSeq2Seq, GivesTheSameBitsFromItsFileAndRefusesToRunStepByStep) {
  const ForecastInfo info = make_info("gaussian");
  for (const char* cell : {"lstm", "gru", "rnn", "mgu"}) {
    Model model("forecast", random_forecaster(info, cell, 4, 2, "seq2seq"));
    const TemporaryFolder folder;
    const std::string path = folder / "model.safetensors";
    model.save(path);
    const Model loaded = Model::load(path);
    expect_near(forecasts(loaded.network(), made(), info), forecasts(model.network(), made(), info), 0, cell);
    expect_error(Code::kUsage, {"'sequence_to_sequence' layer", "step by step"}, [&] { const Stream stream(loaded); });
    expect_error(Code::kUsage, {"'sequence_to_sequence' layer", "step by step"},
                 [&] { to_c_header(loaded.network(), {}); });
  }
}

TEST(ForecastSeq2Seq, WhatDoesNotGoWithItIsRefused) {
  const auto fails = [](std::initializer_list<std::string_view> words, auto change) {
    ModelOptions options = model_options();
    change(options);
    expect_error(Code::kUsage, words, [&] { resolved(options); });
  };
  fails({"--cell none"}, [](ModelOptions& o) { o.cell = "none"; });
  fails({"--stateful"}, [](ModelOptions& o) { o.stateful = true; });
  fails({"--clusters"}, [](ModelOptions& o) { o.clusters = 2; });
  fails({"--attention dot", "--strategy seq2seq"}, [](ModelOptions& o) {
    o.strategy = "direct";
    o.attention = "dot";
  });
  ForecastInfo info = make_info();
  info.window = kHorizon - 1;
  expect_error(Code::kUsage, {"3 steps ahead", "the window has 2", "--window of 3"},
               [&] { resolved(model_options(), info); });
  info.derived = {};
  info.columns = {"y", "f"};
  EXPECT_EQ("general", resolved(model_options(), info).attention);  // nothing is known ahead
}

}  // namespace
}  // namespace carousel
