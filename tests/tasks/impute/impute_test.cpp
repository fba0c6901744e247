// Oracles: the best linear interpolation of an autoregression in closed form; columns that say one another; the network
// itself, asked about a window alone.
#include "tasks/impute/impute.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/file.h"
#include "base/thread_pool.h"
#include "carousel/model.h"
#include "data/number.h"
#include "data/series/series_fill.h"
#include "tasks/impute/impute_score.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"
#include "tests/tasks/impute/impute_case.h"

namespace carousel {
namespace {

// x_t = phi x_(t-1) + e_t, e of deviation 1.
std::vector<double> autoregression(std::size_t rows, double phi) {
  std::vector<double> x = normal_numbers(rows, 1);
  for (std::size_t t = 1; t < rows; ++t) x[t] += phi * x[t - 1];
  return x;
}

std::string table_of(const Series& series) {
  std::string text = fmt::format("{}\n", fmt::join(series.columns, ","));
  for (std::int64_t t = 0; t < series.time_steps(); ++t) {
    for (std::int64_t c = 0; c < series.column_count(); ++c) {
      const double value = series.at(t, c);
      text += (c > 0 ? "," : "") + (std::isnan(value) ? std::string() : fmt::format("{}", value));
    }
    text += "\n";
  }
  return text;
}

struct Rows final : RowSink {
  void header(const std::vector<std::string>& names) override { columns = names; }
  void row(const std::vector<std::string>& cells) override { rows.push_back(cells); }
  void note(const std::string& line) override { notes.push_back(line); }
  std::vector<std::string> columns, notes;
  std::vector<std::vector<std::string>> rows;
};

class Impute : public testing::Test {
 protected:
  Options options_for(const Series& series) {
    write_file_atomically(folder_ / "data.csv", table_of(series));
    Options options;
    options.data.data = {folder_ / "data.csv"};
    options.output.out = folder_ / "model.safetensors";
    options.model.hidden_size = 12;
    return options;
  }
  Model train(const Options& options) {
    Observer quiet;
    result_ = impute_task().train(options, quiet);
    return Model::load(options.output.out);
  }
  // The data of a model whose weights, the output layer's too, are random.
  ForecastData untrained(const Options& options, ImputeInfo& info, bool random) {
    Options one = options;
    one.train.epochs = 1;
    one.train.lr = 1e-9;
    Model model = train(one);
    info = ImputeInfo::from_model(model);
    network_ = build_imputer(resolve_impute_model(options.model, info.series, 100, quiet_), info.series, 3);
    std::uint64_t seed = 40;
    for (const auto& [name, tensor] : network_.named_tensors()) {
      if (random) fill_uniform({seed++, Purpose::kTest, 0}, -0.5F, 0.5F, tensor->value.span());
    }
    return read_series_for_model(options.data.data, options.data, info.series, Parts::kAsTrained);
  }

  TemporaryFolder folder_;
  TrainResult result_;
  Sequential network_;
  Observer quiet_;
};

double metric(const Metrics& metrics, const std::string& name) {
  const double* value = find_metric(metrics, name);
  return value ? *value : kNone;
}

double baseline(const EvaluateResult& result, const std::string& name, const std::string& wanted) {
  for (const Baseline& one : result.baselines) {
    if (one.name == name) return metric(one.metrics, wanted);
  }
  return kNone;
}

// The best linear interpolation of one missing value is phi / (1 + phi^2) (x_(t-1) + x_(t+1)), and its error has the
// variance 1 / (1 + phi^2) (Grenander and Rosenblatt 1957).
TEST_F(Impute, AnAutoregressionIsFilledAsTheBestLinearInterpolationDoes) {
  constexpr double kPhi = -0.6;
  const Series series = series_of({"x"}, autoregression(5000, kPhi));
  Options options = options_for(series);
  options.data.split = "0.6,0.1,0.3";
  options.data.gap_length = 1;
  options.data.window = 16;
  options.data.season = 1;
  options.train.epochs = 40;
  Model model = train(options);
  const ImputeInfo info = ImputeInfo::from_model(model);
  const ForecastData data = read_series_for_model(options.data.data, options.data, info.series, Parts::kAsTrained);
  HidingRule rule{0.1, 1, {}, 1};
  const HiddenValues hidden = hide_part(data, test_part, rule, 5, 0);
  const Forecasts filled = fill_values(model.network(), info, hidden.series, data.scalers, hidden.places);
  double mine = 0, best = 0, count = 0, apart = 0;
  for (std::size_t i = 0; i < hidden.places.size(); ++i) {
    const std::int64_t t = hidden.places[i].row;
    if (t + 1 >= hidden.series[0].time_steps()) continue;
    const double optimum = kPhi / (1 + kPhi * kPhi) * (hidden.series[0].at(t - 1, 0) + hidden.series[0].at(t + 1, 0));
    if (std::isnan(optimum)) continue;  // a neighbour is hidden, too
    const double right = series.at(t, 0), said = filled.point[static_cast<std::int64_t>(i)];
    mine += (said - right) * (said - right);
    best += (optimum - right) * (optimum - right);
    apart += (said - optimum) * (said - optimum);
    count += 1;
  }
  ASSERT_GT(count, 100);
  EXPECT_LT(mine / best, 1.06);
  EXPECT_LT(apart / count, 0.05 / (1 + kPhi * kPhi));
  EXPECT_NEAR(best / count, 1 / (1 + kPhi * kPhi), 0.2);  // the series is the one that was meant

  const EvaluateResult result = impute_task().evaluate(model, options, quiet_);
  EXPECT_LT(metric(result.metrics, "rmse"), 0.6 * baseline(result, "interpolation", "rmse"));
  EXPECT_NEAR(metric(result.metrics, "coverage_80"), 0.8, 0.04);
  ASSERT_TRUE(result.baselines[1].p);
  EXPECT_LT(*result.baselines[1].p, 0.001);
}

// Both columns are the same noise but for a tenth: who sees one knows the other, whatever the rows around say.
TEST_F(Impute, ACovariateIsReadInTheRowOfTheGap) {
  const std::vector<double> z = normal_numbers(3000, 2), e = normal_numbers(3000, 3);
  Series series = series_of({"x", "other"}, {});
  for (std::size_t t = 0; t < z.size(); ++t)
    series.values.insert(series.values.end(), {5 + 2 * z[t], z[t] + 0.1 * e[t]});
  Options options = options_for(series);
  options.data.target = {"x"};
  options.data.past = {"other"};
  options.data.window = 12;
  options.data.season = 1;
  options.train.epochs = 40;
  train(options);
  EXPECT_LT(metric(result_.metrics, "rmse"), 0.5);  // 0.2 for who knows all, 2.4 by a line
  EXPECT_GT(baseline(result_, "interpolation", "rmse"), 2.0);
}

TEST_F(Impute, AnUntrainedNetworkIsLinearInterpolation) {
  const Series series = series_of({"x"}, autoregression(300, 0.5));
  const Options options = options_for(series);
  ImputeInfo info;
  const ForecastData data = untrained(options, info, false);
  const HiddenValues hidden = hide_part(data, valid_part, {0.3, 0, {}, 1}, 1, 1);
  const Forecasts filled = fill_values(network_, info, hidden.series, data.scalers, hidden.places);
  const Series line = interpolate(hidden.series[0]);
  ASSERT_GT(hidden.places.size(), 5U);
  for (std::size_t i = 0; i < hidden.places.size(); ++i) {
    EXPECT_NEAR(filled.point[static_cast<std::int64_t>(i)], line.at(hidden.places[i].row, 0), 1e-12);
  }
}

// Another value under what is hidden changes nothing that the network reads or says; one beside it does, on either
// side.
TEST_F(Impute, HiddenValuesAreNotSeenAndThoseOnBothSidesAre) {
  const Series series = series_of({"x"}, autoregression(300, 0.5));
  const Options options = options_for(series);
  ImputeInfo info;
  ForecastData data = untrained(options, info, true);
  const HiddenValues hidden = hide_part(data, valid_part, {0.2, 0, {}, 1}, 1, 1);
  const auto fill = [&](const HiddenValues& one) {
    return fill_values(network_, info, one.series, data.scalers, one.places).point;
  };
  const BasicTensor<double> before = fill(hidden);
  for (const ValueAt& place : hidden.places) data.series[0].values[static_cast<std::size_t>(place.row)] += 100;
  const HiddenValues changed = hide_part(data, valid_part, {0.2, 0, {}, 1}, 1, 1);
  const BasicTensor<double> after = fill(changed);
  ASSERT_EQ(changed.places.size(), hidden.places.size());
  for (std::int64_t i = 0; i < before.elements(); ++i) EXPECT_EQ(before[i], after[i]) << i;

  const ValueAt& first = hidden.places.front();
  for (const std::int64_t away : {-3, -2, 2, 3}) {  // further away than what the line is drawn between
    HiddenValues other = hidden;
    double& value = other.series[0].values[static_cast<std::size_t>(first.row + away)];
    if (std::isnan(value)) continue;
    value += 1;
    EXPECT_NE(fill(other)[0], before[0]) << away;
  }
}

// 300 rows as 180, 60, 60: nothing behind a part is given to the network, and only rows of the part are hidden.
TEST_F(Impute, AnsweringAPartSeesNothingBehindIt) {
  Options options = options_for(series_of({"x"}, autoregression(300, 0.5)));
  options.data.split = "180,60,60";
  ImputeInfo info;
  const ForecastData data = untrained(options, info, true);
  const std::pair<PartOf, Range> parts[] = {{train_part, {0, 180}}, {valid_part, {180, 240}}, {test_part, {240, 300}}};
  for (const auto& [part, rows] : parts) {
    const HiddenValues hidden = hide_part(data, part, {0.3, 0, {}, 1}, 1, 1);
    EXPECT_EQ(hidden.series[0].time_steps(), rows.end);
    ASSERT_FALSE(hidden.places.empty());
    EXPECT_GE(hidden.places.front().row, rows.begin);
    EXPECT_LT(hidden.places.back().row, rows.end);
  }
}

// A window cut out by hand and asked about alone.
TEST_F(Impute, EachValueIsAnsweredFromTheWindowInWhoseMiddleItLies) {
  Series series = series_of({"x"}, autoregression(300, 0.5));
  Options options = options_for(series);
  options.data.window = 20;
  ImputeInfo info;
  const ForecastData data = untrained(options, info, true);
  const std::map<std::int64_t, std::int64_t> begins{{1, 0},   {14, 0},    {15, 10},   {24, 10},
                                                    {37, 30}, {288, 280}, {294, 280}, {298, 280}};
  std::vector<ValueAt> places;
  for (const auto& [row, begin] : begins) {
    series.values[static_cast<std::size_t>(row)] = kNone;
    places.push_back({0, row, 0});
  }
  const std::vector<Series> rows{network_rows(series, data.scalers[0], info.series)};
  const std::vector<double> together = answer(network_, info.series, rows, places);
  std::size_t i = 0;
  for (const auto& [row, begin] : begins) {
    Series window = rows[0];
    const std::int64_t C = window.column_count();
    window.values.assign(rows[0].values.begin() + begin * C, rows[0].values.begin() + (begin + 20) * C);
    const std::vector<Series> alone{window};
    const std::vector<ValueAt> place{{0, row - begin, 0}};
    EXPECT_EQ(answer(network_, info.series, alone, place)[0], together[i++]) << "row " << row;
  }
}

TEST_F(Impute, KnownValuesStayAndEveryMissingOneIsFilled) {
  Series series = series_of({"x", "y"}, {});
  for (const double value : autoregression(400, 0.9)) series.values.insert(series.values.end(), {value, value * 1e-7});
  for (const std::size_t i : {0, 1, 2, 100, 102, 401, 798, 799}) series.values[i] = kNone;
  Options options = options_for(series);
  options.train.epochs = 2;
  const Model model = train(options);
  Rows rows;
  impute_task().predict(model, options, rows);
  EXPECT_EQ(rows.columns,
            (std::vector<std::string>{"step", "x", "x_filled", "x_p10", "x_p90", "y", "y_filled", "y_p10", "y_p90"}));
  ASSERT_EQ(rows.rows.size(), 400U);
  EXPECT_EQ(rows.notes.back(), "filled: 8 missing values");
  for (std::size_t t = 0; t < 400; ++t) {
    for (std::size_t c = 0; c < 2; ++c) {
      const double value = series.values[2 * t + c];
      const std::string* cells = rows.rows[t].data() + 1 + 4 * c;
      const std::optional<double> written = to_number(cells[0]);
      ASSERT_TRUE(written) << "row " << t;
      EXPECT_EQ(cells[1], std::isnan(value) ? "1" : "0") << "row " << t;
      if (std::isnan(value)) {
        EXPECT_LE(*to_number(cells[2]), *to_number(cells[3])) << "row " << t;
      } else {
        EXPECT_EQ(*written, value) << "row " << t;
        EXPECT_EQ(cells[2] + cells[3], "") << "row " << t;
      }
    }
  }
  write_file_atomically(folder_ / "whole.csv", table_of(interpolate(series)));
  options.data.data = {folder_ / "whole.csv"};
  Rows whole;
  impute_task().predict(model, options, whole);
  EXPECT_EQ(whole.notes.back(), "filled: nothing, no value is missing");
}

// The same numbers from the model in memory and its file, and for any number of threads.
TEST_F(Impute, ThreadsAndTheModelFileChangeNoBit) {
  Series series = series_of({"x", "y"}, {});
  for (const double value : autoregression(400, 0.9)) series.values.insert(series.values.end(), {value, -value});
  for (const std::size_t i : {100, 102, 401, 402, 403}) series.values[i] = kNone;
  Options options = options_for(series);
  options.train.epochs = 3;
  std::vector<std::vector<std::vector<std::string>>> written;
  std::vector<Metrics> metrics;
  for (const int threads : {1, 3}) {
    set_threads(threads);
    const Model model = train(options);
    Options same = options;
    same.data.part = "valid";
    metrics.push_back(result_.metrics);
    metrics.push_back(impute_task().evaluate(model, same, quiet_).metrics);
    Rows rows;
    impute_task().predict(model, options, rows);
    written.push_back(rows.rows);
  }
  set_threads(1);
  EXPECT_EQ(written[0], written[1]);
  for (const Metrics& one : metrics) EXPECT_EQ(one, metrics[0]);
}

// Errors worked out from the places and the table, apart from the code that scores.
TEST_F(Impute, ScoresAreThoseOfTheHiddenValues) {
  const Series series = series_of({"x"}, autoregression(400, 0.5));
  Options options = options_for(series);
  options.data.season = 1;
  ImputeInfo info;
  const ForecastData data = untrained(options, info, false);
  const std::vector<HiddenValues> draws = hide_to_score(data, valid_part, {0.1, 0, {}, 1});
  ASSERT_EQ(draws.size(), 10U);  // 40 rows give fewer than 1000 values
  const EvaluateResult result = score_imputation(network_, data, info, draws);
  double squares = 0, absolute = 0, count = 0, steps = 0;
  for (const HiddenValues& draw : draws) {
    const Series line = interpolate(draw.series[0]);
    for (const ValueAt& place : draw.places) {
      EXPECT_GE(place.row, 360);
      const double error = line.at(place.row, 0) - series.at(place.row, 0);
      squares += error * error;
      absolute += std::abs(error);
      count += 1;
    }
  }
  for (std::int64_t t = 1; t < 360; ++t) steps += std::abs(series.at(t, 0) - series.at(t - 1, 0)) / 359;
  EXPECT_EQ(result.samples, static_cast<std::int64_t>(count));
  EXPECT_NEAR(metric(result.metrics, "rmse"), std::sqrt(squares / count), 1e-9);
  EXPECT_NEAR(metric(result.metrics, "mae"), absolute / count, 1e-9);
  EXPECT_NEAR(metric(result.metrics, "mase"), absolute / count / steps, 1e-9);
  EXPECT_NEAR(baseline(result, "interpolation", "mse"), squares / count, 1e-9);
}

// A random walk: the further away what is known, the wider the interval, as sqrt(a b / (a + b)) between two ends.
TEST_F(Impute, IntervalsWidenWithTheDistanceOfWhatIsKnown) {
  std::vector<double> walk = normal_numbers(4000, 6);
  for (std::size_t t = 1; t < walk.size(); ++t) walk[t] += walk[t - 1];
  Options options = options_for(series_of({"x"}, walk));
  options.data.valid_fraction = 0.5;
  options.data.gap_length = 31;
  options.data.hide = 0.2;
  options.train.epochs = 1;
  const ImputeInfo info = ImputeInfo::from_model(train(options));
  const auto& levels = info.series.levels;
  const std::int64_t Q = std::ssize(levels), low = std::ranges::find(levels, 0.1) - levels.begin(),
                     high = std::ranges::find(levels, 0.9) - levels.begin();
  const auto width = [&](std::int64_t distance) {
    return info.errors[static_cast<std::size_t>(distance * Q + high)] -
           info.errors[static_cast<std::size_t>(distance * Q + low)];
  };
  for (std::int64_t distance = 1; distance < 4; ++distance) EXPECT_GT(width(distance), width(distance - 1));
  // In a gap of 31 the variance is 31 / 32 at distance 1, and 7.1 on average at distances 8 to 15.
  EXPECT_NEAR(width(3) / width(0), std::sqrt(7.1 / (31.0 / 32)), 0.5);
}

TEST_F(Impute, WhatDoesNotFitIsRefused) {
  Series series = series_of({"x"}, autoregression(200, 0.5));
  Options options = options_for(series);
  options.train.epochs = 1;
  const auto refuse = [&](auto change, const std::string& message) {
    Options wrong = options;
    change(wrong);
    expect_error(Code::kUsage, {message}, [&] { impute_task().train(wrong, quiet_); });
  };
  refuse([](Options& o) { o.train.loss = "bce"; }, "--loss bce: impute takes mse, mae or huber");
  refuse([](Options& o) { o.train.bptt = 8; }, "--bptt");
  refuse([](Options& o) { o.model.cell = "none"; }, "--cell none");
  refuse([](Options& o) { o.data.transform = "seasonal-difference"; }, "--transform seasonal-difference");
  Model model = train(options);
  Options part = options;
  part.data.part = "test";
  Rows rows;
  expect_error(Code::kUsage, {"--part"}, [&] { impute_task().predict(model, part, rows); });
  expect_error(Code::kData, {"no two known values"}, [&] { impute_task().evaluate(model, part, quiet_); });
  ImputeInfo info = ImputeInfo::from_model(model);
  info.errors.pop_back();
  model.set_task_data(info.to_json());
  expect_error(Code::kModel, {"contradicts itself"}, [&] { ImputeInfo::from_model(model); });
  info.errors.clear();
  info.gaps = {{0, false}};
  model.set_task_data(info.to_json());
  expect_error(Code::kModel, {"contradicts itself"}, [&] { ImputeInfo::from_model(model); });
}

}  // namespace
}  // namespace carousel
