// forecast_pictures.h: a series with its forecasts drawn over it, as charts and as the figures of a page.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tasks/forecast/forecast_diagnostics.h"
#include "tasks/report/report.h"

namespace carousel {

// "1 step", "12 steps".
std::string count_text(std::int64_t count, std::string_view what);

// The forecast of one method for the rows of the held-back part, from its first row on; NaN where there is none.
struct DrawnForecast {
  std::string name;
  std::vector<double> values;
};

// The column over the rows `shown`, the forecasts over it, the held-back part shaded.
// REQUIRES: shown lies inside the series, held_back begins inside shown.
LineChart forecast_chart(const Series& series, std::int64_t column, Range shown, Range held_back,
                         std::span<const DrawnForecast> forecasts);

// Some windows of one series and target, each drawn from its origin: the model's forecast with its central intervals
// and that of the best baseline.
struct FanView {
  std::int64_t series = 0, target = 0;
  std::vector<std::size_t> windows;  // of this series, rising, none reaching over the next one's origin
  Range shown;                       // rows of what happened, known or not before the origins
  bool from_last_value = false;      // the lines begin at the last value that was known, not at the first forecast
};
LineChart fan_chart(const PicturedForecasts& pictured, const FanView& view);

// The windows of a series one behind the other, each origin at or after the end of the window before.
std::vector<std::size_t> end_to_end(const PicturedForecasts& pictured, std::int64_t series);

// A forecast drawn with as many rows before its origin as help to judge it.
LineChart origin_chart(const PicturedForecasts& pictured, std::size_t window, std::int64_t target);

// Figures of one target of one series: the whole, closer, from some origins, errors by step, calibration. `held_back`
// are the rows that the forecasts are about.
void add_forecast_figures(const PicturedForecasts& pictured, std::int64_t series, std::int64_t target, Range held_back,
                          std::vector<Figure>& figures);

// Errors of the first step over time, their autocorrelation and histogram; none if no error is known.
void add_error_figures(const StepErrors& errors, const Series& series, const std::string& target, std::int64_t season,
                       std::vector<Figure>& figures);

// Of several series the five with the largest error, the last forecast of each.
void add_worst_series_figure(const PicturedForecasts& pictured, std::vector<Figure>& figures);

}  // namespace carousel
