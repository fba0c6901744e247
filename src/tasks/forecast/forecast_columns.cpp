#include "tasks/forecast/forecast_columns.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <set>

#include "base/fail.h"
#include "data/nearest.h"
#include "data/number.h"
#include "data/series/calendar.h"
#include "tasks/column_scale.h"

namespace carousel {

using nlohmann::json;

namespace {

constexpr double kNotKnown = std::numeric_limits<double>::quiet_NaN();

// Whether enough values are missing in the training parts for a column of its own.
bool often_missing(std::span<const Series> series, std::span<const SeriesSplit> splits, std::int64_t column) {
  constexpr std::int64_t kOften = 200;  // at least one of so many
  std::int64_t missing = 0, rows = 0;
  for (std::size_t k = 0; k < series.size(); ++k) {
    rows += splits[k].train.size();
    for (std::int64_t t = splits[k].train.begin(); t < splits[k].train.end(); ++t) {
      missing += std::isnan(series[k].at(t, column)) ? 1 : 0;
    }
  }
  return missing * kOften >= rows && missing > 0;
}

// A number if every series that has a value has a number there.
StaticColumn fit_static(std::span<const Series> series, const std::string& name, std::size_t place) {
  StaticColumn column{name, {}, 0, 1};
  ScaleSum sum;
  std::set<std::string> categories;
  bool numbers = true;
  for (const Series& one : series) {
    const std::string& text = one.statics[place];
    if (text.empty()) continue;
    const auto number = to_number(text);
    numbers = numbers && number.has_value();
    if (number) sum.add(*number);
    categories.insert(text);
  }
  if (numbers) {
    column.shift = sum.scale().mean;
    column.factor = sum.scale().deviation;
  } else {
    column.categories.assign(categories.begin(), categories.end());
  }
  return column;
}

void check_calendar(const std::vector<std::string>& features, const TimeAxis& times) {
  for (std::size_t k = 0; k < features.size(); ++k) {
    if (std::ranges::count(calendar_features(), features[k]) == 0) {
      fail(Code::kUsage, "--calendar: unknown feature '{}', expected none or some of {}", features[k],
           listed(calendar_features()));
    }
    if (std::count(features.begin(), features.begin() + static_cast<std::ptrdiff_t>(k), features[k]) > 0) {
      fail(Code::kUsage, "--calendar names '{}' twice", features[k]);
    }
  }
  if (!times.is_date()) {
    fail(Code::kUsage, "--calendar {} needs a time column of dates, {}", features.front(),
         times.empty() ? "but there is no time column (--time-column)"
                       : fmt::format("but the first time is '{}'", times.text(0)));
  }
}

// Writes one column after another into every row.
class ColumnWriter {
 public:
  ColumnWriter(Series& scaled, std::int64_t width) : scaled_(scaled), width_(width), rows_(scaled.time_steps()) {
    std::vector<double> wide(static_cast<std::size_t>(rows_ * width));
    const std::int64_t read = scaled.column_count();
    for (std::int64_t t = 0; t < rows_; ++t) {
      std::copy_n(scaled.values.begin() + t * read, read, wide.begin() + t * width);
    }
    scaled.values = std::move(wide);
    next_ = read;
  }
  // value(t) of every row.
  template <class Value>
  void add(Value value) {
    for (std::int64_t t = 0; t < rows_; ++t) {
      scaled_.values[static_cast<std::size_t>(t * width_ + next_)] = value(t);
    }
    ++next_;
  }

 private:
  Series& scaled_;
  std::int64_t width_, rows_, next_ = 0;
};

std::int64_t position(const Series& series, const std::string& name) {
  return column_positions(series, std::span(&name, 1)).front();
}

}  // namespace

std::vector<std::string> DerivedColumns::names() const {
  std::vector<std::string> names;
  for (const std::string& column : ahead) names.push_back(column + " ahead");
  if (calendar_ahead) {
    for (const std::string& feature : calendar) {
      names.push_back(feature + " sin ahead");
      names.push_back(feature + " cos ahead");
    }
  }
  for (const std::string& column : known) names.push_back(column + " is known");
  for (const std::string& feature : calendar) {
    names.push_back(feature + " sin");
    names.push_back(feature + " cos");
  }
  for (const StaticColumn& column : statics) {
    if (column.categories.empty()) names.push_back(column.name);
    for (const std::string& category : column.categories) names.push_back(column.name + " = " + category);
  }
  if (!series.empty()) names.emplace_back("series");
  return names;
}

std::int64_t DerivedColumns::series_number(const std::string& id) const {
  const auto found = std::lower_bound(series.begin(), series.end(), id);
  return found == series.end() || *found != id ? -1 : found - series.begin();
}

std::int64_t DerivedColumns::ahead_count() const {
  return std::ssize(ahead) + (calendar_ahead ? 2 * std::ssize(calendar) : 0);
}

void DerivedColumns::check(const std::vector<std::string>& columns, const SeriesOptions& reading) const {
  const std::vector<std::string> last = names();
  const std::int64_t read = std::ssize(columns) - std::ssize(last);
  if (read < 1 || !std::equal(last.begin(), last.end(), columns.begin() + read)) {
    fail(Code::kModel, "the forecaster's columns do not end with those that are derived: {}", listed(last));
  }
  for (const auto* names : {&ahead, &known}) {
    for (const std::string& name : *names) {
      if (std::find(columns.begin(), columns.begin() + read, name) == columns.begin() + read) {
        fail(Code::kModel, "the forecaster derives a column from '{}', which it does not read", name);
      }
    }
  }
  if (statics.size() != reading.statics.size()) {
    fail(Code::kModel, "the forecaster has {} static columns and reads {}", statics.size(), reading.statics.size());
  }
  if (std::ranges::adjacent_find(series, std::greater_equal{}) != series.end()) {
    fail(Code::kModel, "the forecaster's series are not sorted");
  }
}

json DerivedColumns::to_json() const {
  json columns = json::array();
  for (const StaticColumn& column : statics) {
    columns.push_back(
        {{"name", column.name}, {"categories", column.categories}, {"shift", column.shift}, {"factor", column.factor}});
  }
  return {{"ahead", ahead},     {"known", known},  {"calendar", calendar}, {"calendar_ahead", calendar_ahead},
          {"statics", columns}, {"series", series}};
}

DerivedColumns DerivedColumns::from_json(const json& object) {
  DerivedColumns derived;
  object.at("ahead").get_to(derived.ahead);
  object.at("known").get_to(derived.known);
  object.at("calendar").get_to(derived.calendar);
  derived.calendar_ahead = object.value("calendar_ahead", false);
  for (const std::string& feature : derived.calendar) {
    if (std::ranges::count(calendar_features(), feature) == 0) {
      fail(Code::kModel, "the forecaster has an unknown calendar feature '{}'", feature);
    }
  }
  derived.series = object.value("series", derived.series);
  for (const json& column : object.at("statics")) {
    StaticColumn one;
    column.at("name").get_to(one.name);
    column.at("categories").get_to(one.categories);
    column.at("shift").get_to(one.shift);
    column.at("factor").get_to(one.factor);
    derived.statics.push_back(std::move(one));
  }
  return derived;
}

DerivedColumns fit_derived_columns(std::span<const Series> series, std::span<const SeriesSplit> splits,
                                   const SeriesOptions& reading, const std::vector<std::string>& calendar,
                                   bool calendar_ahead) {
  DerivedColumns derived;
  for (const std::string& name : reading.future) {
    const auto text = std::ranges::find(reading.categories, name, &CategoryColumn::name);
    if (text == reading.categories.end()) {
      derived.ahead.push_back(name);
    } else {
      for (const std::string& column : text->columns()) derived.ahead.push_back(column);
    }
  }
  for (std::int64_t c = 0; c < series.front().column_count(); ++c) {
    const std::string& name = series.front().columns[static_cast<std::size_t>(c)];
    const bool target = reading.layout == "columns" ? c == 0 : std::ranges::count(reading.targets, name) > 0;
    const bool to_fill = reading.to_fill && target;
    if (to_fill || often_missing(series, splits, c)) derived.known.push_back(name);
  }
  if (!calendar.empty() && calendar != std::vector<std::string>{"none"}) {
    check_calendar(calendar, series.front().times);
    derived.calendar = calendar;
    derived.calendar_ahead = calendar_ahead;
  }
  for (std::size_t k = 0; k < reading.statics.size(); ++k) {
    derived.statics.push_back(fit_static(series, reading.statics[k], k));
  }
  return derived;
}

Series network_series(const Series& series, const Scaler& scaler, const DerivedColumns& derived, std::int64_t horizon) {
  Series scaled = scaler.transform(series);
  const std::vector<std::string> names = derived.names();
  if (names.empty()) return scaled;
  const std::int64_t width = scaled.column_count() + std::ssize(names), rows = scaled.time_steps();
  std::vector<std::vector<double>> ahead;
  for (const std::string& name : derived.ahead) {
    const std::int64_t column = position(series, name);
    std::vector<double>& values = ahead.emplace_back();
    for (std::int64_t t = horizon; t < rows; ++t) values.push_back(scaled.at(t, column));
    values.resize(static_cast<std::size_t>(rows), kNotKnown);
  }
  ColumnWriter writer(scaled, width);
  for (const std::vector<double>& values : ahead) {
    writer.add([&](std::int64_t t) { return values[static_cast<std::size_t>(t)]; });
  }
  const auto add_calendar = [&](std::int64_t rows_ahead) {
    for (const std::string& feature : derived.calendar) {
      const auto point = [&](std::int64_t t) { return calendar_point(feature, series.times.begin(t + rows_ahead)); };
      writer.add([&](std::int64_t t) { return point(t).sine; });
      writer.add([&](std::int64_t t) { return point(t).cosine; });
    }
  };
  if (derived.calendar_ahead) add_calendar(horizon);
  for (const std::string& name : derived.known) {
    const std::int64_t column = position(series, name);
    writer.add([&](std::int64_t t) { return std::isnan(series.at(t, column)) ? 0.0 : 1.0; });
  }
  add_calendar(0);
  for (std::size_t k = 0; k < derived.statics.size(); ++k) {
    const StaticColumn& column = derived.statics[k];
    const std::string& text = series.statics[k];
    if (column.categories.empty()) {
      const auto number = to_number(text);
      if (!number && !text.empty()) {
        fail(Code::kData, "series '{}': static column '{}' is '{}', expected a number as in training", series.id,
             column.name, text);
      }
      const double value = number ? (*number - column.shift) / column.factor : 0.0;
      writer.add([&](std::int64_t) { return value; });
    }
    for (const std::string& category : column.categories) {
      writer.add([&](std::int64_t) { return text == category ? 1.0 : 0.0; });
    }
  }
  if (!derived.series.empty()) {
    const auto number = static_cast<double>(derived.series_number(series.id));
    writer.add([&](std::int64_t) { return number; });
  }
  scaled.columns.insert(scaled.columns.end(), names.begin(), names.end());
  return scaled;
}

}  // namespace carousel
