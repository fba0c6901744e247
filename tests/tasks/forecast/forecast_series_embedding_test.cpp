// Oracles: two series that have one past and opposite futures, whose least error without their names is known in closed
// form; a network whose vectors all are the mean; the columns and weights that must not see the number of a series.
#include <gtest/gtest.h>

#include <cmath>

#include "layers/mixture.h"
#include "layers/tokens/series_embedding.h"
#include "tasks/forecast/forecast.h"
#include "tasks/forecast/forecast_clusters.h"
#include "tasks/forecast/forecast_linear.h"
#include "tasks/forecast/forecast_training.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"
#include "tests/support/temporary_folder.h"
#include "tests/tasks/forecast/forecast_case.h"

namespace carousel {
namespace {

// A is 0 0 1 0 0 1 ..., B is 0 0 -1 0 0 -1 ...: behind the window 0 0 comes 1 or -1.
std::string opposite_series(std::int64_t triples) {
  std::string text;
  for (const char* row : {"A", "B"}) {
    text += row;
    for (std::int64_t k = 0; k < triples; ++k) text += *row == 'A' ? ",0,0,1" : ",0,0,-1";
    text += "\n";
  }
  return text;
}

Options opposite_options(const TemporaryFolder& folder) {
  put_file(folder / "two.csv", opposite_series(40));
  Options options;
  options.data.data = {folder / "two.csv"};
  options.data.format = "csv-no-header";
  options.data.layout = "rows";
  options.data.scaling = "none";
  options.data.split = "90,30";
  options.data.window = 2;
  options.data.horizon = options.data.season = 1;
  options.model.hidden_size = 8;
  options.model.dropout = 0;
  options.train.epochs = 120;
  options.train.lr = 1e-2;
  options.train.loss = "mse";
  options.output.out = folder / "two.safetensors";
  return options;
}

double trained_rmse(const Options& options) {
  Observer quiet;
  return *find_metric(forecast_task().train(options, quiet).metrics, "rmse");
}

// One window of three is 0 0. Whatever f is forecast behind it, (1 - f)^2 + (-1 - f)^2 is at least 2.
TEST(SeriesEmbedding, TellsSeriesApartThatHaveOnePastAndOppositeFutures) {
  const TemporaryFolder folder;
  Options options = opposite_options(folder);
  EXPECT_GE(trained_rmse(options), std::sqrt(1.0 / 3) - 1e-6);
  options.model.series_embedding = 2;
  EXPECT_LT(trained_rmse(options), 0.05);
  options.model.clusters = 2;
  EXPECT_LT(trained_rmse(options), 0.05) << "clusters";
  options.model.clusters = 0;
  options.model.strategy = "recursive";
  EXPECT_LT(trained_rmse(options), 0.05) << "recursive";
  options.data.data = {folder / "one.csv"};
  put_file(folder / "one.csv", opposite_series(40).substr(0, 242));
  expect_error(Code::kUsage, {"--series-embedding", "several series"}, [&] { trained_rmse(options); });
}

TEST(SeriesEmbedding, ASeriesThatTrainingDidNotHaveHasTheMeanVectorAndThatIsSaid) {
  const TemporaryFolder folder;
  Options options = opposite_options(folder);
  options.model.series_embedding = 2;
  options.train.epochs = 5;
  trained_rmse(options);
  Model model = Model::load(options.output.out);
  const ForecastInfo info = ForecastInfo::from_model(model);
  EXPECT_EQ(info.derived.series, (std::vector<std::string>{"A", "B"}));
  put_file(folder / "new.csv", "C,0,0,1,0,0\nA,0,0,1,0,0\n");
  const ForecastData data = read_series_for_model({folder / "new.csv"}, options.data, info, Parts::kAllKnown);
  ASSERT_EQ(1U, data.notes.size());
  EXPECT_TRUE(data.notes[0].starts_with("series: 1 of 2 ('C') was not in the training data; the mean"))
      << data.notes[0];
  const std::vector<WindowAt> windows{{0, 5}, {1, 5}};
  const Tensor before = predict_windows(model.network(), data.scaled, windows, info);
  EXPECT_GT(std::abs(before[0] - before[1]), 1e-3);
  for (const auto& [name, tensor] : model.network().named_tensors()) {
    if (!name.ends_with("series.weight")) continue;
    for (std::int64_t j = 0; j < 2; ++j) {
      tensor->value[j] = tensor->value[2 + j] = (tensor->value[j] + tensor->value[2 + j]) / 2;
    }
  }
  const Tensor means = predict_windows(model.network(), data.scaled, windows, info);
  EXPECT_NEAR(means[0], before[0], 1e-6);
  EXPECT_NEAR(means[1], before[0], 1e-6) << "A with the mean vector";
}

TEST(SeriesEmbedding, NeitherLinearMapNorClustersNorNoiseSeeTheNumberOfASeries) {
  const TemporaryFolder folder;
  const Options options = opposite_options(folder);
  ForecastInfo info;
  ForecastData data = read_training_series(options.data, info);
  number_series(data, info);
  ASSERT_EQ(info.columns, (std::vector<std::string>{"value", "series"}));
  EXPECT_EQ(data.scaled[1].at(7, 1), 1);
  EXPECT_EQ(noise_scales(info), (std::vector<double>{1, 0}));
  EXPECT_TRUE(info.feeds_itself());
  const LinearStart start = fit_linear_start(data, info);
  ASSERT_EQ((Shape{1, 2 * 2}), start.weight.shape());
  EXPECT_EQ(start.weight[1], 0);
  EXPECT_EQ(start.weight[3], 0);

  ModelOptions model;
  model.cell = "lstm";
  model.hidden_size = 2;
  model.layers = 1;
  model.dropout = 0;
  model.bidirectional = "false";
  model.pool = "last";
  model.clusters = 3;
  model.series_embedding = 2;
  Observer quiet;
  const WindowClusters clusters = cluster_windows(data, info, model, 1, quiet);
  for (std::int64_t i = 0; i < 3 * 4; ++i) EXPECT_LE(std::abs(clusters.centers[i]), i % 2 == 0 ? 1 : 0) << i;
  Sequential network = build_forecaster(model, info, start, clusters, 1);
  auto& branches = dynamic_cast<Sum&>(forecast_core(network)).branches();
  Sequential& gate = dynamic_cast<Mixture&>(*branches.front().modules().back().second).branches().front();
  Tensor x({2, 3, 2});
  for (std::int64_t i = 0; i < 6; ++i) {
    x[2 * i] = i < 3 ? 0.25F : 0.5F;
    x[2 * i + 1] = static_cast<float>(i % 3);
  }
  const Tensor shares = gate.predict(x);
  for (std::int64_t k = 0; k < 3; ++k) {
    EXPECT_EQ(shares[k], shares[3 + k]);
    EXPECT_EQ(shares[k], shares[6 + k]);
  }
}

}  // namespace
}  // namespace carousel
