// Oracle: every derived column of a short series written out by hand; a loss with missing targets beside that of the
// known ones.
#include "tasks/forecast/forecast_columns.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "carousel/layers.h"
#include "tasks/forecast/forecast_training.h"
#include "tests/support/expect_error.h"

namespace carousel {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// y: target, f: known ahead; a static number and a static category; 2020-01-06 is a Monday.
Series made(const std::string& size, const std::string& kind) {
  Series series;
  series.columns = {"y", "f"};
  series.values = {1, 10, kNone, 20, 5, 30, 7, 40, kNone, 50};
  series.times = TimeAxis({"2020-01-06", "2020-01-07", "2020-01-08", "2020-01-09", "2020-01-10"});
  series.statics = {size, kind};
  series.future_rows = 1;
  return series;
}

std::vector<double> column(const Series& series, const std::string& name) {
  const std::int64_t c = column_positions(series, std::span(&name, 1)).front();
  std::vector<double> values;
  for (std::int64_t t = 0; t < series.time_steps(); ++t) values.push_back(series.at(t, c));
  return values;
}

TEST(ForecastColumns, AreThoseReadThenAheadKnownCalendarAndStatics) {
  const std::vector<Series> list = {made("10", "red"), made("30", "blue"), made("", "red")};
  const std::vector<SeriesSplit> splits(3, split_series(list[0], "4,0"));
  const SeriesOptions reading{.targets = {"y"}, .future = {"f"}, .statics = {"size", "kind"}};
  const DerivedColumns derived = fit_derived_columns(list, splits, reading, {"weekday"});
  EXPECT_EQ(derived.names(), (std::vector<std::string>{"f ahead", "y is known", "weekday sin", "weekday cos", "size",
                                                       "kind = blue", "kind = red"}));
  const Scaler scaler({{1, 2}, {0, 10}});
  const Series seen = network_series(list[0], scaler, DerivedColumns::from_json(derived.to_json()), 2);
  EXPECT_EQ(column(seen, "f"), (std::vector<double>{1, 2, 3, 4, 5}));
  const std::vector<double> y = column(seen, "y"), ahead = column(seen, "f ahead");
  EXPECT_EQ(y[0], 0);
  EXPECT_TRUE(std::isnan(y[1]));
  EXPECT_EQ(y[3], 3);
  EXPECT_EQ(std::vector<double>(ahead.begin(), ahead.begin() + 3), (std::vector<double>{3, 4, 5}));
  EXPECT_TRUE(std::isnan(ahead[3]) && std::isnan(ahead[4]));
  EXPECT_EQ(column(seen, "y is known"), (std::vector<double>{1, 0, 1, 1, 0}));
  EXPECT_NEAR(column(seen, "weekday sin")[2], std::sin(2 * 3.14159265358979324 * 2 / 7), 1e-12);
  EXPECT_EQ(column(seen, "size"), (std::vector<double>(5, -1)));  // of 10 and 30
  EXPECT_EQ(column(seen, "kind = red"), (std::vector<double>(5, 1)));
  EXPECT_EQ(column(seen, "kind = blue"), (std::vector<double>(5, 0)));
  EXPECT_EQ(seen.known_steps(), 4);
  DerivedColumns numbered = derived;
  numbered.series = {"", "b"};
  EXPECT_EQ(numbered.names().back(), "series");
  EXPECT_EQ(column(network_series(list[0], scaler, numbered, 2), "series"), (std::vector<double>(5, 0)));
  Series other = list[0];
  other.id = "a";
  const DerivedColumns again = DerivedColumns::from_json(numbered.to_json());
  EXPECT_EQ(column(network_series(other, scaler, again, 2), "series"), (std::vector<double>(5, -1)));
  other.id = "b";
  EXPECT_EQ(column(network_series(other, scaler, again, 2), "series"), (std::vector<double>(5, 1)));
  const Series unseen = network_series(made("", "green"), scaler, derived, 2);
  EXPECT_EQ(column(unseen, "kind = red")[0] + column(unseen, "kind = blue")[0], 0);
  EXPECT_EQ(column(unseen, "size")[0], 0);  // not known: the mean
  expect_error(Code::kData, {"'size'", "'large'", "expected a number"},
               [&] { network_series(made("large", "red"), scaler, derived, 2); });
}

TEST(ForecastColumns, TheCalendarOfTheStepsAheadIsThatOfRowsThatNeedNotBeThere) {
  const Series series = made("1", "a");
  const std::vector<SeriesSplit> splits = {split_series(series, "4,0")};
  const SeriesOptions reading{.targets = {"y"}, .future = {"f"}};
  const DerivedColumns derived = fit_derived_columns(std::span(&series, 1), splits, reading, {"weekday"}, true);
  EXPECT_EQ(derived.names(), (std::vector<std::string>{"f ahead", "weekday sin ahead", "weekday cos ahead",
                                                       "y is known", "weekday sin", "weekday cos"}));
  EXPECT_EQ(derived.ahead_count(), 3);
  const Series seen = network_series(series, Scaler({{0, 1}, {0, 1}}), DerivedColumns::from_json(derived.to_json()), 2);
  for (std::int64_t t = 0; t < 5; ++t) {
    const double angle = 2 * 3.14159265358979324 * static_cast<double>(t + 2) / 7;  // behind the last row as well
    EXPECT_NEAR(column(seen, "weekday sin ahead")[static_cast<std::size_t>(t)], std::sin(angle), 1e-12);
    EXPECT_NEAR(column(seen, "weekday cos ahead")[static_cast<std::size_t>(t)], std::cos(angle), 1e-12);
  }
  EXPECT_EQ(fit_derived_columns(std::span(&series, 1), splits, reading, {}, true).ahead_count(), 1);
}

TEST(ForecastColumns, OnlyTheTrainingPartSaysWhatIsMissing) {
  Series series = made("1", "a");
  series.values[2] = 3;  // row 1; row 4 is missing, behind the training part
  const std::vector<SeriesSplit> splits = {split_series(series, "3,1")};
  EXPECT_TRUE(fit_derived_columns(std::span(&series, 1), splits, {}, {}).known.empty());
}

TEST(ForecastColumns, AModelWhoseColumnsContradictEachOtherIsRefused) {
  ForecastInfo good;
  good.columns = {"y", "f", "f ahead", "size"};
  good.targets = {"y"};
  good.reading.future = {"f"};
  good.reading.statics = {"size"};
  good.derived.ahead = {"f"};
  good.derived.statics = {{"size", {}, 0, 1}};
  good.scaler = Scaler({{0, 1}, {0, 1}});
  const auto read = [&](auto change) {
    ForecastInfo info = good;
    change(info);
    Model model("forecast", Sequential{Linear{4, 1}});
    model.set_task_data(info.to_json());
    return ForecastInfo::from_model(model);
  };
  EXPECT_EQ(read([](ForecastInfo&) {}).derived.names(), (std::vector<std::string>{"f ahead", "size"}));
  const auto refuse = [&](std::initializer_list<std::string_view> words, auto change) {
    expect_error(Code::kModel, words, [&] { read(change); });
  };
  refuse({"do not end"}, [](ForecastInfo& info) { info.columns.pop_back(); });
  refuse({"'g'", "does not read"}, [](ForecastInfo& info) {
    info.derived.ahead = {"g"};
    info.columns[2] = "g ahead";
  });
  refuse({"1 static", "reads 0"}, [](ForecastInfo& info) { info.reading.statics.clear(); });
  refuse({"not sorted"}, [](ForecastInfo& info) {
    info.derived.series = {"b", "a"};
    info.columns.emplace_back("series");
  });
  refuse({"twice"}, [](ForecastInfo& info) { info.targets = {"y", "y"}; });
  refuse({"'big'"}, [](ForecastInfo& info) { info.scaling = "big"; });
  refuse({"no scaling"}, [](ForecastInfo& info) { info.scaler = Scaler(); });
}

TEST(ForecastColumns, AMissingTargetHasNoLoss) {
  const std::vector<float> forecasts = {1, 2, 3, 4, 5, 6}, targets = {0, NAN, 5, NAN, NAN, 5};
  Tensor forecast({2, 3}), target({2, 3});
  std::copy(forecasts.begin(), forecasts.end(), forecast.data());
  std::copy(targets.begin(), targets.end(), target.data());
  TrainOptions options;
  options.loss = "mse";
  Tape<float> tape;
  const Variable input = tape.input(static_cast<const Tensor&>(forecast).view());
  HeadTargets known;
  known.values = target;
  const Variable loss = forecast_loss(options, nullptr, input, known);
  EXPECT_FLOAT_EQ(loss.item(), (1 + 4 + 1) / 3.0F);  // 1 - 0, 3 - 5, 6 - 5
  tape.backward(loss);
  const std::vector<float> expected = {2 / 3.0F, 0, -4 / 3.0F, 0, 0, 2 / 3.0F};
  for (std::int64_t i = 0; i < 6; ++i) {
    EXPECT_FLOAT_EQ(input.gradient().data[i], expected[static_cast<std::size_t>(i)]) << i;
  }
  known.values.fill(NAN);
  EXPECT_EQ(forecast_loss(options, nullptr, input, known).item(), 0);
}

}  // namespace
}  // namespace carousel
