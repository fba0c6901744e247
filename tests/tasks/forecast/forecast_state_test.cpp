// Oracles: the same forecast from all rows at once, bit for bit; files that are cut and edited byte by byte; values of
// the normal distribution from tables; sums worked out by hand.
#include "tasks/forecast/forecast_state.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "tasks/forecast/forecast_anomalies.h"
#include "tasks/forecast/forecast_head.h"
#include "tasks/forecast/forecast_update.h"
#include "tasks/forecast/forecasts.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"
#include "tests/tasks/forecast/forecast_case.h"

namespace carousel {
namespace {

constexpr std::int64_t kStateWindow = 6, kStateHorizon = 3, kStateRows = 40;

struct Kind {
  std::string cell = "lstm";
  std::int64_t layers = 1;
  bool stateful = true, several = false;
  std::int64_t window = kStateWindow;
  std::string transform = "none";
  bool derived = true, recursive = false;
  std::string distribution = "point";
};

ForecastInfo info_of(const Kind& kind) {
  ForecastInfo info;
  info.columns = info.targets = {"a", "b"};
  info.horizon = kStateHorizon;
  info.window = kind.window;
  info.several = kind.several;
  info.stateful = kind.stateful;
  info.recursive = kind.recursive;
  info.distribution = kind.distribution;
  if (kind.distribution != "point") info.levels = {0.1, 0.9};
  info.reading.layout = kind.several ? "long" : "wide";
  info.reading.time_column = "time";
  info.reading.id_column = kind.several ? "id" : "";
  info.reading.targets = info.targets;
  info.transform = kind.transform;
  info.season = 5;
  if (kind.derived) {
    info.derived.known = {"a"};
    info.derived.calendar = {"hour"};
  }
  for (const std::string& name : info.derived.names()) info.columns.push_back(name);
  if (!kind.several) info.scaler = Scaler({{.shift = 3, .factor = 2}, {.shift = 20, .factor = 0.5}});
  return info;
}

Model model_of(const Kind& kind) {
  const ForecastInfo info = info_of(kind);
  Model model("forecast", random_forecaster(info, kind.cell, 5, kind.layers));
  model.set_task_data(info.to_json());
  return model;
}

// Rows begin .. end-1 of `series` series as a file.
std::string rows_text(const Kind& kind, std::int64_t series, std::int64_t begin, std::int64_t end) {
  std::string text = kind.several ? "id,time,a,b\n" : "time,a,b\n";
  for (std::int64_t s = 0; s < series; ++s) {
    for (std::int64_t t = begin; t < end; ++t) {
      if (t % 9 == 4) continue;  // a gap
      if (kind.several) text += fmt::format("S{},", s);
      const double x = static_cast<double>(t), phase = static_cast<double>(s);
      const std::string a = t % 11 < 3 ? "" : fmt::format("{}", 4 + std::sin(0.7 * x + phase));
      text += fmt::format("2020-01-{:02} {:02}:00,{},{}\n", 1 + t / 24, t % 24, a, 20 + std::cos(0.3 * x - phase));
    }
  }
  return text;
}

class ForecastStateFile : public ::testing::Test {
 protected:
  // The options of a run over these rows.
  Options options_for(const Kind& kind, std::int64_t series, std::int64_t begin, std::int64_t end) const {
    Options options;
    options.data.data = {folder_ / "rows.csv"};
    options.output.state = folder_ / "state";
    put_file(options.data.data.front(), rows_text(kind, series, begin, end));
    return options;
  }

  // Rows 0 .. end-1 of every series, kept in the state.
  ForecastData begin(const Model& model, const Kind& kind, std::int64_t series, std::int64_t end) const {
    const ForecastInfo info = ForecastInfo::from_model(model);
    const Options options = options_for(kind, series, 0, end);
    ForecastData data = read_series_for_model(options.data.data, options.data, info, Parts::kAllKnown);
    carry_to_the_end(model, data, info);
    write_forecast_state(model, options, data, info);
    return data;
  }

  ForecastData update(const Model& model, const Kind& kind, std::int64_t series, std::int64_t begin,
                      std::int64_t end) const {
    const ForecastInfo info = ForecastInfo::from_model(model);
    const Options options = options_for(kind, series, begin, end);
    ForecastData data = read_updated_series(model, options, info);
    carry_to_the_end(model, data, info);
    write_forecast_state(model, options, data, info);
    return data;
  }

  void expect_the_forecasts_of_all_rows(const Kind& kind, const std::vector<std::int64_t>& borders) const {
    const std::int64_t series = kind.several ? 3 : 1;
    const Model model = model_of(kind);
    const ForecastInfo info = ForecastInfo::from_model(model);
    ForecastData data = begin(model, kind, series, borders.front());
    const std::vector<Scaler> scalers = data.scalers;  // of the first run; later ones keep it
    for (std::size_t k = 0; k < borders.size(); ++k) {
      const std::int64_t to = k + 1 < borders.size() ? borders[k + 1] : kStateRows;
      data = update(model, kind, series, borders[k], to);
    }
    const Options options = options_for(kind, series, 0, kStateRows);
    ForecastData whole = read_series_for_model(options.data.data, options.data, info, Parts::kAllKnown);
    whole.scalers = scalers;
    whole.splits.clear();
    whole.scaled.clear();
    scale_known_series(whole, info);
    const std::int64_t steps = kind.derived ? kStateHorizon : 7;  // beyond the horizon
    ASSERT_EQ(data.series.size(), whole.series.size());
    for (std::int64_t s = 0; s < series; ++s) {
      const Forecasts expected = forecast_ahead(model, whole, info, s, steps);
      const Forecasts got = forecast_ahead(model, data, info, s, steps);
      for (std::int64_t i = 0; i < expected.values(); ++i) {
        ASSERT_EQ(got.point[i], expected.point[i])
            << kind.cell << ", rows up to " << borders.front() << ", series " << s << ", value " << i;
      }
      EXPECT_TRUE(std::ranges::equal(got.quantiles.span(), expected.quantiles.span()));
    }
  }

  TemporaryFolder folder_;
};

TEST_F(ForecastStateFile, NewRowsAloneGiveTheForecastOfAllRows) {
  const std::vector<std::vector<std::int64_t>> borders{{6}, {7}, {23}, {39}, {10, 11, 30}};
  for (const auto& list : borders) {
    expect_the_forecasts_of_all_rows({.cell = "lstm", .layers = 2}, list);
    expect_the_forecasts_of_all_rows({.cell = "lstm", .stateful = false}, list);
    expect_the_forecasts_of_all_rows({.cell = "gru", .several = true, .transform = "log"}, list);
    expect_the_forecasts_of_all_rows({.stateful = false, .several = true, .transform = "seasonal-difference"}, list);
  }
  expect_the_forecasts_of_all_rows({.cell = "gru", .layers = 2, .derived = false}, {20, 30});
  expect_the_forecasts_of_all_rows({.stateful = false, .derived = false}, {20, 30});
  expect_the_forecasts_of_all_rows({.cell = "gru", .window = 1}, {4});
  for (const char* distribution : {"point", "gaussian"}) {
    expect_the_forecasts_of_all_rows({.derived = false, .recursive = true, .distribution = distribution}, {20, 30});
  }
}

TEST_F(ForecastStateFile, SeriesWithoutNewRowsStay) {
  const Kind kind{.several = true};
  const Model model = model_of(kind);
  const ForecastInfo info = ForecastInfo::from_model(model);
  const ForecastData before = begin(model, kind, 3, 20);
  const ForecastData after = update(model, kind, 1, 20, 25);
  ASSERT_EQ(after.series.size(), 3U);
  EXPECT_EQ(after.series[0].time_steps(), kStateWindow + 5);
  EXPECT_NE(forecast_ahead(model, after, info, 0, 1).point[0], forecast_ahead(model, before, info, 0, 1).point[0]);
  for (const std::int64_t s : {1, 2}) {
    EXPECT_EQ(forecast_ahead(model, after, info, s, 1).point[0], forecast_ahead(model, before, info, s, 1).point[0]);
  }
}

TEST_F(ForecastStateFile, RowsMustBeLaterAndOfKnownSeries) {
  const Kind one{}, several{.several = true};
  const Model model = model_of(one), global = model_of(several);
  begin(model, one, 1, 20);
  expect_error(Code::kData, {"2020-01-01 19:00", "later rows only"}, [&] { update(model, one, 1, 19, 30); });
  expect_error(Code::kData, {"begins at '2020-01-01 05:00'", "up to '2020-01-01 19:00'"},
               [&] { update(model, one, 1, 5, 30); });
  begin(global, several, 2, 20);
  expect_error(Code::kData, {"series 'S2' is not in the state", "2 series"},
               [&] { update(global, several, 3, 20, 22); });
}

TEST_F(ForecastStateFile, TimesThatAreLeftOutAreTreatedAsSaid) {
  const Kind kind{};
  const Model model = model_of(kind);
  const ForecastInfo info = ForecastInfo::from_model(model);
  begin(model, kind, 1, 20);
  Options options = options_for(kind, 1, 23, 30);
  const ForecastData masked = read_updated_series(model, options, info);
  EXPECT_EQ(masked.series[0].time_steps(), kStateWindow + 10);
  for (const std::int64_t t : {0, 1, 2}) EXPECT_TRUE(std::isnan(masked.series[0].at(kStateWindow + t, 1))) << t;
  EXPECT_EQ(masked.series[0].times.text(kStateWindow), "2020-01-01 20:00");
  options.data.gaps = "ignore";
  const ForecastData ignored = read_updated_series(model, options, info);
  EXPECT_EQ(ignored.series[0].time_steps(), kStateWindow + 7);
  EXPECT_EQ(ignored.series[0].times.text(kStateWindow), "2020-01-01 23:00");
  options.data.gaps = "refuse";
  expect_error(Code::kData, {"2020-01-01 23:00", "one hour", "--gaps"},
               [&] { read_updated_series(model, options, info); });
  options = options_for(kind, 1, 60, 63);
  expect_error(Code::kData, {"40 times are missing before '2020-01-03 12:00'"},
               [&] { read_updated_series(model, options, info); });
  put_file(options.data.data.front(), "time,a,b\n2020-01-01 20:30,1,2\n2020-01-01 21:30,1,2\n");
  expect_error(Code::kData, {"2020-01-01 20:30", "one hour"}, [&] { read_updated_series(model, options, info); });
  put_file(options.data.data.front(), "time,a,b\n21,1,2\n");
  expect_error(Code::kData, {"no column of dates"}, [&] { read_updated_series(model, options, info); });
}

TEST_F(ForecastStateFile, TheStateOfAnotherModelIsRefused) {
  const Kind kind{};
  const Model model = model_of(kind), other = model_of({.layers = 2}), windows = model_of({.stateful = false});
  begin(model, kind, 1, 20);
  expect_error(Code::kModel, {"another model"}, [&] { update(other, kind, 1, 20, 22); });
  expect_error(Code::kModel, {"another model"}, [&] { update(windows, kind, 1, 20, 22); });
  Options options = options_for(kind, 1, 20, 22);
  options.model.dtype = "int8";
  const ForecastInfo info = ForecastInfo::from_model(model);
  expect_error(Code::kModel, {"--dtype"}, [&] { read_updated_series(model, options, info); });
  options.model.dtype = "f32";
  ForecastInfo longer = info;
  longer.window = 7;
  expect_error(Code::kModel, {"'0.rows'", "[6, 2]", "at least 7 rows"},
               [&] { read_updated_series(model, options, longer); });
}

TEST_F(ForecastStateFile, ADamagedFileIsAnError) {
  const Kind kind{.several = true};
  const Model model = model_of(kind);
  const ForecastInfo info = ForecastInfo::from_model(model);
  begin(model, kind, 2, 20);
  const Options options = options_for(kind, 2, 20, 22);
  const std::string whole = read_file(options.output.state);
  read_updated_series(model, options, info);
  for (const std::size_t length :
       {std::size_t{0}, std::size_t{7}, std::size_t{40}, whole.size() / 2, whole.size() - 1}) {
    put_file(options.output.state, whole.substr(0, length));
    expect_error(Code::kModel, {"state"}, [&] { read_updated_series(model, options, info); });
  }
  const std::size_t header = whole.find("\"0.rows\"");  // behind the metadata
  ASSERT_NE(header, std::string::npos);
  for (std::size_t at = 0; at < whole.size(); at += at < header ? 5 : 97) {
    std::string edited = whole;
    edited[at] = static_cast<char>(edited[at] ^ 1);
    put_file(options.output.state, edited);
    expect_error(Code::kModel, {"state"}, [&] { read_updated_series(model, options, info); });
  }
}

// Oracle: the table of the normal distribution, and its tail by the series of Mills' ratio (1 - 1/z^2 + 3/z^4) / z.
TEST(ForecastAnomalies, SurpriseIsTheTailOfTheNormalDistribution) {
  EXPECT_EQ(surprise_of(0), 0);
  EXPECT_NEAR(surprise_of(1.959963984540054), -std::log10(0.05), 1e-12);
  EXPECT_NEAR(surprise_of(3.290526731491926), 3, 1e-12);
  for (const double z : {24.9, 25.0, 30.0, 1000.0}) {
    const double mills = (1 - 1 / (z * z) + 3 / (z * z * z * z)) / z;
    const double expected = (z * z / 2 - std::log(2 * mills / std::sqrt(2 * std::acos(-1.0)))) / std::log(10.0);
    EXPECT_NEAR(surprise_of(z), expected, z < 25 ? 1e-6 : 1e-3) << z;
  }
}

// Oracle: the quantiles of the same distribution: beyond the one of level q on either side lie 2 q of all values.
TEST(ForecastAnomalies, SurpriseIsThatOfTheDistribution) {
  for (const char* name : {"gaussian", "student_t"}) {
    ForecastInfo info;
    info.distribution = name;
    const std::unique_ptr<ForecastHead> head = make_forecast_head(info);
    const std::vector<double> x(static_cast<std::size_t>(head->width()), 0.7);
    for (const double tail : {0.3, 0.0005, 1e-8}) {
      for (const double level : {tail, 1 - tail}) {
        const double value = head->quantile(x, {}, level);
        EXPECT_NEAR(surprise_under(*head, x, {}, value), -std::log10(2 * tail), 1e-4) << name << ", level " << level;
      }
    }
    EXPECT_EQ(surprise_under(*head, x, {}, head->quantile(x, {}, 0.5)), 0) << name;
    EXPECT_NEAR(surprise_under(*head, x, {}, 1e9), 14 - std::log10(2), name[0] == 'g' ? 0.01 : 14) << name;
  }
}

// Oracle: root mean squares of the errors of the first step alone.
TEST(ForecastAnomalies, TheDeviationIsThatOfTheFirstStep) {
  const Kind kind{.stateful = false, .derived = false};
  const Model model = model_of(kind);
  const ForecastInfo info = ForecastInfo::from_model(model);
  ForecastData data;
  data.series.resize(1);
  data.series[0].columns = info.columns;
  for (int t = 0; t < 12; ++t) data.series[0].values.insert(data.series[0].values.end(), {3 + 0.1 * t, 20 - 0.2 * t});
  data.series[0].values[2 * 8 + 1] = std::nan("");
  data.scalers = {info.scaler};
  scale_known_series(data, info);
  const std::vector<WindowAt> windows{{0, 6}, {0, 7}, {0, 8}};
  const Forecasts forecasts = model_forecasts(model, data, windows, info);
  std::vector<double> squares{0, 0};
  for (const std::int64_t t : {6, 7, 8}) {
    for (const std::int64_t c : {0, 1}) {
      const double error = forecasts.point[(t - 6) * forecasts.values() + c] - data.scaled[0].at(t, c);
      if (!std::isnan(error)) squares[static_cast<std::size_t>(c)] += error * error;
    }
  }
  const std::vector<double> deviation = one_step_deviation(model, data, windows, info);
  ASSERT_EQ(deviation.size(), 2U);
  EXPECT_DOUBLE_EQ(deviation[0], std::sqrt(squares[0] / 3));
  EXPECT_DOUBLE_EQ(deviation[1], std::sqrt(squares[1] / 2));
  EXPECT_TRUE(one_step_deviation(model, data, {}, info).empty());
}

}  // namespace
}  // namespace carousel
