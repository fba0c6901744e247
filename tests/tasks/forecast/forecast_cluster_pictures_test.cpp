// Oracle: windows that are centres, which belong to their cluster alone, and one half-way; centres and memberships
// given by hand.
#include "tasks/forecast/forecast_cluster_pictures.h"

#include <gtest/gtest.h>

#include "tests/tasks/forecast/forecast_case.h"

namespace carousel {
namespace {

// Two clusters of windows of 2 steps of the columns x and y: all 0, and all 1.
struct Clustered {
  ForecastInfo info;
  ForecastData data;
  Sequential network;

  Clustered() {
    info.columns = {"x", "y"};
    info.targets = {"y"};
    info.window = 2;
    info.several = true;
    Series series;
    series.columns = info.columns;
    series.values = {0, 0, 0, 0, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5};
    data.series = data.scaled = {series};
    data.scalers = {Scaler({{0, 1}, {0, 1}})};
    data.splits = {split_series(series, "5,1")};
    ModelOptions options;
    options.cell = "gru";
    options.hidden_size = 2;
    options.layers = 1;
    options.dropout = 0;
    options.bidirectional = "false";
    options.pool = "last";
    WindowClusters clusters{Tensor({2, 4}), 2};
    for (std::int64_t i = 4; i < 8; ++i) clusters.centers[i] = 1;
    clusters.centers[5] = 3;  // y of the first step of the second
    network = build_forecaster(options, info, {Tensor({1, 4}), Tensor({1}), ""}, clusters, 1);
  }
};

TEST(ClusterPictures, SharesAreTheSumsOfTheMembershipsAndBandsEndAtOne) {
  const Tensor memberships({3, 2}, std::vector<float>{1, 0, 0.25F, 0.75F, 0.5F, 0.5F});
  const std::vector<double> shares = cluster_shares(memberships);
  EXPECT_NEAR(shares[0], 1.75 / 3, 1e-7);
  EXPECT_NEAR(shares[1], 1.25 / 3, 1e-7);
  Series series;
  series.columns = {"y"};
  series.values = {1, 2, 3, 4};
  const LineChart chart = membership_chart(memberships, series, 1);
  ASSERT_EQ(chart.bands.size(), 2U);
  EXPECT_EQ(chart.bands[0].x, (std::vector<double>{1, 2, 3}));  // without times x is the row
  EXPECT_EQ(chart.bands[0].low, (std::vector<double>{0, 0, 0}));
  EXPECT_EQ(chart.bands[0].high, (std::vector<double>{1, 0.25, 0.5}));
  EXPECT_EQ(chart.bands[1].low, chart.bands[0].high);
  EXPECT_EQ(chart.bands[1].high, (std::vector<double>{1, 1, 1}));
  series.times = TimeAxis({"2000", "2001", "2002", "2003"});
  const LineChart timed = membership_chart(memberships, series, 1);
  EXPECT_EQ(timed.x_names, (std::vector<std::string>{"2001", "2002", "2003"}));
  EXPECT_EQ(timed.bands[0].x[0], 0);
}

TEST(ClusterPictures, AWindowThatIsACentreBelongsToItAlone) {
  Clustered made;
  const std::vector<WindowAt> windows{{0, 2}, {0, 6}};
  const Tensor memberships = window_memberships(made.network, made.data.scaled, windows, made.info);
  ASSERT_EQ((Shape{2, 2}), memberships.shape());
  EXPECT_EQ(memberships[0], 1);
  EXPECT_EQ(memberships[1], 0);
  EXPECT_NEAR(memberships[2], 7.0 / 8, 1e-6);  // squares: 4 / 4 = 1 and 3 / 4 + 25 / 4 = 7
  Sequential plain = random_forecaster(made.info, "gru", 2, 1);
  EXPECT_EQ(window_memberships(plain, made.data.scaled, windows, made.info).elements(), 0);
}

TEST(ClusterPictures, CentresAndBandsOfAClusterHaveOneColour) {
  Clustered made;
  const std::vector<WindowAt> windows{{0, 5}};
  const ForecastScoring scoring{made.data, made.info, windows};
  std::vector<Figure> figures;
  add_cluster_figures(made.network, scoring, 0, {4, 6}, figures);
  ASSERT_EQ(figures.size(), 2U);
  EXPECT_EQ(figures[0].heading, "Clusters");
  EXPECT_EQ(figures[1].heading, "Memberships");
  // Three training windows, which belong to the first cluster by 1, 10 / 12 and 4 / 8. The axis runs from 0 to 3.15 on
  // 294 up to 14.
  EXPECT_NE(figures[0].body.find("<polyline class=\"line-2\" points=\"74.0,27.3 886.0,205.1\"/>"), std::string::npos)
      << figures[0].body;
  for (const char* part : {">cluster 1 (77.8 %)</text>", "<polyline class=\"line-1\"", "<line class=\"line-1\"",
                           "<line class=\"line-2\""}) {
    EXPECT_NE(figures[0].body.find(part), std::string::npos) << part;
  }
  for (const char* part : {"<polygon class=\"area-1\"", "<polygon class=\"area-2\"", "<rect class=\"area-2\"",
                           ">cluster 2</text>", ">held back</text>"}) {
    EXPECT_NE(figures[1].body.find(part), std::string::npos) << part;
  }
  Sequential plain = random_forecaster(made.info, "gru", 2, 1);
  add_cluster_figures(plain, scoring, 0, {5, 6}, figures);
  EXPECT_EQ(figures.size(), 2U);
}

}  // namespace
}  // namespace carousel
